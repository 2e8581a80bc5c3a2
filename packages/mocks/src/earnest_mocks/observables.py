"""What is seen of the clusters: borrowed residuals, observables, gas profiles, weak lensing and the order of l_x."""

from dataclasses import dataclass
from typing import final

import numpy as np
import polars as pl

from earnest_common.arrays import FloatArray, IntArray
from earnest_common.scaling import ScalingRelations
from earnest_mocks.base_sample import BaseSample
from earnest_mocks.config import DonorRule
from earnest_mocks.donors import DonorPool, nearby
from earnest_mocks.population import Population
from earnest_mocks.relations import OBSERVABLES

__all__ = ["Loan", "borrow", "cluster_table", "log10_observable", "largest_residual"]


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Loan:
    """What clusters borrow from the base sample.

    Attributes
    ----------
    donor
        Position of the donor in the base sample, shape (n,).
    partner
        Position of the second donor, shape (n,); the donor itself where none is mixed in.
    weight
        Weight of the second donor, between -0.5 and 0.5, shape (n,).
    residuals
        Offsets of log10 l_x, t_x and m_gas from the base sample's relations [dex], shape (n, 3).
    """

    donor: IntArray
    partner: IntArray
    weight: FloatArray
    residuals: FloatArray

    def keep(self, detected: np.ndarray) -> "Loan":
        """Return the loans of the detected clusters."""
        return Loan(**{name: values[detected] for name, values in vars(self).items()})


def borrow(
    sample: BaseSample, pools: tuple[DonorPool, ...], rule: DonorRule, *, clusters: Population, pool: IntArray
) -> Loan:
    r"""Choose a donor for each cluster at random among those near in mass.

    With ``rule.recombine`` a second donor is mixed in with a weight w, such that mean and covariance of the residuals
    at fixed mass stay those of the base sample:

    .. math:: \delta = \bar\delta + \frac{(1-w)(\delta_1 - \bar\delta) + w(\delta_2 - \bar\delta)}
                                         {\sqrt{(1-w)^2 + w^2}}

    Parameters
    ----------
    sample
        The base sample.
    pools
        The donors of each split.
    rule
        How near they must be.
    clusters
        Masses and random numbers.
    pool
        Which pool each cluster borrows from, shape (n,).

    References
    ----------
    Ntampaka & Vikhlinin (arXiv:2112.05768), section 2.2.2 and figure 3.
    """
    n = len(clusters.log10_m)
    donor = np.empty(n, dtype=np.int64)
    partner, residuals = donor.copy(), np.empty((n, len(OBSERVABLES)))
    weight = rule.recombine * (2 * clusters.uniform[:, 2] - 1)
    for which in np.unique(pool):
        here = np.flatnonzero(pool == which)
        first, last = nearby(pools[which], clusters.log10_m[here], rule)
        chosen = first[:, None] + (clusters.uniform[here, :2] * (last - first)[:, None]).astype(np.int64)
        donor[here], partner[here] = pools[which].index[chosen].T
        residuals[here] = sample.residuals[donor[here]]
        if rule.recombine:
            mean = _run_means(sample.residuals[pools[which].index], first, last)
            residuals[here] = _mixed(sample.residuals, mean, donor[here], partner[here], weight=weight[here])
    return Loan(donor=donor, partner=partner if rule.recombine else donor, weight=weight, residuals=residuals)


def largest_residual(sample: BaseSample, pool: DonorPool, rule: DonorRule, log10_m: FloatArray) -> FloatArray:
    """Return a bound on the borrowed residual of log10 l_x within one step of evenly spaced masses, shape (n,) [dex]."""
    step = log10_m[1] - log10_m[0]
    first, _ = nearby(pool, log10_m - step, rule)
    _, last = nearby(pool, log10_m + step, rule)
    l_x = sample.residuals[pool.index, OBSERVABLES.index("l_x")]
    high = np.array([l_x[a:b].max() for a, b in zip(first, last, strict=True)])
    low = np.array([l_x[a:b].min() for a, b in zip(first, last, strict=True)])
    w = rule.recombine
    return high + w / np.hypot(1 - w, w) * (high - low)


