"""Which clusters are faint in a saliency map, and where in the plane of mass and terse value they lie (section 5.3)."""

from dataclasses import dataclass
from typing import final

import numpy as np
from earnest_common.arrays import FloatArray
from earnest_common.catalogs.batch import CatalogBatch
from scipy.stats import rankdata, spearmanr

from earnest_interpret.sample import MassAxis

__all__ = ["Stripes", "find_stripes"]

EDGE = 0.1
"""Share of clusters at either end of the terse values that counts as the edge; and share that counts as faint."""


@final
@dataclass(frozen=True, kw_only=True)
class Stripes:
    """Loudness of clusters, the sum of |S| over their inputs.

    Attributes
    ----------
    strength
        Relative to the mean over clusters, shape (n_clusters,).
    faint_at_edge
        Share of the faintest tenth whose terse value is among the lowest or highest tenth; 0.2 if unrelated.
    with_edge, with_mass, with_shape
        Rank correlation of the strength with the distance of the terse value's rank from the middle, with mass, and
        with the gas mass between the innermost and the outermost radius [dex]; NaN where unknown.
    """

    strength: FloatArray
    faint_at_edge: float
    with_edge: float
    with_mass: float
    with_shape: float


def find_stripes(values: FloatArray, terse: FloatArray, batch: CatalogBatch, axis: MassAxis | None) -> Stripes | None:
    """Return what distinguishes faint clusters; ``None`` if all have the same saliency or there are fewer than twenty.

    Parameters
    ----------
    values
        Saliencies, shape (n_clusters, n_features).
    terse
        Terse values, shape (n_clusters,).
    batch
        The catalogs.
    axis
        Masses of the clusters, if known.
    """
    total = np.abs(values).sum(axis=1)
    if len(total) < 20 or np.ptp(total) <= 1e-9 * total.max():
        return None
    place = (rankdata(terse) - 0.5) / len(terse)
    faint = total <= np.quantile(total, EDGE)
    at_edge = (place < EDGE) | (place > 1 - EDGE)
    profile = batch.column("m_gas_profile")
    with np.errstate(invalid="ignore", divide="ignore"):
        shape = np.log10(profile[:, -1] / profile[:, 0])
    return Stripes(
        strength=total / total.mean(),
        faint_at_edge=float(at_edge[faint].mean()),
        with_edge=_rank_correlation(total, np.abs(place - 0.5)),
        with_mass=_rank_correlation(total, axis.log10_m) if axis else float("nan"),
        with_shape=_rank_correlation(total, shape),
    )


def _rank_correlation(x: FloatArray, y: FloatArray) -> float:
    known = np.isfinite(x) & np.isfinite(y)
    if known.sum() < 3 or np.ptp(y[known]) == 0:
        return float("nan")
    return float(spearmanr(x[known], y[known]).statistic)
