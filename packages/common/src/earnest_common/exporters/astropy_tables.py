"""The seam to astropy for writing FITS, VOTable and ECSV; nothing else imports it here."""

import warnings
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from earnest_common.errors import MissingExtraError
from earnest_common.exporters.escapes import escaped
from earnest_common.run.files import replace_atomically
from earnest_common.schema import Column, Table

__all__ = ["quantity_table", "write_astropy"]

# FITS keywords have eight letters.
_FITS_KEYWORDS = {"schema_version": "SCHEMAV", "radii_r500c": "RADII", "synthetic": "SYNTHET", "cosmology": "COSMO"}
_FITS_NOTE = "Characters beyond ASCII are written as in JSON: \\u00f6 is an o with diaeresis."


def write_astropy(
    path: Path,
    format: str,
    tables: Sequence[tuple[Table, pl.DataFrame]],
    *,
    facts: Mapping[str, str],
) -> None:
    """Write tables with units, descriptions and facts about them.

    Parameters
    ----------
    path
        The file; it is whole or absent.
    format
        ``fits``, ``votable`` or ``ecsv`` (the last for a single table).
    tables
        Schema and rows of each table.
    facts
        What a reader must know, as text by name.

    Raises
    ------
    MissingExtraError
        If astropy is not installed.
    """
    if find_spec("astropy") is None:
        raise MissingExtraError.of(f"export to {format}", "earnest-common", "astropy")
    ascii_only = format == "fits"
    tables = [(schema, _escaped(frame, ascii_only=ascii_only)) for schema, frame in tables]
    facts = {name: escaped(value, ascii_only=ascii_only) for name, value in facts.items()}
    write = {"fits": _write_fits, "votable": _write_votable, "ecsv": _write_ecsv}[format]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # astropy warns of units such as erg that some standards deprecate
        made = [_table(schema, frame, facts) for schema, frame in tables]
        replace_atomically(path, lambda part: write(part, made, [schema for schema, _ in tables], facts))


def quantity_table(schema: Table, frame: pl.DataFrame, *, facts: Mapping[str, str]) -> Any:  # noqa: ANN401
    """Return a table whose columns are quantities, with descriptions and facts about it.

    Raises
    ------
    MissingExtraError
        If astropy is not installed.
    """
    if find_spec("astropy") is None:
        raise MissingExtraError.of("a table of astropy", "earnest-common", "astropy")
    from astropy.table import QTable

    # Single precision ends at 3e38: a gas mass in kg would overflow.
    wide = [pl.col(c.name).cast(pl.Array(pl.Float64, c.width)) for c in schema.columns if c.width]
    frame = frame.with_columns(wide)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return QTable(_table(schema, frame, facts))


def _escaped(frame: pl.DataFrame, *, ascii_only: bool) -> pl.DataFrame:
    texts = pl.col(pl.String)
    return frame.with_columns(
        texts.map_elements(lambda text: escaped(text, ascii_only=ascii_only), return_dtype=pl.String)
    )


def _table(schema: Table, frame: pl.DataFrame, facts: Mapping[str, str]) -> Any:  # noqa: ANN401 - astropy has no types
    from astropy.table import Table as AstropyTable

    columns = [_column(column, frame[column.name]) for column in schema.columns]
    return AstropyTable(columns, meta={"name": schema.name, "description": schema.description, **facts})


def _column(column: Column, values: pl.Series) -> Any:  # noqa: ANN401
    """Return an astropy column; unknown values are masked."""
    from astropy.table import Column as AstropyColumn
    from astropy.table import MaskedColumn

    facts: dict[str, Any] = {"name": column.name, "unit": column.unit or None, "description": column.description}
    unknown = values.is_null().to_numpy()
    data = _filled(column, values)
    if not unknown.any():
        return AstropyColumn(data, **facts)
    mask = np.broadcast_to(unknown[:, None], data.shape) if column.width else unknown
    return MaskedColumn(data, mask=mask, fill_value=_fill_value(column), **facts)


def _filled(column: Column, values: pl.Series) -> Any:  # noqa: ANN401
    if column.width:
        empty = pl.lit([float("nan")] * column.width, dtype=values.dtype)
        return values.fill_null(empty).to_numpy().reshape(len(values), column.width)
    if column.dtype == pl.String:
        return np.array(values.fill_null("").to_list(), dtype=str)
    return values.fill_null(_fill_value(column)).to_numpy()


def _fill_value(column: Column) -> Any:  # noqa: ANN401
    """Return what stands for an unknown value under the mask, and in FITS in the file."""
    if column.dtype == pl.String:
        return ""
    return -1 if column.dtype == pl.Int64 else float("nan")


def _write_fits(path: Path, tables: Sequence[Any], schemas: Sequence[Table], facts: Mapping[str, str]) -> None:
    from astropy.io import fits

    units = [fits.PrimaryHDU()]
    for table, schema in zip(tables, schemas, strict=True):
        table.meta = {}
        unit = fits.table_to_hdu(table)
        unit.name = schema.name
        for number, column in enumerate(schema.columns, 1):
            unit.header[f"TCOMM{number}"] = column.description
            if column.ucd:
                unit.header[f"TUCD{number}"] = column.ucd
        for name, value in facts.items():
            unit.header[_FITS_KEYWORDS.get(name, name.replace("_", "")[:8].upper())] = value
        unit.header["COMMENT"] = _FITS_NOTE
        units.append(unit)
    fits.HDUList(units).writeto(path, overwrite=True, checksum=True)


def _write_votable(path: Path, tables: Sequence[Any], schemas: Sequence[Table], facts: Mapping[str, str]) -> None:
    from astropy.io.votable.tree import Param, Resource, TableElement, VOTableFile

    votable = VOTableFile(version="1.3")  # later versions spell units without the erg
    resource = Resource()
    votable.resources.append(resource)
    for table, schema in zip(tables, schemas, strict=True):
        table.meta = {}
        for column in (c for c in schema.columns if c.width):  # a masked array would have no elements
            table[column.name] = np.ma.filled(table[column.name], np.nan)
        element = TableElement.from_table(votable, table)
        element.ID = element.name = schema.name
        element.description = schema.description
        for field, column in zip(element.fields, schema.columns, strict=True):
            field.ucd, field.ID = column.ucd or None, None  # an ID must be unique in the file, and both have catalog_id
        params = [Param(votable, name=n, datatype="unicodeChar", arraysize="*", value=v) for n, v in facts.items()]
        for param in params:
            param.ID = None
        element.params.extend(params)
        resource.tables.append(element)
    votable.to_xml(str(path))


def _write_ecsv(path: Path, tables: Sequence[Any], schemas: Sequence[Table], facts: Mapping[str, str]) -> None:
    del schemas, facts  # both stand in the table's own header
    tables[0].write(path, format="ascii.ecsv", overwrite=True)
