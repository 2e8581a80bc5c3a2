"""The section on the mock sky: cluster numbers per mass bin, and the base sample beside imported clusters."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from earnest_common.catalogs import CatalogSet
from earnest_common.errors import InputError
from earnest_common.report.drawing import BLUE, GREEN, GREY, INK, OCHRE, RUST, draw_panels
from earnest_common.report.section import DataTable, Figure, Section
from earnest_common.run.files import file_sha256
from earnest_common.run.provenance import provenance

from earnest_mocks.base_sample.comparison import Comparison, compare_with
from earnest_mocks.base_sample.relations import OBSERVABLES, mean_observables
from earnest_mocks.base_sample.sample import BaseSample, default_base_sample, read_base_sample
from earnest_mocks.catalogs.config import resolve_config
from earnest_mocks.catalogs.counts import Selected, corner_counts, everything
from earnest_mocks.catalogs.source import MockSource, make_source
from earnest_mocks.report.loan import loan_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["mocks_section"]

_AXIS = {
    "l_x": r"$L_X$ [$10^{44}$ erg s$^{-1}$], bolometric",
    "t_x": r"$T$ [keV], mass-weighted",
    "m_gas": r"$M_\mathrm{gas}$ [$M_\odot$]",
}
_NAMES = {"l_x": "L_X", "t_x": "T", "m_gas": "M_gas"}


def mocks_section(opened: CatalogSet, *, compare: CatalogSet | None = None, base_sample: Path | None = None) -> Section:
    """Return the report's section about a set of mocks.

    Parameters
    ----------
    opened
        The mocks.
    compare
        Imported clusters with true masses, such as another simulation's, drawn beside the base sample.
    base_sample
        File of the base sample that the mocks were made with, if it was not the built-in one.

    Raises
    ------
    InputError
        If the set was not made by this package, or the clusters to compare have no masses.
    """
    plan = opened.manifest.plan
    if plan.kind != "mock":
        raise InputError(f"{opened.path} holds {plan.kind} catalogs; figures of the mock sky need a set of mocks")
    config = resolve_config(plan.preset, options=_changeable(plan.config))
    source = make_source(config, seed=plan.seed or 0, sample=_base_sample(opened, base_sample))
    sample = source.sample
    counts = corner_counts(opened, source)
    other = compare_with(compare, sample, config.cosmology) if compare else None
    inputs = {"catalog_set": opened.manifest.data_hash} | ({"compare": compare.manifest.data_hash} if compare else {})
    return Section(
        key="mocks",
        title="What sky do the mock catalogs show?",
        text=_text(sample, source, other),
        figures=(_counts_figure(counts, source), _relations_figure(sample, other), _loan(sample, source)),
        tables=(_counts_table(counts), *([_comparison_table(other)] if other else [])),
        summary=_summary(opened, counts, other),
        provenance=provenance(config=dict(plan.config), seed=plan.seed, inputs=inputs),
    )


def _base_sample(opened: CatalogSet, file: Path | None) -> BaseSample:
    """Return the base sample of a set, and refuse any other."""
    recorded = opened.manifest.plan.inputs.get("base_sample")
    if (file_sha256(file) if file else None) != recorded:
        wanted = "with the built-in base sample" if recorded is None else "with a base sample of its own"
        given = f"{file} is another one" if file else "none was given"
        raise InputError(f"{opened.path} was made {wanted} and {given}; --base-sample takes the file it was made with")
    return read_base_sample(file) if file else default_base_sample()


def _changeable(config: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in config.items() if name not in ("preset", "base_sample", "split")}


def _loan(sample: BaseSample, source: MockSource) -> Figure:
    rule = source.config.donors
    return loan_figure(sample, half_width=rule.half_width, recombined=rule.recombine > 0)


def _text(sample: BaseSample, source: MockSource, other: Comparison | None) -> tuple[str, ...]:
    survey, model = source.config.survey, source.config.mass_function
    where = "true mass" if survey.cut == "mass" else "observed luminosity"
    sky = (
        f"Clusters are drawn from the {model} mass function at z = {survey.z:g} in {survey.volume:.3g} "
        f"comoving Mpc^3 and selected by {where}: all above the break, which belongs to a fixed flux limit, a falling "
        "share of the volume below it, none below the cut."
    )
    origin = source.synthetic or "Nothing in the base sample is emulated"
    loans = (
        f"Each takes residuals and gas profile from one of {sample.n_clusters} base-sample clusters. "
        f"{origin[0].upper()}{origin[1:]}."
    )
    if other is None:
        return (sky, loans)
    return (sky, loans, _verdict(other))


def _verdict(other: Comparison) -> str:
    parts = [
        f"{_NAMES[name]} {o.mean:+.3f} ± {o.mean_err:.3f} dex (scatter {o.scatter:.3f}, robust {o.robust_scatter:.3f})"
        for name, o in other.offsets.items()
    ]
    return (
        f"{len(other.z)} clusters of {other.name}, z = {other.z.min():.2f} to {other.z.max():.2f}, brought to the "
        "mocks' redshift with self-similar E(z) evolution at fixed mass, lie about the base sample's relations by "
        f"{'; '.join(parts)}. An offset can come from the sample, the redshifts or the evolution assumed, not only "
        "from the emulation."
    )


def _counts_figure(counts: tuple[Selected, ...], source: MockSource) -> Figure:
    def paint(panels: Sequence["Axes"]) -> None:
        (axes,) = panels
        for sigma8, style in {c.sigma8: s for c, s in zip(counts, (":", ":", "-", "-"), strict=False)}.items():
            axes.plot(*everything(source, sigma8), color=GREY, ls=style, lw=1.2, label=rf"all, $\sigma_8={sigma8:.2f}$")
        for one, colour in zip(counts, (OCHRE, GREEN, RUST, BLUE), strict=False):
            _paint_counts(axes, one, colour)
        axes.set(yscale="log", xlim=(13.45, 15.45), ylim=(3e-3, 60), ylabel="clusters per 0.01 dex")
        axes.set_xlabel(r"$\log_{10}\ M_{500c}\ [M_\odot]$")
        axes.legend(loc="upper right", ncols=1)

    lines = "lines join them" if counts[0].expected is None else "lines: mass function times selection for them"
    caption = (
        "Mean number of clusters per 0.01 dex of mass for extreme sigma8 and normalisation of L_X-M (b_L). Points: "
        f"catalogs of this set, with Poisson errors; {lines}; grey: every cluster in the volume."
    )
    alt = "Cluster numbers fall with mass; sigma8 sets the high-mass end, the luminosity relation the low-mass end."
    return Figure(name="counts", svg=draw_panels(paint, panels=1, size=(5.4, 4.0)), alt=alt, caption=caption)


def _paint_counts(axes: "Axes", one: Selected, colour: str) -> None:
    label = rf"$\sigma_8={one.sigma8:.2f},\ b_L={one.l_x_normalisation:.1f}$"
    seen = one.per_bin > 0
    centre = (one.edges[1:] + one.edges[:-1])[seen] / 2
    line = {"ls": "none"} if one.expected is not None else {"ls": "--", "lw": 1}
    axes.errorbar(
        centre, one.per_bin[seen], one.per_bin_err[seen], fmt="o", ms=3.2, color=colour, elinewidth=0.9, **line
    )
    if one.expected is not None:
        axes.plot(one.log10_m, one.expected, color=colour, label=label)
    else:
        axes.plot([], [], "o--", color=colour, label=label)


def _relations_figure(sample: BaseSample, other: Comparison | None) -> Figure:
    def paint(panels: Sequence["Axes"]) -> None:
        for i, (axes, name) in enumerate(zip(panels, OBSERVABLES, strict=True)):
            _paint_relation(axes, sample, i, name=name, other=other)
            if other is not None and name in other.offsets:
                axes.plot(
                    10**other.log10_m_500c,
                    10 ** other.observables[:, i],
                    "o",
                    ms=3.6,
                    color=RUST,
                    mec="white",
                    mew=0.4,
                    label=other.name,
                )
        panels[0].legend(loc="lower right", markerscale=1.4)

    what = "emulated clusters" if sample.emulated else "base-sample clusters"
    caption = (
        f"The base sample's {sample.n_clusters} {what} and the power laws fitted to them, with their scatter (band)."
    )
    if other is not None:
        caption += (
            f" {len(other.z)} clusters of {other.name} are overplotted after self-similar E(z) evolution at fixed "
            f"mass to z = {sample.z:g}."
        )
    alt = "Luminosity, temperature and gas mass rise with cluster mass as power laws with scatter."
    return Figure(
        name="scaling-relations", svg=draw_panels(paint, panels=3, size=(10.2, 3.5)), alt=alt, caption=caption
    )


def _paint_relation(axes: "Axes", sample: BaseSample, i: int, *, name: str, other: Comparison | None) -> None:
    label = "emulated base sample" if sample.emulated else "base sample"
    points: Any = {"ms": 2.4, "color": BLUE, "alpha": 0.45, "rasterized": True}  # a thousand in each panel
    axes.plot(10**sample.log10_m_500c, 10 ** sample.observables[:, i], ".", label=label, **points)
    masses = sample.log10_m_500c if other is None else np.concatenate([sample.log10_m_500c, other.log10_m_500c])
    x = np.linspace(masses.min() - 0.1, masses.max() + 0.1, 50)
    mean = mean_observables(sample.relations, x)[:, i]
    scatter = getattr(sample.relations, name).scatter
    axes.fill_between(10**x, 10 ** (mean - scatter), 10 ** (mean + scatter), color=INK, alpha=0.10, lw=0)
    axes.plot(10**x, 10**mean, color=INK, lw=1.2)
    axes.set(xscale="log", yscale="log", xlabel=r"$M_{500c}$ [$M_\odot$]", ylabel=_AXIS[name])
    if name == "t_x":  # spans one decade: name more than its powers of ten
        axes.set_yticks([1, 2, 5, 10], ["1", "2", "5", "10"])
        axes.minorticks_off()


def _counts_table(counts: tuple[Selected, ...]) -> DataTable:
    rows = tuple(
        (c.sigma8, c.l_x_normalisation, c.n_catalogs, _number(c.mean_number), _number(c.expected_number))
        for c in counts
    )
    return DataTable(
        name="counts",
        columns=("sigma8", "normalisation of L_X-M", "catalogs", "mean number found", "expected"),
        rows=rows,
        caption="Clusters per catalog in the corners of the priors.",
    )


def _comparison_table(other: Comparison) -> DataTable:
    rows = tuple(
        (
            _NAMES[name],
            o.n,
            round(o.mean, 4),
            round(o.mean_err, 4),
            round(o.median, 4),
            round(o.scatter, 4),
            round(o.robust_scatter, 4),
            _number(o.slope),
        )
        for name, o in other.offsets.items()
    )
    return DataTable(
        name="comparison",
        columns=(
            "observable",
            "clusters",
            "mean offset",
            "error",
            "median offset",
            "scatter",
            "robust scatter",
            "slope",
        ),
        rows=rows,
        caption=f"{other.name} about the base sample's relations [dex], after self-similar E(z) evolution.",
    )


def _number(value: float | None) -> float | None:
    return None if value is None or not np.isfinite(value) else round(float(value), 3)


def _summary(opened: CatalogSet, counts: tuple[Selected, ...], other: Comparison | None) -> dict[str, Any]:
    numbers = opened.scan_catalogs().select("n_clusters").collect().get_column("n_clusters")
    summary: dict[str, Any] = {
        "n_catalogs": len(numbers),
        "n_clusters_mean": _number(numbers.mean()),  # type: ignore[arg-type]  # a column of integers
        "n_clusters_min": numbers.min(),
        "n_clusters_max": numbers.max(),
        "corners": len(counts),
    }
    for name, offset in (other.offsets if other else {}).items():
        summary[f"{name}_offset"] = _number(offset.mean)
        summary[f"{name}_offset_err"] = _number(offset.mean_err)
        summary[f"{name}_scatter"] = _number(offset.scatter)
    return summary
