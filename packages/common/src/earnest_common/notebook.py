"""How catalogs and results show themselves: one line at a prompt, a small table in a notebook."""

import math
from collections.abc import Mapping
from html import escape
from typing import Any

__all__ = ["html_table", "plural", "short"]


def short(value: object) -> str:
    """Return a value in a few characters: four digits of a number, thousands set apart, a dash for what is unknown.

    Examples
    --------
    >>> short(0.0172345), short(4968), short(None), short((0.7, 0.92))
    ('0.01723', '4,968', '-', '0.7, 0.92')
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, tuple | list):
        return ", ".join(map(short, value))
    return str(value)


def plural(n: int, noun: str) -> str:
    """Return a number of things in words.

    Examples
    --------
    >>> plural(1, "catalog"), plural(4968, "cluster")
    ('1 catalog', '4,968 clusters')
    """
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def html_table(title: str, rows: Mapping[str, Any]) -> str:
    """Return a table of names and values for a notebook, every text escaped.

    Examples
    --------
    >>> html_table("Set", {"preset": "<paper>"})
    '<table><caption>Set</caption><tr><th>preset</th><td>&lt;paper&gt;</td></tr></table>'
    """
    cells = (f"<tr><th>{escape(name)}</th><td>{escape(short(value))}</td></tr>" for name, value in rows.items())
    return f"<table><caption>{escape(title)}</caption>{''.join(cells)}</table>"
