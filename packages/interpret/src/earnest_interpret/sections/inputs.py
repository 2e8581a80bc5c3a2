"""Section "Which inputs is it sensitive to?": saliency by input, by radius and by mass (the form of figure 11)."""

import numpy as np
from earnest_common.arrays import FloatArray
from earnest_common.report.drawing import GREY, draw
from earnest_common.report.section import DataTable, Figure, Section
from matplotlib.axes import Axes

from earnest_interpret.analyses.saliency.examination import SaliencyContext
from earnest_interpret.analyses.saliency.gradients import (
    PAPER_SALIENCY,
    REFERENCE_RADIUS,
    FeatureGroup,
    SaliencySummary,
)
from earnest_interpret.caution import SECTION_CAUTION
from earnest_interpret.sample import MassAxis
from earnest_interpret.sections.beside import beside_figures, beside_tables, beside_text
from earnest_interpret.sections.names import COLOURS, MASS_FROM, described, meaning, short, slope_label, symbol
from earnest_interpret.sections.palette import SINGLE, by_mass
from earnest_interpret.words import format_number, name_of, percent, significant

__all__ = ["inputs_section"]


def inputs_section(
    summary: SaliencySummary | None,
    axis: MassAxis | None,
    *,
    beside: SaliencyContext | None = None,
    missing: str = "",
    caution: str = SECTION_CAUTION,
) -> Section:
    """Return the section.

    Parameters
    ----------
    summary
        Saliency of the sample; ``None`` where the model offers no gradient.
    axis
        Masses of the clusters, if known.
    beside
        Maps, other models and checks that belong to it.
    missing
        Why there is no saliency.
    caution
        Over how many trainings this holds.
    """
    title = "Saliency: the response to a small change of an input"
    if summary is None:
        return Section(key="inputs.saliency", title=title, text=(f"Saliency cannot be shown: {missing}.",))
    profiles = [group for group in summary.groups if group.radii]
    figures = [_by_input(summary), *(_by_radius(summary, group) for group in profiles)]
    if np.isfinite(summary.by_mass).all(axis=1).sum() >= 2 and axis:
        figures.append(_by_mass(summary, axis))
    figures += beside_figures(summary, axis, beside) if beside else ()
    return Section(
        key="inputs.saliency",
        title=title,
        text=(caution, *_text(summary, axis), *(beside_text(summary, beside) if beside else ())),
        figures=tuple(figures),
        tables=(_group_table(summary), _input_table(summary), *(beside_tables(summary, beside) if beside else ())),
    )


def _text(summary: SaliencySummary, axis: MassAxis | None) -> tuple[str, ...]:
    best = summary.names[summary.ranked[0]]
    shares = ", ".join(f"{name_of(g.name)} {percent(summary.share(g))}" for g in summary.groups)
    lines = [
        f"Saliency is {meaning(summary)}, for inputs scaled to about [0, 1]. The most salient single input is "
        f"{described(summary, best)}; of the summed mean saliency the shares are: {shares}.",
        "The unit of a terse value is arbitrary, since the decoder undoes any rescaling: compare inputs with each "
        "other, and only ratios with another network.",
    ]
    lines += [_core_text(summary, group) for group in summary.groups if group.radii and len(group.columns) > 2]
    if axis is None:
        lines.append("Masses are unknown, so saliency by mass cannot be shown.")
    return tuple(lines)


def _core_text(summary: SaliencySummary, group: FeatureGroup) -> str:
    """Return whether saliency dips in the core, as in the paper, and if not a reason."""
    sizes, radii = summary.mean_abs[list(group.columns)], group.radii or ()
    if not sizes.max() > 0:
        return f"The {name_of(group.name)} has no saliency at all."
    share, together = float(sizes[0] / sizes.max()), summary.coherence(group)
    text = f"In the core ({radii[0]:.2f} R₅₀₀) the {name_of(group.name)} has {percent(share)} of its largest saliency"
    if share < 0.5:
        return f"{text}: a dip, as in the paper."
    if together < 0.5:
        return (
            f"{text}: no dip as in the paper. Responses at different radii cancel (scaling the whole profile leaves "
            f"{percent(together)} of the summed response): the encoder uses the profile's shape, to which the core "
            "contributes."
        )
    return f"{text}: no dip as in the paper; the core contributes as other radii do."


def _group_table(summary: SaliencySummary) -> DataTable:
    first = name_of(summary.groups[0].name)
    head = (
        *("input", "mean S", "68 % of clusters", "signed mean", "S per dex or unit", f"S / S({first})"),
        *("paper: S", "paper: ratio"),
    )
    return DataTable(
        name="saliency-averages",
        columns=head,
        rows=tuple(_group_row(summary, group) for group in summary.groups),
        caption=f"Average saliencies, profiles at the radius nearest {REFERENCE_RADIUS} R₅₀₀ as in the paper; "
        "per dex of temperature and gas mass, per unit of slope. The paper's values belong to its own network and are "
        "no target.",
    )


def _group_row(summary: SaliencySummary, group: FeatureGroup) -> tuple[str, ...]:
    j, first = group.reference, summary.groups[0]
    scale = summary.mean_abs[first.reference]
    paper = PAPER_SALIENCY.get(group.name) if summary.of == "terse" and summary.is_slope else None
    paper_scale = PAPER_SALIENCY.get(first.name)
    return (
        described(summary, summary.names[j]),
        significant(summary.mean_abs[j]),
        f"{significant(summary.low[j])} to {significant(summary.high[j])}",
        significant(summary.mean_signed[j]),
        significant(summary.per_unit[j]) if np.isfinite(summary.per_unit[j]) else "",
        format_number(summary.mean_abs[j] / scale if scale > 0 else np.nan, 2),
        format_number(paper, 3) if paper else "",
        format_number(paper / paper_scale, 2) if paper and paper_scale else "",
    )


