"""The estimator in a bundle: what the other packages may ask of a trained network."""

import warnings
from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import Literal, final

import numpy as np
import numpy.typing as npt
import polars as pl
from earnest_common.bundle import BundleDescription, read_bundle
from earnest_common.catalogs.batch import CatalogBatch
from earnest_common.errors import EarnestError, InputError, IntegrityError
from earnest_common.notebook import html_table, short
from earnest_common.posterior import Posterior
from earnest_common.run.seeds import Stage, generator

from earnest_model.bundle.golden import check_golden
from earnest_model.config import MAX_ROWS
from earnest_model.data.arrays import Arrays
from earnest_model.data.features import (
    FeatureSet,
    Range,
    count_outside,
    far_outside,
    outside_training_range,
    ranges,
    to_arrays,
)
from earnest_model.data.missing import missing_in_words
from earnest_model.evaluation.predictions import prediction_frame
from earnest_model.networks import architecture
from earnest_model.networks.calibration import calibration_for
from earnest_model.networks.ensemble import EnsembleInference
from earnest_model.networks.heads import HistogramHead, Inferred
from earnest_model.networks.protocol import Network
from earnest_model.networks.queries import AbstractInference
from earnest_model.networks.storage import load_network

__all__ = ["NETWORK_NAME", "NetworkEstimator", "OutsideTrainingWarning", "ask", "load", "network_names"]

NETWORK_NAME = "model.keras"

FloatArray = npt.NDArray[np.float64]


class OutsideTrainingWarning(UserWarning):
    """Catalogs lie far outside what a model was trained on."""


@final
class NetworkEstimator:
    """A trained network with its inputs and its calibration (a ``TerseEstimator``).

    Parameters
    ----------
    networks
        One network, or several that were trained alike: an ensemble, whose distribution is the mean of theirs.
    description
        What it was trained on and expects.
    max_rows
        Most clusters in one slice of work; bounds memory, changes no result beyond rounding.
    """

    def __init__(
        self, networks: Sequence[Network], description: BundleDescription, *, max_rows: int = MAX_ROWS
    ) -> None:
        self.networks, self.max_rows = tuple(networks), max_rows
        self._description = description
        self._features = FeatureSet.of(description)
        self._inference = ask(description.training["architecture"], self.networks, max_rows)

    def __repr__(self) -> str:
        """Return one line: the architecture, how long it was trained, and how well it did on validation catalogs."""
        told = self._told()
        numbers = [name for name in ("parameters", "seed", "seeds", "steps") if name in told]
        words = [str(told["architecture"]), *(f"{name} {told[name]}" for name in numbers)]
        scatter = f"validation scatter {told['validation scatter']} (prior {told['prior scatter']})"
        emulated = ", with emulated parts" if self._description.synthetic else ""
        return f"NetworkEstimator({', '.join([*words, scatter])}{emulated})"

    def _repr_html_(self) -> str:
        inputs = (*self._description.features, *self._description.supplementary)
        return html_table(
            "NetworkEstimator", {**self._told(), "reads": inputs, "synthetic": self._description.synthetic}
        )

    def _told(self) -> dict[str, str]:
        """Return what the training says of itself."""
        training = self._description.training
        last = training.get("validation", {})
        told = {name: training.get(name) for name in ("architecture", "seed", "seeds") if name in training}
        told |= {"parameters": training.get("n_parameters"), "steps": last.get("step")}
        told |= {"validation scatter": last.get("scatter"), "prior scatter": last.get("prior_scatter")}
        return {name: short(value) for name, value in told.items()}

    @property
    def network(self) -> Network:
        """The network, of an ensemble the first."""
        return self.networks[0]

    @property
    def members(self) -> tuple["NetworkEstimator", ...]:
        """The networks of an ensemble, each by itself; of one network: itself."""
        if len(self.networks) == 1:
            return (self,)
        return tuple(NetworkEstimator([one], self._description, max_rows=self.max_rows) for one in self.networks)

    @property
    def description(self) -> BundleDescription:
        """What the network was trained on and expects."""
        return self._description

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Names of the encoder's inputs."""
        return self._features.names

    @property
    def accepts_missing(self) -> tuple[str, ...]:
        """Columns that catalogs may lack, for some or all of their clusters."""
        return self._features.optional

    def predict(self, batch: CatalogBatch) -> pl.DataFrame:
        """Return one row per catalog (``PREDICTIONS``, then ``n_outside``, ``missing`` and other labels), in order.

        Where supplementary columns may be missing (:attr:`accepts_missing`), ``missing`` names those that a catalog
        lacks, and its errors are calibrated for catalogs without them.

        Warns
        -----
        OutsideTrainingWarning
            If the number of clusters of a catalog, or most values of a column, lie far outside the range that was seen
            in training, see :func:`earnest_model.data.features.far_outside`; ``n_outside`` counts all values outside
            it.

        Raises
        ------
        InputError
            If the network cannot use the catalogs, see :func:`earnest_model.data.features.to_arrays`.
        """
        return self.infer(batch)[0]

    def infer(self, batch: CatalogBatch) -> tuple[pl.DataFrame, Inferred]:
        """Return predictions (schema ``PREDICTIONS``, then other labels) and the distributions of sigma8."""
        arrays, optional = self._arrays(batch), self._features.optional
        calibration = calibration_for(self._description.calibration, arrays, optional)
        found = self.network.head.infer(self._inference.outputs(arrays), calibration)
        missing = missing_in_words(arrays, optional) if optional else None
        n_outside = count_outside(batch, self._features, self._description.scaling)
        if n_outside.any():
            self._warn_far_outside(batch)
        return prediction_frame(batch.catalogs.get_column("catalog_id"), found, n_outside, missing), found["sigma8"]

    def posteriors(self, batch: CatalogBatch) -> list[Posterior]:
        """Return the distribution of sigma8 of each catalog, as the network tells it.

        The calibration widens errors and intervals of :meth:`predict`, not these.

        Raises
        ------
        InputError
            If the network infers a value and no distribution, or cannot use the catalogs.
        """
        head = self.network.head
        if not isinstance(head, HistogramHead):
            name = self._description.training["architecture"]
            raise InputError(f"architecture '{name}' infers one value and no distribution; use 'pooled'")
        return head.posteriors(self._inference.outputs(self._arrays(batch)))

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
        return self._inference.terse_gradient(arrays) if of == "terse" else self._inference.sigma8_gradient(arrays)

    def leave_one_out(self, batch: CatalogBatch) -> FloatArray:
        """Return sigma8 without each cluster minus sigma8 with all, shape (n_clusters,); NaN where undefined."""
        return self._inference.leave_one_out(self._arrays(batch))

    def randomised(self, seed: int) -> "NetworkEstimator":
        """Return the same network with the learned weights of each layer shuffled; fixed input maps stay.

        Saliency that stays the same does not come from what was learned (Adebayo et al., arXiv:1810.03292).
        """
        rng = generator(seed, Stage.TRAINING)
        networks = [_shuffled_weights(network, rng) for network in self.networks]
        return NetworkEstimator(networks, self._description, max_rows=self.max_rows)

    def outside_training_range(self, batch: CatalogBatch) -> list[str]:
        """Return one sentence for each column with clusters outside the range that was seen in training."""
        return outside_training_range(self.ranges(batch), self._description.scaling)

    def _warn_far_outside(self, batch: CatalogBatch) -> None:
        scaling = self._description.scaling
        far = outside_training_range(far_outside(self.ranges(batch), scaling), scaling)
        if far:
            warnings.warn(
                "estimates are extrapolations, whose errors are not calibrated: " + "; ".join(far),
                OutsideTrainingWarning,
                stacklevel=3,
            )

    def ranges(self, batch: CatalogBatch) -> dict[str, Range]:
        """Return for each column what the catalogs hold of it, against the range that was seen in training."""
        return ranges(batch, self._features, self._description.scaling)

    def _arrays(self, batch: CatalogBatch) -> Arrays:
        return to_arrays(batch, self._features, self._description.scaling)


