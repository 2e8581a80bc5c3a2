"""What is seen of the clusters: borrowed residuals, observables, gas profiles, weak lensing and the order of l_x."""

from dataclasses import dataclass
from typing import final

import numpy as np
import numpy.typing as npt
import polars as pl
from earnest_common.arrays import FloatArray, IntArray
from earnest_common.survey.scaling import ScalingRelations

from earnest_mocks.base_sample.relations import OBSERVABLES
from earnest_mocks.base_sample.sample import BaseSample
from earnest_mocks.catalogs.config import DonorRule
from earnest_mocks.catalogs.donors import DonorPool, nearby
from earnest_mocks.catalogs.population import Population

_LN_10 = float(np.log(10))

__all__ = ["Loan", "borrow", "cluster_table", "largest_residual", "log10_observable"]


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
        Offsets of log10 l_x, t_x and m_gas from the base sample's relations [dex], shape (3, n).
    """

    donor: IntArray
    partner: IntArray
    weight: FloatArray
    residuals: FloatArray

    def keep(self, detected: npt.NDArray[np.bool_]) -> "Loan":
        """Return the loans of the detected clusters."""
        donor = self.donor[detected]
        return Loan(
            donor=donor,
            partner=donor if self.partner is self.donor else self.partner[detected],
            weight=self.weight[detected],
            residuals=self.residuals[:, detected],
        )


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
        One pool for all clusters, or one per split.
    rule
        How near they must be.
    clusters
        Masses and random numbers.
    pool
        Which pool each cluster borrows from, shape (n,); ignored where there is one for all.

    References
    ----------
    Ntampaka & Vikhlinin (arXiv:2112.05768), section 2.2.2 and figure 3.
    """
    n = len(clusters.log10_m)
    donor, partner, residuals = np.empty(n, dtype=np.int64), np.empty(n, dtype=np.int64), np.empty((3, n))
    weight = rule.recombine * (2 * clusters.uniform[2] - 1)
    for which, members in enumerate(pools):
        here = slice(None) if len(pools) == 1 else np.flatnonzero(pool == which)
        first, last = nearby(members, clusters.log10_m[here], rule)
        chosen = first + (clusters.uniform[:2, here] * (last - first)).astype(np.int64)
        donor[here], partner[here] = members.index[chosen]
        if rule.recombine:
            mean = _run_means(sample.residuals[members.index], first, last)
            residuals[:, here] = _mixed(sample.residuals, mean, donor[here], partner[here], weight=weight[here])
    if not rule.recombine:
        return Loan(donor=donor, partner=donor, weight=weight, residuals=sample.residuals.T[:, donor])
    return Loan(donor=donor, partner=partner, weight=weight, residuals=residuals)


def largest_residual(sample: BaseSample, pool: DonorPool, rule: DonorRule, log10_m: FloatArray) -> FloatArray:
    """Return a bound on the borrowed residual of log10 l_x within a step of evenly spaced masses, shape (n,) [dex]."""
    step = log10_m[1] - log10_m[0]
    first, _ = nearby(pool, log10_m - step, rule)
    _, last = nearby(pool, log10_m + step, rule)
    l_x = sample.residuals[pool.index, OBSERVABLES.index("l_x")]
    high = np.array([l_x[a:b].max() for a, b in zip(first, last, strict=True)])
    low = np.array([l_x[a:b].min() for a, b in zip(first, last, strict=True)])
    w = rule.recombine
    bound: FloatArray = high + w / np.hypot(1 - w, w) * (high - low)
    return bound


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
    normalisation, slope = (
        np.broadcast_to(field, scatter.shape)[row] for field in (law.log10_normalisation, law.slope)
    )
    mean = normalisation + slope * (clusters.log10_m - law.log10_pivot)
    result: FloatArray = mean + scatter[row] * loan.residuals[OBSERVABLES.index(name)]
    return result


