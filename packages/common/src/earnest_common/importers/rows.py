"""Which rows of a table become clusters, and whether their values are possible."""

from dataclasses import dataclass
from typing import Literal, final

import polars as pl

from earnest_common.importers.columns import numbers_of
from earnest_common.importers.conditions import parse_condition
from earnest_common.importers.report import Problem
from earnest_common.importers.source_table import SourceTable

__all__ = ["ROW", "Rows", "select_rows", "value_problems"]

_POSITIVE = ("m_500c", "m_wl", "l_x", "t_x", "m_gas", "m_gas_profile", "r_500c")
ROW = "_row"
"""The column that holds the place of a row in its source."""

_LARGEST_ID, _LARGEST_EXACT_FLOAT = 2**63 - 1, 2**53


@final
@dataclass(frozen=True, kw_only=True)
class Rows:
    """The kept rows with their ``cluster_id``, how many were dropped for which reason, and what went wrong."""

    frame: pl.DataFrame
    dropped: dict[str, int]
    problems: tuple[Problem, ...]


def select_rows(
    table: SourceTable,
    frame: pl.DataFrame,
    *,
    keep: tuple[str, ...],
    where: tuple[str, ...],
    missing: Literal["drop", "refuse"],
) -> Rows:
    """Return the rows that meet all conditions and can be ranked and placed.

    Parameters
    ----------
    table, frame
        The source and its schema columns, row by row.
    keep, where
        Conditions of the mapping (on source columns) and of the user (on schema columns, else source columns).
    missing
        Whether rows without luminosity or redshift are dropped or refused.
    """
    problems: list[Problem] = []
    dropped: dict[str, int] = {}
    kept = pl.Series([True] * frame.height, dtype=pl.Boolean)
    for text, schema_first in [*((t, False) for t in keep), *((t, True) for t in where)]:
        holds = _condition(text, table, frame if schema_first else pl.DataFrame(), problems)
        if holds is not None:
            dropped |= _count(f"'{text}' does not hold", kept & ~holds)
            kept &= holds
    for name, unusable in _unusable(frame):
        gone = kept & unusable
        if missing == "refuse" and gone.any():
            problems.append(_missing_problem(name, table, gone))
        dropped |= _count(f"{name} unknown or not positive" if name == "l_x" else f"{name} unknown", gone)
        kept &= ~gone
    numbered = frame.with_row_index(ROW)
    if "cluster_id" not in frame.columns:
        numbered = numbered.with_columns(pl.col(ROW).cast(pl.Int64).alias("cluster_id"))
    chosen = numbered.filter(kept)
    if chosen.is_empty() and not problems:
        problems.append(_nothing_left(frame.height, dropped))
    return Rows(frame=chosen, dropped=dropped, problems=tuple(problems))


def value_problems(table: SourceTable, rows: pl.DataFrame) -> list[Problem]:
    """Return one problem for each column with values that cannot be: NaN, infinite, or not positive."""
    problems = _identity_problems(rows["cluster_id"])
    for name in (column for column in rows.columns if column not in {ROW, "cluster_id"}):
        values = rows.select(ROW, pl.col(name)).drop_nulls()
        if isinstance(values[name].dtype, pl.Array):
            values = values.explode(name)
        number = pl.col(name)
        rules = {"not a number (NaN or infinite)": ~number.is_finite()}
        if name in _POSITIVE:
            rules["zero or negative"] = (number <= 0) & number.is_finite()
        if name == "z":
            rules["not between 0 and 20"] = (number < 0) | (number > 20) & number.is_finite()
        if name in {"ra", "dec"}:
            low, high = (-180, 360) if name == "ra" else (-90, 90)
            rules[f"not between {low} and {high} deg"] = ~number.is_between(low, high) & number.is_finite()
        for words, rule in rules.items():
            bad = values.filter(rule)
            if not bad.is_empty():
                problems.append(_value_problem(name, words, table, bad))
    return problems


def _identity_problems(ids: pl.Series) -> list[Problem]:
    """Return a problem if clusters of the table cannot be told apart by their ids."""
    exact = ids.is_between(0, _LARGEST_ID if ids.dtype == pl.Int64 else _LARGEST_EXACT_FLOAT) & (ids == ids.floor())
    bad = len(ids) - int(exact.fill_null(value=False).sum())
    found = [f"{bad} ids that are no whole numbers from 0, or too large to be exact"] if bad else []
    found += [f"{len(ids) - ids.n_unique()} ids that occur before"] if ids.n_unique() < len(ids) else []
    return (
        [
            Problem(
                what="column 'cluster_id'",
                found=" and ".join(found),
                allowed=f"a whole number for each cluster, none twice, up to {_LARGEST_ID}, or up to "
                f"{_LARGEST_EXACT_FLOAT} where the file holds floating-point numbers",
                remedy="choose one catalog with --where 'catalog_id == 0', or number the rows anew with "
                "--without cluster_id",
            )
        ]
        if found
        else []
    )


def _condition(text: str, table: SourceTable, frame: pl.DataFrame, problems: list[Problem]) -> pl.Series | None:
    """Return where a condition holds; one that cannot be applied is a problem."""
    try:
        condition = parse_condition(text)
    except ValueError as error:
        problems.append(
            Problem(what="row condition", found=str(error), allowed="COLUMN OPERATOR NUMBER", remedy="correct it")
        )
        return None
    if condition.name in frame.columns:
        return condition.holds(frame[condition.name])
    column = table.find((condition.name,))
    if column is None:
        problems.append(
            Problem(
                what=f"row condition '{text}'",
                found=f"no column '{condition.name}'",
                allowed=", ".join([*frame.columns, *table.frame.columns]),
                remedy="correct the name, or change 'keep' in a mapping of your own",
            )
        )
        return None
    return condition.holds(numbers_of(table, column, problems))


def _unusable(frame: pl.DataFrame) -> list[tuple[str, pl.Series]]:
    """Return where a row has no place in the ranking, and where it has no redshift."""
    l_x = frame["l_x"]
    return [("l_x", l_x.is_null() | (l_x <= 0).fill_null(value=False)), ("z", frame["z"].is_null())]


def _count(reason: str, rows: pl.Series) -> dict[str, int]:
    number = int(rows.sum())
    return {reason: number} if number else {}


def _missing_problem(name: str, table: SourceTable, rows: pl.Series) -> Problem:
    first = int(rows.arg_true()[0])
    return Problem(
        what=f"column '{name}'",
        found=f"{int(rows.sum())} rows without a usable value (first: {table.place(first)})",
        allowed="a value in every row",
        remedy="complete the table, or drop these rows with --missing drop",
    )


def _nothing_left(n_rows: int, dropped: dict[str, int]) -> Problem:
    reasons = ", ".join(f"{count} {reason}" for reason, count in dropped.items())
    return Problem(
        what="no row is left",
        found=f"{n_rows} rows, all dropped ({reasons})",
        allowed="at least one cluster",
        remedy="relax the conditions, or check that this is the right format for the table",
    )


def _value_problem(name: str, words: str, table: SourceTable, bad: pl.DataFrame) -> Problem:
    row, value = bad.row(0)
    return Problem(
        what=f"column '{name}'",
        found=f"{bad.height} values that are {words} (first: {table.place(int(row))} = {value:g})",
        allowed="positive numbers, or unknown" if name in _POSITIVE else "finite numbers in range",
        remedy="correct the rows, drop them with --where, or say what they mean with 'null' in a mapping of your own",
    )
