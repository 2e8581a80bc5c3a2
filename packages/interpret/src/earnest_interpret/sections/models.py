"""Saliency of several models: seed to seed, and one model against another (the form of the paper's figure 12)."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from earnest_common.arrays import FloatArray
from earnest_common.report.drawing import BLUE, GREEN, GREY, RUST, draw, draw_panels
from earnest_common.report.section import DataTable, Figure
from matplotlib.axes import Axes

from earnest_interpret.analyses.saliency.gradients import FeatureGroup, SaliencySummary
from earnest_interpret.bands import Band
from earnest_interpret.sample import MassAxis
from earnest_interpret.sections.names import COLOURS, MASS_FROM, short, slope_label, symbol
from earnest_interpret.sections.palette import SINGLE, by_mass
from earnest_interpret.words import format_number, format_signed, name_of, percent

__all__ = ["compare_figures", "seeds_figure", "seeds_table"]

_BANDS: Final = {"break": (BLUE, ""), "median mass": (GREEN, "///")}
"""Colours and hatches that distinguish overlapping bands."""


def seeds_figure(summaries: Sequence[SaliencySummary]) -> Figure:
    """Return each profile's share of saliency by radius, mean and range over trainings of the same model."""
    first = summaries[0]
    groups = [group for group in first.groups if group.radii]
    # Where a model ignores all inputs every share is zero.
    shares = np.array([summary.mean_abs / max(summary.mean_abs.sum(), np.finfo(float).tiny) for summary in summaries])
    spread = float(np.mean(shares.std(axis=0, ddof=1)) / max(np.mean(shares), np.finfo(float).tiny))

    def paint(panels: Sequence[Axes]) -> None:
        for k, (axes, group) in enumerate(zip(panels, groups, strict=True)):
            values, radii = shares[:, list(group.columns)], np.array(group.radii)
            axes.fill_between(radii, values.min(axis=0), values.max(axis=0), color=COLOURS[k], alpha=0.22, linewidth=0)
            axes.plot(radii, values.mean(axis=0), "o-", color=COLOURS[k], markersize=3.5)
            axes.set(xlabel=r"$r\,/\,R_{500}$", title=symbol(group))
            axes.set_ylim(bottom=0)
        panels[0].set_ylabel("share of the summed saliency")

    caption = (
        f"Share of the summed saliency by radius: mean and full range of {len(summaries)} trainings with different "
        f"seeds. From training to training a share scatters by {percent(spread)} of the mean share."
    )
    alt = "Share of saliency of each profile against radius, with the range over trainings."
    svg = draw_panels(paint, panels=len(groups), size=(4.0 * len(groups), 3.1))
    return Figure(name="saliency-seeds", svg=svg, alt=alt, caption=caption)


def seeds_table(summaries: Sequence[SaliencySummary]) -> DataTable:
    """Return each quantity's share over trainings."""
    rows = []
    for group in summaries[0].groups:
        shares = np.array([summary.share(group) for summary in summaries])
        coherence = np.array([summary.coherence(group) for summary in summaries])
        rows.append(
            (
                name_of(group.name),
                f"{percent(float(shares.mean()), 1)} ± {format_number(100 * float(shares.std(ddof=1)), 1)}",
                f"{percent(float(shares.min()), 1)} to {percent(float(shares.max()), 1)}",
                f"{format_number(float(coherence.mean()))} ± {format_number(float(coherence.std(ddof=1)))}",
            )
        )
    return DataTable(
        name="saliency-seeds",
        columns=("quantity", "share of saliency", "range", "coherence"),
        rows=tuple(rows),
        caption=f"Mean and standard deviation over {len(summaries)} trainings; coherence is 1 where all "
        "responses have one sign and 0 where they cancel.",
    )


def compare_figures(
    summary: SaliencySummary,
    other: SaliencySummary,
    name: str,
    *,
    axis: MassAxis,
    bands: Mapping[str, Band],
) -> list[Figure]:
    """Return the other model's gas profile saliency by radius and mass, and both models' against mass."""
    salient = {g.name for g in summary.groups if summary.mean_abs[g.reference] > 0}
    group = next((g for g in other.groups if g.radii and g.name in salient and other.mean_abs[g.reference] > 0), None)
    if group is None or np.isfinite(other.by_mass).all(axis=1).sum() < 2:
        return []
    return [
        _other_by_radius(other, group, name),
        _against_mass(summary, other, group, name=name, axis=axis, bands=bands),
    ]


