"""The seam to astropy for reading FITS, VOTable and ECSV; nothing else imports it here."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from earnest_common.errors import InputError, MissingExtraError

__all__ = ["read_astropy_table"]


def read_astropy_table(path: Path, kind: str, table: int | str | None) -> tuple[pl.DataFrame, dict[str, str]]:
    """Return a table of a FITS, VOTable or ECSV file, with the units that it states; masked values and NaN are unknown.

    Raises
    ------
    MissingExtraError
        If astropy is not installed.
    InputError
        If the file is not of that kind or lacks the table.
    """
    try:
        from astropy.table import Table
    except ImportError as error:
        raise MissingExtraError.of(f"reading {kind} tables", "earnest-common", "astropy") from error
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # unit spellings and format liberties are judged by the mapping
            source = Table.read(path, **_options(kind, table))
            columns = [part for name in source.colnames for part in _scalar_columns(name, source[name])]
            frame = pl.DataFrame([_series(name, column) for name, column in columns])
    except Exception as error:  # astropy raises many kinds for bytes that are no table
        text = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"table {path} cannot be read as {kind}: {text}") from error
    units = {name: getattr(column, "unit", None) for name, column in columns}
    return frame, {name: _unit_text(unit) for name, unit in units.items() if unit is not None}


def _scalar_columns(name: str, column: Any) -> list[tuple[str, Any]]:  # noqa: ANN401
    """Return a column, or the two angles ``name.ra`` and ``name.dec`` [deg] (ICRS) of a column of sky coordinates."""
    from astropy.coordinates import SkyCoord
    from astropy.table import Column

    if not isinstance(column, SkyCoord):
        return [(name, column)]
    angles = {"ra": column.icrs.ra.deg, "dec": column.icrs.dec.deg}
    return [(f"{name}.{part}", Column(np.asarray(angle), unit="deg")) for part, angle in angles.items()]


def _options(kind: str, table: int | str | None) -> dict[str, Any]:
    if kind == "fits":
        return {"format": "fits"} if table is None else {"format": "fits", "hdu": table}
    if kind == "votable":
        return {"format": "votable", "table_id": 0 if table is None else table}
    return {"format": "ascii.ecsv"}


def _unit_text(unit: Any) -> str:  # noqa: ANN401
    return str(unit.to_string()) if hasattr(unit, "to_string") else str(unit)


def _series(name: str, column: Any) -> pl.Series:  # noqa: ANN401
    """Return one column: whole numbers stay whole, other numbers become Float64, all other kinds text.

    Masked values and NaN are unknown, and so is empty text, which FITS and VOTable write for a masked one. Ids of 64
    bits would not survive a detour through Float64.
    """
    n_rows = len(column)
    mask = np.broadcast_to(np.asarray(getattr(column, "mask", False)), np.shape(column))
    unknown = np.atleast_1d(mask.any(axis=tuple(range(1, mask.ndim))))
    values = np.asarray(getattr(column, "data", column)) if hasattr(column, "dtype") else np.empty(n_rows, dtype=object)
    if values.dtype.kind not in "iufb" or values.ndim not in {1, 2}:
        texts = [
            None if gone or value is None else _text(value) or None for value, gone in zip(column, unknown, strict=True)
        ]
        return pl.Series(name, texts, dtype=pl.String)
    if values.ndim == 2:
        numbers = values.astype(np.float64)
        rows = [
            None if gone or np.isnan(row).any() else row.tolist() for row, gone in zip(numbers, unknown, strict=True)
        ]
        return pl.Series(name, rows, dtype=pl.Array(pl.Float64, numbers.shape[-1]))
    if values.dtype.kind == "f":
        return pl.Series(name, np.where(unknown, np.nan, values.astype(np.float64))).fill_nan(None)
    whole = values.astype(np.uint64 if values.dtype.kind == "u" else np.int64)
    return pl.select(pl.when(pl.Series(~unknown)).then(pl.Series(name, whole))).to_series().alias(name)


def _text(value: Any) -> str:  # noqa: ANN401
    """Return a value as text, bytes decoded; the values of an array are separated by blanks."""
    if isinstance(value, bytes):
        return value.decode("utf-8", errors="replace").rstrip()
    if isinstance(value, np.ndarray) and value.ndim:
        return " ".join(_text(item) for item in value)
    return str(value)
