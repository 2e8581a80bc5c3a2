"""Names of inputs and outputs on figures and in sentences about saliency."""

from typing import Final

from earnest_common.report.drawing import BLUE, GREEN, OCHRE, RUST

from earnest_interpret.analyses.saliency.gradients import FeatureGroup, SaliencySummary
from earnest_interpret.words import name_of

__all__ = ["COLOURS", "MASS_FROM", "described", "meaning", "short", "slope_label", "symbol", "target"]

COLOURS: Final = (BLUE, RUST, GREEN, OCHRE)

MASS_FROM: Final = r"$\log_{10}\,M\;[\mathrm{M}_\odot]$ from"
"""Title of a legend of mass bins (mathtext)."""

_SYMBOLS: Final = {
    "gas_slope_profile": r"$\mathrm{d\,ln}\,\rho\,/\,\mathrm{d\,ln}\,r$",
    "log10_l_x": r"$\log\,L_X$",
    "log10_m_gas_profile": r"$\log\,M_\mathrm{gas}$",
    "log10_m_wl": r"$\log\,M_\mathrm{WL}$",
    "log10_t_x": r"$\log\,T$",
}

_MEANINGS: Final = {
    "gradient": "|∂({})/∂(input)|",
    "smoothgrad": "|∂({})/∂(input)| averaged over noisy copies of each cluster (SmoothGrad)",
    "integrated": "what an input adds to the {} along the path from a typical cluster (integrated gradients)",
    "occlusion": "the change of the {} when an input is replaced by its mean (occlusion)",
}


def symbol(group: FeatureGroup) -> str:
    """Return a quantity as mathtext."""
    return _SYMBOLS.get(group.name, name_of(group.name))


def target(summary: SaliencySummary) -> str:
    """Return the output in words."""
    return "terse value" if summary.of == "terse" else "σ₈"


def meaning(summary: SaliencySummary) -> str:
    """Return what saliency means here."""
    return _MEANINGS[summary.method].format(target(summary))


def slope_label(summary: SaliencySummary) -> str:
    """Return the label of an axis (mathtext)."""
    output = r"\mathrm{terse}" if summary.of == "terse" else r"\sigma_8"
    if summary.is_slope:
        return rf"$|\,\partial\,{output}\,/\,\partial\,\mathrm{{input}}\,|$"
    return rf"$|\,\Delta\,{output}\,|$ from the input"


def described(summary: SaliencySummary, name: str) -> str:
    """Return an input in words, with its radius."""
    column = summary.names.index(name)
    for group in summary.groups:
        if column in group.columns and group.radii:
            return f"{name_of(group.name)} at {group.radii[group.columns.index(column)]:.2f} R₅₀₀"
    return name_of(name)


def short(summary: SaliencySummary, column: int) -> str:
    """Return an input as mathtext, with its radius."""
    for group in summary.groups:
        if column in group.columns:
            name = symbol(group)
            return f"{name} ({group.radii[group.columns.index(column)]:.2f})" if group.radii else name
    return summary.names[column]
