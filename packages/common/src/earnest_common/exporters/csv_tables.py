"""CSV with a commented head; no optional dependency."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import BinaryIO

import polars as pl

from earnest_common.exporters.escapes import escaped
from earnest_common.run.files import replace_atomically
from earnest_common.schema import Column, Table

__all__ = ["flat", "write_csv"]


def write_csv(path: Path, frames: Iterable[pl.DataFrame], table: Table, *, facts: Mapping[str, str]) -> None:
    """Write the frames one below the other; unknown values are empty.

    Parameters
    ----------
    path
        The file; it is whole or absent.
    frames
        Parts of one table, in order.
    table
        Its schema, from which units and descriptions come.
    facts
        What a reader must know, one comment line each.
    """
    head = "".join(f"# {line}\n" for line in _head(table, facts))

    def write(part: Path) -> None:
        with part.open("wb") as stream:
            stream.write(head.encode())
            _write_rows(stream, frames, table)

    replace_atomically(path, write)


def _head(table: Table, facts: Mapping[str, str]) -> list[str]:
    lines = [f"earnest table '{table.name}': {table.description}"]
    lines += [f"{name} = {escaped(value)}" for name, value in facts.items()]
    for column in table.columns:
        unit = f" [{column.unit}]" if column.unit else ""
        lines.append(f"column {_span(column)}{unit}: {column.description}")
    return lines


def _span(column: Column) -> str:
    return f"{column.name}_1 to {column.name}_{column.width}" if column.width else column.name


def _write_rows(stream: BinaryIO, frames: Iterable[pl.DataFrame], table: Table) -> None:
    for number, frame in enumerate(frames):
        flat(frame, table).write_csv(stream, include_header=number == 0)


def flat(frame: pl.DataFrame, table: Table) -> pl.DataFrame:
    """Return the frame with profiles as single columns, numbered from 1."""
    columns: list[pl.Expr] = []
    for column in table.columns:
        if column.width:
            profile = pl.col(column.name)
            columns += [profile.arr.get(i).alias(f"{column.name}_{i + 1}") for i in range(column.width)]
        else:
            columns.append(pl.col(column.name))
    return frame.select(columns)