def _shuffled_weights(network: Network, rng: np.random.Generator) -> Network:
    shuffled = type(network).from_config(network.get_config())
    shuffled.set_weights(network.get_weights())
    for weight in shuffled.trainable_variables:
        values = weight.numpy()
        weight.assign(rng.permutation(values.ravel()).reshape(values.shape))
    return shuffled


def ask(kind: str, networks: Sequence[Network], max_rows: int) -> AbstractInference:
    """Return the questions to one network, or to an ensemble of several."""
    each = [architecture(kind).ask(network, max_rows) for network in networks]
    return each[0] if len(each) == 1 else EnsembleInference(each, networks[0].head)


def network_names(description: BundleDescription) -> list[str]:
    """Return the files of a bundle's networks."""
    seeds = description.training.get("seeds", ())
    return [f"model-{seed}.keras" for seed in seeds] if seeds else [NETWORK_NAME]


def load(path: str | PathLike[str], description: BundleDescription | None = None) -> NetworkEstimator:
    """Return the estimator in a bundle (the entry point ``keras`` of ``earnest.estimators``).

    The network must repeat the predictions that were stored with it.

    Parameters
    ----------
    path
        Folder of the bundle.
    description
        Its description, if it was read and checked already.

    Raises
    ------
    IntegrityError
        If the network cannot be read or gives other predictions than when it was stored.

    Examples
    --------
    >>> load("thesis")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    earnest_common.errors.InputError: thesis is not a model bundle: ...
    """
    path = Path(path)
    description = read_bundle(path) if description is None else description
    try:
        networks = [load_network(path / name) for name in network_names(description)]
        check_golden(path, networks, description)
    except (MemoryError, EarnestError):
        raise
    except Exception as error:  # whatever a damaged file makes of Keras, NumPy and the archives they read
        # The words of Keras are not quoted: they advise to run code that a file brings along.
        raise IntegrityError(
            f"bundle {path}: a network in it cannot be read, or is no network of earnest ({type(error).__name__}); "
            "train the bundle again"
        ) from error
    return NetworkEstimator(networks, description)
