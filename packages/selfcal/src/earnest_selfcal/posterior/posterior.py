"""The posterior of sigma8 given the number of clusters and their median Y_X or L_X, nuisances marginalised."""

from dataclasses import dataclass
from typing import final

import numpy as np
from earnest_common.arrays import FloatArray
from earnest_common.errors import InputError
from earnest_common.notebook import html_table
from earnest_common.survey.presets import Preset

from earnest_selfcal.forward.counts import ln_poisson, no_number_of_clusters
from earnest_selfcal.forward.median import ln_median_density
from earnest_selfcal.forward.table import ForwardTable, forward_table
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

    def __repr__(self) -> str:
        """Return one line: mean, standard deviation and the central 68 % interval."""
        low, high = self.interval(0.6827)
        return f"Posterior(sigma8 {self.mean:.4f} +- {self.std:.4f}, 68 % from {low:.4f} to {high:.4f})"

    def _repr_html_(self) -> str:
        return html_table("Posterior of sigma8", self.to_dict())

    def to_dict(self) -> dict[str, float]:
        """Return mean, standard deviation and central intervals by name."""
        (lo68, hi68), (lo95, hi95) = self.interval(0.6827), self.interval(0.9545)
        return {"sigma8": self.mean, "sigma8_err": self.std, "lo68": lo68, "hi68": hi68, "lo95": lo95, "hi95": hi95}

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


def infer(survey: ForwardTable | Preset | str, n_clusters: int, median_log10_x: float | None = None) -> Posterior:
    """Return the posterior of sigma8.

    p(sigma8 | N, y) ~ mean over nuisance factors of Poisson(N | lambda) p_median(y | N, F).

    Parameters
    ----------
    survey
        The survey's forward model, or the survey, of which one for Y_X is computed first.
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

    Examples
    --------
    >>> infer("paper", 130, 13.75)
    Posterior(sigma8 0.8321 +- 0.0321, 68 % from 0.7984 to 0.8650)
    """
    if reason := no_number_of_clusters(n_clusters, median_log10_x):
        raise InputError(reason)
    table = survey if isinstance(survey, ForwardTable) else forward_table(survey)
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
