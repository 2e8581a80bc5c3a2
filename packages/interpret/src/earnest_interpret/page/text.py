"""Text of the page: escaped prose with real powers and indices, columns of tables, and provenance as lines."""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from markupsafe import Markup, escape

__all__ = ["column", "is_number", "lines_of", "prose"]

_SPACE: Final = "\N{NO-BREAK SPACE}"
_TIED: Final = re.compile(
    r" (?=%|±|R₅₀₀|h⁻¹|M☉|[=<>] [-+\N{MINUS SIGN}\d])|(?<=±) |(?<=[<>=]) (?=[-+\N{MINUS SIGN}\d])"
)
"""Where a line must not break: numbers stay with their units, errors and names."""
_TYPOGRAPHY: Final = (
    (re.compile(r"\b10\^([-\N{MINUS SIGN}]?\d+(?:\.\d+)?)"), r"10<sup>\1</sup>"),
    (re.compile(r"\b([MYLT])_(gas|X|WL|500c?)(?!\w)"), r"\1<sub>\2</sub>"),
    (re.compile(r"\b(Mpc|kpc|cm)\^(\d)"), r"\1<sup>\2</sup>"),
    (re.compile(r"M☉"), "M<sub>☉</sub>"),
    (re.compile(r"\bsigma8\b"), "\N{GREEK SMALL LETTER SIGMA}<sub>8</sub>"),
)
_TIMES: Final = "\N{MULTIPLICATION SIGN}"
_SUBSCRIPTS: Final = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")
_SUPERSCRIPTS: Final = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "\N{MINUS SIGN}0123456789")


def prose(text: str) -> Markup:
    """Return escaped text in which 10^14.4, M_gas, σ₈ and h⁻¹ are set as powers and indices, in any font.

    Examples
    --------
    >>> print(prose("M_gas, 10^14.4, σ₈ <script>"))
    M<sub>gas</sub>, 10<sup>14.4</sup>, σ<sub>8</sub> &lt;script&gt;
    """
    safe = str(escape(_TIED.sub(_SPACE, text)))
    for pattern, replacement in _TYPOGRAPHY:
        safe = pattern.sub(replacement, safe)
    safe = re.sub("[₀-₉]+", lambda found: f"<sub>{found[0].translate(_SUBSCRIPTS)}</sub>", safe)
    return Markup(re.sub("[⁻⁰¹²³⁴-⁹]+", lambda found: f"<sup>{found[0].translate(_SUPERSCRIPTS)}</sup>", safe))


def column(values: Sequence[str | float | None]) -> list[Markup]:
    """Return the cells of one table column: numbers with the same decimals, true minus signs, a dash if unknown.

    Examples
    --------
    >>> [str(text) for text in column([-0.5, 0.25, None])]
    ['−0.50', '0.25', '–']
    >>> [str(text) for text in column([5478, 18521, "a<b"])]
    ['5,478', '18,521', 'a&lt;b']
    """
    decimals = max((_decimals(value) for value in values if _is_float(value)), default=0)
    largest = max((int(str(value)) for value in values if isinstance(value, int)), default=0)
    return [_cell(value, decimals, separator="," if largest >= 10_000 else "") for value in values]


def _is_float(value: object) -> bool:
    return isinstance(value, float) and math.isfinite(value)


def _decimals(value: str | float | None) -> int:
    """Return how many decimals show a number to six digits, without zeros at the end."""
    text = f"{value:.6g}"
    return 0 if "e" in text else len(text.partition(".")[2])


def _cell(value: str | float | None, decimals: int, *, separator: str) -> Markup:
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return Markup("\N{EN DASH}")
    if isinstance(value, str):
        return prose(value)
    if isinstance(value, int):
        text = f"{value:{separator}}"
    else:
        text = f"{value:.{decimals}f}" if 1e-5 <= abs(value) < 1e7 or value == 0 else f"{value:.4g}"
    mantissa, e, exponent = text.partition("e")
    mantissa = mantissa.replace("-", "\N{MINUS SIGN}")
    return prose(f"{mantissa} {_TIMES} 10^{int(exponent)}".replace("^-", "^\N{MINUS SIGN}") if e else mantissa)


def is_number(value: str | float | None) -> bool:
    """Return whether a cell is set flush right: a number, an unknown value, or text that begins like a number.

    Examples
    --------
    >>> is_number(3), is_number("0.1 ± 0.2"), is_number("all"), is_number("> 10^14")
    (True, True, False, False)
    """
    if not isinstance(value, str):
        return True
    return value == "" or re.match(r"[-+\N{MINUS SIGN}]?\d[\d.,]*( [%±(]| to |$)", value) is not None


def lines_of(record: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Return nested provenance as (name, value) lines.

    Examples
    --------
    >>> lines_of({"seed": 1, "versions": {"numpy": "2.4"}})
    [('seed', '1'), ('versions.numpy', '2.4')]
    """
    return list(_lines(record, prefix))


def _lines(record: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, str]]:
    for name, value in record.items():
        if isinstance(value, Mapping):
            yield from _lines(value, f"{prefix}{name}.")
        elif isinstance(value, (list, tuple)):
            yield f"{prefix}{name}", _short(", ".join(str(item) for item in value) or "none")
        else:
            yield f"{prefix}{name}", "none" if value is None else _short(str(value))


def _short(text: str) -> str:
    """Return a text that does not swamp the page; the JSON beside it has all."""
    return text if len(text) <= 400 else f"{text[:400]} \N{HORIZONTAL ELLIPSIS}"
