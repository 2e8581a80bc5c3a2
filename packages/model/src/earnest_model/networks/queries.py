"""What may be asked of any network, and how work is divided into slices."""

import functools
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import Any, final

import numpy as np
import numpy.typing as npt

from earnest_model.data.arrays import Arrays, FloatArray
from earnest_model.networks.backend import tf

__all__ = ["ROWS", "AbstractInference", "TerseQueries", "catalog_of", "rows_for", "slices"]

Tensor = Any  # TensorFlow has no useful static types
ROWS = tf.TensorSpec((None, None), tf.float32)
_TYPICAL_WIDTH = 256


class AbstractInference(ABC):
    """Compiled questions to one network; ``max_rows`` clusters at a time, so that memory does not grow."""

    @abstractmethod
    def outputs(self, arrays: Arrays) -> FloatArray:
        """Return the network's outputs, shape (n_catalogs, size)."""

    @abstractmethod
    def sigma8(self, arrays: Arrays) -> FloatArray:
        """Return the inferred value of each catalog, shape (n_catalogs,)."""

    @abstractmethod
    def terse(self, arrays: Arrays) -> FloatArray:
        """Return the terse value of each cluster, shape (n_clusters,)."""

    @abstractmethod
    def terse_gradient(self, arrays: Arrays) -> FloatArray:
        """Return d terse / d encoder inputs, shape (n_clusters, n_features)."""

    @abstractmethod
    def sigma8_gradient(self, arrays: Arrays) -> FloatArray:
        """Return d (its catalog's sigma8) / d encoder inputs of each cluster, shape (n_clusters, n_features)."""

    @abstractmethod
    def leave_one_out(self, arrays: Arrays) -> FloatArray:
        """Return sigma8 without each cluster minus with all, shape (n_clusters,); NaN where undefined."""


@final
class TerseQueries:
    """Terse values and their gradients, which need no catalog: a part of every inference."""

    def __init__(self, terse: Callable[[Tensor], Tensor], *, max_rows: int) -> None:
        self._max_rows = max_rows
        self._function = terse

    # Concrete functions: TensorFlow takes one function each of many networks for retracing, and would warn.
    @functools.cached_property
    def _values(self) -> Callable[[Tensor], Tensor]:
        return tf.function(self._function, input_signature=[ROWS]).get_concrete_function()  # type: ignore[no-any-return]

    @functools.cached_property
    def _slopes(self) -> Callable[[Tensor], Tensor]:
        return tf.function(self._slope, input_signature=[ROWS]).get_concrete_function()  # type: ignore[no-any-return]

    def values(self, arrays: Arrays) -> FloatArray:
        """Return the terse values, shape (n_clusters,)."""
        parts = [self._values(tf.constant(arrays.encoder[rows])).numpy()[:, 0] for rows in self._slices(arrays)]
        return np.concatenate(parts).astype(np.float64)

    def gradient(self, arrays: Arrays) -> FloatArray:
        """Return d terse / d encoder inputs, shape (n_clusters, n_features)."""
        parts = [self._slopes(tf.constant(arrays.encoder[rows])).numpy() for rows in self._slices(arrays)]
        return np.concatenate(parts).astype(np.float64)

    def _slices(self, arrays: Arrays) -> Iterator[slice]:
        return slices(len(arrays.encoder), self._max_rows)

    def _slope(self, encoder: Tensor) -> Tensor:
        with tf.GradientTape() as tape:
            tape.watch(encoder)
            terse = self._function(encoder)
        return tape.gradient(terse, encoder)


def catalog_of(arrays: Arrays) -> npt.NDArray[np.int64]:
    """Return the position of each cluster's catalog, shape (n_clusters,)."""
    return np.repeat(np.arange(arrays.n_catalogs, dtype=np.int64), arrays.counts)


def rows_for(width: int, max_rows: int) -> int:
    """Return how many rows cost as much memory as ``max_rows`` of a network that holds 256 numbers for each."""
    return max(1, max_rows * _TYPICAL_WIDTH // max(width, _TYPICAL_WIDTH))


def slices(n_rows: int, max_rows: int) -> Iterator[slice]:
    """Yield slices of at most ``max_rows`` rows that cover all."""
    for start in range(0, n_rows, max_rows):
        yield slice(start, min(start + max_rows, n_rows))
