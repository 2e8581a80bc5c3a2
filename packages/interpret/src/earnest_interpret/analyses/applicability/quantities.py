"""What a catalog is compared by: columns of its clusters, and a summary of the whole."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import numpy as np
from earnest_common.arrays import FloatArray
from earnest_common.catalogs.batch import CatalogBatch

__all__ = ["MIN_CLUSTERS", "cluster_matrix", "column_names", "known_columns", "summary_matrix", "summary_names"]

MIN_CLUSTERS: Final = 5
"""Fewest clusters of a catalog whose slopes and scatters are compared."""

_LINEAR: Final = ("gas_slope_profile", "z")


def column_names(columns: Sequence[str], n_radii: int) -> list[str]:
    """Return one name per number of a cluster; profiles count from 1."""
    wide = ("m_gas_profile", "gas_slope_profile")
    return [name for c in columns for name in ([f"{c}_{i + 1}" for i in range(n_radii)] if c in wide else [c])]


def cluster_matrix(batch: CatalogBatch, columns: Sequence[str]) -> FloatArray:
    """Return the columns of the clusters as logarithms (slopes as they are), shape (n_clusters, n_numbers)."""
    found = []
    with np.errstate(divide="ignore", invalid="ignore"):
        for name in columns:
            values = np.asarray(batch.column(name), dtype=np.float64)
            values = values if name in _LINEAR else np.log10(values)
            found.append(values if values.ndim == 2 else values[:, None])
    return np.hstack(found) if found else np.empty((batch.n_clusters, 0))


def known_columns(batch: CatalogBatch, columns: Sequence[str]) -> tuple[str, ...]:
    """Return the columns that every cluster has."""
    return tuple(name for name in columns if np.isfinite(cluster_matrix(batch, [name])).all())


def summary_names(columns: Sequence[str], n_radii: int) -> list[str]:
    """Return the names of what :func:`summary_matrix` returns."""
    names = column_names(columns, n_radii)
    others = [name for name in columns if name in ("t_x", "m_gas", "m_wl")]
    trends = [f"{what} of {name}" for name in others for what in ("slope", "scatter")] if "l_x" in columns else []
    return ["number of clusters", *(f"median {name}" for name in names), *trends]


def summary_matrix(batch: CatalogBatch, columns: Sequence[str]) -> FloatArray:
    """Return log N, medians, and slope and scatter against luminosity of each catalog, shape (n_catalogs, n_numbers).

    Slopes and scatters are those of log X against log l_x, since an observed catalog has no true masses. Catalogs of
    fewer than ``MIN_CLUSTERS`` give NaN.
    """
    values, splits = cluster_matrix(batch, columns), batch.row_splits
    names = column_names(columns, len(batch.radii))
    others = [names.index(name) for name in columns if name in ("t_x", "m_gas", "m_wl")]
    luminosity = names.index("l_x") if "l_x" in names else None
    rows = []
    for first, last in pairwise(splits):
        own = values[first:last]
        if last - first < MIN_CLUSTERS:
            rows.append(np.full(len(summary_names(columns, len(batch.radii))), np.nan))
            continue
        trends = [] if luminosity is None else [_trend(own[:, luminosity], own[:, j]) for j in others]
        rows.append(np.concatenate([[np.log10(last - first)], np.median(own, axis=0), *trends]))
    return np.array(rows, dtype=np.float64)


def _trend(x: FloatArray, y: FloatArray) -> FloatArray:
    """Return slope and scatter of y against x."""
    dx, dy = x - x.mean(), y - y.mean()
    slope = dx @ dy / max(float(dx @ dx), 1e-12)
    return np.array([slope, np.std(dy - slope * dx)])
