"""Donors: the near ones, the nearest where few are near, separate pools."""

import numpy as np
import pytest
from earnest_common.errors import InputError
from earnest_mocks.base_sample.sample import default_base_sample
from earnest_mocks.catalogs.config import DonorRule
from earnest_mocks.catalogs.donors import DonorPool, donor_pools, nearby
from hypothesis import given
from hypothesis import strategies as st


@given(
    st.lists(st.floats(13, 15), min_size=3, max_size=30),
    st.floats(12.5, 15.5),
    st.integers(1, 3),
    st.floats(0.01, 0.5),
)
def test_donors_are_the_near_ones_or_the_nearest(masses, mass, at_least, half_width):
    pool = DonorPool(log10_m=np.sort(masses), index=np.arange(len(masses)))
    first, last = (
        int(v[0]) for v in nearby(pool, np.array([mass]), DonorRule(half_width=half_width, at_least=at_least))
    )
    distance = np.abs(pool.log10_m - mass)
    chosen = distance[first:last]
    near = (pool.log10_m >= mass - half_width) & (pool.log10_m <= mass + half_width)
    if near.sum() >= at_least:
        assert (last - first) == near.sum()
        assert near[first:last].all()
    else:
        assert len(chosen) == at_least
        assert np.sort(chosen) == pytest.approx(np.sort(distance)[:at_least], abs=1e-9)


def test_one_pool_serves_all_unless_split():
    sample = default_base_sample()
    (pool,) = donor_pools(sample, DonorRule(), seed=1)
    assert pool.index.tolist() == list(range(sample.n_clusters))


def test_split_pools_share_the_sample_and_cover_its_masses():
    sample = default_base_sample()
    pools = donor_pools(sample, DonorRule(split=True), seed=1)
    together = np.concatenate([pool.index for pool in pools])
    assert sorted(together.tolist()) == list(range(sample.n_clusters))
    assert [len(pool.index) for pool in pools] == pytest.approx([932, 116.5, 116.5], abs=5)
    for pool in pools:
        assert pool.log10_m[0] < 13.75
        assert pool.log10_m[-1] > 14.7
        assert (np.diff(pool.log10_m) >= 0).all()
    other = donor_pools(sample, DonorRule(split=True), seed=2)
    assert other[2].index.tolist() != pools[2].index.tolist()


def test_a_sample_too_small_for_the_rule_is_refused():
    with pytest.raises(InputError, match=r"1165 clusters and 11\d in its smallest donor pool.*asks for 200"):
        donor_pools(default_base_sample(), DonorRule(split=True, at_least=200), seed=1)


@pytest.mark.parametrize("wrong", [{"half_width": 0.0}, {"at_least": 0}, {"recombine": 0.6}, {"recombine": -0.1}])
def test_impossible_rules_are_refused(wrong):
    with pytest.raises(InputError, match=f"donors: {next(iter(wrong))} = "):
        DonorRule(**wrong)
