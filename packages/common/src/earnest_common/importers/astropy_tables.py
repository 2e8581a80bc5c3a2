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
            found = Table.read(path, **_options(kind, table))
    except Exception as error:  # astropy raises many kinds for bytes that are no table
        text = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"table {path} cannot be read as {kind}: {text}") from error
    frame = pl.DataFrame([_series(name, found[name]) for name in found.colnames])
    units = {name: _unit_text(found[name].unit) for name in found.colnames if found[name].unit is not None}
    return frame, units


def _options(kind: str, table: int | str | None) -> dict[str, Any]:
    if kind == "fits":
        return {"format": "fits"} if table is None else {"format": "fits", "hdu": table}
    if kind == "votable":
        return {"format": "votable", "table_id": 0 if table is None else table}
    return {"format": "ascii.ecsv"}


def _unit_text(unit: Any) -> str:  # noqa: ANN401
    return str(unit.to_string()) if hasattr(unit, "to_string") else str(unit)


def _series(name: str, column: Any) -> pl.Series:  # noqa: ANN401
    """Return one column; numbers become Float64, unknown where masked or NaN, other kinds become text."""
    values = np.asarray(column.filled() if hasattr(column, "filled") else column)
    if values.dtype.kind not in "iufb" or values.ndim > 2:
        return pl.Series(name, [str(v) for v in values.reshape(len(values), -1)[:, 0]], dtype=pl.String)
    mask = np.asarray(column.mask) if hasattr(column, "filled") else np.zeros(values.shape, dtype=bool)
    numbers = np.where(mask, np.nan, values.astype(np.float64))
    if numbers.ndim == 2:
        rows = [None if np.isnan(row).any() else row.tolist() for row in numbers]
        return pl.Series(name, rows, dtype=pl.Array(pl.Float64, numbers.shape[1]))
    return pl.Series(name, numbers).fill_nan(None)