def cluster_table(
    sample: BaseSample,
    loan: Loan,
    *,
    clusters: Population,
    log10_x: dict[str, FloatArray],
    catalog_id: IntArray,
    m_wl_scatter: FloatArray,
    m_wl_bias: FloatArray,
    z: float,
) -> pl.DataFrame:
    """Return the clusters table, each catalog in falling l_x; equal luminosities keep the order of their drawing.

    Parameters
    ----------
    sample, loan, clusters
        Donors, what was borrowed, masses.
    log10_x
        log10 of the three observables and, if known, of y_500, each of shape (n,).
    catalog_id, m_wl_scatter, m_wl_bias
        Id, scatter of ln m_wl and factor of m_wl of each catalog, shape (n_catalogs,).
    z
        The redshift of all clusters.
    """
    order = _falling(log10_x["l_x"], clusters.row)
    row = clusters.row[order]
    begin = np.cumsum(clusters.counts) - clusters.counts
    rank = np.arange(len(row)) - begin[row]
    m_500c = np.exp(_LN_10 * clusters.log10_m[order])
    observables = {name: np.exp(_LN_10 * log10_x[name][order]) for name in OBSERVABLES}
    fraction, slope = _profiles(sample, loan, order)
    return pl.DataFrame(
        {
            "catalog_id": catalog_id[row],
            "cluster_id": rank,
            "rank": rank,
            "z": np.full(len(row), z),
            "m_500c": m_500c,
            "m_wl": m_wl_bias[row] * m_500c * np.exp(m_wl_scatter[row] * clusters.normal[order]),
            **observables,
            "y_500": pl.Series(np.exp(_LN_10 * log10_x["y_500"][order]))
            if "y_500" in log10_x
            else pl.repeat(None, len(row), dtype=pl.Float64, eager=True),
            "m_gas_profile": _array(fraction * observables["m_gas"].astype(np.float32)[:, None]),
            "gas_slope_profile": _array(slope),
            "donor_id": sample.donor_id[loan.donor[order]],
        }
    )


def _array(values: npt.NDArray[np.float32]) -> pl.Series:
    return pl.Series(values=values, dtype=pl.Array(pl.Float32, values.shape[1]))


def _falling(log10_l_x: FloatArray, row: IntArray) -> IntArray:
    """Return the order by catalog, and by falling luminosity within each; ties keep their order."""
    by_luminosity = np.argsort(-log10_l_x, kind="stable")
    # Sixteen bits let NumPy use its radix sort, three times faster than one sort by both keys.
    short = row.astype(np.uint16) if len(row) and row[-1] < 2**16 else row
    order: IntArray = by_luminosity[np.argsort(short[by_luminosity], kind="stable")]
    return order


def _profiles(
    sample: BaseSample, loan: Loan, order: IntArray
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Return M_gas(<r) / M_gas(<R_500c) and the density slope of each cluster in single precision.

    Two donors are mixed by adding their gas densities, so that enclosed masses, densities and slopes of the mixture
    belong together. A negative weight (which keeps the variety of profiles) is made positive where it would take away
    half of the gas somewhere or let the density rise outwards.
    """
    fraction, slope = sample.gas_fraction_profile, sample.gas_slope_profile
    donor = loan.donor[order]
    if loan.partner is loan.donor:
        return np.take(fraction.astype(np.float32), donor, axis=0), np.take(slope.astype(np.float32), donor, axis=0)
    needed = np.concatenate([np.diff(fraction, axis=1, prepend=0.0), sample.gas_density_profile, slope], axis=1)
    own, other = np.take(needed, donor, axis=0), np.take(needed, loan.partner[order], axis=0)
    w = loan.weight[order, None]
    mixed = _mixture(own, other, w)
    width = fraction.shape[1]
    impossible = (mixed[:, : 2 * width] < 0.5 * own[:, : 2 * width]).any(axis=1) | (mixed[:, 2 * width :] > 0).any(
        axis=1
    )
    mixed[impossible] = _mixture(own[impossible], other[impossible], np.abs(w[impossible]))
    masses, slopes = np.cumsum(mixed[:, :width], axis=1), mixed[:, 2 * width :]
    return masses.astype(np.float32), slopes.astype(np.float32)


def _mixture(own: FloatArray, other: FloatArray, weight: FloatArray) -> FloatArray:
    """Return shell masses, densities and slopes of two gas distributions added with weights 1 - w and w."""
    width = own.shape[1] // 3
    mixed: FloatArray = (1 - weight) * own + weight * other
    density = slice(width, 2 * width)
    share = (1 - weight) * own[:, density] / mixed[:, density]
    mixed[:, 2 * width :] = share * own[:, 2 * width :] + (1 - share) * other[:, 2 * width :]
    return mixed


def _run_means(values: FloatArray, first: IntArray, last: IntArray) -> FloatArray:
    """Return the mean of values[first:last] for each run, shape (k, n)."""
    total = np.concatenate([np.zeros((1, values.shape[1])), np.cumsum(values, axis=0)]).T
    means: FloatArray = (total[:, last] - total[:, first]) / (last - first)
    return means


def _mixed(
    residuals: FloatArray, mean: FloatArray, donor: IntArray, partner: IntArray, *, weight: FloatArray
) -> FloatArray:
    """Return the mixture of two donors' residuals, shape (k, n)."""
    columns = residuals.T
    offset = (1 - weight) * (columns[:, donor] - mean) + weight * (columns[:, partner] - mean)
    return mean + offset / np.hypot(1 - weight, weight)
