"""The estimator in a bundle: what the other packages may ask of a trained network."""

from pathlib import Path
from typing import Literal, final

import numpy as np
import numpy.typing as npt
import polars as pl
from earnest_common.batch import CatalogBatch
from earnest_common.bundle import BundleDescription
from earnest_common.errors import IntegrityError
from earnest_common.schema import PREDICTIONS

from earnest_model.arrays import Arrays
from earnest_model.calibration import Calibration
from earnest_model.distribution import Histogram
from earnest_model.features import FeatureSet, outside_training_range, to_arrays
from earnest_model.inference import PooledInference
from earnest_model.networks.pooled import PooledNetwork
from earnest_model.networks.storage import load_network

__all__ = ["GOLDEN_NAME", "NETWORK_NAME", "PooledEstimator", "load"]

NETWORK_NAME = "model.keras"
GOLDEN_NAME = "golden.npz"
_GOLDEN_TOLERANCE = 1e-3

FloatArray = npt.NDArray[np.float64]


@final
class PooledEstimator:
    """A trained ``pooled`` network with its inputs and its calibration (a ``TerseEstimator``).

    Parameters
    ----------
    network
        The network.
    description
        What it was trained on and expects.
    max_rows
        Most clusters in one slice of work; bounds memory, changes no result beyond rounding.
    """

    def __init__(self, network: PooledNetwork, description: BundleDescription, *, max_rows: int = 100_000) -> None:
        self._description = description
        self._features = FeatureSet.of(description)
        self.max_rows = max_rows
        self._inference = PooledInference(network, max_rows=max_rows)
        self._calibration = Calibration.of(description.calibration)
        self.histogram = Histogram(tuple(network.edges))

    @property
    def description(self) -> BundleDescription:
        """What the network was trained on and expects."""
        return self._description

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Names of the encoder's inputs."""
        return self._features.names

    def predict(self, batch: CatalogBatch) -> pl.DataFrame:
        """Return one row per catalog (schema ``PREDICTIONS``), in the order of the batch.

        Raises
        ------
        InputError
            If the network cannot use the catalogs, see :func:`earnest_model.features.to_arrays`.
        """
        return self.infer(batch)[0]

    def infer(self, batch: CatalogBatch) -> tuple[pl.DataFrame, tuple[FloatArray, FloatArray]]:
        """Return predictions (schema ``PREDICTIONS``) and the ends of the central 95 % intervals."""
        probability = self.probability(batch)
        low, high = self._calibration.interval(self.histogram, probability, level=0.68)
        columns = {
            "catalog_id": batch.catalogs.get_column("catalog_id"),
            "sigma8": self.histogram.mean(probability),
            "sigma8_err": self.histogram.std(probability) * self._calibration.factor_68,
            "sigma8_lo68": low,
            "sigma8_hi68": high,
        }
        predictions = pl.DataFrame(columns, schema=PREDICTIONS.polars_schema)
        return predictions, self._calibration.interval(self.histogram, probability, level=0.95)

    def probability(self, batch: CatalogBatch) -> FloatArray:
        """Return the probability of each bin of sigma8 before calibration, shape (n_catalogs, n_bins)."""
        return self._inference.probability(self._arrays(batch))

    def encode(self, batch: CatalogBatch) -> FloatArray:
        """Return the terse value of each cluster, shape (n_clusters,)."""
        return self._inference.terse(self._arrays(batch))

    def gradient(self, batch: CatalogBatch, *, of: Literal["terse", "sigma8"]) -> FloatArray:
        """Return the derivative with respect to the scaled encoder inputs, shape (n_clusters, n_features).

        Parameters
        ----------
        batch
            The catalogs.
        of
            The cluster's own terse value, or its catalog's mean sigma8.
        """
        arrays = self._arrays(batch)
        return self._inference.terse_gradient(arrays) if of == "terse" else self._inference.mean_gradient(arrays)

    def leave_one_out(self, batch: CatalogBatch) -> FloatArray:
        """Return sigma8 without each cluster minus sigma8 with all, shape (n_clusters,); NaN for a lone cluster."""
        return self._inference.leave_one_out(self._arrays(batch))

    def outside_training_range(self, batch: CatalogBatch) -> list[str]:
        """Return one sentence for each column with clusters outside the range that was seen in training."""
        return outside_training_range(batch, self._features, self._description.scaling)

    def _arrays(self, batch: CatalogBatch) -> Arrays:
        return to_arrays(batch, self._features, self._description.scaling)


def load(path: Path, description: BundleDescription) -> PooledEstimator:
    """Return the estimator in a bundle (the entry point ``keras`` of ``earnest.estimators``).

    The network must repeat the predictions that were stored with it.

    Raises
    ------
    IntegrityError
        If the network cannot be read or gives other predictions than when it was stored.
    """
    try:
        network = load_network(path / NETWORK_NAME)
        with np.load(path / GOLDEN_NAME) as stored:
            golden = {name: stored[name] for name in stored.files}
        inputs = (golden["encoder"], golden["supplementary"], golden["counts"])
        difference = float(np.abs(np.asarray(network(inputs)) - golden["logits"]).max())
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise IntegrityError(
            f"bundle {path}: {NETWORK_NAME} cannot be read ({error}); train the bundle again"
        ) from error
    if not difference <= _GOLDEN_TOLERANCE:
        raise IntegrityError(
            f"bundle {path}: the network's stored predictions are not repeated (logits differ by {difference:.2g}, "
            f"allowed {_GOLDEN_TOLERANCE}); it was trained with {dict(description.versions)}: install these versions"
        )
    return PooledEstimator(network, description)
