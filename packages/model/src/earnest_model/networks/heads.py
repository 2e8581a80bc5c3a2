"""What the last layer of a network means: a distribution of sigma8, or one value of it."""

import itertools
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, final

import numpy as np
from earnest_common.posterior import Posterior

from earnest_model.data.arrays import FloatArray
from earnest_model.networks.backend import tf
from earnest_model.networks.calibration import Calibration, fit_calibration
from earnest_model.networks.distribution import Histogram

__all__ = ["AbstractHead", "HistogramHead", "Inferred", "PointHead"]

Tensor = Any  # TensorFlow has no useful static types
Interval = tuple[FloatArray, FloatArray]
_LEVELS = {"lo95": 0.025, "lo68": 0.16, "hi68": 0.84, "hi95": 0.975}
_TINY = 1e-30
"""Smallest probability whose logarithm an ensemble keeps."""
_MORE_LEVELS = {f"q{percent:02d}": percent / 100 for percent in range(1, 100)}


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Inferred:
    """One inferred label of some catalogs: value, error, and the ends of central intervals, each of shape (n,).

    ``cumulative`` returns the probability below n values, one for each catalog; calibration of intervals apart.
    """

    value: FloatArray
    error: FloatArray
    interval_68: Interval
    interval_95: Interval
    cumulative: Callable[[FloatArray], FloatArray]


class AbstractHead(ABC):
    """How outputs of shape (n_catalogs, size) are trained and read."""

    @property
    @abstractmethod
    def size(self) -> int:
        """Outputs per catalog."""

    @abstractmethod
    def targets(self, labels: FloatArray) -> FloatArray:
        """Return what the loss compares outputs with, shape (n, n_labels), from labels."""

    @abstractmethod
    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the mean loss."""

    @abstractmethod
    def squared_error(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the mean squared error of the inferred value, in units of the labels' range."""

    @abstractmethod
    def sigma8(self, outputs: Tensor) -> Tensor:
        """Return the inferred value, differentiable and in double precision, shape (n,)."""

    @abstractmethod
    def calibrate(self, outputs: FloatArray, labels: FloatArray) -> dict[str, Any]:
        """Return constants, fitted on validation catalogs, with which intervals cover what they say."""

    @abstractmethod
    def combine(self, outputs: Sequence[FloatArray]) -> FloatArray:
        """Return the outputs of an ensemble from those of its members."""

    @abstractmethod
    def infer(self, outputs: FloatArray, calibration: Mapping[str, Any]) -> dict[str, Inferred]:
        """Return values with errors and intervals of each label, sigma8 first."""


@final
class HistogramHead(AbstractHead):
    """Outputs are logits of the bins of histograms; the loss is the negative log-probability of the true bins.

    Parameters
    ----------
    histogram
        Bins of sigma8.
    others
        Bins of other labels. Each label has its marginal distribution; how they go together is not told.
    """

    def __init__(self, histogram: Histogram, others: Mapping[str, Histogram] | None = None) -> None:
        self.histogram = histogram
        self.labels = {"sigma8": histogram, **(others or {})}

    @property
    def size(self) -> int:
        """Outputs per catalog."""
        return sum(len(histogram.centres) for histogram in self.labels.values())

    def parts(self, outputs: Tensor) -> list[Tensor]:
        """Return the logits of each label."""
        ends = np.cumsum([0, *(len(histogram.centres) for histogram in self.labels.values())]).tolist()
        return [outputs[:, start:stop] for start, stop in itertools.pairwise(ends)]

    def targets(self, labels: FloatArray) -> FloatArray:
        """Return the bin of each label."""
        columns = zip(self.labels.items(), labels.T, strict=True)
        bins = [histogram.index(column, name=name) for (name, histogram), column in columns]
        return np.stack(bins, axis=1).astype(np.float64)

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the mean cross-entropy [nat], added up over labels."""
        index = tf.cast(targets, tf.int32)
        entropies = [
            tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(index[:, i], part))
            for i, part in enumerate(self.parts(outputs))
        ]
        return tf.add_n(entropies)

    def squared_error(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the mean squared error of the mean of the distribution, against the middle of the true bin."""
        centres = self.histogram.centres
        true = tf.gather(tf.constant(centres, tf.float64), tf.cast(targets[:, 0], tf.int32))
        return tf.reduce_mean(tf.square((self.sigma8(outputs) - true) / (centres[-1] - centres[0])))

    def sigma8(self, outputs: Tensor) -> Tensor:
        """Return the mean of the distribution."""
        probability = tf.nn.softmax(tf.cast(self.parts(outputs)[0], tf.float64))
        return tf.linalg.matvec(probability, tf.constant(self.histogram.centres, tf.float64))

    def calibrate(self, outputs: FloatArray, labels: FloatArray) -> dict[str, Any]:
        """Return factors on the widths of intervals; those of other labels by name in ``others``."""
        columns = zip(self.labels.items(), self.parts(outputs), labels.T, strict=True)
        found = {
            name: fit_calibration(histogram, _probability(part), column).as_dict()
            for (name, histogram), part, column in columns
        }
        return {**found.pop("sigma8"), **({"others": found} if found else {})}

    def combine(self, outputs: Sequence[FloatArray]) -> FloatArray:
        """Return the logits of the mean of the members' probabilities."""
        by_label = zip(*(self.parts(one) for one in outputs), strict=True)
        return np.concatenate(
            [np.log(np.maximum(np.mean([_probability(part) for part in parts], axis=0), _TINY)) for parts in by_label],
            axis=1,
        )

    def posteriors(self, outputs: FloatArray) -> list[Posterior]:
        """Return the distribution of sigma8 of each catalog, before its intervals are calibrated."""
        edges, rows = np.asarray(self.histogram.edges), _probability(self.parts(outputs)[0].astype(np.float64))
        return [Posterior(edges=edges, probability=row) for row in rows]

    def infer(self, outputs: FloatArray, calibration: Mapping[str, Any]) -> dict[str, Inferred]:
        """Return mean, standard deviation and intervals of each distribution."""
        factors = {"sigma8": calibration, **calibration.get("others", {})}
        return {
            name: _inferred(histogram, _probability(part), Calibration.of(factors[name]))
            for (name, histogram), part in zip(self.labels.items(), self.parts(outputs), strict=True)
        }


