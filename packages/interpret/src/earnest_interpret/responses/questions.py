"""Questions to a model, in parts of a bounded number of clusters."""

from typing import Literal, Protocol, TypeAlias

import numpy as np
import polars as pl
from earnest_common.arrays import FloatArray
from earnest_common.catalogs.batch import CatalogBatch
from earnest_common.errors import InputError
from earnest_common.protocols import Ensemble, Estimator, TerseEstimator

from earnest_interpret.sample import MAX_ROWS, chunks

__all__ = ["Predictor", "Target", "encode", "gradient", "members_of", "predict"]

Target: TypeAlias = Literal["terse", "sigma8"]


class Predictor(Protocol):
    """Anything that infers sigma8 from catalogs."""

    def predict(self, batch: CatalogBatch) -> pl.DataFrame:
        """Return one row per catalog (schema ``PREDICTIONS``), in the order of the batch."""


def predict(estimator: Predictor, batch: CatalogBatch, *, max_rows: int = MAX_ROWS) -> pl.DataFrame:
    """Return one prediction per catalog, in order (schema ``PREDICTIONS``)."""
    return pl.concat([estimator.predict(part) for part in chunks(batch, max_rows=max_rows)])


def encode(estimator: Estimator, batch: CatalogBatch, *, max_rows: int = MAX_ROWS) -> FloatArray:
    """Return the terse value of each cluster, shape (n_clusters,).

    Raises
    ------
    InputError
        If the estimator has no terse layer.
    """
    if not isinstance(estimator, TerseEstimator):
        kind = estimator.description.estimator
        raise InputError(f"the model '{kind}' has no terse layer, so there is no terse value; use one that has it")
    parts = [estimator.encode(part) for part in chunks(batch, max_rows=max_rows)]
    return np.concatenate(parts) if parts else np.empty(0)


def gradient(
    estimator: Estimator, batch: CatalogBatch, *, of: Target = "terse", max_rows: int = MAX_ROWS
) -> FloatArray:
    r"""Return the signed gradient of the terse value or of sigma8 with respect to the scaled inputs.

    .. math:: g_{ij} = \partial\,\mathrm{terse}_i / \partial x_{ij}
              \quad\text{or}\quad \partial \hat\sigma_8 / \partial x_{ij} ,\qquad S = |g|

    Parameters
    ----------
    estimator
        The model; it needs a terse layer.
    batch
        The catalogs.
    of
        Numerator of the derivative.
    max_rows
        Most clusters handed to the estimator at a time.

    Returns
    -------
    numpy.ndarray
        Gradients, shape (n_clusters, n_features).

    Raises
    ------
    InputError
        If the estimator has no terse layer.

    References
    ----------
    Ntampaka & Vikhlinin, equation 4, arXiv:2112.05768.
    """
    if not isinstance(estimator, TerseEstimator):
        kind = estimator.description.estimator
        raise InputError(f"the model '{kind}' has no terse layer, so there is no gradient to take; use one that has it")
    parts = [estimator.gradient(part, of=of) for part in chunks(batch, max_rows=max_rows)]
    return np.concatenate(parts) if parts else np.empty((0, len(estimator.feature_names)))


def members_of(estimator: Predictor) -> tuple[TerseEstimator, ...]:
    """Return the trainings of an ensemble; empty for a model that was trained once.

    Examples
    --------
    >>> from earnest_interpret.testing import SaturatingEnsemble, SaturatingEstimator
    >>> members_of(SaturatingEstimator())
    ()
    >>> len(members_of(SaturatingEnsemble(members=(SaturatingEstimator(), SaturatingEstimator(constant=0.8)))))
    2
    """
    members = tuple(estimator.members) if isinstance(estimator, Ensemble) else ()
    return members if len(members) > 1 else ()
