"""The posterior of sigma8 given the number of clusters and their median Y_X, nuisance factors marginalised."""

import math
from dataclasses import dataclass
from typing import final

import numpy as np
from earnest_common.arrays import FloatArray
from earnest_common.errors import InputError
from earnest_common.scaling import log10_y_x_of_paper, y_x_relation
from scipy.special import gammaln, pdtr

from earnest_selfcal.forward import ForwardTable
from earnest_selfcal.median import ln_median_density, median_cdf

__all__ = ["Posterior", "infer", "refusal"]

_TAIL = 1e-4  # data rarer than this under the whole prior are outside what the survey model describes


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Posterior:
    """Probabilities of cells of sigma8.

    Attributes
    ----------
    sigma8
        Nodes, shape (n,).
    step
        Width of the cell around each node.
    probability
        Probability of each cell, shape (n,), adding up to one.
    """

    sigma8: FloatArray
    step: float
    probability: FloatArray

    @property
    def mean(self) -> float:
        """The posterior mean."""
        return float(self.probability @ self.sigma8)

    @property
    def std(self) -> float:
        """The posterior standard deviation."""
        return float(np.sqrt(self.probability @ (self.sigma8 - self.mean) ** 2))

    def quantile(self, p: float) -> float:
        """Return the sigma8 below which a share p lies, taking the density as flat within each cell."""
        edges = np.append(self.sigma8 - self.step / 2, self.sigma8[-1] + self.step / 2)
        return float(np.interp(p, np.append(0.0, np.cumsum(self.probability)), edges))

    def interval(self, share: float) -> tuple[float, float]:
        """Return the central interval that holds a share of the posterior."""
        return self.quantile((1 - share) / 2), self.quantile((1 + share) / 2)


def infer(table: ForwardTable, n_clusters: int, median_log10_y_x: float | None = None) -> Posterior:
    """Return the posterior of sigma8.

    p(sigma8 | N, y) ~ mean over nuisance factors of Poisson(N | lambda) p_median(y | N, F).

    Parameters
    ----------
    table
        The survey's forward model.
    n_clusters
        Observed number of clusters.
    median_log10_y_x
        Observed median of log10 Y_X [solMass keV], h-free; without it the number alone is used.

    Raises
    ------
    InputError
        If the data cannot occur anywhere in the model.

    References
    ----------
    Ntampaka & Vikhlinin (arXiv:2112.05768), section 5.2.1.
    """
    ln_likelihood = _ln_poisson(n_clusters, table.expected_n)
    if median_log10_y_x is not None:
        ln_likelihood = ln_likelihood + ln_median_density(n_clusters, *table.distribution_at(median_log10_y_x))
    highest = ln_likelihood.max()
    if not np.isfinite(highest):
        raise InputError(f"{n_clusters} clusters with median log10 Y_X = {median_log10_y_x} are impossible here")
    weight = np.exp(ln_likelihood - highest).sum(axis=0)
    return Posterior(sigma8=table.sigma8, step=table.sigma8_step, probability=weight / weight.sum())


def refusal(table: ForwardTable, n_clusters: int, median_log10_y_x: float | None = None) -> str | None:
    """Return why data lie outside the modelled region, or None if they lie inside.

    Data are outside if they are in a tail of 1e-4 of what the survey shows over its whole prior: N by itself, then
    the median Y_X among surveys of that N.

    Parameters
    ----------
    table, n_clusters, median_log10_y_x
        As for :func:`infer`.
    """
    if n_clusters < 1:
        return f"n_clusters = {n_clusters}: an empty catalog has no median and cannot be calibrated; give at least 1"
    below = float(pdtr(n_clusters, table.expected_n).mean())
    above = float(1 - pdtr(n_clusters - 1, table.expected_n).mean())
    if min(below, above) < _TAIL:
        low, high = table.expected_n.min(), table.expected_n.max()
        return (
            f"n_clusters = {n_clusters} is outside preset '{table.preset.name}', which expects {low:.0f} to {high:.0f} "
            "clusters over its priors; check volume, flux limit and preset"
        )
    if median_log10_y_x is None:
        return None
    share = _share_below(table, n_clusters, np.array([median_log10_y_x]))[0]
    return _y_x_message(table, n_clusters, median_log10_y_x) if not _TAIL < share < 1 - _TAIL else None


def _ln_poisson(n: int, expected: FloatArray) -> FloatArray:
    return np.asarray(n * np.log(expected) - expected - gammaln(n + 1))


def _share_below(table: ForwardTable, n: int, log10_y_x: FloatArray) -> FloatArray:
    """Return the probability, among surveys of n clusters, of a median below each value."""
    ln_weight = _ln_poisson(n, table.expected_n)
    weight = np.exp(ln_weight - ln_weight.max())
    weight /= weight.sum()
    return np.array([float((weight * median_cdf(n, table.distribution_at(y)[0])).sum()) for y in log10_y_x])


def _y_x_message(table: ForwardTable, n: int, log10_y_x: float) -> str:
    """Say what the value would mean as a mass, and what is expected, in the paper's units."""
    h = table.preset.cosmology.h
    grid = np.linspace(table.log10_y_x[0] - 0.4, table.log10_y_x[-1] + 0.4, 60)
    inside = np.interp([_TAIL, 1 - _TAIL], _share_below(table, n, grid), grid)
    relation = y_x_relation(table.preset.relations, table.preset.correlation)
    mass, *expected_mass = (math.log10(h) + float(relation.log10_mass(y)) for y in (log10_y_x, *inside))
    value, *expected = (float(log10_y_x_of_paper(y, h)) for y in (log10_y_x, *inside))
    return (
        f"median log10 Y_X = {value:.6g} [solMass/h keV] is outside preset '{table.preset.name}': it implies clusters "
        f"of 10^{mass:.4g} solMass/h. With {n} clusters {expected[0]:.2f} to {expected[1]:.2f} is expected, "
        f"masses of 10^{expected_mass[0]:.1f} to 10^{expected_mass[1]:.1f} solMass/h. Give log10 of gas mass "
        "[solMass/h] times temperature [keV]"
    )
