"""The posterior of sigma8 given the number of clusters and their median Y_X or L_X, nuisances marginalised."""

from dataclasses import dataclass
from typing import final

import numpy as np
from earnest_common.arrays import FloatArray
from earnest_common.errors import InputError

from earnest_selfcal.forward.counts import ln_poisson, no_number_of_clusters
from earnest_selfcal.forward.median import ln_median_density
from earnest_selfcal.forward.table import ForwardTable
from earnest_selfcal.posterior.validity import refusal

__all__ = ["Posterior", "infer", "ln_poisson"]


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
    ln_evidence
        ln of the probability (density) of the data under the whole prior.
    """

    sigma8: FloatArray
    step: float
    probability: FloatArray
    ln_evidence: float

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


def infer(table: ForwardTable, n_clusters: int, median_log10_x: float | None = None) -> Posterior:
    """Return the posterior of sigma8.

    p(sigma8 | N, y) ~ mean over nuisance factors of Poisson(N | lambda) p_median(y | N, F).

    Parameters
    ----------
    table
        The survey's forward model.
    n_clusters
        Observed number of clusters.
    median_log10_x
        Observed median of the table's observable, log10 Y_X [solMass keV], h-free, or log10 L_X [1e44 erg/s]; without
        it the number alone is used.

    Raises
    ------
    InputError
        If the data cannot occur anywhere in the model; the message says why, as ``validity.refusal`` does, which also
        refuses what could occur but is very unlikely everywhere.

    References
    ----------
    Ntampaka & Vikhlinin (arXiv:2112.05768), section 5.2.1.
    """
    if reason := no_number_of_clusters(n_clusters, median_log10_x):
        raise InputError(reason)
    ln_likelihood = ln_poisson(n_clusters, table.expected_n)
    if median_log10_x is not None:
        ln_likelihood = ln_likelihood + ln_median_density(n_clusters, *table.distribution_at(median_log10_x))
    highest = ln_likelihood.max()
    if not np.isfinite(highest):
        raise InputError(refusal(table, n_clusters, median_log10_x) or "the numbers are impossible for this survey")
    weight = np.exp(ln_likelihood - highest).mean(axis=0)
    return Posterior(
        sigma8=table.sigma8,
        step=table.sigma8_step,
        probability=weight / weight.sum(),
        ln_evidence=float(highest + np.log(weight.mean())),
    )
