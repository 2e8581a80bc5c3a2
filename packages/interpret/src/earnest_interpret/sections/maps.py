"""Saliency maps of single catalogs, and where faint clusters lie (the forms of the paper's figures 10 and 15)."""

from collections.abc import Sequence

import numpy as np
from earnest_common.arrays import FloatArray
from earnest_common.catalogs.batch import CatalogBatch
from earnest_common.report.drawing import draw_canvas
from earnest_common.report.section import Figure
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from earnest_interpret.analyses.saliency.faint_clusters import Stripes
from earnest_interpret.analyses.saliency.gradients import SaliencySummary
from earnest_interpret.sample import MassAxis
from earnest_interpret.sections.names import slope_label
from earnest_interpret.sections.palette import saliency_colours
from earnest_interpret.words import format_number, name_of, percent

__all__ = ["map_figure", "stripes_figure"]

_N_MAPS = 4


def map_figure(summary: SaliencySummary, values: FloatArray, batch: CatalogBatch) -> Figure:
    """Return saliency maps of a few catalogs from low to high sigma8 (or number of clusters)."""
    chosen = _representatives(batch)
    splits = batch.row_splits
    maps = [np.abs(values[splits[k] : splits[k + 1]]) for k in chosen]
    top = float(np.quantile(np.concatenate(maps), 0.99)) or 1.0
    titles = [_title(batch, k) for k in chosen]

    def paint(canvas: Canvas) -> None:
        panels = canvas.subplots(1, len(maps), squeeze=False)[0]
        for axes, image, title in zip(panels, maps, titles, strict=True):
            shown = axes.imshow(
                image, aspect="auto", interpolation="nearest", cmap=saliency_colours(), vmin=0, vmax=top
            )
            shown.set_rasterized(True)
            axes.set_title(title, fontsize=10)
            axes.grid(visible=False)
            _mark_groups(axes, summary)
        panels[0].set_ylabel("cluster, in falling $L_X$")
        bar = canvas.colorbar(shown, ax=list(panels), shrink=0.85, pad=0.015)
        bar.set_label(slope_label(summary))

    faint = np.concatenate(maps).sum(axis=1)
    share = float(np.mean(faint < 0.5 * np.median(faint)))
    columns = ", ".join(f"{k} {name_of(group.name)}" for k, group in enumerate(summary.groups, start=1))
    caption = (
        f"Saliency of every input (columns: {columns}) of every cluster (rows) in "
        f"{len(maps)} catalog{'s' * (len(maps) != 1)}; {percent(share, 1)} of these clusters have less "
        "than half the median summed saliency."
    )
    alt = "Maps of saliency, one row per cluster and one column per input, for catalogs from low to high sigma8."
    svg = draw_canvas(paint, size=(2.1 * len(maps) + 1.0, 3.6))
    return Figure(name="saliency-maps", svg=svg, alt=alt, caption=caption)


def _representatives(batch: CatalogBatch) -> Sequence[int]:
    """Return catalogs evenly spread in sigma8 where it is known, else in number of clusters."""
    sigma8 = batch.label("sigma8").astype(np.float64)
    order = np.argsort(sigma8 if np.isfinite(sigma8).all() else np.diff(batch.row_splits), kind="stable")
    order = order[np.diff(batch.row_splits)[order] > 0]
    n = min(_N_MAPS, len(order))
    return [int(order[k]) for k in np.round((np.arange(n) + 0.5) / n * (len(order) - 1)).astype(int)]


def _title(batch: CatalogBatch, k: int) -> str:
    sigma8 = float(batch.label("sigma8").astype(np.float64)[k])
    n = int(np.diff(batch.row_splits)[k])
    return rf"$\sigma_8$ = {sigma8:.2f}, N = {n}" if np.isfinite(sigma8) else f"N = {n}"


def _mark_groups(axes: Axes, summary: SaliencySummary) -> None:
    ends = [max(group.columns) + 0.5 for group in summary.groups]
    middles = [float(np.mean(group.columns)) for group in summary.groups]
    for end in ends[:-1]:
        axes.axvline(end, color="white", linewidth=0.8)
    axes.set_xticks(middles, [str(k) for k in range(1, len(middles) + 1)])


def stripes_figure(found: Stripes, terse: FloatArray, axis: MassAxis) -> Figure:
    """Return the mean summed saliency of clusters in the plane of mass and terse value."""
    known = np.isfinite(axis.log10_m) & np.isfinite(terse)
    low, high = np.quantile(found.strength[known], [0.02, 0.98])

    def paint(canvas: Canvas) -> None:
        axes = canvas.add_subplot()
        shown = axes.hexbin(
            axis.log10_m[known],
            terse[known],
            C=found.strength[known],
            gridsize=34,
            mincnt=2,
            cmap=saliency_colours(),
            vmin=low,
            vmax=high,
            linewidths=0,
            rasterized=True,
        )
        axes.set(xlabel=axis.label, ylabel="terse value")
        axes.grid(visible=False)
        canvas.colorbar(shown, ax=axes, pad=0.02).set_label("summed saliency / mean")

    caption = (
        "Mean summed saliency of clusters by mass and terse value. Of the tenth with the lowest saliency "
        f"{percent(found.faint_at_edge)} lie in the outer tenths of the terse values (20 % by chance); rank "
        f"correlation with the distance from the middle {format_number(found.with_edge)}."
    )
    alt = "Plane of cluster mass and terse value, coloured by the mean summed saliency of the clusters there."
    return Figure(name="saliency-stripes", svg=draw_canvas(paint, size=(4.4, 3.4)), alt=alt, caption=caption)
