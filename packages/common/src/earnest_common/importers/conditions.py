"""Row conditions of the simplest kind, such as ``flag == 0`` or ``m_500c >= 4e13``."""

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, final

import polars as pl

__all__ = ["Condition", "parse_condition"]

_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}
_GRAMMAR = re.compile(r"^\s*(?P<name>.*?)\s*(?P<operator>==|!=|<=|>=|<|>)\s*(?P<number>\S+)\s*$")


@final
@dataclass(frozen=True, kw_only=True)
class Condition:
    """A column compared with a number."""

    text: str
    name: str
    operator: str
    number: int | float

    def holds(self, values: pl.Series) -> pl.Series:
        """Return where the condition holds; it does not hold for unknown values."""
        return pl.Series(_OPERATORS[self.operator](values, self.number), dtype=pl.Boolean).fill_null(False)


def parse_condition(text: str, *, name: str | None = None) -> Condition:
    """Read ``NAME OPERATOR NUMBER``, or ``OPERATOR NUMBER`` if the name is given.

    Raises
    ------
    ValueError
        If the text is nothing like that.

    Examples
    --------
    >>> parse_condition("flag == 0").holds(pl.Series([0.0, 1.0, None])).to_list()
    [True, False, False]
    """
    match = _GRAMMAR.match(text)
    try:
        if match is None or bool(match["name"]) == (name is not None):
            raise ValueError  # noqa: TRY301 - one message for all ways to be something else
        return Condition(
            text=text.strip(), name=name or match["name"], operator=match["operator"], number=_number(match["number"])
        )
    except ValueError:
        form = "OPERATOR NUMBER such as '<= 0'" if name else "COLUMN OPERATOR NUMBER such as 'z < 0.1'"
        raise ValueError(
            f"condition '{text}' is not of the form {form}; operators are {', '.join(_OPERATORS)}"
        ) from None


def _number(text: str) -> int | float:
    """Return a whole number that 64 bits hold as it is, since an id of that size is no floating-point number."""
    if re.fullmatch(r"[+-]?\d{1,19}", text) and abs(int(text)) < 2**63:
        return int(text)
    return float(text)