def _other_by_radius(other: SaliencySummary, group: FeatureGroup, name: str) -> Figure:
    radii, n_bins = np.array(group.radii), len(other.by_mass)

    def paint(axes: Axes) -> None:
        for k, row in enumerate(other.by_mass):
            if np.isfinite(row).all():
                label = f"{other.mass_edges[k]:.2f}"
                colour = by_mass(k / max(n_bins - 1, 1))
                axes.plot(radii, row[list(group.columns)], color=colour, linewidth=1.2, label=label)
        axes.set(xlabel=r"$r\,/\,R_{500}$", ylabel=slope_label(other), title=symbol(group))
        axes.set_ylim(bottom=0)
        axes.figure.legend(loc="outside lower center", title=MASS_FROM, ncols=6, fontsize=9.5, columnspacing=1.1)

    mean = other.mean_abs[list(group.columns)]
    peak = int(np.argmax(mean))
    caption = (
        f"Saliency of the {name_of(group.name)} in {name}, by radius and mass: it peaks at {radii[peak]:.2f} R₅₀₀."
    )
    alt = f"Median saliency of the {name_of(group.name)} against radius in {name}, one curve per bin of cluster mass."
    return Figure(name="saliency-other", svg=draw(paint, size=SINGLE), alt=alt, caption=caption)


def _against_mass(
    summary: SaliencySummary,
    other: SaliencySummary,
    group: FeatureGroup,
    *,
    name: str,
    axis: MassAxis,
    bands: Mapping[str, Band],
) -> Figure:
    mine = next(g for g in summary.groups if g.name == group.name)
    centres, first = _by_mass(summary, mine.reference)
    _, second = _by_mass(other, group.reference)

    def paint(axes: Axes) -> None:
        for label, band in bands.items():
            colour, hatch = _BANDS[label]
            axes.axvspan(band.low, band.high, linewidth=0, label=label, facecolor=(colour, 0.2), hatch=hatch)
        axes.plot(centres, first, "o-", color=BLUE, markersize=3.5, label="this model")
        axes.plot(centres, second, "s-", color=RUST, markersize=3.5, label=name)
        axes.axhline(1, color=GREY, linewidth=0.8)
        axes.set(xlabel=axis.label, ylabel="median saliency / its mean", title=short(summary, mine.reference))
        axes.set_ylim(bottom=0)
        axes.figure.legend(loc="outside lower center", ncols=2, fontsize=9.5, columnspacing=1.1)

    peaks = [centres[int(np.nanargmax(values))] for values in (first, second)]
    ends = [float(values[np.isfinite(values)][-1]) for values in (first, second)]
    caption = (
        f"Saliency of the {name_of(group.name)} near 2/3 R₅₀₀ against mass, each relative to its mean over "
        f"mass: largest "
        f"at 10^{peaks[0]:.2f} M☉ here and at 10^{peaks[1]:.2f} M☉ in {name}; from the mean to the heaviest clusters "
        f"it changes by {format_signed(ends[0] - 1, 2)} and {format_signed(ends[1] - 1, 2)}."
    )
    for label, band in bands.items():
        caption += f" The {label} of catalogs lies between 10^{band.low:.2f} and 10^{band.high:.2f} M☉."
    alt = "Median saliency of the gas profile against cluster mass for two models, with bands of break and median mass."
    return Figure(name="saliency-compare", svg=draw(paint, size=SINGLE), alt=alt, caption=caption)


def _by_mass(summary: SaliencySummary, column: int) -> tuple[FloatArray, FloatArray]:
    """Return centres of the mass bins and medians relative to their mean."""
    centres = (summary.mass_edges[:-1] + summary.mass_edges[1:]) / 2
    values = summary.by_mass[:, column]
    mean = np.nanmean(values) if np.isfinite(values).any() else 0.0
    return centres, values / mean if mean > 0 else np.full_like(values, np.nan)
