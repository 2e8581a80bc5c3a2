"""The table of predictions: sigma8, and with the same four columns every other inferred label."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import polars as pl
from earnest_common.schema import CATALOGS, PREDICTIONS, Column, Table

if TYPE_CHECKING:  # importing it would load TensorFlow
    from earnest_model.heads import Inferred

__all__ = ["other_labels", "prediction_frame", "prediction_table"]

_ENDS = ("", "_err", "_lo68", "_hi68")


def prediction_table(others: Sequence[str]) -> Table:
    """Return the schema ``PREDICTIONS`` with columns of other labels.

    Examples
    --------
    >>> prediction_table(["Om0"]).names[5:]
    ('Om0', 'Om0_err', 'Om0_lo68', 'Om0_hi68')
    """
    columns = [_column(name, end) for name in others for end in _ENDS]
    return dataclasses.replace(PREDICTIONS, columns=(*PREDICTIONS.columns, *columns))


def prediction_frame(catalog_id: pl.Series, found: "Mapping[str, Inferred]") -> pl.DataFrame:
    """Return predictions from what was inferred of each label, sigma8 first."""
    columns: dict[str, object] = {"catalog_id": catalog_id}
    for name, one in found.items():
        values = (one.value, one.error, *one.interval_68)
        columns |= {name + end: value for end, value in zip(_ENDS, values, strict=True)}
    others = [name for name in found if name != "sigma8"]
    return pl.DataFrame(columns, schema=prediction_table(others).polars_schema)


def other_labels(predictions: pl.DataFrame) -> list[str]:
    """Return the labels beside sigma8 of which predictions tell."""
    more = [name for name in predictions.columns if name not in PREDICTIONS.names]
    return [name for name in more if all(name + end in more for end in _ENDS)]


def _column(name: str, end: str) -> Column:
    like = PREDICTIONS.column(f"sigma8{end}")
    meaning = f"{like.description.removesuffix(' of sigma8')}: {CATALOGS.column(name).description}"
    return dataclasses.replace(like, name=name + end, description=meaning)
