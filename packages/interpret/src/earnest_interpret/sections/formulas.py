"""Formulas of the terse value in words: terms with units and radii, and the weight of gas mass against temperature."""

import math
from collections.abc import Sequence

from earnest_interpret.analyses.terse.formula import ClosedForm, ClosedForms
from earnest_interpret.units import unit_in_words
from earnest_interpret.words import format_number, format_signed, name_of, percent

__all__ = ["NO_TEMPERATURE", "formula_text", "weights"]

NO_TEMPERATURE = "hardly depends on temperature"
"""For a formula whose slope with temperature is smaller than its errors allow to divide by."""


def formula_text(forms: ClosedForms, radii: Sequence[float]) -> str:
    """Return the best short formula, what formulas explain, and the weight of gas mass against temperature.

    Parameters
    ----------
    forms
        The formulas.
    radii
        Radii of the profiles [R_500c].
    """
    short = forms.best[-1]
    text = (
        f"In a formula: terse = {format_number(short.constant, 2)} {_sum(short, radii)}, which explains "
        f"{percent(short.r_squared, 1)} of the variance of the terse value; all {len(forms.all_inputs.names)} inputs "
        f"together explain {percent(forms.all_inputs.r_squared, 1)} if they enter linearly, the rest is curvature."
    )
    if forms.pair is None or forms.gas is None:
        return text
    return (
        f"{text} Fitted by temperature and one gas mass alone ({name_of(forms.pair.names[1], radii)}; R² = "
        f"{format_number(forms.pair.r_squared, 3)}) the terse value {_weighing(forms.pair)}; fitted by "
        f"temperature and all gas "
        f"masses (R² = {format_number(forms.gas.r_squared, 3)}) it {_weighing(forms.gas)}. Y_X weights them as +1 to 1."
    )


def weights(form: ClosedForm) -> str:
    """Return the weight of gas mass against temperature, for a table; empty for a formula that lacks one of them."""
    if not any(name.startswith("log10_m_gas") for name in form.names) or "log10_t_x" not in form.names:
        return ""
    ratio = form.gas_per_temperature
    return format_signed(ratio, 2) if math.isfinite(ratio) else NO_TEMPERATURE


def _weighing(form: ClosedForm) -> str:
    ratio = form.gas_per_temperature
    return (
        f"weights gas mass against temperature as {format_signed(ratio, 2)} to 1"
        if math.isfinite(ratio)
        else NO_TEMPERATURE
    )


def _sum(form: ClosedForm, radii: Sequence[float]) -> str:
    return " ".join(f"{format_signed(s, 2)} {_term(n, radii)}" for n, s in zip(form.names, form.slopes, strict=True))


def _term(name: str, radii: Sequence[float]) -> str:
    """Return an input as a term.

    Examples
    --------
    >>> print(_term("log10_m_gas_profile_1", [0.15]))
    log₁₀(gas mass profile at 0.15 R₅₀₀ / M☉)
    """
    words, unit = name_of(name, radii), unit_in_words(name)
    return f"log₁₀({words}{f' / {unit}' if unit else ''})" if name.startswith("log10_") else f"({words})"
