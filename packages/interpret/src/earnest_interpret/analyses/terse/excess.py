"""What a cluster has too much of for its mass: residuals about its own catalog's scaling relations."""

from typing import Final

import numpy as np
from earnest_common.arrays import FloatArray, IntArray
from earnest_common.catalogs.batch import CatalogBatch

__all__ = ["EXCESSES", "excess_at_mass", "excesses"]

EXCESSES: Final = ("l_x", "t_x", "m_gas")
"""Observables whose excess at fixed mass the terse value is compared with."""

_MIN_CLUSTERS = 5


def excesses(batch: CatalogBatch) -> dict[str, FloatArray]:
    """Return the excess of each observable at fixed mass, per cluster [dex]; NaN where it is unknown.

    Within every catalog log10 X is fitted by a line in log10 m_500c; the excess is what is left. It does not depend
    on the catalog's own normalisation and slope, which a single cluster does not determine.

    Examples
    --------
    >>> from earnest_common.testing import toy_batch
    >>> list(excesses(toy_batch(n_catalogs=1, seed=1)))
    ['l_x_excess', 't_x_excess', 'm_gas_excess']
    """
    log10_m = np.log10(batch.column("m_500c"))
    return {
        f"{name}_excess": excess_at_mass(np.log10(batch.column(name)), log10_m, batch.segment_ids) for name in EXCESSES
    }


def excess_at_mass(log10_x: FloatArray, log10_m: FloatArray, groups: IntArray) -> FloatArray:
    """Return log10 X less its group's own line in log10 m, shape (n,).

    Groups of fewer than five known clusters, or of one mass only, give NaN.

    Parameters
    ----------
    log10_x, log10_m
        Observable and mass, shape (n,).
    groups
        Catalog of each cluster, not negative, shape (n,).

    Examples
    --------
    >>> log10_m = np.array([14.0, 14.2, 14.4, 14.6, 14.8])
    >>> bool(np.allclose(excess_at_mass(1.7 * log10_m + 3, log10_m, np.zeros(5, dtype=int)), 0))
    True
    """
    known = np.isfinite(log10_x) & np.isfinite(log10_m)
    weight = known.astype(np.float64)
    x, m = np.where(known, log10_x, 0.0), np.where(known, log10_m, 0.0)
    count = np.bincount(groups, weights=weight)
    with np.errstate(invalid="ignore", divide="ignore"):
        dx = x - (np.bincount(groups, weights=x) / count)[groups]
        dm = m - (np.bincount(groups, weights=m) / count)[groups]
        slope = np.bincount(groups, weights=weight * dx * dm) / np.bincount(groups, weights=weight * dm**2)
        slope[count < _MIN_CLUSTERS] = np.nan
        found = dx - slope[groups] * dm
    return np.where(known, found, np.nan)
