"""The referee as a section of the report: the best possible accuracy on a set of catalogs."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import polars as pl
from earnest_common.report.drawing import BLUE, INK, draw
from earnest_common.report.section import DataTable, Figure, Section
from earnest_common.spread import rounded, skill

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["referee_section"]


def referee_section(verdicts: pl.DataFrame, told: Mapping[str, Any], *, provenance: Mapping[str, Any]) -> Section:
    """Return the section.

    Parameters
    ----------
    verdicts
        One row per catalog, as ``run.run_referee`` returns them.
    told
        Scores and words, as ``answer.referee_set`` returns them.
    provenance
        How they were made.
    """
    known = told["scatter"] is not None
    return Section(
        key="accuracy.referee",
        title="How well σ₈ could be told",
        text=_text(told),
        figures=(_figure(verdicts),) if known else (),
        tables=(_table(told),) if known else (),
        summary={name: value for name, value in told.items() if isinstance(value, int | float)},
        provenance=provenance,
    )


def _text(told: Mapping[str, Any]) -> tuple[str, ...]:
    seen = ", ".join(told["observables"])
    promise = (
        f"The posterior of σ₈ given {seen} of every cluster, computed for {told['n_catalogs']} catalogs with all "
        f"scaling relations marginalised, has a standard deviation of {told['expected_scatter']:.4f} (root mean square)"
    )
    if told["scatter"] is None:
        return (f"{promise}. The true values are unknown.", f"This is {told['validity']}.")
    happened = (
        f"; its mean scatters by {told['scatter']:.4f} ± {told['scatter_err']:.4f} about the truth, with a bias of "
        f"{told['bias']:+.4f}, and its 68 % intervals hold the truth in {100 * told['coverage_68']:.0f} ± "
        f"{100 * told['coverage_68_err']:.0f} % of the catalogs."
    )
    return (
        promise + happened,
        f"This is {told['validity']}. Normalisations of the relations: {_normalisations(told)}.",
    )


def _normalisations(told: Mapping[str, Any]) -> str:
    return "continuous within their priors" if told["normalisations"] == "continuous" else "as the set draws them"


def _table(told: Mapping[str, Any]) -> DataTable:
    prior = told["prior_scatter"]
    numbers = (told["scatter"], told["scatter_err"], told["expected_scatter"], told["bias"], told["coverage_68"])
    row = ("referee", *(round(value, 4) for value in numbers), rounded(skill(told["scatter"], prior)))
    return DataTable(
        name="referee",
        columns=("estimate", "scatter of σ₈", "±", "as promised", "bias", "68 % interval covers", "skill"),
        rows=(("prior alone", round(prior, 4), None, None, None, None, 0.0), row),
        caption="Scatter of the posterior mean; as promised: the root mean posterior variance.",
    )


def _figure(verdicts: pl.DataFrame) -> Figure:
    known = verdicts.filter(pl.col("sigma8_true").is_finite())
    true, mean, error = (known.get_column(name).to_numpy() for name in ("sigma8_true", "sigma8", "sigma8_err"))

    def paint(axes: "Axes") -> None:
        ends = [true.min(), true.max()]
        axes.plot(ends, ends, color=INK, lw=0.8)
        axes.errorbar(true, mean, yerr=error, fmt="o", ms=2.5, lw=0.4, color=BLUE, alpha=0.6)
        axes.set(xlabel=r"true $\sigma_8$", ylabel=r"posterior mean of $\sigma_8$")

    return Figure(
        name="referee",
        svg=draw(paint),
        alt="Posterior means of sigma8 with error bars against true values",
        caption=f"The best possible estimate of σ₈ for {len(true)} catalogs, with posterior standard deviations.",
    )
