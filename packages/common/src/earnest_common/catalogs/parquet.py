"""The only place that writes and reads a table as Parquet: schema version and units travel in its metadata."""

from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

import polars as pl

from earnest_common.errors import VersionError
from earnest_common.run.files import file_sha256, replace_atomically
from earnest_common.run.parquet import read_parquet
from earnest_common.schema import SCHEMA_VERSION, Column, Table, votable_header

__all__ = ["read_table", "with_unknown", "write_table"]

F = TypeVar("F", pl.DataFrame, pl.LazyFrame)
_VERSION_KEY = "earnest.schema_version"


def write_table(path: Path, frame: pl.DataFrame, table: Table, *, parameters: Mapping[str, str] | None = None) -> str:
    """Write a checked frame as VOParquet and return the file's SHA-256.

    The metadata holds the VOTable header of IVOA's VOParquet note, from which astropy
    (``Table.read(path, format="parquet.votable")``) and TOPCAT learn units and descriptions. As in a VOTable, which has
    nothing else, an unknown profile is all NaN and unknown text is empty; :func:`with_unknown` undoes it.

    Parameters
    ----------
    path
        The file; it is whole or absent.
    frame, table
        The rows and their schema.
    parameters
        Further facts for the header.
    """
    facts = {"schema_version": str(SCHEMA_VERSION), **(parameters or {})}
    metadata = {
        _VERSION_KEY: str(SCHEMA_VERSION),
        "IVOA.VOTable-Parquet.version": "1.0",
        "IVOA.VOTable-Parquet.content": votable_header(table, facts, text_lengths=_text_lengths(frame, table)),
    }
    stored = frame.select(_as_in_votable(column) for column in table.columns)
    replace_atomically(path, lambda part: _write(part, stored, metadata))
    return file_sha256(path)


def with_unknown(frame: F, table: Table) -> F:
    """Return the frame with profiles that are all NaN, and empty text, as unknown (null).

    Examples
    --------
    >>> from earnest_common.schema import CATALOGS
    >>> with_unknown(pl.DataFrame({"split": ["train", ""]}), CATALOGS)["split"].to_list()
    ['train', None]
    """
    types = frame.collect_schema()
    restored = []
    for column in (c for c in table.columns if c.nullable and types.get(c.name) == c.dtype):
        values = pl.col(column.name)
        if column.width:
            nothing = pl.all_horizontal(values.arr.get(i).is_nan() for i in range(column.width))
            restored.append(pl.when(~nothing).then(values).alias(column.name))
        elif column.dtype == pl.String:
            restored.append(pl.when(values != "").then(values).alias(column.name))
    return frame.with_columns(restored)


def _as_in_votable(column: Column) -> pl.Expr:
    values = pl.col(column.name)
    if column.width and column.nullable:
        return values.fill_null(pl.lit([float("nan")] * column.width, dtype=column.dtype))
    return values.fill_null("") if column.dtype == pl.String and column.nullable else values


def _text_lengths(frame: pl.DataFrame, table: Table) -> dict[str, int]:
    names = [column.name for column in table.columns if column.dtype == pl.String]
    return {name: int(frame[name].str.len_chars().max() or 1) for name in names}  # type: ignore[arg-type]  # a number


def _write(path: Path, frame: pl.DataFrame, metadata: dict[str, str]) -> None:
    # lz4: random numbers hardly compress, and stronger codecs only cost time.
    frame.write_parquet(path, compression="lz4", metadata=metadata)


def read_table(path: Path, *, sha256: str) -> pl.DataFrame:
    """Return the rows of a table.

    Parameters
    ----------
    path
        The file.
    sha256
        Its recorded checksum.

    Raises
    ------
    InputError
        If it is missing.
    VersionError
        If it was written with a newer schema.
    IntegrityError
        If its checksum differs or it is not Parquet.
    """
    file = read_parquet(path, what="table", remedy="make or copy the set again", sha256=sha256)
    version = int(file.metadata.get(_VERSION_KEY, "0"))
    if version > SCHEMA_VERSION:
        raise VersionError.unsupported(path, "schema_version", found=version, supported=SCHEMA_VERSION)
    return file.frame
