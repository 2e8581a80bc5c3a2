"""Section "Is it overspecialised?": the tests, and the figures of the paper's appendix B."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from earnest_common.report.drawing import BLUE, GREEN, GREY, INK, OCHRE, RUST, draw, draw_panels
from earnest_common.report.section import DataTable, Figure, Section
from matplotlib.axes import Axes

from earnest_interpret.analyses.verdict.check import Check
from earnest_interpret.analyses.verdict.decide import Evidence, Verdict
from earnest_interpret.analyses.verdict.exchange import Exchange
from earnest_interpret.sections.palette import SINGLE, density
from earnest_interpret.words import format_number, percent, probability

__all__ = ["verdict_section"]

_NAMES = {
    "terse": "terse value at fixed mass",
    "exchange": "exchanged clusters",
    "donors": "unknown donors",
    "grid": "values on a grid",
    "edge": "edge in true mass",
    "clones": "clones",
}


def verdict_section(verdict: Verdict, *, history: Sequence[Mapping[str, Any]] = ()) -> Section:
    """Return the section.

    Parameters
    ----------
    verdict
        The verdict with its evidence.
    history
        Records of the training with ``step``, ``training_mse`` and ``validation_mse``, for the form of figure 20.
    """
    evidence = verdict.evidence
    figures = [_inferred(evidence)]
    if history:
        figures.append(_training(history))
    if np.isfinite(evidence.terse).any():
        figures.append(_terse(evidence))
    if evidence.exchange is not None:
        figures.append(_exchange(evidence.exchange))
    failed = [check for check in verdict.checks if check.outcome == "failed"]
    answer = "Yes" if verdict.overspecialised else "No sign of it"
    rate = (
        f"A model is overspecialised if it learned what holds only in its simulation. {answer}: the smallest p-value "
        f"after Holm's correction is {format_number(verdict.p_value, 4)}; the family-wise false-alarm rate is at most "
        f"{percent(verdict.alpha)}. The tests need labelled mocks, not observed catalogs."
    )
    return Section(
        key="verdict.tests",
        title="Overspecialised" if failed else "Not shown to be overspecialised",
        text=(rate, *(check.text for check in verdict.checks)),
        figures=tuple(figures),
        tables=(_table(verdict.checks),),
        summary={"overspecialised": verdict.overspecialised, "p_value": verdict.p_value},
    )


def _table(checks: Sequence[Check]) -> DataTable:
    rows = tuple(
        (
            _NAMES[check.key],
            check.outcome,
            ", ".join(
                f"{name} {format_number(value, 4)}" for name, value in check.numbers.items() if value is not None
            ),
            None if check.p_value is None else float(f"{check.p_value:.2g}"),
            check.null or None,
        )
        for check in checks
    )
    return DataTable(
        name="verdict",
        columns=("test", "outcome", "statistics", "p-value", "what a sound model obeys"),
        rows=rows,
        caption="The tests; p-values before they are combined.",
    )


def _inferred(evidence: Evidence) -> Figure:
    truth, inferred = evidence.sigma8, evidence.predictions
    error = inferred - truth

    def paint(axes: Axes) -> None:
        ends = [truth.min(), truth.max()]
        axes.plot(truth, inferred, ".", color=BLUE, markersize=3.5, alpha=0.6, markeredgewidth=0)
        axes.plot(ends, ends, color=GREEN, dashes=(4, 2))
        axes.set(xlabel=r"true $\sigma_8$", ylabel=r"inferred $\sigma_8$")

    return Figure(
        name="verdict-inferred",
        svg=draw(paint, size=SINGLE),
        alt="Inferred against true sigma8 of every catalog, with the line of equality.",
        caption=(
            f"Inferred against true σ₈ of {len(truth)} catalogs (the form of figure 19): scatter "
            f"{format_number(float(error.std()), 4)}, prior alone {format_number(float(truth.std()), 4)}. "
            f"The paper's overspecialised "
            "network scatters by 0.0016."
        ),
    )


def _training(history: Sequence[Mapping[str, Any]]) -> Figure:
    step = [record["step"] for record in history]

    def paint(axes: Axes) -> None:
        for name, colour, label in (("training_mse", GREEN, "training"), ("validation_mse", OCHRE, "validation")):
            axes.plot(step, [record[name] for record in history], color=colour, label=label)
        axes.set(xlabel="training step", ylabel="mean squared error (scaled)", yscale="log")
        axes.legend()

    last = history[-1]
    ratio = last["validation_mse"] / last["training_mse"] if last["training_mse"] > 0 else float("nan")
    return Figure(
        name="verdict-training",
        svg=draw(paint, size=SINGLE),
        alt="Mean squared error of training and validation catalogs against the training step.",
        caption=(
            f"Mean squared error while training (the form of figure 20): at the end that of validation catalogs is "
            f"{format_number(ratio)} times that of training. Curves that stay together rule out overfitting, not "
            "overspecialisation."
        ),
    )


def _terse(evidence: Evidence) -> Figure:
    terse, sigma8 = evidence.terse, evidence.sigma8[evidence.segment_ids]
    known = np.isfinite(evidence.log10_m)
    with_mass = float(np.corrcoef(terse[known], evidence.log10_m[known])[0, 1]) if known.sum() > 1 else np.nan
    with_sigma8 = float(np.corrcoef(terse, sigma8)[0, 1])

    def paint(panels: Sequence[Axes]) -> None:
        style: Any = {"linewidths": 0, "rasterized": True}
        columns = ((evidence.log10_m, r"$\log_{10}\,M_{500}\;\,[\mathrm{M}_\odot]$"), (sigma8, r"$\sigma_8$"))
        for axes, (values, label) in zip(panels, columns, strict=True):
            usable = np.isfinite(values)
            if usable.any():
                axes.hexbin(values[usable], terse[usable], gridsize=34, mincnt=1, cmap=density(), bins="log", **style)
            axes.set(xlabel=label)
        panels[0].set_ylabel("terse value")

    return Figure(
        name="verdict-terse",
        svg=draw_panels(paint, panels=2, size=(2 * SINGLE[0], SINGLE[1])),
        alt="Terse value of every cluster against its mass and against the sigma8 of its catalog.",
        caption=(
            f"Terse value of each cluster against its mass (r = {format_number(with_mass)}) and the σ₈ of its catalog "
            f"(r = {format_number(with_sigma8)}), the form of figure 21. Without any leak the second is "
            f"small: a catalog of "
            "high σ₈ only holds more massive clusters."
        ),
    )


def _exchange(found: Exchange) -> Figure:
    line = found.slope * (found.sigma8 - found.sigma8.mean())

    def paint(axes: Axes) -> None:
        axes.axhline(0, color=GREY, linewidth=0.8)
        axes.plot(found.sigma8, found.sigma8 - found.sigma8.mean(), color=GREY, dashes=(4, 2), label="slope 1")
        axes.plot(found.sigma8, line, color=RUST, label="fit")
        axes.plot(found.sigma8, found.shift, "o", color=INK, markersize=4)
        axes.set(xlabel=r"$\sigma_8$ of the other catalogs", ylabel=r"change of the inferred $\sigma_8$")
        axes.legend()

    return Figure(
        name="verdict-exchange",
        svg=draw(paint, size=SINGLE),
        alt="Change of the inferred sigma8 with observables of other catalogs' clusters, against their sigma8.",
        caption=(
            f"Change of inferred σ₈ after replacing the observables of each cluster by those of an equally massive one "
            f"of another catalog: {percent(found.slope, 1)} of the difference in σ₈ ({probability(found.p_value)}). "
            "Slope 0: sound; slope 1 (dashed): single clusters reveal σ₈."
        ),
    )
