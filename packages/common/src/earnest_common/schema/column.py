"""A column and a table as plain data."""

from dataclasses import dataclass
from typing import final

import polars as pl

__all__ = ["Column", "Table"]


@final
@dataclass(frozen=True, kw_only=True)
class Column:
    """One column of a catalog table.

    Attributes
    ----------
    name, dtype, description
        What the column is called, how it is stored and what it means.
    unit
        Unit as astropy spells it; empty for pure numbers.
    ucd
        Unified content descriptor (IVOA UCD1+).
    lower, upper
        Bounds of allowed values, both included.
    above
        Bound below, itself excluded.
    nullable
        Whether a value may be unknown (truth is unknown for observed clusters).
    choices
        Allowed words of a text column.
    """

    name: str
    dtype: pl.DataType
    description: str
    unit: str = ""
    ucd: str = ""
    lower: float | None = None
    upper: float | None = None
    above: float | None = None
    nullable: bool = False
    choices: tuple[str, ...] | None = None

    @property
    def width(self) -> int | None:
        """The number of values per row of an array column, ``None`` for a scalar one."""
        return self.dtype.size if isinstance(self.dtype, pl.Array) else None

    @property
    def label(self) -> str:
        """The name with its unit, as messages show it."""
        return f"'{self.name}' [{self.unit}]" if self.unit else f"'{self.name}'"


@final
@dataclass(frozen=True, kw_only=True)
class Table:
    """A named tuple of columns; rows are identified by ``key``."""

    name: str
    description: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]

    @property
    def polars_schema(self) -> pl.Schema:
        """The Polars schema of the table."""
        return pl.Schema({column.name: column.dtype for column in self.columns})

    @property
    def names(self) -> tuple[str, ...]:
        """The column names in order."""
        return tuple(column.name for column in self.columns)

    def column(self, name: str) -> Column:
        """Return the column of that name."""
        return next(column for column in self.columns if column.name == name)

    def markdown(self) -> str:
        """Return the table's documentation as a Markdown table."""
        head = ["| column | type | unit | may be unknown | meaning |", "| --- | --- | --- | --- | --- |"]
        rows = [
            f"| `{c.name}` | {_type_name(c.dtype)} | {c.unit} | {'yes' if c.nullable else ''} | {c.description} |"
            for c in self.columns
        ]
        return "\n".join([*head, *rows])


def _type_name(dtype: pl.DataType) -> str:
    return f"{dtype.inner}[{dtype.size}]" if isinstance(dtype, pl.Array) else str(dtype)
