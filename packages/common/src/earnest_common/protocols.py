"""What the packages expect of each other's objects."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt
import polars as pl

from earnest_common.bundle import BundleDescription
from earnest_common.catalogs.batch import CatalogBatch

__all__ = ["CatalogSource", "Ensemble", "Estimator", "Randomisable", "TerseEstimator"]


@runtime_checkable
class CatalogSource(Protocol):
    """An endless supply of labelled catalogs, each determined by the source's seed and the catalog's id."""

    @property
    def radii(self) -> tuple[float, ...]:
        """Radii of the gas profiles in units of R_500c."""

    def provenance(self) -> Mapping[str, Any]:
        """Return configuration, seed and versions."""

    def batch(self, catalog_ids: npt.NDArray[np.int64]) -> CatalogBatch:
        """Return the catalogs of these ids, in this order."""


@runtime_checkable
class Estimator(Protocol):
    """A trained model that infers sigma8 from catalogs."""

    @property
    def description(self) -> BundleDescription:
        """What the model was trained on and expects."""

    def predict(self, batch: CatalogBatch) -> pl.DataFrame:
        """Return one row per catalog (schema ``PREDICTIONS``), in the order of the batch."""


@runtime_checkable
class TerseEstimator(Estimator, Protocol):
    """An estimator that passes each cluster through one terse number and can be interpreted."""

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Names of the encoder's input columns, array columns with the radius counted from 1."""

    def encode(self, batch: CatalogBatch) -> npt.NDArray[np.float64]:
        """Return the terse value of each cluster, shape (n_clusters,)."""

    def gradient(self, batch: CatalogBatch, *, of: Literal["terse", "sigma8"]) -> npt.NDArray[np.float64]:
        """Return the derivative with respect to the scaled encoder inputs, shape (n_clusters, n_features)."""

    def leave_one_out(self, batch: CatalogBatch) -> npt.NDArray[np.float64]:
        """Return sigma8 without each cluster minus sigma8 with all, shape (n_clusters,); NaN for a lone cluster."""


@runtime_checkable
class Ensemble(TerseEstimator, Protocol):
    """Several trainings of one model that answer together.

    Inferred sigma8, terse values, gradients and leave-one-out are the means of its members'.
    """

    @property
    def members(self) -> Sequence[TerseEstimator]:
        """The trainings, each by itself; of a model that was trained once: itself."""


@runtime_checkable
class Randomisable(TerseEstimator, Protocol):
    """An estimator that can forget what it learned, against which its interpretation is checked."""

    def randomised(self, seed: int) -> TerseEstimator:
        """Return the same estimator with the learned weights of each layer shuffled."""
