"""Section "Which clusters matter?": leave-one-out against mass (the form of the paper's figure 9)."""

import numpy as np
from earnest_common.arrays import FloatArray
from earnest_common.report.drawing import BLUE, GREY, RUST, draw
from earnest_common.report.section import DataTable, Figure, Section
from matplotlib.axes import Axes

from earnest_interpret.analyses.leave_one_out.groups import GroupRemoval
from earnest_interpret.analyses.leave_one_out.information import Ideal, information_by_mass
from earnest_interpret.analyses.leave_one_out.removal import BENCHMARKS, MASSIVE, Benchmark, LeaveOneOutSummary
from earnest_interpret.sample import MassAxis
from earnest_interpret.sections.information import (
    group_figure,
    group_table,
    information_figure,
    information_table,
    information_text,
)
from earnest_interpret.sections.palette import by_mass
from earnest_interpret.statistics.correlation import RunningQuantiles
from earnest_interpret.words import format_number, format_signed, percent

__all__ = ["clusters_section"]
_PAPER = "; the masses are the paper's benchmarks, 10^14.0 to 10^14.8 h⁻¹ M☉, without h (h = 0.704)"
_CHANGE = r"$\Delta\sigma_8$ without the cluster"
_CURVE_POINTS = 241
_EVEN = 0.1
"""Largest distance from one half of a share of removals that lower sigma8 without a systematic effect."""


def clusters_section(
    summary: LeaveOneOutSummary,
    axis: MassAxis | None,
    delta: FloatArray,
    *,
    ideal: Ideal | None = None,
    groups: tuple[GroupRemoval, ...] = (),
) -> Section:
    """Return the section.

    Parameters
    ----------
    summary
        Leave-one-out of the sample.
    axis
        Masses of the clusters; without them the section says what is missing.
    delta
        Change of sigma8 per cluster, shape (n_clusters,).
    ideal
        What an analysis of known masses would do, where the survey is known.
    groups
        What leaving groups out does.
    """
    title = "Taking one cluster away"
    if summary.n_clusters == 0:
        alone = ("No catalog holds two clusters or more, so no cluster can be left out of one.",)
        return Section(key="clusters.leave_one_out", title=title, text=alone)
    figures, tables, text = [_distribution(summary)], [_table(summary)], [_text(summary, axis)]
    if summary.light is not None:
        text.append(_light_text(summary.light, ideal))
    if axis is not None and summary.run is not None and summary.run.centres.size:
        figures.insert(0, _against_mass(summary.run, axis, delta, ideal))
    information = information_by_mass(delta, axis, ideal) if axis is not None else None
    if axis is not None and information is not None:
        text.append(information_text(information))
        figures.append(information_figure(information, axis))
        tables.append(information_table(information))
    if groups:
        figures.append(group_figure(groups))
        tables.append(group_table(groups))
    key = "clusters.leave_one_out"
    return Section(key=key, title=title, text=tuple(text), figures=tuple(figures), tables=tuple(tables))


def _text(summary: LeaveOneOutSummary, axis: MassAxis | None) -> str:
    start = (
        f"Each of {summary.n_clusters:,} clusters was left out of its catalog in turn. The inferred σ₈ then moves by "
        f"less than {format_number(summary.stability_68, 4)} in 68 % and "
        f"{format_number(summary.stability_95, 4)} in 95 % of cases "
        "(the paper's network: 0.003 in 68 %)."
    )
    if axis is None:
        return f"{start} Masses are unknown, so the change cannot be shown against mass."
    proxy = "" if axis.is_true else " True masses are unknown; weak-lensing masses stand in for them."
    return (
        f"{start} Clusters above 10^{MASSIVE:.2f} M☉ are {percent(summary.massive_fraction)} of the sample and carry "
        f"{percent(summary.massive_share)} of the summed absolute change.{proxy}"
    )


def _light_text(light: Benchmark, ideal: Ideal | None) -> str:
    """Return how removals of light clusters compare with the paper's and with an ideal analysis."""
    text = (
        f"Below 10^{light.log10_m:.2f} M☉ removing a cluster lowers σ₈ in {percent(light.lowering)} of {light.n:,} "
        f"cases (median {format_signed(light.median, 5)})"
    )
    if abs(light.lowering - 0.5) < _EVEN:
        text += ", hardly a systematic effect, as in the paper (figure 9)."
    else:
        text += "; in the paper removing one of these has no systematic effect (figure 9)."
    if ideal is not None and (ideal.delta < 0).all():
        text += (
            " An ideal analysis with known masses lowers σ₈ with every removal, since at lower σ₈ fewer clusters "
            "of every mass are expected."
        )
    return text


def _above(benchmark: Benchmark) -> str:
    return "all" if np.isinf(benchmark.log10_m) else f"> 10^{benchmark.log10_m:.2f} M☉"


