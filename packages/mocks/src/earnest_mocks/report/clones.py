"""The report's section on clones."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from earnest_common.arrays import FloatArray
from earnest_common.catalogs import CatalogSet
from earnest_common.report.drawing import BLUE, INK, RUST, draw_panels
from earnest_common.report.section import DataTable, Figure, Section
from earnest_common.run.provenance import provenance

from earnest_mocks.catalogs.clones import CloneReport, Neighbours

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["clones_section"]

_NEARLY_ZERO = 1e-4
"""Distances below this, 0.01 % of the spread, are drawn here: exact copies differ by rounding alone."""


def clones_section(opened: CatalogSet, report: CloneReport, near: Neighbours) -> Section:
    """Return the section that shows how well clones of a donor can be told from strangers."""
    plan = opened.manifest.plan
    inputs = {"catalog_set": opened.manifest.data_hash}
    return Section(
        key="clones",
        title="Can a cluster's donor be recognised?",
        text=_text(report),
        figures=(_figure(near),),
        tables=(_table(report),),
        summary=report.to_dict(),
        provenance=provenance(config=dict(plan.config), seed=plan.seed, inputs=inputs),
    )


def _text(report: CloneReport) -> tuple[str, ...]:
    loans = (
        f"{report.n_clusters:,} mock clusters borrow residuals and gas profiles from {report.n_donors:,} donors: "
        f"{report.mean_reuse:.0f} on average, {report.largest_reuse:,} from the most used one and up to "
        f"{report.largest_reuse_in_a_catalog} of them in one catalog."
    )
    shared = " and ".join(f"{share:.0%} of the {name} clusters" for name, share in report.overlap.items())
    recognised = (
        f"The nearest neighbour in profile shape among the clusters of other catalogs has the same donor for "
        f"{report.recognised:.1%} of them (by chance {report.chance:.1%}). A network can use that only as far as the "
        "donors of its training return in what it is tested on"
        + (f": the donors of {shared} also lent to training clusters." if shared else ".")
    )
    return (loans, recognised)


def _figure(near: Neighbours) -> Figure:
    def paint(panels: Sequence["Axes"]) -> None:
        (axes,) = panels
        known = [np.maximum(d[np.isfinite(d)], _NEARLY_ZERO) for d in (near.clone, near.stranger)]
        both = np.concatenate(known)
        bins = np.geomspace(0.7 * both.min(), 1.4 * max(both.max(), near.noise), 60)
        for values, colour, label in zip(known, (RUST, BLUE), ("a clone of its donor", "another donor's"), strict=True):
            axes.hist(
                values, bins=bins.tolist(), histtype="stepfilled", alpha=0.25, color=colour, weights=_shares(values)
            )
            axes.hist(values, bins=bins.tolist(), histtype="step", color=colour, weights=_shares(values), label=label)
        if near.noise > 0:
            axes.axvline(near.noise, color=INK, lw=1, ls="--", label="two measurements of one cluster")
        axes.set(xscale="log", ylabel="share of clusters")
        axes.set_xlabel("distance to the nearest profile [spread of all profiles]")
        axes.legend(loc="upper center")

    caption = (
        "Distance in profile shape between a cluster and the nearest one of other catalogs that has the same donor, "
        "or another; exact copies are drawn at 10^-4."
    )
    alt = "Two histograms of distances: where clones lie nearer than strangers a profile names its donor."
    return Figure(name="clones", svg=draw_panels(paint, panels=1, size=(5.4, 3.6)), alt=alt, caption=caption)


def _shares(values: FloatArray) -> FloatArray:
    return np.full(len(values), 1 / max(len(values), 1))


def _table(report: CloneReport) -> DataTable:
    rows: list[tuple[str | float | int | None, ...]] = [
        ("donors used", report.n_donors),
        ("clusters of the most used donor", report.largest_reuse),
        ("most clusters of one donor in a catalog", report.largest_reuse_in_a_catalog),
        *((f"{name} clusters with a training donor [%]", round(100 * x, 2)) for name, x in report.overlap.items()),
        ("median distance to the nearest clone", round(report.clone_distance, 4)),
        ("median distance to the nearest stranger", round(report.stranger_distance, 4)),
        ("distance of two measurements", round(report.noise_distance, 4)),
        ("donor recognised [%]", round(100 * report.recognised, 2)),
        ("by chance [%]", round(100 * report.chance, 2)),
    ]
    return DataTable(name="clones", columns=("quantity", "value"), rows=tuple(rows), caption="Use of donors.")
