"""Numbers in sentences: signs, percentages and p-values as a journal prints them."""

import math
from collections.abc import Sequence

__all__ = [
    "NAMES",
    "enumerate_words",
    "format_number",
    "format_signed",
    "name_of",
    "percent",
    "probability",
    "significant",
]

_MINUS, _TIMES = "\N{MINUS SIGN}", "\N{MULTIPLICATION SIGN}"

NAMES = {
    "gas_slope_profile": "gas density slope",
    "l_x": "luminosity",
    "l_x_excess": "luminosity excess at fixed mass",
    "log10_l_x": "luminosity",
    "log10_m_500c": "mass M_500",
    "log10_m_gas": "gas mass",
    "log10_m_gas_profile": "gas mass profile",
    "log10_m_wl": "weak-lensing mass",
    "log10_t_x": "temperature",
    "log10_y_x": "Y_X",
    "m_500c": "mass M_500",
    "m_gas": "M_gas",
    "m_gas_excess": "gas mass excess at fixed mass",
    "m_gas_profile": "gas mass profile",
    "m_wl": "weak-lensing mass",
    "n_clusters": "number of clusters",
    "sigma8": "σ₈",
    "t_x": "temperature",
    "t_x_excess": "temperature excess at fixed mass",
    "terse": "terse value",
    "y_x": "Y_X",
}
"""Words for columns, inputs and proxies."""


def format_number(value: float, digits: int = 2) -> str:
    """Return a number with a true minus sign; "unknown" where it is not one.

    Examples
    --------
    >>> format_number(-0.128), format_number(float("nan"))
    ('−0.13', 'unknown')
    """
    if not math.isfinite(value):
        return "unknown"
    text = f"{value:.{digits}f}"
    return text.replace("-", _MINUS) if float(text) else text.lstrip("-")


def format_signed(value: float, digits: int = 4) -> str:
    """Return a number with its sign, plus or minus.

    Examples
    --------
    >>> format_signed(0.00123), format_signed(-0.00123)
    ('+0.0012', '−0.0012')
    """
    text = format_number(value, digits)
    return f"+{text}" if math.isfinite(value) and float(f"{value:.{digits}f}") > 0 else text


def significant(value: float, digits: int = 3) -> str:
    """Return a number with a few significant digits, for quantities of unknown scale.

    Examples
    --------
    >>> significant(117.343), significant(-0.0012345), significant(0.0)
    ('117', '−0.00123', '0')
    """
    if not math.isfinite(value):
        return "unknown"
    places = digits - 1 - math.floor(math.log10(abs(value))) if value else 0
    return format_number(value, min(max(places, 0), 8))


def percent(fraction: float, digits: int = 0) -> str:
    """Return a fraction as a percentage.

    Examples
    --------
    >>> percent(0.683)
    '68 %'
    """
    return f"{format_number(100 * fraction, digits)} %" if math.isfinite(fraction) else "unknown"


def probability(p_value: float) -> str:
    """Return ``p = ...`` with two significant digits, below 0.0001 as a power of ten with one.

    Examples
    --------
    >>> probability(0.4312), probability(0.0001), probability(4.6e-9)
    ('p = 0.43', 'p = 0.0001', 'p = 5 × 10^−9')
    """
    if 0 < p_value < 1e-4:
        digit, exponent = f"{p_value:.0e}".split("e")
        return f"p = {digit} {_TIMES} 10^{_MINUS}{abs(int(exponent))}"
    return f"p = {p_value:.2f}" if p_value >= 0.095 else f"p = {p_value:.2g}"


def enumerate_words(parts: list[str]) -> str:
    """Return words as a list in a sentence.

    Examples
    --------
    >>> enumerate_words(["a", "b", "c"])
    'a, b and c'
    """
    return "".join(parts) if len(parts) < 2 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def name_of(name: str, radii: Sequence[float] = ()) -> str:
    """Return the words for a column or input; a profile's place is given as its radius where radii are known.

    Examples
    --------
    >>> name_of("log10_m_gas_profile_5"), name_of("log10_t_x"), name_of("my_column")
    ('gas mass profile, radius 5', 'temperature', 'my column')
    >>> name_of("gas_slope_profile_2", [0.15, 0.22])
    'gas density slope at 0.22 R₅₀₀'
    """
    if name in NAMES:
        return NAMES[name]
    stem, _, place = name.rpartition("_")
    if stem in NAMES and place.isdigit():
        return f"{NAMES[stem]} at {radii[int(place) - 1]:.2f} R₅₀₀" if radii else f"{NAMES[stem]}, radius {place}"
    return name.replace("_", " ")
