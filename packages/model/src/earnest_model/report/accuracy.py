"""The report section of an evaluation: the paper's figure 8 and whether intervals cover."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from earnest_common.report.drawing import BLUE, GREY, RUST, draw_canvas
from earnest_common.report.section import DataTable, Figure, Section

from earnest_model.evaluation.accuracy import Accuracy, OtherAccuracy
from earnest_model.evaluation.labelled_predictions import LabelledPredictions
from earnest_model.report.footers import labelled
from earnest_model.report.ranks import ranks_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

__all__ = ["accuracy_section", "by_true_sigma8", "figure_8"]

FloatArray = npt.NDArray[np.float64]
_MOST_BINS = 23
_THIRDS = ("lower", "middle", "upper")


def accuracy_section(found: LabelledPredictions, quality: Accuracy, *, provenance: Mapping[str, Any]) -> Section:
    """Return the section that shows inferred against true sigma8.

    Parameters
    ----------
    found, quality
        Estimates of labelled catalogs and their quality.
    provenance
        Which bundle and which catalogs.
    """
    table = DataTable(
        name="model-accuracy",
        columns=("quantity", "value", "error"),
        rows=_rows(quality),
        caption="Quality of the estimates of σ₈.",
    )
    return Section(
        key="accuracy.model",
        title="How well σ₈ is inferred",
        text=_text(quality),
        figures=(
            figure_8(found, quality),
            _coverage_figure(found, quality),
            *([] if quality.undefined else [ranks_figure(found, quality)]),
        ),
        tables=(table,),
        summary=quality.to_dict(),
        provenance=dict(provenance),
    )


def by_true_sigma8(true: FloatArray, values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return quantiles of values in bins of true sigma8.

    Parameters
    ----------
    true, values
        Shape (n,).

    Returns
    -------
    Mean true value of each bin, shape (n_bins,), and the 16, 50 and 84 % quantiles, shape (n_bins, 3). Each value of
    a grid is its own bin; other values are divided into bins of equal number.
    """
    unique = np.unique(true.round(9))
    if len(unique) <= _MOST_BINS:
        groups = [np.flatnonzero(np.isclose(true, value, atol=1e-8)) for value in unique]
    else:
        groups = np.array_split(np.argsort(true, kind="stable"), max(2, min(_MOST_BINS, len(true) // 20)))
    centres = np.array([true[group].mean() for group in groups])
    return centres, np.array([np.quantile(values[group], (0.16, 0.5, 0.84)) for group in groups])


def _text(quality: Accuracy) -> tuple[str, ...]:
    best = []
    if quality.referee_scatter is not None and quality.efficiency is not None:
        best.append(
            f"At best it could scatter by {quality.referee_scatter:.4f} ({quality.referee}): {quality.efficiency:.0%} "
            "of the information is used."
        )
    elif quality.referee_scatter is not None:
        best.append(
            f"Without all that this estimate sees, the best could scatter by {quality.referee_scatter:.4f} "
            f"({quality.referee}); no share of the information is stated."
        )
    if quality.referee_scatter_without_grid is not None and quality.efficiency_without_grid is not None:
        best.append(
            "Some of that information is that parameters of these mocks lie on a grid, which no sky does. The best "
            f"without it would be {quality.referee_scatter_without_grid:.4f}, and "
            f"{quality.efficiency_without_grid:.0%} of that is used."
        )
    emulated = [f"{quality.synthetic}."] if quality.synthetic else []
    start = (
        f"Over {quality.n_catalogs:,} {quality.catalogs}, inferred minus true σ₈ scatters by {quality.scatter:.4f} ± "
        f"{quality.scatter_err:.4f} with bias {quality.bias:+.4f}."
    )
    if quality.undefined:
        return (
            start,
            *best,
            f"The true value lies in the 68 % interval of {quality.coverage_68:.1%} and in the 95 % interval of "
            f"{quality.coverage_95:.1%} of the catalogs.",
            f"Skill, slope, coverage by thirds and tests of ranks are undefined: {quality.undefined}.",
            *emulated,
        )
    thirds = [_in_thirds(quality.coverage_68_thirds), _in_thirds(quality.coverage_95_thirds)]
    explained = (
        f"{quality.skill:.1%} of that variance is explained"
        if quality.skill > 0
        else "for these catalogs the model is no better than that guess"
    )
    return (
        f"{start} Always naming the prior's mean would scatter by {quality.prior_scatter:.4f}: {explained}.",
        *best,
        f"The true value lies in the 68 % interval of {quality.coverage_68:.1%} and in the 95 % interval of "
        f"{quality.coverage_95:.1%} of the catalogs; in the lower, middle and upper third of σ₈ in {thirds[0]} and "
        f"{thirds[1]}.",
        f"Of catalogs with about the same inferred σ₈, which is what a posterior promises, the 68 % interval holds the "
        f"truth of {_in_thirds(quality.coverage_68_inferred)} (thirds of the inferred values){_at_ends(quality)}.",
        f"If all distributions were right, ranks of the truth as uneven as these would come with probability "
        f"{quality.sbc_p_value:.2g}, and a coverage of random regions as uneven with {quality.tarp_p_value:.2g}.",
        f"Like every posterior mean the estimates shrink towards the middle of the prior: they rise by "
        f"{quality.edge_slope:.3f} per unit of true σ₈, and are off by {quality.edge_bias_low:+.4f} in its lowest and "
        f"{quality.edge_bias_high:+.4f} in its highest tenth.",
        *emulated,
    )


def _at_ends(quality: Accuracy) -> str:
    low, high = quality.coverage_68_ends
    if np.isnan(low + high):
        return ""
    return (
        f"; of catalogs whose true σ₈ is at the lower end of the prior it holds that of {low:.1%}, at the upper end of "
        f"{high:.1%}, since estimates shrink away from the ends"
    )


def _in_thirds(coverage: tuple[float, float, float]) -> str:
    return ", ".join("no catalogs" if np.isnan(share) else f"{share:.1%}" for share in coverage)


def _rows(quality: Accuracy) -> tuple[tuple[str, float | None, float | None], ...]:
    covered = [
        (f"coverage of {level} % intervals{where}", share, _share_error(share, n))
        for level, overall, parts in (
            (68, quality.coverage_68, quality.coverage_68_thirds),
            (95, quality.coverage_95, quality.coverage_95_thirds),
        )
        for where, share, n in (
            ("", overall, quality.n_catalogs),
            *((f", {third} third", part, quality.n_catalogs / 3) for third, part in zip(_THIRDS, parts, strict=True)),
        )
    ]
    found: list[tuple[str, float | None, float | None]] = [
        ("scatter", quality.scatter, quality.scatter_err),
        ("bias", quality.bias, quality.scatter / np.sqrt(quality.n_catalogs)),
        ("prior scatter", quality.prior_scatter, None),
        ("scatter of the referee", quality.referee_scatter, quality.referee_scatter_err),
        ("scatter of the referee without the grid", quality.referee_scatter_without_grid, None),
        ("skill", quality.skill, None),
        ("efficiency", quality.efficiency, None),
        ("efficiency without the grid", quality.efficiency_without_grid, None),
        ("slope of inferred on true", quality.edge_slope, None),
        ("bias in the lowest tenth", quality.edge_bias_low, None),
        ("bias in the highest tenth", quality.edge_bias_high, None),
        *covered,
        *(
            (f"coverage of 68 % intervals, {third} third of inferred values", share, None)
            for third, share in zip(_THIRDS, quality.coverage_68_inferred, strict=True)
        ),
        *(
            (f"coverage of 68 % intervals, {end} end of true values", share, None)
            for end, share in zip(("lower", "upper"), quality.coverage_68_ends, strict=True)
        ),
        ("p-value of the ranks (SBC)", quality.sbc_p_value, None),
        ("p-value of random regions (TARP)", quality.tarp_p_value, None),
        *(row for name, other in quality.others.items() for row in _other_rows(name, other)),
    ]
    return tuple((name, _rounded(value), _rounded(error)) for name, value, error in found if value is not None)


def _other_rows(name: str, other: OtherAccuracy) -> list[tuple[str, float | None, float | None]]:
    return [
        (f"{name}: scatter", other.scatter, other.scatter_err),
        (f"{name}: bias", other.bias, None),
        (f"{name}: prior scatter", other.prior_scatter, None),
        (f"{name}: coverage of 68 % intervals", other.coverage_68, None),
    ]


def _rounded(value: float | None) -> float | None:
    return None if value is None or not np.isfinite(value) else round(value, 6)


def _share_error(share: float, n: float) -> float:
    return float(np.sqrt(max(share * (1 - share), 0.0) / n)) if np.isfinite(share) else float("nan")


def figure_8(found: LabelledPredictions, quality: Accuracy) -> Figure:
    """Return inferred against true sigma8, as the paper's figure 8."""
    centres, quantiles = by_true_sigma8(found.true, found.sigma8)
    low, high = float(found.true.min()) - 0.02, float(found.true.max()) + 0.02
    jitter = _jitter(found.true)

    def paint(canvas: "Canvas") -> None:
        axes = canvas.add_subplot()
        axes.plot(found.true + jitter, found.sigma8, ".", color=BLUE, ms=2, mew=0, alpha=0.25, rasterized=True)
        axes.plot([low, high], [low, high], color=GREY, lw=1, ls="--", label="equality")
        errors = np.abs(quantiles[:, [0, 2]] - quantiles[:, [1]]).T
        axes.errorbar(
            centres, quantiles[:, 1], yerr=errors, fmt="o", color=RUST, ms=3.5, lw=1.2, label="median and middle 68 %"
        )
        axes.set(xlabel=r"true $\sigma_8$", ylabel=r"inferred $\sigma_8$", xlim=(low, high), ylim=(low, high))
        axes.set_aspect("equal")
        axes.legend(loc="upper left")

    return Figure(
        name="model-sigma8",
        svg=draw_canvas(labelled(paint, quality.synthetic), size=(4.4, 3.9)),
        alt="Inferred against true sigma8 with medians and 68 % bars per bin, following the line of equality.",
        caption=(
            f"Inferred against true σ₈ of {quality.n_catalogs:,} {quality.catalogs}; scatter {quality.scatter:.4f}, "
            f"of the true values alone {quality.prior_scatter:.4f}. Near the ends of the prior a bounded distribution "
            "has its mean inside, so the medians bend to the middle."
        ),
    )


def _jitter(true: FloatArray) -> FloatArray:
    """Return small sideways shifts that part points on a grid."""
    values = np.unique(true.round(9))
    if len(values) > _MOST_BINS or len(values) < 2:
        return np.zeros(len(true))
    turns = np.arange(len(true), dtype=np.float64) * 0.618034 % 1
    shifts: FloatArray = (turns - 0.5) * 0.6 * float(np.diff(values).min())
    return shifts


def _coverage_figure(found: LabelledPredictions, quality: Accuracy) -> Figure:
    shares = {}
    for level, (low, high) in ((68, found.interval_68), (95, found.interval_95)):
        inside = ((found.true >= low) & (found.true <= high)).astype(np.float64)
        centres, share = _mean_by_true(found.true, inside)
        shares[level] = (centres, share, np.sqrt(share * (1 - share) / (len(inside) / len(centres))))

    def paint(canvas: "Canvas") -> None:
        axes = canvas.add_subplot()
        for level, color in ((68, BLUE), (95, RUST)):
            centres, share, error = shares[level]
            axes.axhline(level / 100, color=GREY, lw=1, ls="--")
            axes.errorbar(
                centres, share, yerr=error, fmt="o-", color=color, ms=3.5, lw=1.2, label=f"{level} % intervals"
            )
        axes.set(xlabel=r"true $\sigma_8$", ylabel="share of catalogs inside", ylim=(0, 1.03))
        axes.legend(loc="lower center", ncols=2)

    overall = ", ".join(f"{level} %: {np.average(shares[level][1]):.1%}" for level in shares)
    return Figure(
        name="model-coverage",
        svg=draw_canvas(labelled(paint, quality.synthetic), size=(4.4, 3.2)),
        alt="Share of catalogs whose true sigma8 lies in its interval, against true sigma8.",
        caption=f"How often intervals hold the truth, by true σ₈ (dashed: their promise; mean over bins {overall}).",
    )


def _mean_by_true(true: FloatArray, values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the mean of values in seven bins of true sigma8 of equal number."""
    groups = np.array_split(np.argsort(true, kind="stable"), min(7, len(true)))
    means = [(true[group].mean(), values[group].mean()) for group in groups]
    return np.array([centre for centre, _ in means]), np.array([mean for _, mean in means])
