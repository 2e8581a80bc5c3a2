"""Section "How accurate is it?": inferred against true sigma8, and errors beside the prior's."""

import numpy as np
import polars as pl
from earnest_common.arrays import FloatArray
from earnest_common.report.drawing import BLUE, GREY, INK, RUST, draw
from earnest_common.report.section import DataTable, Figure, Section
from earnest_common.spread import SAME_SIGMA8
from matplotlib.axes import Axes

from earnest_interpret.accuracy import Accuracy
from earnest_interpret.statistics.correlation import running_quantiles
from earnest_interpret.words import format_number, format_signed, percent

__all__ = ["accuracy_section"]

_TITLE = "Inferred against true σ₈"


def accuracy_section(
    accuracy: Accuracy | None, predictions: pl.DataFrame, sigma8: FloatArray, *, sample: str
) -> Section:
    """Return the section; without labels it shows the predictions and says why there is nothing to compare.

    Parameters
    ----------
    accuracy
        Errors over labelled catalogs; ``None`` without labels.
    predictions
        One row per catalog (schema ``PREDICTIONS``).
    sigma8
        True values, NaN where unknown, shape (n_catalogs,).
    sample
        The catalogs in words.
    """
    if accuracy is None:
        return _unlabelled(predictions, sample)
    figures = (_against_truth(accuracy, predictions, sigma8), _residuals(accuracy, predictions, sigma8))
    text = (
        f"Over {sample}, inferred minus true σ₈ scatters by {format_number(accuracy.scatter, 4)} ± "
        f"{format_number(accuracy.scatter_err, 4)}. {_beside_the_prior(accuracy)}",
    )
    return Section(
        key="accuracy.interpret", title=_TITLE, text=text, figures=figures, tables=(_table(accuracy),), summary={}
    )


def _beside_the_prior(accuracy: Accuracy) -> str:
    if not np.isfinite(accuracy.skill):
        return f"What share of the prior variance the model removes is undefined: {SAME_SIGMA8}."
    removed = (
        f"the model removes {percent(accuracy.skill)} of the prior variance"
        if accuracy.skill > 0
        else "on these catalogs the model is no better"
    )
    return f"Guessing from the prior alone would scatter by {format_number(accuracy.prior_scatter, 4)}: {removed}."


def _unlabelled(predictions: pl.DataFrame, sample: str) -> Section:
    rows = tuple(
        (row["catalog_id"], *(_rounded(row[name]) for name in ("sigma8", "sigma8_err", "sigma8_lo68", "sigma8_hi68")))
        for row in predictions.head(50).iter_rows(named=True)
    )
    table = DataTable(
        name="predictions",
        columns=("catalog", "σ₈", "error", "68 % from", "to"),
        rows=rows,
        caption=f"Inferred σ₈ of {len(rows)} catalog{'s' * (len(rows) != 1)}.",
    )
    text = (
        f"The true σ₈ of these catalogs is unknown ({sample}), so the inferred values stand alone: accuracy can be "
        "measured on labelled mocks only, and carries over as far as the mocks resemble these clusters.",
    )
    return Section(key="accuracy.interpret", title="Inferred σ₈", text=text, tables=(table,))


def _rounded(value: float | None) -> float | None:
    return round(value, 4) if value is not None and np.isfinite(value) else None


def _table(accuracy: Accuracy) -> DataTable:
    rows = (
        ("scatter", f"{format_number(accuracy.scatter, 4)} ± {format_number(accuracy.scatter_err, 4)}"),
        ("prior scatter", format_number(accuracy.prior_scatter, 4)),
        ("skill (share of the prior variance removed)", format_number(accuracy.skill, 3)),
        ("bias", f"{format_signed(accuracy.bias)} ± {format_number(accuracy.bias_err, 4)}"),
        ("truth inside the 68 % interval", percent(accuracy.coverage_68, 1)),
        ("catalogs", accuracy.n_catalogs),
    )
    return DataTable(name="accuracy", columns=("quantity", "value"), rows=rows, caption="Errors of the inferred σ₈.")


def _against_truth(accuracy: Accuracy, predictions: pl.DataFrame, sigma8: FloatArray) -> Figure:
    inferred, low, high = (predictions.get_column(n).to_numpy() for n in ("sigma8", "sigma8_lo68", "sigma8_hi68"))
    limits = (float(np.nanmin(sigma8)) - 0.01, float(np.nanmax(sigma8)) + 0.01)

    def paint(axes: Axes) -> None:
        axes.plot(limits, limits, color=RUST, linewidth=1.2, dashes=(4, 3))
        axes.vlines(sigma8, low, high, color=BLUE, linewidth=0.6, alpha=0.28)
        axes.plot(sigma8, inferred, "o", color=BLUE, markersize=2.6, markeredgewidth=0, alpha=0.8)
        axes.set(xlabel=r"true $\sigma_8$", ylabel=r"inferred $\sigma_8$", xlim=limits, ylim=limits)

    caption = (
        f"Inferred against true σ₈ of {accuracy.n_catalogs:,} catalogs with 68 % intervals; the points scatter by "
        f"{format_number(accuracy.scatter, 4)} around the dashed line of equality."
    )
    alt = "Scatter plot of inferred against true sigma8 with vertical 68 % intervals, along the line of equality."
    return Figure(name="accuracy-truth", svg=draw(paint), alt=alt, caption=caption)


def _residuals(accuracy: Accuracy, predictions: pl.DataFrame, sigma8: FloatArray) -> Figure:
    error = predictions.get_column("sigma8").to_numpy() - sigma8
    run = running_quantiles(sigma8, error, step=0.01, width=0.04, min_count=8)

    def paint(axes: Axes) -> None:
        axes.axhline(0, color=GREY, linewidth=0.8)
        axes.plot(sigma8, error, "o", color=GREY, markersize=2.4, markeredgewidth=0, alpha=0.45)
        axes.fill_between(run.centres, run.level(0.16), run.level(0.84), color=BLUE, alpha=0.22, linewidth=0)
        axes.plot(run.centres, run.level(0.5), color=BLUE)
        axes.axhline(accuracy.bias, color=INK, linewidth=0.8, dashes=(2, 2))
        axes.set(xlabel=r"true $\sigma_8$", ylabel=r"inferred $-$ true $\sigma_8$")

    caption = f"The mean error is {format_signed(accuracy.bias)} ± {format_number(accuracy.bias_err, 4)}"
    if run.centres.size > 1:
        first, last = run.level(0.5)[[0, -1]]
        caption += (
            f"; its running median is {format_signed(first)} at the low and {format_signed(last)} at the high end"
        )
        caption += ", shrunk towards the middle of the prior" if first > 0 > last else ""
    alt = "Errors of sigma8 against true sigma8 with a running median and 68 % band."
    return Figure(name="accuracy-errors", svg=draw(paint), alt=alt, caption=f"{caption}.")
