"""How a mock cluster takes over the residual of a simulated one (the paper's figure 3)."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from earnest_common.report.drawing import BLUE, GREEN, GREY, INK, OCHRE, RUST, draw_panels
from earnest_common.report.section import Figure
from earnest_common.survey.scaling import PowerLaw, with_factors

from earnest_mocks.base_sample.sample import BaseSample

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["loan_figure"]

_TARGET = 14.15
"""log10 of the mock cluster's mass [solMass]: the paper's 10^14 solMass/h."""

_FAR = 1.5
_OTHER = {"l_x_normalisation": 1.3, "l_x_slope": 0.7, "l_x_scatter": 1.3}
"""Relation of the second panel: an edge of the paper's priors."""


def loan_figure(sample: BaseSample, *, half_width: float, recombined: bool) -> Figure:
    """Return the figure of one donor of the base sample, its residual, and the mock clusters made from it.

    Parameters
    ----------
    sample
        The base sample.
    half_width
        Largest distance between donor and mock cluster [dex].
    recombined
        Whether mock clusters mix in a second donor, which the caption then says.
    """
    donor = _example(sample, half_width)
    same, other = sample.relations.l_x, with_factors(sample.relations, _OTHER).l_x

    def paint(panels: Sequence["Axes"]) -> None:
        for axes, law in zip(panels, (same, other), strict=True):
            _paint(axes, sample, law=law, donor=donor, half_width=half_width)
        panels[0].set_title("the base sample's relation", fontsize=11.5)
        panels[1].set_title("1.3 times as luminous, 0.7 of the slope, 1.3 of the scatter", fontsize=11.5)
        panels[0].legend(loc="upper left")

    what = "an emulated" if sample.emulated else "a simulated"
    caption = (
        f"How scatter is borrowed. The residual (bar) of {what} cluster within {half_width:g} dex of the wanted mass "
        "is moved along the relation to that mass (1) and, in catalogs with another relation, to that relation with "
        "its scatter (2)."
    )
    if recombined:
        caption += " The catalogs of this set mix in the residual of a second donor."
    alt = "A donor's offset from the mean relation is carried over to a mock cluster of nearby mass and other relation."
    return Figure(name="loan", svg=draw_panels(paint, panels=2, size=(9.4, 3.9)), alt=alt, caption=caption)


def _example(sample: BaseSample, half_width: float) -> int:
    """Return a donor at the upper edge of what is near the target, with a residual that can be seen."""
    away = np.abs(sample.log10_m_500c - (_TARGET - 0.8 * half_width)) / half_width
    unlike = np.abs(sample.residuals[:, 0] / sample.relations.l_x.scatter - _FAR)
    return int(np.argmin(away + unlike))


def _paint(axes: "Axes", sample: BaseSample, *, law: PowerLaw, donor: int, half_width: float) -> None:
    reference = sample.relations.l_x
    x = np.array([_TARGET - 2.2 * half_width, _TARGET + 1.6 * half_width])
    near = (sample.log10_m_500c > x[0]) & (sample.log10_m_500c < x[1])
    axes.plot(sample.log10_m_500c[near], sample.observables[near, 0], ".", ms=3, color=GREY, alpha=0.5, rasterized=True)
    for one, colour, label in ((reference, OCHRE, "reference relation and scatter"), (law, GREEN, None)):
        mean = np.asarray(one.log10_mean(x))
        axes.fill_between(x, mean - one.scatter, mean + one.scatter, color=colour, alpha=0.18, lw=0)
        axes.plot(x, mean, color=colour, label=label)
        if law is reference:
            break
    start, residual = sample.log10_m_500c[donor], sample.residuals[donor, 0]
    foot = float(reference.log10_mean(start))
    moved = float(reference.log10_mean(_TARGET)) + residual
    final = float(law.log10_mean(_TARGET)) + residual * float(law.scatter / reference.scatter)
    axes.plot([start, start], [foot, foot + residual], color=BLUE, lw=2.4)
    axes.plot(start, foot + residual, "o", color=BLUE, ms=7, label="donor and its residual")
    _arrow(axes, (start, foot + residual), (_TARGET, moved), "1")
    if law is not reference:
        _arrow(axes, (_TARGET, moved), (_TARGET, final), "2")
    axes.plot(_TARGET, final, "*", color=RUST, ms=15, mec="white", mew=0.6, label="mock cluster")
    low = float(reference.log10_mean(x[0]))
    axes.set(xlim=tuple(x), ylim=(low - 0.45, low + 1.55), xlabel=r"$\log_{10}\ M_{500c}\ [M_\odot]$")
    axes.set_ylabel(r"$\log_{10}\ L_X\ [10^{44}$ erg s$^{-1}]$")


def _arrow(axes: "Axes", begin: tuple[float, float], end: tuple[float, float], text: str) -> None:
    style = {"arrowstyle": "-|>", "color": INK, "shrinkA": 6, "shrinkB": 8, "lw": 1.2}
    axes.annotate("", xy=end, xytext=begin, arrowprops=style)
    middle = ((begin[0] + end[0]) / 2, (begin[1] + end[1]) / 2)
    axes.annotate(text, xy=middle, xytext=(7, -10), textcoords="offset points", color=INK)
