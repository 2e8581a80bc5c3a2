"""The scaling relations that mock clusters were drawn from, and how far each cluster lies from them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, final

import numpy as np
from earnest_common.arrays import FloatArray
from earnest_common.catalogs.batch import CatalogBatch
from earnest_common.survey.scaling import FACTORS, TABLE_2, ScalingRelations, with_factors

__all__ = ["OBSERVABLES", "Relations"]

OBSERVABLES: Final = ("l_x", "t_x", "m_gas")


@final
@dataclass(frozen=True, kw_only=True)
class Relations:
    """Mean relation, scatter factor and lensing scatter of each cluster; an unknown factor is that of the reference.

    Attributes
    ----------
    batch
        The clusters.
    mean
        log10 of each observable that the catalog's relation gives to the cluster's mass, arrays of shape (n_clusters,).
    scatter
        Factor of the scatter of each observable, arrays of shape (n_clusters,).
    m_wl
        Scatter of ln m_wl, shape (n_clusters,).
    m_wl_bias
        Factor of the weak-lensing masses, shape (n_clusters,).
    """

    batch: CatalogBatch
    mean: Mapping[str, FloatArray]
    scatter: Mapping[str, FloatArray]
    m_wl: FloatArray
    m_wl_bias: FloatArray

    @classmethod
    def of(cls, batch: CatalogBatch, reference: ScalingRelations = TABLE_2) -> "Relations":
        """Return the relations of catalogs with true masses: their factors times those of the reference."""
        segment = batch.segment_ids
        factors = {name: _known(batch.label(name).astype(np.float64))[segment] for name in FACTORS}
        relations = with_factors(reference, factors)
        log10_m = np.log10(batch.column("m_500c"))
        means = {name: np.asarray(getattr(relations, name).log10_mean(log10_m)) for name in OBSERVABLES}
        scatters = {name: factors[f"{name}_scatter"] for name in OBSERVABLES}
        m_wl = _known(batch.label("m_wl_scatter").astype(np.float64))[segment]
        bias = _known(batch.label("m_wl_bias").astype(np.float64))[segment]
        return cls(batch=batch, mean=means, scatter=scatters, m_wl=m_wl, m_wl_bias=bias)

    def residual(self, name: str) -> FloatArray:
        """Return how far log10 of an observable lies above its relation [dex], shape (n_clusters,)."""
        return np.asarray(np.log10(self.batch.column(name)) - self.mean[name], dtype=np.float64)


def _known(values: FloatArray) -> FloatArray:
    """Return factors in which an unknown one is that of the reference."""
    return np.where(np.isfinite(values), values, 1.0)
