"""Catalogs whose clusters take over each other's values in some columns, or have one value, or none."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl
from earnest_common.arrays import FloatArray, IntArray
from earnest_common.catalogs.batch import CatalogBatch

from earnest_interpret.responses.questions import Predictor

__all__ = [
    "COMPANIONS",
    "DEFAULT_COLUMNS",
    "companion_columns",
    "encoder_columns",
    "exchanged",
    "held_constant",
    "order_over_all",
    "order_within",
    "unknown",
]

DEFAULT_COLUMNS = ("t_x", "m_gas", "m_gas_profile", "gas_slope_profile")
"""The gas of a cluster without its luminosity, for an estimator that names no encoder."""

COMPANIONS = ("m_wl", "l_x")
"""Columns that join after the encoder in the paper's network."""


def encoder_columns(estimator: Predictor) -> tuple[str, ...]:
    """Return the columns that an estimator encodes, or of those that it reads the ones of the gas.

    Examples
    --------
    >>> from earnest_common.testing import ToyEstimator
    >>> from earnest_interpret.testing import SaturatingEstimator
    >>> encoder_columns(SaturatingEstimator()), encoder_columns(ToyEstimator()) == DEFAULT_COLUMNS
    (('t_x', 'm_gas_profile', 'gas_slope_profile'), True)
    """
    encoded, added = _described(estimator)
    return encoded or tuple(name for name in added if name in DEFAULT_COLUMNS) or DEFAULT_COLUMNS


def companion_columns(estimator: Predictor) -> tuple[str, ...]:
    """Return which of M_WL and L_X an estimator reads beside the encoder's columns; both if it names no column."""
    encoded, added = _described(estimator)
    return tuple(name for name in COMPANIONS if name in added) if encoded or added else COMPANIONS


def _described(estimator: Predictor) -> tuple[tuple[str, ...], tuple[str, ...]]:
    description = getattr(estimator, "description", None)
    return tuple(getattr(description, "features", ())), tuple(getattr(description, "supplementary", ()))


def order_within(batch: CatalogBatch, rng: np.random.Generator) -> IntArray:
    """Return a random order of the rows that keeps each in its catalog, shape (n_clusters,)."""
    return np.lexsort((rng.random(batch.n_clusters), batch.segment_ids)).astype(np.int64)


def order_over_all(batch: CatalogBatch, rng: np.random.Generator) -> IntArray:
    """Return a random order of all rows, shape (n_clusters,)."""
    return rng.permutation(batch.n_clusters).astype(np.int64)


def exchanged(batch: CatalogBatch, columns: Sequence[str], order: npt.NDArray[np.int64]) -> CatalogBatch:
    """Return the catalogs with some columns taken together from the rows in another order.

    Parameters
    ----------
    batch
        The catalogs.
    columns
        The columns that are exchanged; all others stay.
    order
        Row from which each cluster takes them, shape (n_clusters,).

    Examples
    --------
    >>> from earnest_common.testing import toy_batch
    >>> batch = toy_batch(n_catalogs=2, seed=1)
    >>> turned = exchanged(batch, ["t_x"], np.arange(batch.n_clusters)[::-1])
    >>> bool(turned.column("t_x")[0] == batch.column("t_x")[-1]), turned.clusters["l_x"].equals(batch.clusters["l_x"])
    (True, True)
    """
    return _with(batch, batch.clusters.select(columns)[order].get_columns())


def held_constant(batch: CatalogBatch, columns: Sequence[str]) -> CatalogBatch:
    """Return the catalogs with the median over all clusters in some columns, for profiles that at each radius."""
    middle = {name: _median(batch.column(name)) for name in columns}
    schema = batch.clusters.schema
    constant = [
        pl.Series(name, np.broadcast_to(value, batch.column(name).shape).copy(), dtype=schema[name])
        for name, value in middle.items()
        if np.isfinite(value).all()  # a column without known values is constant already
    ]
    return _with(batch, constant)


def unknown(batch: CatalogBatch, columns: Sequence[str]) -> CatalogBatch:
    """Return the catalogs with null in some columns."""
    schema = batch.clusters.schema
    return _with(batch, [pl.Series(name, [None] * batch.n_clusters, dtype=schema[name]) for name in columns])


def _with(batch: CatalogBatch, series: Sequence[pl.Series]) -> CatalogBatch:
    return CatalogBatch(catalogs=batch.catalogs, clusters=batch.clusters.with_columns(series), radii=batch.radii)


def _median(values: FloatArray) -> FloatArray:
    known = np.isfinite(values) if values.ndim == 1 else np.isfinite(values).all(axis=1)
    return np.median(values[known], axis=0) if known.any() else np.full(values.shape[1:], np.nan)
