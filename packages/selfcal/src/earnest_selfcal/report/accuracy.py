"""The report section of self-calibration: what counts and a median say, beside the paper's numbers."""

from collections.abc import Mapping
from typing import Any

from earnest_common.report.section import DataTable, Section
from earnest_common.spread import rounded, skill

from earnest_selfcal.forward.table import ForwardTable
from earnest_selfcal.posterior.evaluation import Evaluation, Score
from earnest_selfcal.report.figures import estimates_figure, plane_figure

__all__ = ["selfcal_section"]

_LABELS = {"n_only": "N alone", "n_median_y_x": "N and median Y_X", "n_median_l_x": "N and median L_X"}
_PAPER = {"N alone": "0.065", "N and median Y_X": "about 0.03", "N and median L_X": None, "prior alone": "0.0663"}


def selfcal_section(table: ForwardTable, evaluation: Evaluation, *, provenance: Mapping[str, Any]) -> Section:
    """Return the section.

    Parameters
    ----------
    table
        The forward model.
    evaluation
        Its scores on a set of catalogs.
    provenance
        How both were made.
    """
    return Section(
        key="counts.self_calibration",
        title="What the number of clusters and their median Y_X say about σ₈",
        text=_text(table, evaluation),
        figures=(plane_figure(table, evaluation), estimates_figure(evaluation)),
        tables=(_table(evaluation),),
        summary=evaluation.to_dict(),
        provenance=provenance,
    )


def _text(table: ForwardTable, evaluation: Evaluation) -> tuple[str, ...]:
    n_only, both, prior = evaluation.scores["n_only"], evaluation.scores["n_median_y_x"], evaluation.prior_scatter
    bright = evaluation.scores.get("n_median_l_x")
    with_l_x = f", with their median L_X by {bright.scatter:.4f} ± {bright.scatter_err:.4f}" if bright else ""
    refused = evaluation.n_refused
    left_out = f" Left out because they lie outside the modelled region: {refused}." if refused else ""
    growth = table.expected_n[:, -1].mean() / table.expected_n[:, 0].mean()
    return (
        f"Over {evaluation.n_catalogs} catalogs of the preset '{table.preset.name}' the posterior mean of σ₈ given the "
        f"number of clusters scatters by {n_only.scatter:.4f} ± {n_only.scatter_err:.4f} about the truth; with their "
        f"median Y_X it scatters by {both.scatter:.4f} ± {both.scatter_err:.4f}{with_l_x}. The prior alone "
        f"gives {prior:.4f}.{left_out}",
        "The paper finds 0.065 for N alone and about 0.03 for N with the median Y_X (sections 4.2.2 and 5.2.1). Its "
        "0.065 equals the spread of its prior, 0.0663: an estimate that ignores N would do as well. In this forward "
        f"model the mean number of clusters grows by a factor of {growth:.1f} from the lowest σ₈ to the highest, so N "
        "alone is not that uninformative, whatever the luminosity relation is within its prior.",
        "The forward model draws lognormal residuals about straight power laws. Residuals that are borrowed from "
        "simulated clusters bend the relation of Y_X with mass by a few hundredths of a dex and scatter less about it, "
        "which shows as a bias of the estimates with Y_X, +0.002 for mocks of the preset 'paper'; N alone has none.",
    )


def _table(evaluation: Evaluation) -> DataTable:
    def row(name: str, score: Score) -> tuple[str | float | int | None, ...]:
        explained = skill(score.scatter, evaluation.prior_scatter)
        numbers = (score.scatter, score.scatter_err, score.bias, explained, score.coverage_68)
        return (name, *(rounded(value) for value in numbers), _PAPER[name])

    prior = ("prior alone", round(evaluation.prior_scatter, 4), None, None, 0.0, None, _PAPER["prior alone"])
    return DataTable(
        name="selfcal-scatter",
        columns=("data", "scatter of σ₈", "±", "bias", "skill", "68 % interval covers", "the paper"),
        rows=(prior, *(row(_LABELS[name], score) for name, score in evaluation.scores.items())),
        caption="Posterior mean minus true σ₈; skill is 1 - (scatter / prior scatter)².",
    )