def _input_table(summary: SaliencySummary) -> DataTable:
    rows = tuple(
        (
            place,
            described(summary, summary.names[j]),
            significant(summary.mean_abs[j]),
            significant(summary.mean_signed[j]),
        )
        for place, j in enumerate(summary.ranked, start=1)
    )
    columns = ("rank", "input", "mean S", "signed mean")
    return DataTable(name="saliency-inputs", columns=columns, rows=rows, caption="Every input, the most salient first.")


def _by_input(summary: SaliencySummary) -> Figure:
    order = summary.ranked[:15][::-1]
    colour = {j: COLOURS[k % 4] for k, group in enumerate(summary.groups) for j in group.columns}

    def paint(axes: Axes) -> None:
        for row, j in enumerate(order):
            axes.plot([summary.low[j], summary.high[j]], [row, row], color=colour[j], linewidth=1.6, alpha=0.45)
            axes.plot(summary.mean_abs[j], row, "o", color=colour[j], markersize=5)
        axes.set_yticks(range(len(order)), [short(summary, j) for j in order])
        axes.set(xlabel=slope_label(summary), ylim=(-0.7, len(order) - 0.3))
        axes.set_xlim(left=0)
        axes.grid(visible=False, axis="y")
        axes.tick_params(axis="y", length=0, labelsize=10)

    top = [described(summary, summary.names[j]) for j in summary.ranked[:3]]
    caption = (
        f"Mean saliency (dots) with the range of 68 % of clusters (bars); most salient: {'; '.join(top)} "
        f"(S = {significant(summary.mean_abs[summary.ranked[0]])} for the first)."
    )
    alt = "Mean saliency of every input in falling order, with the range of 68 % of clusters."
    height = max(2.0, 0.9 + 0.24 * len(order))
    return Figure(name="saliency-inputs", svg=draw(paint, size=(SINGLE[0], height)), alt=alt, caption=caption)


def _by_radius(summary: SaliencySummary, group: FeatureGroup) -> Figure:
    radii, columns = np.array(group.radii), list(group.columns)
    mean = summary.mean_abs[columns]

    def paint(axes: Axes) -> None:
        n_bins = len(summary.by_mass)
        for k, row in enumerate(summary.by_mass):
            edge = summary.mass_edges[k]
            if np.isfinite(row).all():
                axes.plot(
                    radii, row[columns], color=by_mass(k / max(n_bins - 1, 1)), linewidth=1.2, label=f"{edge:.2f}"
                )
        axes.plot(radii, mean, color=GREY, linewidth=2.6, dashes=(3, 1.5), label="mean")
        axes.set(
            xlabel=r"$r\,/\,R_{500}$",
            ylabel=slope_label(summary),
            title=symbol(group),
        )
        axes.set_ylim(bottom=0)
        axes.set_xlim(0, float(radii.max()) * 1.03)
        # Beside the axes, because curves of unknown shape leave no corner free.
        title = MASS_FROM if n_bins else None
        axes.figure.legend(loc="outside lower center", title=title, ncols=6, fontsize=9.5, columnspacing=1.1)

    caption = _along(group, radii, mean)
    alt = f"Median saliency of the {name_of(group.name)} against radius, one curve per bin of cluster mass."
    return Figure(name=f"saliency-{group.name.replace('_', '-')}", svg=draw(paint), alt=alt, caption=caption)


def _along(group: FeatureGroup, radii: FloatArray, mean: FloatArray) -> str:
    peak, dip = int(np.argmax(mean)), int(np.argmin(mean))
    best, least, core = significant(mean[peak]), significant(mean[dip]), significant(mean[0])
    return (
        f"Saliency of the {name_of(group.name)} peaks at {radii[peak]:.2f} R₅₀₀ ({best}) and is lowest at "
        f"{radii[dip]:.2f} R₅₀₀ ({least}); the core at {radii[0]:.2f} R₅₀₀ has {core}."
    )


def _by_mass(summary: SaliencySummary, axis: MassAxis) -> Figure:
    known = np.isfinite(summary.by_mass).all(axis=1)
    centres: FloatArray = (summary.mass_edges[:-1] + summary.mass_edges[1:])[known] / 2
    curves = {group.name: summary.by_mass[known][:, group.reference] for group in summary.groups}

    def paint(axes: Axes) -> None:
        for k, group in enumerate(summary.groups):
            label = short(summary, group.reference)
            axes.plot(centres, curves[group.name], "o-", color=COLOURS[k % 4], markersize=3.5, label=label)
        axes.set(xlabel=axis.label, ylabel=f"median {slope_label(summary)}")
        axes.set_ylim(bottom=0)
        axes.legend()

    first = max(summary.groups, key=lambda group: float(curves[group.name].max()))
    peak = int(np.argmax(curves[first.name]))
    caption = (
        f"Median saliency by cluster mass, profiles near {REFERENCE_RADIUS} R₅₀₀: that of the {name_of(first.name)} is "
        f"largest at 10^{centres[peak]:.2f} M☉ ({significant(curves[first.name][peak])})."
    )
    alt = "Median saliency of each quantity against cluster mass."
    return Figure(name="saliency-mass", svg=draw(paint), alt=alt, caption=caption)
