"""sigma8 without each cluster, from the model's own leave-one-out or from predictions of reduced catalogs."""

from collections.abc import Iterator

import numpy as np
import polars as pl
from earnest_common.arrays import FloatArray, IntArray
from earnest_common.catalogs.batch import CatalogBatch
from earnest_common.errors import InputError
from earnest_common.protocols import Estimator, TerseEstimator

from earnest_interpret.sample import MAX_ROWS, chunks

__all__ = ["leave_one_out", "leave_one_out_by_prediction"]


def leave_one_out(estimator: Estimator, batch: CatalogBatch, *, max_rows: int = MAX_ROWS) -> FloatArray:
    r"""Return the change of sigma8 when each cluster is left out.

    .. math:: \Delta\sigma_{8,i} = \hat\sigma_8(\text{all but } i) - \hat\sigma_8(\text{all})

    The own leave-one-out of an estimator is used where it has one; any other predicts every reduced catalog anew.

    Parameters
    ----------
    estimator
        The model.
    batch
        The catalogs.
    max_rows
        Most clusters handed to the estimator at a time (a larger catalog is handed over alone).

    Returns
    -------
    numpy.ndarray
        Change of sigma8 per cluster; NaN for the only cluster of a catalog; shape (n_clusters,).

    References
    ----------
    Ntampaka & Vikhlinin, section 5.1, arXiv:2112.05768.
    """
    if isinstance(estimator, TerseEstimator):
        parts = [estimator.leave_one_out(part) for part in chunks(batch, max_rows=max_rows)]
        return np.concatenate(parts) if parts else np.empty(0)
    return leave_one_out_by_prediction(estimator, batch, max_rows=max_rows)


def leave_one_out_by_prediction(estimator: Estimator, batch: CatalogBatch, *, max_rows: int = MAX_ROWS) -> FloatArray:
    """Return the same as :func:`leave_one_out` from nothing but predictions of reduced catalogs."""
    whole = np.concatenate([_predict(estimator, part) for part in chunks(batch, max_rows=max_rows)] or [np.empty(0)])
    delta = np.full(batch.n_clusters, np.nan)
    splits, segment = batch.row_splits, batch.segment_ids
    for removed in _jobs(splits, max_rows):
        reduced = _without(batch, removed, splits, segment)
        delta[removed] = _predict(estimator, reduced) - whole[segment[removed]]
    return delta


def _predict(estimator: Estimator, batch: CatalogBatch) -> FloatArray:
    predicted: FloatArray = estimator.predict(batch).get_column("sigma8").to_numpy()
    if len(predicted) != batch.n_catalogs:
        raise InputError(f"the estimator returned {len(predicted)} predictions for {batch.n_catalogs} catalogs")
    return predicted


def _jobs(splits: IntArray, max_rows: int) -> Iterator[IntArray]:
    """Yield rows to remove, each from its own copy of its catalog, so that the copies fit into max_rows."""
    counts = np.diff(splits)
    left = np.repeat(counts - 1, counts)  # clusters that remain when this one is removed
    rows = np.flatnonzero(left > 0)
    total = np.cumsum(left[rows])
    first = 0
    while first < len(rows):
        done = total[first - 1] if first else 0
        last = max(first + 1, int(np.searchsorted(total, done + max_rows, side="right")))
        yield rows[first:last]
        first = last


def _without(batch: CatalogBatch, removed: IntArray, splits: IntArray, segment: IntArray) -> CatalogBatch:
    """Return one catalog for each removed row: its catalog without it, with new ids and dense ranks."""
    catalog = segment[removed]
    starts, sizes = splits[catalog], np.diff(splits)[catalog]
    rank = np.concatenate([np.arange(n - 1) for n in sizes])
    copy = np.repeat(np.arange(len(removed)), sizes - 1)
    rows = starts[copy] + rank + (starts[copy] + rank >= removed[copy])
    catalogs = batch.catalogs[catalog].with_columns(
        pl.Series("catalog_id", np.arange(len(removed)), dtype=pl.Int64),
        pl.Series("n_clusters", sizes - 1, dtype=pl.Int64),
    )
    clusters = batch.clusters[rows].with_columns(
        pl.Series("catalog_id", copy, dtype=pl.Int64), pl.Series("rank", rank, dtype=pl.Int64)
    )
    return CatalogBatch(catalogs=catalogs, clusters=clusters, radii=batch.radii)
