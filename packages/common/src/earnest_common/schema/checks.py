"""Checks of a table against its schema: every broken rule in one pass and one message."""

import math
from typing import TypeVar

import numpy as np
import polars as pl

from earnest_common.errors import SchemaError
from earnest_common.schema.column import Column, Table

__all__ = ["check", "completed", "conform"]

F = TypeVar("F", pl.DataFrame, pl.LazyFrame)


def check(frame: pl.DataFrame, table: Table) -> list[str]:
    """Return one sentence for each rule of the table that the frame breaks.

    Checked are missing and unknown columns, types, unknown values where they must be known, NaN and infinities,
    bounds, choices, and the uniqueness of the key.

    Examples
    --------
    >>> from earnest_common.schema import PREDICTIONS
    >>> check(pl.DataFrame({"catalog_id": [1]}), PREDICTIONS)[0]
    "column 'sigma8' is missing; expected Float64"
    """
    problems, schema = _check_names(frame, table), frame.schema
    present = [c for c in table.columns if schema.get(c.name) == c.dtype]
    for column in present:
        if not _keeps_rules(frame.get_column(column.name), column):
            problems += _check_values(frame, column)
    if not problems and not _are_unique(frame, table.key):
        problems.append(f"key {', '.join(table.key)} is not unique")
    return problems


def conform(frame: pl.DataFrame, table: Table, *, subject: str) -> pl.DataFrame:
    """Return the frame with the table's columns in order and the table's types, checked.

    Nullable columns that are absent are added as unknown; numbers are cast without loss of meaning.

    Raises
    ------
    SchemaError
        If any rule is broken; the message lists all of them.
    """
    full = completed(frame, table)
    casts = [pl.col(c.name).cast(c.dtype) for c in table.columns if c.name in full.columns]
    try:
        full = full.with_columns(casts)
    except pl.exceptions.PolarsError as error:
        raise SchemaError(subject, [f"a column has the wrong type: {str(error).splitlines()[0]}"]) from error
    if problems := check(full, table):
        raise SchemaError(subject, problems)
    return full.select(table.names)


def completed(frame: F, table: Table) -> F:
    """Return the frame with the nullable columns it lacks as unknown: files of earlier releases may lack some."""
    known = frame.collect_schema().names()
    absent = [c for c in table.columns if c.nullable and c.name not in known]
    return frame.with_columns(pl.lit(None, dtype=c.dtype).alias(c.name) for c in absent) if absent else frame


def _check_names(frame: pl.DataFrame, table: Table) -> list[str]:
    problems, schema = [], frame.schema
    for column in table.columns:
        found = schema.get(column.name)
        if found is None:
            problems.append(f"column {column.label} is missing; expected {column.dtype}")
        elif found != column.dtype:
            problems.append(f"column {column.label} has type {found}; expected {column.dtype}")
    unknown = [name for name in frame.columns if name not in table.names]
    if unknown:
        problems.append(
            f"unknown column(s) {', '.join(unknown)}; the table '{table.name}' has {', '.join(table.names)}"
        )
    return problems


def _keeps_rules(values: pl.Series, column: Column) -> bool:
    """Return whether a column keeps its rules, judged by its extremes alone; NaN is an extreme too."""
    n_unknown = values.null_count()
    if n_unknown == len(values) or (n_unknown and not column.nullable):
        return not n_unknown or column.nullable
    seen = values.drop_nulls() if n_unknown else values
    if column.dtype == pl.String:
        return column.choices is None or set(seen.unique()) <= set(column.choices)
    numbers = seen.to_numpy()
    return all(_allowed(column, x.item()) for x in (numbers.min(), numbers.max()))


def _allowed(column: Column, x: float) -> bool:
    low = -math.inf if column.lower is None else column.lower
    high = math.inf if column.upper is None else column.upper
    return math.isfinite(x) and low <= x <= high and (column.above is None or x > column.above)


def _are_unique(frame: pl.DataFrame, key: tuple[str, ...]) -> bool:
    """Return whether no key comes twice; keys in rising order, as mocks have them, are not compared with all others."""
    columns = [frame.get_column(name).to_numpy() for name in key]
    rising = np.zeros(max(frame.height - 1, 0), dtype=np.bool_)
    for column in reversed(columns):
        rising = (column[1:] > column[:-1]) | (column[1:] == column[:-1]) & rising
    return bool(rising.all()) or not frame.select(pl.struct(key).is_duplicated().any()).item()


def _check_values(frame: pl.DataFrame, column: Column) -> list[str]:
    values = frame.get_column(column.name)
    problems = []
    if values.null_count() and not column.nullable:
        problems.append(f"column {column.label}: {values.null_count()} of {len(values)} values are unknown")
    flat = _flatten(values.drop_nulls(), column)
    if flat.dtype.is_float() and not flat.is_finite().all():
        problems.append(f"column {column.label}: {_first(values, column, ~flat.is_finite(), 'not finite')}")
        flat = flat.filter(flat.is_finite())
    for broken, words in _broken_bounds(flat, column):
        if broken.any():
            problems.append(f"column {column.label}: {_first(values, column, broken, words)}")
    return problems


def _flatten(values: pl.Series, column: Column) -> pl.Series:
    return values.explode() if column.width else values


def _broken_bounds(flat: pl.Series, column: Column) -> list[tuple[pl.Series, str]]:
    rules = []
    if column.above is not None:
        rules.append((flat <= column.above, f"not above {column.above:g}"))
    if column.lower is not None:
        rules.append((flat < column.lower, f"below {column.lower:g}"))
    if column.upper is not None:
        rules.append((flat > column.upper, f"above {column.upper:g}"))
    if column.choices is not None:
        rules.append((~flat.is_in(column.choices), f"not one of {', '.join(column.choices)}"))
    return rules


def _first(values: pl.Series, column: Column, broken: pl.Series, words: str) -> str:
    """Say how many values break a rule and show the first of them."""
    count = int(broken.sum())
    flat = _flatten(values.drop_nulls(), column)
    if len(broken) != len(flat):
        flat = flat.filter(flat.is_finite())
    position = broken.arg_true()[0]
    example = flat[int(position)]
    shown = f"{example:g}" if isinstance(example, float) else repr(example)
    row = f"row {position // (column.width or 1)} = {shown}"
    return f"{count} of {len(broken)} values are {words} (first: {row})"
