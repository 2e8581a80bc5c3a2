"""How well the number of clusters, without and with their median Y_X, tells sigma8 over many catalogs."""

import math
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import polars as pl
from earnest_common.arrays import FloatArray
from earnest_common.errors import InputError

from earnest_selfcal.forward import ForwardTable
from earnest_selfcal.posterior import Posterior, infer
from earnest_selfcal.region import refusal

__all__ = ["Evaluation", "Score", "evaluate"]


@final
@dataclass(frozen=True, kw_only=True)
class Score:
    """Posterior means against truth.

    Attributes
    ----------
    scatter, scatter_err
        Standard deviation of estimate minus truth, and its standard error.
    bias
        Mean of estimate minus truth.
    coverage_68
        Share of catalogs whose central 68.27 % interval holds the truth.
    """

    scatter: float
    scatter_err: float
    bias: float
    coverage_68: float


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Evaluation:
    """Scores of both estimators on the same catalogs.

    Attributes
    ----------
    n_only, n_median_y_x
        Without and with the median Y_X.
    prior_scatter
        Spread of the sigma8 prior: the scatter of an estimate that uses no data.
    n_catalogs, n_refused
        Catalogs used, and those left out because they lie outside the modelled region.
    estimates
        One row per catalog used: catalog_id, sigma8, n_clusters, median_log10_y_x [solMass keV], n_only, n_median_y_x.
    """

    n_only: Score
    n_median_y_x: Score
    prior_scatter: float
    n_catalogs: int
    n_refused: int
    estimates: pl.DataFrame

    def numbers(self) -> dict[str, Any]:
        """Return the scores as flat names and numbers."""
        scores = {"n_only": self.n_only, "n_median_y_x": self.n_median_y_x}
        named = {
            f"{which}_{name}": getattr(score, name)
            for which, score in scores.items()
            for name in ("scatter", "scatter_err", "bias", "coverage_68")
        }
        sizes = {"n_catalogs": self.n_catalogs, "n_refused": self.n_refused}
        return {**named, "prior_scatter": self.prior_scatter, **sizes}


def evaluate(table: ForwardTable, summaries: pl.DataFrame) -> Evaluation:
    """Infer sigma8 of every catalog and compare with the truth.

    Parameters
    ----------
    table
        The forward model of the catalogs' survey.
    summaries
        One row per catalog: catalog_id, sigma8, n_clusters, median_log10_y_x [solMass keV].

    Raises
    ------
    InputError
        If a truth is unknown, or fewer than two catalogs lie inside the modelled region.
    """
    if unknown := summaries.get_column("sigma8").null_count():
        raise InputError(f"sigma8 of {unknown} catalogs is unknown, so nothing can be compared; use selfcal infer")
    inside = [
        row for row in summaries.iter_rows(named=True) if not refusal(table, row["n_clusters"], row["median_log10_y_x"])
    ]
    if len(inside) < 2:
        reason = refusal(table, *summaries.select("n_clusters", "median_log10_y_x").row(0))
        raise InputError(
            f"{len(inside)} of {len(summaries)} catalogs can be used; the first: {reason or 'can be used'}"
        )
    truth = np.array([row["sigma8"] for row in inside])
    n_only = [infer(table, row["n_clusters"]) for row in inside]
    n_median_y_x = [infer(table, row["n_clusters"], row["median_log10_y_x"]) for row in inside]
    means = {"n_only": [p.mean for p in n_only], "n_median_y_x": [p.mean for p in n_median_y_x]}
    return Evaluation(
        n_only=_score(n_only, truth),
        n_median_y_x=_score(n_median_y_x, truth),
        prior_scatter=table.preset.priors.sigma8.std,
        n_catalogs=len(inside),
        n_refused=len(summaries) - len(inside),
        estimates=pl.DataFrame(inside).with_columns(**{name: pl.Series(v) for name, v in means.items()}),
    )


def _score(posteriors: list[Posterior], truth: FloatArray) -> Score:
    error = np.array([posterior.mean for posterior in posteriors]) - truth
    low, high = np.array([posterior.interval(0.6827) for posterior in posteriors]).T
    scatter = float(error.std())
    kurtosis = float(((error - error.mean()) ** 4).mean()) / scatter**4
    return Score(
        scatter=scatter,
        scatter_err=scatter * math.sqrt(max(kurtosis - 1, 0) / (4 * len(error))),
        bias=float(error.mean()),
        coverage_68=float(((low <= truth) & (truth <= high)).mean()),
    )
