"""The table of predictions: sigma8, and with the same four columns every other inferred label."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import polars as pl
from earnest_common.catalogs.parquet import write_table
from earnest_common.errors import InputError
from earnest_common.exporters.csv_tables import write_csv
from earnest_common.schema import CATALOGS, PREDICTIONS, Column, Table

from earnest_model.data.missing import NOTHING

if TYPE_CHECKING:  # importing it would load TensorFlow
    from earnest_model.networks.heads import Inferred

__all__ = [
    "MISSING",
    "N_OUTSIDE",
    "other_labels",
    "prediction_frame",
    "prediction_table",
    "refuse_other_kinds",
    "write_predictions",
]

_ENDS = ("", "_err", "_lo68", "_hi68")
_CSV, _PARQUET = ".csv", (".parquet", "")


N_OUTSIDE = Column(
    name="n_outside",
    dtype=pl.Int64(),
    lower=0,
    description="values of the catalog outside the training range: inputs of its clusters, and their number; with any "
    "of them the estimate is an extrapolation",
)


MISSING = Column(
    name="missing",
    dtype=pl.String(),
    description="supplementary columns that the catalog lacks, for all or so many of its clusters; or: none",
)


def prediction_table(others: Sequence[str]) -> Table:
    """Return the schema ``PREDICTIONS`` with ``n_outside``, ``missing`` and columns of other labels.

    Examples
    --------
    >>> prediction_table(["Om0"]).names[5:]
    ('n_outside', 'missing', 'Om0', 'Om0_err', 'Om0_lo68', 'Om0_hi68')
    """
    columns = [_column(name, end) for name in others for end in _ENDS]
    return dataclasses.replace(PREDICTIONS, columns=(*PREDICTIONS.columns, N_OUTSIDE, MISSING, *columns))


def prediction_frame(
    catalog_id: pl.Series,
    found: "Mapping[str, Inferred]",
    n_outside: npt.NDArray[np.int64],
    missing: Sequence[str] | None = None,
) -> pl.DataFrame:
    """Return predictions from what was inferred of each label, sigma8 first.

    Parameters
    ----------
    catalog_id
        Names of the catalogs.
    found
        What was inferred.
    n_outside
        Values of each catalog outside the training range.
    missing
        What each catalog lacks, in words; default: nothing.
    """
    columns: dict[str, object] = {"catalog_id": catalog_id}
    for name, one in found.items():
        values = (one.value, one.error, *one.interval_68)
        columns |= {name + end: value for end, value in zip(_ENDS, values, strict=True)}
    columns |= {"n_outside": n_outside, "missing": missing or [NOTHING] * len(catalog_id)}
    others = [name for name in found if name != "sigma8"]
    return pl.DataFrame(columns, schema=prediction_table(others).polars_schema)


def other_labels(predictions: pl.DataFrame) -> list[str]:
    """Return the labels beside sigma8 of which predictions tell."""
    more = [name for name in predictions.columns if name not in PREDICTIONS.names]
    return [name for name in more if all(name + end in more for end in _ENDS)]


def refuse_other_kinds(out: Path) -> None:
    """Refuse a file whose name promises another format than Parquet or CSV.

    Raises
    ------
    InputError
        If the suffix is neither of the two; without a suffix it is Parquet.
    """
    if out.suffix not in (_CSV, *_PARQUET):
        raise InputError(f"output {out}: predictions are written as .parquet or .csv, not as '{out.suffix}'")


def write_predictions(out: Path, table: pl.DataFrame, *, facts: Mapping[str, str]) -> None:
    """Write predictions as Parquet, or as CSV with a commented head where the file is called so.

    Parameters
    ----------
    out
        The file; it is whole or absent.
    table
        One row per catalog.
    facts
        What a reader must know, by name.
    """
    schema = prediction_table(other_labels(table))
    if out.suffix == _CSV:
        write_csv(out, [table.select(schema.names)], schema, facts=facts)
    else:
        write_table(out, table, schema, parameters=facts)


def _column(name: str, end: str) -> Column:
    like = PREDICTIONS.column(f"sigma8{end}")
    meaning = f"{like.description.removesuffix(' of sigma8')}: {CATALOGS.column(name).description}"
    return dataclasses.replace(like, name=name + end, description=meaning)