def _probability(logits: FloatArray) -> FloatArray:
    """Return the probability of each bin, shape (n, n_bins)."""
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    probability: FloatArray = raised / raised.sum(axis=1, keepdims=True)
    return probability


def _inferred(histogram: Histogram, probability: FloatArray, factors: Calibration) -> Inferred:
    return Inferred(
        value=histogram.mean(probability),
        error=histogram.std(probability) * factors.factor_68,
        interval_68=factors.interval(histogram, probability, level=0.68),
        interval_95=factors.interval(histogram, probability, level=0.95),
        cumulative=partial(histogram.cumulative, probability),
    )


@final
class PointHead(AbstractHead):
    """The output is sigma8, scaled linearly; the loss is the mean absolute error (paper, section 3.3).

    Parameters
    ----------
    low, width
        Offset and width of the label's scaling.
    """

    def __init__(self, low: float, width: float) -> None:
        self.low, self.width = low, width

    @property
    def size(self) -> int:
        """Outputs per catalog."""
        return 1

    def targets(self, labels: FloatArray) -> FloatArray:
        """Return scaled labels."""
        return (labels - self.low) / self.width

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the mean absolute error of the scaled value."""
        return tf.reduce_mean(tf.abs(outputs - targets))

    def squared_error(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the mean squared error of the scaled value (the paper's figure 7)."""
        return tf.reduce_mean(tf.square(outputs - targets))

    def sigma8(self, outputs: Tensor) -> Tensor:
        """Return the value."""
        return tf.cast(outputs[:, 0], tf.float64) * self.width + self.low

    def calibrate(self, outputs: FloatArray, labels: FloatArray) -> dict[str, Any]:
        """Return quantiles and spread of true minus inferred sigma8: one error for all catalogs."""
        residual = (labels - (outputs * self.width + self.low))[:, 0]
        levels = {**_LEVELS, **_MORE_LEVELS}
        quantiles = {name: float(np.quantile(residual, level)) for name, level in levels.items()}
        return {**quantiles, "std": float(residual.std()), "n_catalogs": len(labels)}

    def combine(self, outputs: Sequence[FloatArray]) -> FloatArray:
        """Return the mean of the members' values."""
        combined: FloatArray = np.mean(outputs, axis=0)
        return combined

    def infer(self, outputs: FloatArray, calibration: Mapping[str, Any]) -> dict[str, Inferred]:
        """Return values with the error and intervals of the validation catalogs."""
        value = outputs[:, 0] * self.width + self.low
        levels = {**_LEVELS, **_MORE_LEVELS}
        known = sorted((float(calibration[name]), level) for name, level in levels.items() if name in calibration)
        errors, shares = np.array(known).T
        ends = {name: value + float(calibration[name]) for name in _LEVELS}
        found = Inferred(
            value=value,
            error=np.full(len(value), float(calibration["std"])),
            interval_68=(ends["lo68"], ends["hi68"]),
            interval_95=(ends["lo95"], ends["hi95"]),
            cumulative=lambda sigma8: np.interp(sigma8 - value, errors, shares, left=0.0, right=1.0),
        )
        return {"sigma8": found}
