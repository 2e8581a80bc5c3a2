"""Figures of what a survey sees: clusters per mass bin (1 and 17 of the paper), observables and their medians (13)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, final

import numpy as np
from earnest_common.arrays import FloatArray
from earnest_common.report.drawing import BLUE, GREY, INK, OCHRE, draw_canvas
from earnest_common.report.section import Figure
from earnest_common.survey.presets import MAGNETICUM_VOLUME, Preset
from earnest_common.survey.priors import Uniform
from earnest_common.survey.scaling import with_factors

from earnest_selfcal.forward.observable import OBSERVABLES, Observable, log10_of_paper
from earnest_selfcal.forward.population import MassFunction, mass_function_for
from earnest_selfcal.forward.resolution import Resolution
from earnest_selfcal.forward.table import forward_table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

__all__ = ["MedianCurve", "abundance", "abundance_figure", "median_curves", "medians_figure"]

_MASS_BIN = 0.01  # dex, as in the paper's figure
_CORNERS = ((0.72, 0.8), (0.72, 1.3), (0.93, 0.8), (0.93, 1.3))  # sigma8 and L_X normalisation
_COLOURS = (BLUE, "#5d9c8c", OCHRE, "#8a4f7d")
_LABELS: dict[Observable, str] = {
    "y_x": r"$\log_{10} Y_X$ [$h^{-1} M_\odot$ keV]",
    "l_x": r"$\log_{10} L_X$ [$10^{44}$ erg s$^{-1}$]",
}


def abundance(
    preset: Preset, log10_m: FloatArray, *, sigma8: float, l_x_normalisation: float, mass_function: MassFunction
) -> FloatArray:
    """Return the mean number of detected clusters per decade of mass.

    Parameters
    ----------
    preset
        The survey.
    log10_m
        log10 of m_500c [solMass], h-free, shape (n,).
    sigma8, l_x_normalisation
        Of the universe that is looked at; the other factors are one.
    mass_function
        Number density of clusters.

    Returns
    -------
    dN/dlog10 m, shape (n,).
    """
    law = with_factors(preset.relations, {"l_x_normalisation": l_x_normalisation}).l_x
    selection = preset.survey.selection
    if preset.survey.cut == "mass":
        detected = selection.probability(log10_m, log10_m_break=selection.log10_m_break_of(law))
    else:
        width = np.hypot(selection.smoothing, law.scatter / selection.l_x.slope)
        detected = selection.probability(selection.equivalent_log10_m(law.log10_mean(log10_m)), smoothing=width)
    return preset.survey.volume * mass_function.dn_dlog10_m(log10_m, sigma8) * detected


def abundance_figure(presets: Sequence[Preset], *, name: str) -> Figure:
    """Return the number of clusters per 0.01 dex of mass at the corners of the priors, one panel per survey.

    Parameters
    ----------
    presets
        Surveys that differ in volume and smoothing.
    name
        Identifier of the figure.

    References
    ----------
    Ntampaka & Vikhlinin (arXiv:2112.05768), figures 1 and 17.
    """
    mass_function = mass_function_for(presets[0])
    log10_m = np.arange(13.4, 15.2, _MASS_BIN)
    log10_h = np.log10(presets[0].cosmology.h)

    def panel(axes: "Axes", preset: Preset) -> None:
        for sigma8, style in ((0.72, ":"), (0.93, "-")):
            whole = MAGNETICUM_VOLUME * _MASS_BIN * mass_function.dn_dlog10_m(log10_m, sigma8)
            label = rf"whole box, $\sigma_8 = {sigma8}$"
            axes.plot(log10_m + log10_h, whole, color=GREY, lw=0.9, ls=style, label=label)
        for (sigma8, factor), colour in zip(_CORNERS, _COLOURS, strict=True):
            seen = abundance(preset, log10_m, sigma8=sigma8, l_x_normalisation=factor, mass_function=mass_function)
            label = rf"$\sigma_8 = {sigma8}$, $b_{{L}} = {factor}$"
            axes.plot(log10_m + log10_h, _MASS_BIN * seen, color=colour, lw=1.2, label=label)
        share = preset.survey.volume / MAGNETICUM_VOLUME
        axes.set(yscale="log", ylim=(0.02, 60), xlabel=r"$\log_{10} M_{500c}$ [$h^{-1} M_\odot$]")
        axes.set(ylabel="clusters per 0.01 dex", title=f"{100 * share:.0f} % of the box")

    def paint(canvas: "Canvas") -> None:
        for axes, preset in zip(np.ravel(canvas.subplots(1, len(presets), squeeze=False)), presets, strict=True):
            panel(axes, preset)
        axes.legend(fontsize=8, loc="upper right")

    smoothing = presets[0].survey.selection.smoothing
    edge = f"smoothed by {smoothing:g} dex" if smoothing else "sharp"
    return Figure(
        name=name,
        svg=draw_canvas(paint, size=(4.6 * len(presets), 3.7)),
        alt="Mean number of clusters per mass bin, for low and high sigma8 and luminosity normalisation",
        caption=(
            f"Mean number of detected clusters per 0.01 dex of mass, the break {edge}, at the corners of the priors of "
            "σ₈ and of the L_X normalisation b_L; grey: the whole box without selection."
        ),
    )


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class MedianCurve:
    """The mean distribution of an observable over catalogs of one L_X normalisation.

    Attributes
    ----------
    l_x_normalisation
        The factor.
    log10_x, density
        The distribution, in the units that users state, shape (n,).
    median
        Its median.
    """

    l_x_normalisation: float
    log10_x: FloatArray
    density: FloatArray
    median: float


def median_curves(
    preset: Preset, observable: Observable, *, l_x_normalisations: Sequence[float] = (0.8, 1.3), n_catalogs: int = 512
) -> tuple[MedianCurve, ...]:
    """Return the distribution of an observable, averaged over catalogs of the same L_X normalisation.

    Parameters
    ----------
    preset
        The survey; its other priors are averaged over.
    observable
        ``y_x`` or ``l_x``.
    l_x_normalisations
        The factors.
    n_catalogs
        Sets of nuisance factors that are averaged, a power of two.
    """
    curves = []
    for factor in l_x_normalisations:
        fixed = replace(preset.priors, l_x_normalisation=Uniform(low=factor, high=factor))
        table = forward_table(replace(preset, priors=fixed), Resolution(n_nuisance=n_catalogs), observable=observable)
        density = np.array([table.distribution_at(x)[1].mean() for x in table.log10_x])
        cumulative = np.cumsum(density) / density.sum()
        log10_x = np.asarray(log10_of_paper(observable, table.log10_x, preset.cosmology.h))
        median = float(np.interp(0.5, cumulative, log10_x))
        curves.append(MedianCurve(l_x_normalisation=factor, log10_x=log10_x, density=density, median=median))
    return tuple(curves)


def medians_figure(preset: Preset, *, n_catalogs: int = 512) -> Figure:
    """Return the averaged distributions of Y_X and L_X for two L_X normalisations, with their medians.

    References
    ----------
    Ntampaka & Vikhlinin (arXiv:2112.05768), figure 13 (which does not say how its two sets differ).
    """
    curves = {observable: median_curves(preset, observable, n_catalogs=n_catalogs) for observable in OBSERVABLES}

    def paint(canvas: "Canvas") -> None:
        for axes, (observable, both) in zip(canvas.subplots(2, 1), curves.items(), strict=True):
            for curve, colour in zip(both, (BLUE, OCHRE), strict=True):
                axes.plot(curve.log10_x, curve.density, color=colour, label=f"$b_L = {curve.l_x_normalisation}$")
                axes.axvline(curve.median, color=colour, lw=0.9, ls="--")
            seen = np.flatnonzero(np.max([c.density for c in both], axis=0) > 0.01)
            log10_x = both[0].log10_x
            axes.set(xlim=(log10_x[seen[0]], log10_x[seen[-1]]), ylim=(0, None))
            axes.set(xlabel=_LABELS[observable], ylabel="density [1/dex]")
        canvas.axes[0].legend(loc="upper right")
        canvas.axes[0].tick_params(colors=INK)

    moved = {o: both[1].median - both[0].median for o, both in curves.items()}
    return Figure(
        name="selfcal-medians",
        svg=draw_canvas(paint, size=(4.6, 5.4)),
        alt="Distributions of Y_X and L_X of detected clusters for two luminosity normalisations, medians dashed",
        caption=(
            f"Distributions of Y_X (top) and L_X (bottom), averaged over {n_catalogs} sets of nuisance factors and all "
            "σ₈, for L_X normalisations of 0.8 and 1.3; dashed: medians. From the faint to the bright relation the "
            f"median log10 Y_X moves by {moved['y_x']:+.3f} dex, with the mass of the break, the median log10 L_X by "
            f"{moved['l_x']:+.3f} dex: the flux limit holds the break's luminosity fixed."
        ),
    )
