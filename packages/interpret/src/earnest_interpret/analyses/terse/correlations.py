"""The terse value: what it follows, whether it depends on sigma8 at fixed mass, and how good a mass proxy it is."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, final

import numpy as np
from earnest_common.arrays import FloatArray, IntArray
from earnest_common.catalogs.batch import CatalogBatch
from earnest_common.run.seeds import Stage, generator

from earnest_interpret.analyses.terse.excess import excesses
from earnest_interpret.sample import MassAxis, y_x
from earnest_interpret.statistics.correlation import Correlation, correlate
from earnest_interpret.statistics.dependence import Dependence, measure_dependence
from earnest_interpret.statistics.fixed_mass import (
    PartialCorrelation,
    correlation_at_fixed_mass,
    mass_basis,
    partial_correlation,
)

__all__ = [
    "MIN_CATALOGS",
    "PAPER_PROXY_SCATTER",
    "MassProxy",
    "TerseSummary",
    "cluster_quantities",
    "mass_proxies",
    "mass_proxy",
    "sigma8_at_fixed_mass",
    "summarise_terse",
]

MIN_CATALOGS: Final = 20
"""Fewest catalogs with different sigma8 for which the permutation test is reported."""

PAPER_PROXY_SCATTER: Final = {"terse": 0.161, "m_gas": 0.179, "y_x": 0.073}
"""Scatter of ln M for the paper's three mass proxies (figure 16)."""

_LOG10 = ("m_500c", "m_wl", "m_gas", "t_x")


def cluster_quantities(batch: CatalogBatch) -> dict[str, FloatArray]:
    """Return what the terse value is compared with, per cluster; unknown values are NaN.

    Logarithms of m_500c, m_wl, m_gas [solMass], t_x [keV] and y_x [solMass keV], the excesses at fixed mass [dex],
    and of the cluster's catalog the number of clusters and sigma8; shapes (n_clusters,).

    Examples
    --------
    >>> from earnest_common.testing import toy_batch
    >>> list(cluster_quantities(toy_batch(n_catalogs=1, seed=1)))[:5]
    ['log10_m_500c', 'log10_m_wl', 'log10_m_gas', 'log10_t_x', 'log10_y_x']
    """
    quantities = {f"log10_{name}": np.log10(batch.column(name)) for name in _LOG10}
    quantities["log10_y_x"] = np.log10(y_x(batch))
    quantities |= excesses(batch)
    for name in ("n_clusters", "sigma8"):
        quantities[name] = batch.label(name).astype(np.float64)[batch.segment_ids]
    return quantities


def sigma8_at_fixed_mass(
    terse: FloatArray, batch: CatalogBatch, *, seed: int = 1, n_permutations: int = 9_999
) -> PartialCorrelation | None:
    """Return the correlation of the terse value with sigma8 at fixed m_500c, with a permutation p-value.

    A cluster's observables do not depend on sigma8 at fixed mass in nature's model of the mocks, so a small p-value
    shows that the encoder infers cosmology from a single cluster: overspecialisation in the paper's sense (appendix B).

    Parameters
    ----------
    terse
        Terse values, shape (n_clusters,).
    batch
        The catalogs.
    seed
        Seed of the permutations.
    n_permutations
        Number of permutations of sigma8 between catalogs.

    Returns
    -------
    PartialCorrelation or None
        ``None`` where sigma8 or m_500c is unknown, or fewer than ``MIN_CATALOGS`` catalogs or two values remain.
    """
    mass, sigma8 = batch.column("m_500c"), batch.label("sigma8").astype(np.float64)
    usable = np.isfinite(mass) & np.isfinite(terse) & np.isfinite(sigma8)[batch.segment_ids]
    catalogs, groups = np.unique(batch.segment_ids[usable], return_inverse=True)
    labels = sigma8[catalogs]
    if len(catalogs) < MIN_CATALOGS or np.ptp(labels) == 0:
        return None
    rng = generator(seed, Stage.RESAMPLING, index=1)
    basis = mass_basis(np.log10(mass[usable]))
    return partial_correlation(terse[usable], labels, basis, groups, rng=rng, n_permutations=n_permutations)


@final
@dataclass(frozen=True, kw_only=True)
class MassProxy:
    """A power law that predicts mass from one number per cluster.

    Attributes
    ----------
    name
        The number.
    scatter
        Standard deviation of ln M_predicted - ln M_true after each catalog's mean error is taken away; the line is
        fitted to all clusters together, as in figure 16.
    scatter_within
        The same with the slope fitted within catalogs, which does not suffer from offsets between them.
    spread
        Standard deviation of ln M_true itself within catalogs: the scatter of a proxy without any relation to mass.
    error
        ln M_predicted - ln M_true after the mean error is taken away (line fitted to all), NaN where unknown,
        shape (n,).
    """

    name: str
    scatter: float
    scatter_within: float
    spread: float
    error: FloatArray


