"""Donors: which cluster of the base sample lends its residuals and gas profile to a mock cluster."""

from dataclasses import dataclass
from typing import final

import numpy as np
from earnest_common.arrays import FloatArray, IntArray
from earnest_common.errors import InputError
from earnest_common.run.seeds import Stage, generator
from earnest_common.schema import SPLITS

from earnest_mocks.base_sample.sample import BaseSample
from earnest_mocks.catalogs.config import DonorRule

__all__ = ["DonorPool", "donor_pools", "nearby"]

_SHARES = (0.8, 0.1, 0.1)


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class DonorPool:
    """Donors that some catalogs may use.

    Attributes
    ----------
    log10_m
        Their log10 masses [solMass], rising, shape (n,).
    index
        Their positions in the base sample, shape (n,).
    """

    log10_m: FloatArray
    index: IntArray


def donor_pools(sample: BaseSample, rule: DonorRule, *, seed: int) -> tuple[DonorPool, ...]:
    """Return one pool for all catalogs, or one of 80, 10 and 10 % of the sample for each split.

    Separate pools are dealt out along the mass so that each covers the whole range.

    Raises
    ------
    InputError
        If a pool would be smaller than ``at_least``.
    """
    n = sample.n_clusters
    everyone = np.arange(n)
    pools = [everyone]
    if rule.split:
        dealt = np.concatenate(
            [generator(seed, Stage.BASE_SAMPLE, 1 + block).permutation(10) for block in range(-(-n // 10))]
        )[:n]
        bounds = np.cumsum(np.round(10 * np.array(_SHARES))).astype(int)
        use = np.searchsorted(bounds, dealt, side="right")
        pools = [everyone[use == i] for i in range(len(SPLITS))]
    smallest = min(len(pool) for pool in pools)
    if smallest < rule.at_least:
        remedy = "use a larger base sample, fewer donors.at_least, or donors.split = false"
        raise InputError(
            f"the base sample has {n} clusters and {smallest} in its smallest donor pool; donors.at_least asks for "
            f"{rule.at_least}: {remedy}"
        )
    return tuple(DonorPool(log10_m=sample.log10_m_500c[pool], index=pool) for pool in pools)


def nearby(pool: DonorPool, log10_m: FloatArray, rule: DonorRule) -> tuple[IntArray, IntArray]:
    """Return the run of donors [first, last) in the pool that is near enough to each mass.

    These are the donors within ``half_width``, or the ``at_least`` nearest where fewer are.

    Parameters
    ----------
    pool
        The donors.
    log10_m
        log10 masses of the mock clusters [solMass], shape (n,).
    rule
        How near, how many.

    Returns
    -------
    First and one past the last donor, each of shape (n,).

    Examples
    --------
    >>> pool = DonorPool(log10_m=np.array([13.8, 13.85, 14.5]), index=np.arange(3))
    >>> [ends.tolist() for ends in nearby(pool, np.array([13.82, 15.0]), DonorRule(at_least=1))]
    [[0, 2], [2, 3]]
    """
    first = np.searchsorted(pool.log10_m, log10_m - rule.half_width, side="left")
    last = np.searchsorted(pool.log10_m, log10_m + rule.half_width, side="right")
    few = np.flatnonzero(last - first < rule.at_least)
    if len(few):
        start = _nearest_run(pool.log10_m, log10_m[few], rule.at_least)
        first[few], last[few] = start, start + rule.at_least
    return first, last


def _nearest_run(donors: FloatArray, log10_m: FloatArray, size: int) -> IntArray:
    """Return where the ``size`` donors nearest to each mass begin; in a sorted list they are neighbours."""
    begin = np.arange(len(donors) - size + 1)
    # A run is better than the next one as long as the mass is nearer to its first than to the newcomer behind it:
    # the best run changes at the midpoints between the two.
    turning = (donors[begin[:-1]] + donors[begin[1:] + size - 1]) / 2
    return np.searchsorted(turning, log10_m, side="left")
