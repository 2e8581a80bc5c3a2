"""Laws of seeds: one stream per seed, stage and catalog, and no two alike."""

from earnest_common.seeds import Stage, generator
from hypothesis import given
from hypothesis import strategies as st

KEY = st.tuples(st.integers(0, 2**63), st.sampled_from(Stage), st.integers(0, 2**31))


@given(KEY, KEY)
def test_streams_are_equal_only_for_equal_keys(a: tuple[int, Stage, int], b: tuple[int, Stage, int]):
    draws = [generator(*key).integers(2**62, size=2).tolist() for key in (a, b)]
    assert (draws[0] == draws[1]) == (a == b)
