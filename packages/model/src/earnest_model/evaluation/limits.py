"""The best that could be done with the same catalogs: a measured limit, or the exact posterior catalog by catalog."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from earnest_common.catalogs import Plan
from earnest_common.errors import EarnestError, InputError
from earnest_common.plugins import known_limit, open_source
from earnest_common.run.parquet import read_parquet
from earnest_common.spread import spread
from earnest_common.survey.limits import Limit

from earnest_model.evaluation.accuracy import Accuracy, bootstrap_error
from earnest_model.evaluation.labelled_predictions import LabelledPredictions

__all__ = ["limit_of_preset", "paired", "with_limit", "with_referee"]

_PROFILES = ("m_gas_profile", "gas_slope_profile")
"""Columns that no exact posterior knows."""

_COLUMNS = ("catalog_id", "sigma8", "sigma8_true")


def limit_of_preset(plan: Plan, *, columns: tuple[str, ...]) -> Limit | None:
    """Return the limit for catalogs of an unchanged preset, ``None`` where it is not known.

    Parameters
    ----------
    plan
        The plan of the evaluated set.
    columns
        The cluster columns that the estimate sees; none: the number of clusters alone.
    """
    found = known_limit(plan.preset, columns=columns) if plan.kind == "mock" else None
    return found if found is not None and _unchanged(plan) else None


def with_limit(quality: Accuracy, limit: Limit) -> Accuracy:
    """Return the quality with a limit beside the scatter."""
    return dataclasses.replace(
        quality,
        referee_scatter=limit.scatter,
        referee_scatter_err=limit.scatter_err,
        efficiency=limit.efficiency(quality.scatter),
        referee_scatter_without_grid=limit.without_grid,
        efficiency_without_grid=limit.efficiency_without_grid(quality.scatter),
        referee=limit.text,
    )


def with_referee(
    quality: Accuracy, found: LabelledPredictions, file: Path, *, columns: tuple[str, ...] = ()
) -> Accuracy:
    """Return the quality with the exact posterior of the same catalogs beside it.

    No referee knows gas profiles, so that beside an estimate that sees them no efficiency is stated.

    Parameters
    ----------
    quality, found
        Quality and estimates of the model.
    file
        What ``earnest selfcal referee SET --out FILE.parquet`` writes.
    columns
        The cluster columns that the model sees.

    Raises
    ------
    InputError
        See :func:`paired`.
    """
    model, referee = paired(found, file)
    scatter, of_model = spread(referee), spread(model)
    profiles = any(name in _PROFILES for name in columns)
    text = f"the exact posterior of {len(referee)} of these catalogs, on which the model scatters by {of_model:.4f}"
    return dataclasses.replace(
        quality,
        referee_scatter=scatter,
        referee_scatter_err=bootstrap_error(referee),
        efficiency=(scatter / of_model) ** 2 if of_model > 0 and not profiles else None,
        referee=f"{text}; shapes of gas profiles are not in it" if profiles else text,
    )


def paired(found: LabelledPredictions, file: Path) -> tuple[Any, Any]:
    """Return inferred minus true sigma8 of the model and of a referee, for the catalogs that both know.

    Parameters
    ----------
    found
        The model's estimates.
    file
        What ``earnest selfcal referee SET --out FILE.parquet`` writes.

    Raises
    ------
    InputError
        If the file is no such table, fewer than two catalogs are in both, or their true values differ.
    """
    mine = found.predictions.select("catalog_id", mine="sigma8").with_columns(true=pl.Series(found.true))
    both = mine.join(_read(file), on="catalog_id", how="inner")
    if both.height < 2:
        raise InputError(
            f"{file} and the evaluated set share {both.height} catalogs; run the referee on the same set and split"
        )
    true, told = (both.get_column(name).to_numpy() for name in ("true", "sigma8_true"))
    if not np.allclose(true, told, atol=1e-9):
        raise InputError(
            f"{file} tells other true sigma8 for {int((~np.isclose(true, told, atol=1e-9)).sum())} of {both.height} "
            "catalogs; it belongs to another set: run the referee on this one"
        )
    return both.get_column("mine").to_numpy() - true, both.get_column("sigma8").to_numpy() - true


def _read(file: Path) -> pl.DataFrame:
    table = read_parquet(file, what="referee", remedy="write it with: earnest selfcal referee").frame
    if missing := [name for name in _COLUMNS if name not in table.columns]:
        raise InputError(f"referee {file} lacks {', '.join(missing)}; write it with: earnest selfcal referee --out")
    table = table.select(_COLUMNS)
    if broken := [name for name in _COLUMNS if not _usable(table.get_column(name))]:
        words = f"{', '.join(broken)} must be finite numbers"
        raise InputError(f"referee {file}: {words}; write it with: earnest selfcal referee")
    if table.get_column("catalog_id").is_duplicated().any():
        raise InputError(f"referee {file} has a catalog twice; write it with: earnest selfcal referee")
    return table


def _usable(values: pl.Series) -> bool:
    """Return whether a column holds finite numbers alone."""
    return values.dtype.is_numeric() and not values.null_count() and bool(values.cast(pl.Float64).is_finite().all())


def _unchanged(plan: Plan) -> bool:
    """Return whether the set was made with all fields of the preset as they are."""
    try:
        source = open_source("mocks", preset=plan.preset, seed=plan.seed or 0)
    except EarnestError:  # without earnest-mocks nobody can tell
        return False
    unchanged: bool = _plain(source.provenance().get("config")) == _plain(plan.config)
    return unchanged


def _plain(record: Any) -> Any:  # noqa: ANN401 - any JSON value
    return json.loads(json.dumps(record))
