"""Section "May it be applied elsewhere?": a catalog beside those of the training."""

from collections.abc import Sequence

import numpy as np
from earnest_common.report.drawing import BLUE, RUST, draw_panels
from earnest_common.report.section import DataTable, Figure, Section
from matplotlib.axes import Axes

from earnest_interpret.analyses.applicability.answer import Applicability, Comparison, Range
from earnest_interpret.analyses.applicability.unseen import SIZE, Unseen
from earnest_interpret.sections.palette import SMALL
from earnest_interpret.units import unit_in_words
from earnest_interpret.words import format_signed, name_of, percent

__all__ = ["applicability_section"]

_TITLES = {"inputs": "observables", "summary": "summary", "terse": "terse values", "prediction": "predictions"}


def applicability_section(found: Applicability, *, name: str) -> Section:
    """Return the section.

    Parameters
    ----------
    found
        The answer.
    name
        Of the catalog.
    """
    n = len(found.answers)
    tally = {answer: found.answers.count(answer) for answer in ("yes", "with care", "no")}
    counts = ", ".join(f"{count} {answer}" for answer, count in tally.items() if count)
    each = f" ({counts} of {n} catalogs)" if n > 1 else ""
    rate = (
        f"May the model be applied to {name}? {found.answer.capitalize()}{each}. Distances are calibrated on catalogs "
        "of the training, of which at most one in twenty gets another answer than yes."
    )
    return Section(
        key=f"applicability.{name}",
        title=f"{name}: {found.answer}",
        text=(rate, *found.reasons),
        figures=(_distances(found.comparisons),) if found.comparisons else (),
        tables=(_ranges(found), *((_unseen(found.unseen),) if found.unseen else ())),
        summary={"answer": found.answer, "n_catalogs": n},
    )


def _distances(comparisons: Sequence[Comparison]) -> Figure:
    def paint(panels: Sequence[Axes]) -> None:
        for axes, one in zip(panels, comparisons, strict=True):
            trained, own = (np.log10(np.maximum(values, 1e-3)) for values in (one.calibration, one.values))
            low, high = min(trained.min(), own.min()), max(trained.max(), own.max())
            bins = np.linspace(low, high + 0.02, 36).tolist()
            axes.hist(trained, bins=bins, color=BLUE, alpha=0.55, label="training")
            if len(own) > 8:
                axes.hist(own, bins=bins, histtype="step", color=RUST, linewidth=1.4, label="catalogs")
            for place, value in enumerate(own[: 8 if len(own) <= 8 else 0]):
                axes.axvline(value, color=RUST, label="catalog" if place == 0 else None)
            axes.set(xlabel=rf"$\log_{{10}}$ distance$^2$ of {_TITLES[one.space]}")
        panels[0].set_ylabel("catalogs")
        panels[0].legend(loc="upper center")

    p_values = "; ".join(f"{_TITLES[c.space]} p = {float(np.median(c.p_values)):.2g}" for c in comparisons)
    return Figure(
        name="applicability-distances",
        svg=draw_panels(paint, panels=len(comparisons), size=(SMALL[0] * len(comparisons), SMALL[1])),
        alt="Distances of training catalogs as histograms, and of the catalog as a line, in each space.",
        caption=f"Squared distance from the centre of the training in each space: {p_values}.",
    )


def _unseen(unseen: Unseen) -> DataTable:
    rows = [
        (f"{name_of(name)} {percent(SIZE)} too high", format_signed(shift)) for name, shift in unseen.columns.items()
    ]
    return DataTable(
        name="applicability-unseen",
        columns=("error", "mean Δσ₈"),
        rows=(*rows, (f"{percent(SIZE)} of the clusters missed, whatever their mass", format_signed(unseen.missed))),
        caption="What errors that all clusters share would do to the inferred σ₈; they cannot be seen where relations "
        "vary in training.",
    )


def _column(found: Range, radii: Sequence[float]) -> str:
    unit = unit_in_words(found.name)
    words = found.name if found.name == "z" else name_of(found.name, radii)
    return f"log₁₀ {words}{f' [{unit}]' if unit else ''}" if found.is_logarithm else words


def _ranges(found: Applicability) -> DataTable:
    rows: tuple[tuple[str | float, ...], ...] = tuple(
        (
            _column(r, found.radii),
            *(round(v, 3) for v in r.quantiles),
            *(round(v, 3) for v in r.training),
            percent(r.outside, 1),
        )
        for r in found.ranges
    )
    return DataTable(
        name="applicability-ranges",
        columns=("column", "1 %", "median", "99 %", "training 1 %", "median", "99 %", "outside"),
        rows=rows,
        caption="Ranges of each column, and clusters outside 99.8 % of the training.",
    )
