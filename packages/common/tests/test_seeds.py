"""Laws of seeds: one stream per seed, stage and catalog, and no two alike."""

import numpy as np
from earnest_common.run.seeds import Stage, generator, generators
from hypothesis import given
from hypothesis import strategies as st

KEY = st.tuples(st.integers(0, 2**63), st.sampled_from(Stage), st.integers(0, 2**31))


@given(KEY, KEY)
def test_streams_are_equal_only_for_equal_keys(a: tuple[int, Stage, int], b: tuple[int, Stage, int]):
    draws = [generator(*key).integers(2**62, size=2).tolist() for key in (a, b)]
    assert (draws[0] == draws[1]) == (a == b)


@given(st.integers(0, 2**300), st.sampled_from(Stage), st.lists(st.integers(0, 2**32 - 1), max_size=5))
def test_many_generators_are_those_made_one_by_one(seed: int, stage: Stage, indices: list[int]):
    together = list(generators(seed, stage, np.array(indices, dtype=np.int64)))
    for rng, index in zip(together, indices, strict=True):
        assert rng.bit_generator.state == generator(seed, stage, index).bit_generator.state


def test_indices_of_two_words_are_served_too():
    (rng,) = generators(1, Stage.DESIGN, np.array([2**32]))
    assert rng.bit_generator.state == generator(1, Stage.DESIGN, 2**32).bit_generator.state
