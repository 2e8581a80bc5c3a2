"""How well the number of clusters, without and with their median Y_X or L_X, tells sigma8 over many catalogs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import polars as pl
from earnest_common.arrays import FloatArray
from earnest_common.errors import InputError
from earnest_common.notebook import html_table, plural
from earnest_common.posterior import Posterior
from earnest_common.spread import scatter_error, spread

from earnest_selfcal.forward.table import ForwardTable
from earnest_selfcal.posterior.posterior import infer
from earnest_selfcal.posterior.validity import reason_outside

__all__ = ["Evaluation", "Score", "evaluate", "score"]


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
    """Scores of all estimators on the same catalogs.

    Attributes
    ----------
    scores
        By estimator: ``n_only``, and ``n_median_y_x``, ``n_median_l_x`` for the observables looked at.
    prior_scatter
        Spread of the sigma8 prior: the scatter of an estimate that uses no data.
    n_catalogs, n_refused
        Catalogs used, and those left out because they lie outside the modelled region.
    estimates
        One row per catalog used: catalog_id, sigma8, n_clusters, the medians, and a column for each estimator.
    """

    scores: Mapping[str, Score]
    prior_scatter: float
    n_catalogs: int
    n_refused: int
    estimates: pl.DataFrame

    def __repr__(self) -> str:
        """Return one line: the scatter of each estimator beside the prior's, and of how many catalogs."""
        told = ", ".join(f"{name} scatter {score.scatter:.4f}" for name, score in self.scores.items())
        return f"Evaluation({told} (prior {self.prior_scatter:.4f}), {plural(self.n_catalogs, 'catalog')})"

    def _repr_html_(self) -> str:
        return html_table("sigma8 from numbers of clusters and medians", self.to_dict())

    def to_dict(self) -> dict[str, Any]:
        """Return the scores as flat names and numbers."""
        named = {
            f"{which}_{name}": getattr(score, name)
            for which, score in self.scores.items()
            for name in ("scatter", "scatter_err", "bias", "coverage_68")
        }
        sizes = {"n_catalogs": self.n_catalogs, "n_refused": self.n_refused}
        return {**named, "prior_scatter": self.prior_scatter, **sizes}


def evaluate(tables: Sequence[ForwardTable], summaries: pl.DataFrame) -> Evaluation:
    """Infer sigma8 of every catalog and compare with the truth.

    Parameters
    ----------
    tables
        Forward models of the catalogs' survey, one for each observable to look at.
    summaries
        One row per catalog: catalog_id, sigma8, n_clusters, median_log10_y_x [solMass keV] or median_log10_l_x [1e44
        erg/s] as the tables need; a catalog without clusters has no median, and its number alone is used.

    Raises
    ------
    InputError
        If a truth or a median is unknown, or fewer than two catalogs lie inside the modelled region.

    Examples
    --------
    >>> from earnest_common.testing import toy_batch
    >>> from earnest_selfcal.forward.table import forward_table
    >>> from earnest_selfcal.survey.recorded import summaries_of
    >>> evaluate([forward_table("paper")], summaries_of(toy_batch(n_catalogs=40, seed=1, mean_n_clusters=100)))
    Evaluation(n_only scatter 0.0263, n_median_y_x scatter 0.0289 (prior 0.0663), 40 catalogs)
    """
    _refuse_unknown(tables, summaries)
    rows = list(summaries.iter_rows(named=True))
    reasons = [_refusal(tables, row) for row in rows]
    inside = [row for row, reason in zip(rows, reasons, strict=True) if reason is None]
    if len(inside) < 2:
        raise InputError(f"{len(inside)} of {len(rows)} catalogs can be used; the first: {reasons[0] or 'can be used'}")
    truth = np.array([row["sigma8"] for row in inside])
    posteriors = {"n_only": [infer(tables[0], row["n_clusters"]) for row in inside]}
    for table in tables:
        name = f"median_log10_{table.observable}"
        posteriors[f"n_median_{table.observable}"] = [infer(table, row["n_clusters"], row[name]) for row in inside]
    means = {name: pl.Series([p.mean for p in each]) for name, each in posteriors.items()}
    return Evaluation(
        scores={name: score(each, truth) for name, each in posteriors.items()},
        prior_scatter=tables[0].preset.priors.sigma8.std,
        n_catalogs=len(inside),
        n_refused=len(rows) - len(inside),
        estimates=pl.DataFrame(inside).with_columns(**means),
    )


def _refuse_unknown(tables: Sequence[ForwardTable], summaries: pl.DataFrame) -> None:
    if unknown := summaries.get_column("sigma8").null_count():
        raise InputError(f"sigma8 of {unknown} catalogs is unknown, so nothing can be compared; use selfcal infer")
    some = summaries.filter(pl.col("n_clusters") > 0)  # N = 0 is evidence of its own and has no median
    for table in tables:
        if unknown := some.get_column(f"median_log10_{table.observable}").null_count():
            needed = "t_x or m_gas" if table.observable == "y_x" else "l_x"
            raise InputError(f"{needed} is unknown in {unknown} catalogs, whose median cannot be formed")


def _refusal(tables: Sequence[ForwardTable], row: Mapping[str, Any]) -> str | None:
    reasons = (reason_outside(table, row["n_clusters"], row[f"median_log10_{table.observable}"]) for table in tables)
    return next((reason for reason in reasons if reason), None)


def score(posteriors: Sequence[Posterior], truth: FloatArray) -> Score:
    """Return how posterior means compare with the truth, shape (n,)."""
    error = np.array([posterior.mean for posterior in posteriors]) - truth
    low, high = np.array([posterior.interval(0.6827) for posterior in posteriors]).T
    return Score(
        scatter=spread(error),
        scatter_err=scatter_error(error),
        bias=float(error.mean()),
        coverage_68=float(((low <= truth) & (truth <= high)).mean()),
    )
