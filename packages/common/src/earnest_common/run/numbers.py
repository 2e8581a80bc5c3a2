"""Numbers in files and options: the largest that are allowed, and what JSON holds of them."""

import math
from collections.abc import Mapping
from typing import Any

__all__ = ["MOST_FLOAT", "MOST_INTEGER", "MOST_WORKERS", "json_ready", "number_problem"]

MOST_INTEGER = 2**63 - 1
MOST_FLOAT = 1e50
"""Powers up to the sixth of such a number are finite; no quantity of cosmology in its usual units is larger."""
MOST_WORKERS = 1024


def number_problem(value: object) -> str | None:
    """Return why a number, or one in a list or table, cannot be computed with; ``None`` if it can.

    Examples
    --------
    >>> number_problem([1.0, float("inf")])
    'inf is no finite number; give one between -1e+50 and 1e+50'
    >>> number_problem(2**63)
    '9223372036854775808 is too large; whole numbers reach up to 9223372036854775807'
    """
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        return next((problem for item in value if (problem := number_problem(item)) is not None), None)
    if isinstance(value, int) and abs(value) > MOST_INTEGER:
        shown = str(value) if abs(value) < 10**40 else "a number of more than 40 digits"
        return f"{shown} is too large; whole numbers reach up to {MOST_INTEGER}"
    if isinstance(value, float) and not abs(value) <= MOST_FLOAT:
        why = "too large" if math.isfinite(value) else "no finite number"
        return f"{value:g} is {why}; give one between {-MOST_FLOAT:g} and {MOST_FLOAT:g}"
    return None


def json_ready(value: Any) -> Any:  # noqa: ANN401 - any value of JSON
    """Return a value of JSON in which numbers that are not finite are null, which is what JSON has for them.

    Examples
    --------
    >>> json_ready({"scatter": (0.02, float("nan"))})
    {'scatter': [0.02, None]}
    """
    if isinstance(value, Mapping):
        return {str(name): json_ready(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [json_ready(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
