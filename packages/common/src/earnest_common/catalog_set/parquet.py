"""The only place that writes and reads a table as Parquet: schema version and units travel in its metadata."""

from collections.abc import Mapping
from pathlib import Path

import polars as pl

from earnest_common.errors import IntegrityError, VersionError
from earnest_common.files import file_sha256, replace_atomically
from earnest_common.schema import SCHEMA_VERSION, Table, votable_header

__all__ = ["read_table", "write_table"]

_VERSION_KEY = "earnest.schema_version"


def write_table(path: Path, frame: pl.DataFrame, table: Table, *, parameters: Mapping[str, str] | None = None) -> str:
    """Write a checked frame as VOParquet and return the file's SHA-256.

    The metadata holds the VOTable header of IVOA's VOParquet note, from which astropy
    (``Table.read(path, format="parquet.votable")``) and TOPCAT learn units and descriptions.

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
        "IVOA.VOTable-Parquet.content": votable_header(table, facts),
    }
    replace_atomically(path, lambda part: _write(part, frame.select(table.names), metadata))
    return file_sha256(path)


def _write(path: Path, frame: pl.DataFrame, metadata: dict[str, str]) -> None:
    # lz4: random numbers hardly compress, and stronger codecs only cost time.
    frame.write_parquet(path, compression="lz4", metadata=metadata)


def read_table(path: Path) -> pl.DataFrame:
    """Return the rows of a table.

    Raises
    ------
    VersionError
        If it was written with a newer schema.
    IntegrityError
        If it is cut short or not Parquet.
    """
    try:
        version = int(pl.read_parquet_metadata(path).get(_VERSION_KEY, "0"))
        if version > SCHEMA_VERSION:
            raise VersionError.unsupported(path, "schema_version", found=version, supported=SCHEMA_VERSION)
        return pl.read_parquet(path, hive_partitioning=False)
    except (pl.exceptions.PolarsError, OSError) as error:
        reason = str(error).splitlines()[0]
        raise IntegrityError(f"{path} cannot be read as Parquet ({reason}); make or copy the file again") from error
