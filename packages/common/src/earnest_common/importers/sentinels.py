r"""Numbers that stand for "not measured", judged value by value: medians do not notice a single -99 or 9999.

A value is refused if it lies outside what any cluster can have, if it is all nines (99, -999, 9999.9) and more than
half a decade outside the other values of its column, or if it is ten thousand times off their median.
Logarithms are judged as the file has them: 10^-99 solMass is the -99 of a column of log10 masses.
"""

import math
import re
from collections.abc import Mapping as AnyMapping

import numpy as np
import polars as pl

from earnest_common.arrays import FloatArray
from earnest_common.importers.mapping import QUANTITIES, Mapping, Source
from earnest_common.importers.report import Problem
from earnest_common.importers.rows import ROW
from earnest_common.importers.source_table import SourceTable
from earnest_common.schema import CLUSTERS

__all__ = ["sentinel_problems"]

# log10 of what the smallest group and the largest cluster can have, in schema units, with room for any error bar.
_POSSIBLE = {
    "m_500c": (9.0, 16.7),
    "m_wl": (9.0, 17.0),
    "l_x": (-10.0, 3.5),
    "t_x": (-3.5, 1.8),
    "m_gas": (6.0, 16.5),
    "m_gas_profile": (4.0, 16.5),
    "r_500c": (0.5, 4.5),
}
_LARGEST_Z = 5.0
_LARGEST_SLOPE = 20.0  # the schema's bound
_NINES = re.compile(r"-?9{2,}(\.9+)?")
_NINES_GAP = 0.5  # decades outside the other values
_MOST = 0.5
_FAR = 4.0  # decades from the median, which no cluster is from a sample of groups; more where the column is wide


def sentinel_problems(
    table: SourceTable, mapping: Mapping, rows: pl.DataFrame, source_values: AnyMapping[str, pl.Series]
) -> list[Problem]:
    """Return one problem for each column and each suspicious number in it.

    Parameters
    ----------
    table, mapping
        The source and what its columns mean.
    rows
        Kept rows in schema units, with their place in the source.
    source_values
        The numbers of all rows of the source by schema column, before units and logarithms.
    """
    problems: list[Problem] = []
    for name in (n for n in rows.columns if n in source_values and n in {*_POSSIBLE, "z", "gas_slope_profile"}):
        kept = pl.DataFrame(
            {ROW: rows[ROW], "value": rows[name], "source": source_values[name].gather(rows[ROW])}
        ).drop_nulls()
        if isinstance(kept["value"].dtype, pl.Array):
            kept = kept.explode("value", "source")
        kept = kept.with_columns(pl.col("value", "source").cast(pl.Float64)).filter(pl.col("source").is_finite())
        suspicious = pl.Series(_suspicious(name, kept["value"].to_numpy(), kept["source"].to_numpy()), dtype=pl.Boolean)
        usual, strange = kept.filter(~suspicious)["source"].to_numpy(), kept.filter(suspicious)
        for number in strange["source"].unique(maintain_order=True).to_list():
            rows_of_it = strange.filter(pl.col("source") == number)
            problems.append(_problem(name, mapping, table, number=number, rows=rows_of_it, usual=usual))
    return problems


def _suspicious(name: str, values: FloatArray, source: FloatArray) -> np.ndarray:
    """Return which values of a column can hardly be measurements."""
    if name == "gas_slope_profile":
        return np.asarray(np.abs(values) > _LARGEST_SLOPE)
    nines = np.array([bool(_NINES.fullmatch(f"{number:g}")) for number in source], dtype=bool)
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log10(1 + values) if name == "z" else np.log10(values)
    usual = np.isfinite(logs) & ~nines
    low, high = (0.0, math.log10(1 + _LARGEST_Z)) if name == "z" else _POSSIBLE[name]
    suspicious = (logs < low) | (logs > high)  # what is not positive at all is reported as such
    if usual.any():
        others = logs[usual]
        suspicious |= nines & ((logs < others.min() - _NINES_GAP) | (logs > others.max() + _NINES_GAP))
        width = float(np.subtract(*np.quantile(others, [0.9, 0.1])))
        suspicious |= np.abs(logs - np.median(others)) > max(_FAR, 3 * width)
    suspicious &= ~((values <= 0) & (name != "z"))
    # Where most values cannot be, the column's unit is wrong, which is judged from the whole column.
    return np.zeros_like(suspicious) if suspicious.sum() > _MOST * suspicious.size else suspicious


def _problem(
    name: str, mapping: Mapping, table: SourceTable, *, number: float, rows: pl.DataFrame, usual: FloatArray
) -> Problem:
    """Return the problem of one number that occurs in one or several rows."""
    source = mapping.columns.get(name, Source())
    column = table.find(source.source) or ", ".join(source.parts) or "a constant"
    scale = "log10 " if source.log10 else ""
    converted = f" = {rows['value'][0]:.3g} {QUANTITIES[name]}".rstrip()
    first = table.place(int(rows[ROW][0]))
    upper = CLUSTERS.column(name).upper if name in CLUSTERS.names else None
    trusted = upper is None or rows["value"][0] <= upper  # what the schema forbids is refused in any case
    return Problem(
        what=f"column '{name}' (from '{column}')",
        found=f"{scale}{number:g}{converted} in {rows.height} row(s) (first: {first}), as if it meant 'not measured'",
        allowed=f"values like the others, {usual.min():g} to {usual.max():g}" if len(usual) else "possible values",
        remedy=f'declare it as unknown in a mapping of your own, with null = ["{number:g}"] in [reader] or '
        f'null = "== {number:g}" for the column; or drop the rows with --where'
        + ("; or import it as it is with --trust-units" if trusted else ""),
    )
