"""The information map as a section of the report: one table, one figure, a few sentences."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from earnest_common.report.drawing import BLUE, GREY, INK, OCHRE, draw_canvas
from earnest_common.report.section import DataTable, Figure, Section
from earnest_common.spread import rounded, skill
from earnest_common.survey.presets import Preset

from earnest_selfcal.information.scatter import InformationPoint
from earnest_selfcal.information.variants import DATA, REAL, Variant
from earnest_selfcal.report.information_words import by_key, sentences

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

__all__ = ["information_section"]

_COLOURS = (INK, GREY, OCHRE, "#5d9c8c", BLUE)
_SHORT = {
    "n": "$N$",
    "n_median_l_x": "$N$, median $L_X$",
    "n_median_y_x": "$N$, median $Y_X$",
    "x_ray": "all clusters, no WL",
    "profiles": "with shapes, no WL",
    "all": "all clusters",
    "perfect": "true masses",
}


def information_section(
    preset: Preset,
    variants: Sequence[Variant],
    points: Sequence[InformationPoint],
    *,
    summary: Mapping[str, Any],
    provenance: Mapping[str, Any],
) -> Section:
    """Return the section.

    Parameters
    ----------
    preset
        Where the variants start from.
    variants, points
        What was compared, and what was found.
    summary
        Headline numbers.
    provenance
        How it was made.
    """
    return Section(
        key="counts.information_map",
        title="Where the information on σ₈ comes from",
        text=sentences(preset, variants, points),
        figures=(_figure(preset, variants, points),),
        tables=(_table(preset, variants, points),),
        summary=summary,
        provenance=provenance,
    )


def _table(preset: Preset, variants: Sequence[Variant], points: Sequence[InformationPoint]) -> DataTable:
    titles = {variant.key: variant.title for variant in variants}
    prior = preset.priors.sigma8.std
    rows: list[tuple[str | float | int | None, ...]] = [("any", "prior alone", round(prior, 4), *([None] * 5))]
    for point in points:
        explained = skill(point.scatter, prior)
        numbers = (point.scatter, point.scatter_err, point.rms, point.rms_err, point.coverage_68, explained)
        rows.append((titles[point.survey], DATA[point.data], *(rounded(number) for number in numbers)))
    return DataTable(
        name="information-map",
        columns=("survey", "data", "scatter of σ₈", "±", "as it happened", "±", "68 % interval covers", "skill"),
        rows=tuple(rows),
        caption=(
            "Best possible scatter of σ₈ (root mean posterior variance over the priors), the root mean square error of "
            "the same surveys' posterior means, and skill, 1 - (scatter / prior scatter)²."
        ),
    )


def _figure(preset: Preset, variants: Sequence[Variant], points: Sequence[InformationPoint]) -> Figure:
    surveys = [one for one in variants if one.width is None]
    widths = [one for one in variants if one.width is not None]

    def paint(canvas: "Canvas") -> None:
        left, right = canvas.subplots(1, 2, width_ratios=(1.35, 1))
        _paint_ladder(left, surveys, points, preset.priors.sigma8.std)
        _paint_widths(right, widths, points)

    found = by_key(points)
    hard, flux = found["mass", "x_ray"], found[REAL, "x_ray"]
    return Figure(
        name="information-map",
        svg=draw_canvas(paint, size=(8.6, 3.9)),
        alt="Scatter of sigma8 for growing parts of the data under four surveys, and against the width of the priors",
        caption=(
            "Left: the best possible scatter of σ₈, from counts alone to true masses (dashed: the prior alone); "
            f"without weak lensing {hard.scatter:.4f} with the sharp cut in true mass, {flux.scatter:.4f} with a cut "
            "in flux and errors of measurement. "
            "Right: how it depends on what is known of the normalisations."
        ),
    )


def _paint_ladder(axes: "Axes", surveys: Sequence[Variant], points: Sequence[InformationPoint], prior: float) -> None:
    found, names = by_key(points), list(DATA)
    axes.axvline(prior, color=GREY, lw=0.8, ls="--")
    for i, (survey, colour) in enumerate(zip(surveys, _COLOURS, strict=False)):
        place = [len(names) - j + 0.12 * (2 - i) for j in range(len(names))]
        at = [found[survey.key, name] for name in names]
        axes.errorbar(
            [one.scatter for one in at],
            place,
            xerr=[one.scatter_err for one in at],
            fmt="o",
            ms=3.5,
            lw=0.9,
            color=colour,
            label=survey.title,
        )
    axes.set(xlabel=r"scatter of $\sigma_8$", xlim=(0, None), ylim=(0.4, len(names) + 3.2))
    axes.set_yticks([len(names) - j for j in range(len(names))], [_SHORT[name] for name in names])
    axes.legend(loc="upper left", fontsize=8, handletextpad=0.2, labelspacing=0.2)


def _paint_widths(axes: "Axes", widths: Sequence[Variant], points: Sequence[InformationPoint]) -> None:
    found = by_key(points)
    styles = {"n_median_y_x": (GREY, "$N$, median $Y_X$"), "x_ray": (BLUE, "no WL"), "all": (OCHRE, "with WL")}
    for cut, line in (("flux", "-"), ("mass", "--")):
        chosen = [one for one in widths if one.preset.survey.cut == cut]
        for name, (colour, label) in styles.items():
            at = [found[one.key, name] for one in chosen]
            axes.errorbar(
                [100 * (one.width or 0.0) for one in chosen],
                [one.scatter for one in at],
                yerr=[one.scatter_err for one in at],
                color=colour,
                ls=line,
                lw=1.1,
                label=f"{label}, cut in {'flux' if cut == 'flux' else 'true mass'}",
            )
    axes.set(xlabel="half width of normalisations [%]", ylabel=r"scatter of $\sigma_8$", ylim=(0, None))
    axes.legend(loc="lower left", fontsize=8, handlelength=1.6, labelspacing=0.2)
