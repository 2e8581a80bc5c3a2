"""Questions to a ``paper`` network, whose convolutions need whole catalogs."""

import itertools
from collections.abc import Iterator
from typing import Any, final

import numpy as np
import numpy.typing as npt

from earnest_model.arrays import Arrays, Float32Array, FloatArray
from earnest_model.backend import tf
from earnest_model.inference.base import ROWS, AbstractInference, TerseQuestions
from earnest_model.networks.paper import PaperNetwork

__all__ = ["PaperInference"]

Tensor = Any  # TensorFlow has no useful static types
_COUNTS = tf.TensorSpec((None,), tf.int32)


@final
class PaperInference(AbstractInference):
    """Compiled questions to one network.

    Parameters
    ----------
    network
        The network.
    max_rows
        Most clusters in one slice of work, unless a single catalog is larger.
    """

    def __init__(self, network: PaperNetwork, *, max_rows: int) -> None:
        self.network, self.max_rows = network, max_rows
        self._terse = TerseQuestions(network.terse, max_rows=max_rows)
        self._decode = tf.function(network.decode, input_signature=[ROWS, _COUNTS])
        self._read = tf.function(
            lambda *rows: network.head.sigma8(network.decode(*rows)), input_signature=[ROWS, _COUNTS]
        )
        self._slope = tf.function(self._slope_of_sigma8, input_signature=[ROWS, ROWS, _COUNTS])

    def outputs(self, arrays: Arrays) -> FloatArray:
        """Return the scaled values, shape (n_catalogs, 1)."""
        return self._by_catalog(self._decode, self._joined(arrays), arrays.counts)

    def sigma8(self, arrays: Arrays) -> FloatArray:
        """Return the inferred value of each catalog, shape (n_catalogs,)."""
        return self._by_catalog(self._read, self._joined(arrays), arrays.counts)

    def terse(self, arrays: Arrays) -> FloatArray:
        """Return the terse value of each cluster, shape (n_clusters,)."""
        return self._terse.values(arrays)

    def terse_gradient(self, arrays: Arrays) -> FloatArray:
        """Return d terse / d encoder inputs, shape (n_clusters, n_features)."""
        return self._terse.gradient(arrays)

    def sigma8_gradient(self, arrays: Arrays) -> FloatArray:
        """Return d (its catalog's sigma8) / d encoder inputs of each cluster, shape (n_clusters, n_features)."""
        splits, parts = arrays.row_splits, []
        for start, stop in self._groups(arrays.counts):
            rows = slice(splits[start], splits[stop])
            parts.append(
                self._slope(arrays.encoder[rows], arrays.supplementary[rows], arrays.counts[start:stop]).numpy()
            )
        return np.concatenate(parts).astype(np.float64)

    def leave_one_out(self, arrays: Arrays) -> FloatArray:
        """Return sigma8 without each cluster minus with all, shape (n_clusters,); NaN below the smallest catalog.

        Each cluster costs a prediction of the convolutional part; the encoder is asked once.
        """
        joined, whole = self._joined(arrays), self.sigma8(arrays)
        parts = []
        for number, (start, stop) in enumerate(itertools.pairwise(arrays.row_splits)):
            n = int(stop - start)
            if n <= self.network.fewest_clusters:
                parts.append(np.full(n, np.nan))
                continue
            # Row i of the square holds the places 0 ... n - 1 without i.
            others = np.arange(n - 1) + (np.arange(n - 1) >= np.arange(n)[:, None])
            found = self._by_catalog(self._read, joined[start:stop][others.ravel()], np.full(n, n - 1, np.int32))
            parts.append(found - whole[number])
        return np.concatenate(parts)

    def _joined(self, arrays: Arrays) -> Float32Array:
        terse = self._terse.values(arrays).astype(np.float32)
        return np.concatenate([terse[:, None], arrays.supplementary], axis=1)

    def _groups(self, counts: npt.NDArray[np.int32]) -> Iterator[tuple[int, int]]:
        """Yield ranges of whole catalogs with at most ``max_rows`` clusters, at least one catalog each."""
        start, held = 0, 0
        for number, n in enumerate(counts.tolist()):
            if held and held + n > self.max_rows:
                yield start, number
                start, held = number, 0
            held += n
        yield start, len(counts)

    def _by_catalog(self, ask: Any, joined: Float32Array, counts: npt.NDArray[np.int32]) -> FloatArray:  # noqa: ANN401
        splits = np.concatenate(([0], np.cumsum(counts)))
        parts = [
            ask(joined[splits[start] : splits[stop]], counts[start:stop]).numpy()
            for start, stop in self._groups(counts)
        ]
        return np.concatenate(parts).astype(np.float64)

    def _slope_of_sigma8(self, encoder: Tensor, supplementary: Tensor, counts: Tensor) -> Tensor:
        with tf.GradientTape() as tape:
            tape.watch(encoder)
            value = self.network.head.sigma8(self.network((encoder, supplementary, counts)))
        return tape.gradient(value, encoder)
