"""What stands beside the saliency of a model: maps of catalogs, faint clusters, other models, and checks."""

import numpy as np
from earnest_common.report.section import DataTable, Figure

from earnest_interpret.analyses.saliency.examination import SaliencyContext
from earnest_interpret.analyses.saliency.faint_clusters import Stripes
from earnest_interpret.analyses.saliency.gradients import SaliencySummary
from earnest_interpret.analyses.saliency.randomisation import RandomisationCheck
from earnest_interpret.sample import MassAxis
from earnest_interpret.sections.maps import map_figure, stripes_figure
from earnest_interpret.sections.models import compare_figures, seeds_figure, seeds_table
from earnest_interpret.words import format_number, percent

__all__ = ["beside_figures", "beside_tables", "beside_text"]


def beside_text(summary: SaliencySummary, beside: SaliencyContext) -> tuple[str, ...]:
    """Return sentences on faint clusters and checks."""
    lines = [f"Warning: {beside.warning}."] if beside.warning else []
    if beside.stripes:
        lines.append(_stripes_text(beside.stripes))
    if beside.check:
        lines.append(_check_text(beside.check))
    elif summary.is_slope:
        lines.append("No randomisation test of the saliency: the weights of this model cannot be shuffled.")
    return tuple(lines)


def beside_figures(summary: SaliencySummary, axis: MassAxis | None, beside: SaliencyContext) -> tuple[Figure, ...]:
    """Return figures of maps, faint clusters and other models."""
    figures = [map_figure(summary, beside.values, beside.batch)]
    if beside.stripes and axis:
        figures.append(stripes_figure(beside.stripes, beside.terse, axis))
    if beside.also:
        figures.append(seeds_figure((summary, *beside.also)))
    if beside.compare and axis:
        figures += compare_figures(summary, beside.compare, beside.compare_name, axis=axis, bands=beside.bands)
    return tuple(figures)


def beside_tables(summary: SaliencySummary, beside: SaliencyContext) -> tuple[DataTable, ...]:
    """Return the shares of several trainings."""
    return (seeds_table((summary, *beside.also)),) if beside.also else ()


def _stripes_text(found: Stripes) -> str:
    edge = "are" if found.faint_at_edge > 0.4 else "are not"
    text = (
        f"The rows of low saliency in the maps {edge} clusters with extreme terse values: of the tenth with the lowest "
        f"saliency {percent(found.faint_at_edge)} are in the outer tenths of the terse values (20 % expected by chance)"
    )
    known = {"distance of the terse value from the middle": found.with_edge, "mass": found.with_mass}
    known["shape of the gas profile"] = found.with_shape
    parts = [f"{name} {format_number(value)}" for name, value in known.items() if np.isfinite(value)]
    text = f"{text}. Rank correlation of a cluster's summed saliency with: {', '.join(parts)}"
    if abs(found.with_shape) > 0.3:
        return f"{text}. The paper's network showed no relation with the shape; here there is one."
    return f"{text}."


def _check_text(check: RandomisationCheck) -> str:
    verdict = "so the order is learned" if check.passed else "so the order is much the same without training"
    return (
        f"With the weights of each layer shuffled ({check.n_shuffles} times) the inputs' mean saliencies keep a rank "
        f"correlation of {format_number(check.of_inputs)} with those of the trained model, {verdict}. For the "
        f"summed saliencies of clusters it is {format_number(check.of_clusters)}, which any such network gives."
    )