def log10_observable(
    name: str, relations: ScalingRelations, loan: Loan, *, clusters: Population, scatter: FloatArray
) -> FloatArray:
    """Return log10 of an observable: the catalog's mean relation plus the borrowed residual times its scatter factor.

    Parameters
    ----------
    name
        ``l_x``, ``t_x`` or ``m_gas``.
    relations
        The relations of each catalog, fields of shape (n_catalogs,) or numbers.
    loan, clusters
        Residuals and masses.
    scatter
        Scatter factor of each catalog, shape (n_catalogs,).
    """
    law = getattr(relations, name)
    row = clusters.row
    normalisation, slope = (np.broadcast_to(field, scatter.shape)[row] for field in (law.log10_normalisation, law.slope))
    mean = normalisation + slope * (clusters.log10_m - law.log10_pivot)
    return mean + scatter[row] * loan.residuals[:, OBSERVABLES.index(name)]


def cluster_table(
    sample: BaseSample,
    loan: Loan,
    *,
    clusters: Population,
    log10_x: dict[str, FloatArray],
    catalog_id: IntArray,
    m_wl_scatter: FloatArray,
    z: float,
) -> pl.DataFrame:
    """Return the clusters table, each catalog in falling l_x; equal luminosities keep the order of their drawing.

    Parameters
    ----------
    sample, loan, clusters
        Donors, what was borrowed, masses.
    log10_x
        log10 of the three observables, each of shape (n,).
    catalog_id, m_wl_scatter
        Id and scatter of ln m_wl of each catalog, shape (n_catalogs,).
    z
        The redshift of all clusters.
    """
    # lexsort is stable, so the order of drawing decides between equal luminosities.
    order = np.lexsort((-log10_x["l_x"], clusters.row))
    row = clusters.row[order]
    begin = np.cumsum(clusters.counts) - clusters.counts
    rank = np.arange(len(row)) - begin[row]
    m_500c = 10 ** clusters.log10_m[order]
    observables = {name: 10 ** log10_x[name][order] for name in OBSERVABLES}
    fraction, slope = _profiles(sample, loan.keep(order))
    return pl.DataFrame(
        {
            "catalog_id": catalog_id[row],
            "cluster_id": rank,
            "rank": rank,
            "z": np.full(len(row), z),
            "m_500c": m_500c,
            "m_wl": m_500c * np.exp(m_wl_scatter[row] * clusters.normal[order]),
            **observables,
            "m_gas_profile": _array(fraction * observables["m_gas"].astype(np.float32)[:, None]),
            "gas_slope_profile": _array(slope),
            "donor_id": sample.donor_id[loan.donor[order]],
        }
    )


def _array(values: np.ndarray) -> pl.Series:
    return pl.Series(values=values, dtype=pl.Array(pl.Float32, values.shape[1]))


def _profiles(sample: BaseSample, loan: Loan) -> tuple[np.ndarray, np.ndarray]:
    """Return M_gas(<r) / M_gas(<R_500c) and the density slope of each cluster in single precision.

    Two donors are mixed by adding their gas densities, so that enclosed masses, densities and slopes of the mixture
    belong together. A negative weight (which keeps the variety of profiles) is made positive where it would take away
    more gas than there is.
    """
    fraction = sample.gas_fraction_profile.astype(np.float32)
    slope = sample.gas_slope_profile.astype(np.float32)
    if loan.partner is loan.donor:
        return fraction[loan.donor], slope[loan.donor]
    shells = np.diff(sample.gas_fraction_profile, axis=1, prepend=0.0)
    density = sample.gas_density_profile
    w = loan.weight[:, None]
    needed = np.concatenate([shells, density], axis=1)
    left = (1 - w) * needed[loan.donor] + w * needed[loan.partner]
    w = np.where((left > 0.1 * needed[loan.donor]).all(axis=1, keepdims=True), w, np.abs(w))
    own, other = (1 - w) * density[loan.donor], w * density[loan.partner]
    mixed_fraction = (1 - w) * sample.gas_fraction_profile[loan.donor] + w * sample.gas_fraction_profile[loan.partner]
    mixed_slope = own * sample.gas_slope_profile[loan.donor] + other * sample.gas_slope_profile[loan.partner]
    return mixed_fraction.astype(np.float32), (mixed_slope / (own + other)).astype(np.float32)


def _run_means(values: FloatArray, first: IntArray, last: IntArray) -> FloatArray:
    """Return the mean of values[first:last] for each run, shape (n, k)."""
    total = np.concatenate([np.zeros((1, values.shape[1])), np.cumsum(values, axis=0)])
    return (total[last] - total[first]) / (last - first)[:, None]


def _mixed(
    residuals: FloatArray, mean: FloatArray, donor: IntArray, partner: IntArray, *, weight: FloatArray
) -> FloatArray:
    w = weight[:, None]
    offset = (1 - w) * (residuals[donor] - mean) + w * (residuals[partner] - mean)
    return mean + offset / np.hypot(1 - w, w)