def _table(summary: LeaveOneOutSummary) -> DataTable:
    rows = tuple((_above(b), b.n, percent(b.lowering, 1), round(b.median, 5)) for b in summary.benchmarks)
    return DataTable(
        name="leave-one-out",
        columns=("clusters", "number", "lowering σ₈ when removed", "median Δσ₈"),
        rows=rows,
        caption=f"Change of σ₈ by the mass of the removed cluster{_PAPER if len(rows) > 1 else ''}.",
    )


def _against_mass(run: RunningQuantiles, axis: MassAxis, delta: FloatArray, ideal: Ideal | None) -> Figure:
    shown = np.isfinite(delta) & np.isfinite(axis.log10_m)

    def paint(axes: Axes) -> None:
        axes.plot(
            axis.log10_m[shown],
            delta[shown],
            ".",
            color=GREY,
            markersize=1.6,
            markeredgewidth=0,
            alpha=0.35,
            rasterized=True,
        )
        axes.fill_between(run.centres, run.level(0.025), run.level(0.975), color=BLUE, alpha=0.16, linewidth=0)
        axes.fill_between(run.centres, run.level(0.16), run.level(0.84), color=BLUE, alpha=0.26, linewidth=0)
        axes.plot(run.centres, run.level(0.5), color=BLUE, label="median, 68 %, 95 %")
        axes.axhline(0, color=GREY, linewidth=0.8)
        if ideal is not None:
            axes.plot(ideal.log10_m, ideal.delta, color=RUST, dashes=(4, 2), label="if masses were known")
            axes.legend(loc="lower left")
        axes.set(xlabel=axis.label, ylabel=_CHANGE, ylim=_limits(run.values))
        axes.set_xlim(run.centres[0] - 0.05, run.centres[-1] + 0.05)

    caption = _trend(run)
    if ideal is not None:
        expected = np.interp(run.centres[[0, -1]], ideal.log10_m, ideal.delta)
        caption += (
            f" An ideal analysis of the same survey with known masses would give "
            f"{format_signed(expected[0], 5)} and "
            f"{format_signed(expected[1], 5)} (dashed)."
        )
    alt = "Change of sigma8 when a cluster is removed against the cluster's mass, with median and bands."
    return Figure(name="leave-one-out-mass", svg=draw(paint), alt=alt, caption=caption)


def _trend(run: RunningQuantiles) -> str:
    median = run.level(0.5)
    return (
        f"Median change of σ₈ (line) with 68 % and 95 % bands: {format_signed(median[0], 5)} at "
        f"10^{run.centres[0]:.2f} M☉ "
        f"and {format_signed(median[-1], 5)} at 10^{run.centres[-1]:.2f} M☉."
    )


def _limits(values: FloatArray) -> tuple[float, float]:
    """Return limits of an axis that holds the values and zero, with some air."""
    low, high = min(float(values.min()), 0.0), max(float(values.max()), 0.0)
    air = 0.15 * (high - low) or 1e-6
    return low - air, high + air


def _distribution(summary: LeaveOneOutSummary) -> Figure:
    limits = _limits(np.concatenate([np.quantile(b.delta, [0.005, 0.995]) for b in summary.benchmarks]))

    def paint(axes: Axes) -> None:
        axes.axvline(0, color=GREY, linewidth=0.8)
        for benchmark in summary.benchmarks:
            cumulative = np.linspace(0, 1, _CURVE_POINTS)
            everything = np.isinf(benchmark.log10_m)
            place = 0.0 if everything else (BENCHMARKS.index(benchmark.log10_m) + 1) / len(BENCHMARKS)
            label = "all" if everything else f"> {benchmark.log10_m:.2f}"
            values = np.quantile(benchmark.delta, cumulative)
            axes.plot(values, cumulative, color=GREY if everything else by_mass(place), label=label)
        axes.set(xlabel=_CHANGE, ylabel="fraction of clusters below", xlim=limits, ylim=(0, 1))
        axes.locator_params(axis="x", nbins=5)
        title = r"$\log_{10}\,M\;[\mathrm{M}_\odot]$" if len(summary.benchmarks) > 1 else None
        axes.legend(title=title, loc="best")

    first, last = summary.benchmarks[0], summary.benchmarks[-1]
    caption = f"Removing a cluster lowers σ₈ for {percent(first.lowering)} of all {first.n:,} clusters"
    if last is not first:
        caption += f", and for {percent(last.lowering)} of the {last.n:,} above 10^{last.log10_m:.2f} M☉{_PAPER}"
    alt = "Cumulative distributions of the change of sigma8 for all clusters and those above benchmark masses."
    return Figure(name="leave-one-out-cdf", svg=draw(paint), alt=alt, caption=f"{caption}.")