def mass_proxy(name: str, proxy: FloatArray, log10_m: FloatArray, groups: IntArray) -> MassProxy | None:
    """Return the mass scatter of a proxy; None where fewer than ten clusters have both.

    Parameters
    ----------
    name
        Name of the proxy.
    proxy
        The terse value or the logarithm of an observable, shape (n,).
    log10_m
        log10 of the true mass, shape (n,).
    groups
        Catalog of each cluster, shape (n,).

    Examples
    --------
    >>> log10_m = np.linspace(14, 15, 40)
    >>> exact = mass_proxy("exact", 2 * log10_m + 1, log10_m, np.repeat([0, 1], 20))
    >>> round(exact.scatter, 6), round(exact.spread, 2)
    (0.0, 0.35)
    """
    usable = np.isfinite(proxy) & np.isfinite(log10_m)
    if usable.sum() < 10 or np.ptp(proxy[usable]) == 0:
        return None
    x, y = proxy[usable], np.log(10) * log10_m[usable]
    _, members = np.unique(groups[usable], return_inverse=True)
    slope = float(np.polyfit(x - x.mean(), y, 1)[0])
    dx, dy = _centred(x, members), _centred(y, members)
    within = float(dx @ dy / (dx @ dx)) if np.ptp(dx) > 0 else 0.0
    degrees = max(len(x) - int(members.max()) - 2, 1)  # one mean per catalog and one slope are fitted
    error = slope * dx - dy
    everywhere = np.full(len(proxy), np.nan)
    everywhere[usable] = error
    return MassProxy(
        name=name,
        spread=float(np.sqrt(dy @ dy / max(len(x) - int(members.max()) - 1, 1))),
        scatter=float(np.sqrt(error @ error / degrees)),
        scatter_within=float(np.sqrt(np.sum((within * dx - dy) ** 2) / degrees)),
        error=everywhere,
    )


def _centred(values: FloatArray, members: IntArray) -> FloatArray:
    """Return values less the mean of their catalog."""
    means = np.bincount(members, weights=values) / np.bincount(members)
    return np.asarray(values - means[members], dtype=np.float64)


@final
@dataclass(frozen=True, kw_only=True)
class TerseSummary:
    """Summary of terse values over a sample.

    Attributes
    ----------
    correlations
        With each quantity of :func:`cluster_quantities` that is known.
    at_fixed_mass
        With sigma8 at fixed mass; ``None`` where it cannot be tested.
    dependence
        The same in whatever form, with p-values; empty where it was not asked for.
    partial
        Pearson correlation with each quantity when the true mass is held fixed; those that are known.
    proxies
        Mass scatter of the terse value, of m_gas and of y_x; empty without true masses.
    spread
        Standard deviation of the terse value over clusters.
    """

    correlations: Mapping[str, Correlation]
    at_fixed_mass: PartialCorrelation | None
    dependence: Mapping[str, Dependence]
    partial: Mapping[str, float]
    proxies: tuple[MassProxy, ...]
    spread: float


def summarise_terse(
    terse: FloatArray,
    batch: CatalogBatch,
    axis: MassAxis | None,
    *,
    seed: int = 1,
    n_permutations: int = 9_999,
    dependence: bool = True,
) -> TerseSummary:
    """Return the correlations, the test at fixed mass and the mass proxies of a sample.

    Parameters
    ----------
    terse
        Terse values, shape (n_clusters,).
    batch
        The catalogs.
    axis
        Masses of the clusters; proxies are compared with true masses only.
    seed, n_permutations
        Of the bootstrap and of the permutation test.
    dependence
        Whether dependence of any form is measured, which takes longer than all else.
    """
    quantities = cluster_quantities(batch)
    groups = batch.segment_ids
    rng = generator(seed, Stage.RESAMPLING)
    correlations = {name: correlate(terse, values, groups, rng=rng) for name, values in quantities.items()}
    known = {name: found for name, found in correlations.items() if np.isfinite(found.pearson)}
    log10_m = quantities["log10_m_500c"]
    partial = {name: correlation_at_fixed_mass(terse, quantities[name], log10_m) for name in known}
    return TerseSummary(
        correlations=known,
        dependence={name: measure_dependence(terse, quantities[name], groups, rng=rng) for name in known}
        if dependence
        else {},
        partial={name: value for name, value in partial.items() if np.isfinite(value)},
        at_fixed_mass=sigma8_at_fixed_mass(terse, batch, seed=seed, n_permutations=n_permutations),
        proxies=mass_proxies(terse, batch, axis),
        spread=float(np.std(terse)),
    )


def mass_proxies(terse: FloatArray, batch: CatalogBatch, axis: MassAxis | None) -> tuple[MassProxy, ...]:
    """Return the terse value, m_gas and y_x as proxies of the true mass; empty where that is unknown."""
    if axis is None or not axis.is_true:
        return ()
    candidates = {"terse": terse, "m_gas": np.log10(batch.column("m_gas")), "y_x": np.log10(y_x(batch))}
    found = [mass_proxy(name, values, axis.log10_m, batch.segment_ids) for name, values in candidates.items()]
    return tuple(proxy for proxy in found if proxy is not None)
