"""What a trained ``pooled`` network says of catalogs: distributions, terse values, gradients, leave-one-out.

All of it works through the clusters in slices, so that memory does not grow with the catalogs.
"""

from collections.abc import Iterator
from typing import Any, final

import numpy as np
import numpy.typing as npt

from earnest_model.arrays import Arrays
from earnest_model.backend import tf
from earnest_model.networks.pooled import PooledNetwork

__all__ = ["PooledInference"]

FloatArray = npt.NDArray[np.float64]
_ROWS = tf.TensorSpec((None, None), tf.float32)


@final
class PooledInference:
    """Compiled questions to one network.

    Parameters
    ----------
    network
        The network.
    max_rows
        Most clusters, or catalogs, in one slice of work.
    """

    def __init__(self, network: PooledNetwork, *, max_rows: int = 100_000) -> None:
        self.network, self.max_rows = network, max_rows
        self.centres = (np.asarray(network.edges)[1:] + np.asarray(network.edges)[:-1]) / 2
        self._members = tf.function(network.members, input_signature=[_ROWS, _ROWS])
        self._terse = tf.function(network.terse, input_signature=[_ROWS])
        self._decode = tf.function(self._softmax, input_signature=[_ROWS, tf.TensorSpec((None,), tf.float32)])
        self._terse_slope = tf.function(self._slope_of_terse, input_signature=[_ROWS])
        self._member_slope = tf.function(self._slope_of_members, input_signature=[_ROWS] * 3)
        self._mean_slope = tf.function(self._slope_of_mean, input_signature=[_ROWS, tf.TensorSpec((None,), tf.float32)])

    def sums(self, arrays: Arrays) -> FloatArray:
        """Return the sums over each catalog, shape (n_catalogs, n_pooled)."""
        segments = np.repeat(np.arange(arrays.n_catalogs), arrays.counts)
        total = np.zeros((arrays.n_catalogs, self.network.n_pooled))
        for rows in self._slices(len(segments)):
            terms = self._members(arrays.encoder[rows], arrays.supplementary[rows]).numpy().astype(np.float64)
            starts = np.flatnonzero(np.diff(segments[rows], prepend=-1))
            total[segments[rows][starts]] += np.add.reduceat(terms, starts)
        return total

    def probability(self, arrays: Arrays) -> FloatArray:
        """Return the probability of each bin of sigma8, shape (n_catalogs, n_bins)."""
        return self._probability(self.sums(arrays), arrays.counts)

    def terse(self, arrays: Arrays) -> FloatArray:
        """Return the terse value of each cluster, shape (n_clusters,)."""
        parts = [self._terse(arrays.encoder[rows]).numpy()[:, 0] for rows in self._slices(len(arrays.encoder))]
        return np.concatenate(parts).astype(np.float64)

    def terse_gradient(self, arrays: Arrays) -> FloatArray:
        """Return d terse / d encoder inputs, shape (n_clusters, n_features)."""
        parts = [self._terse_slope(arrays.encoder[rows]).numpy() for rows in self._slices(len(arrays.encoder))]
        return np.concatenate(parts).astype(np.float64)

    def mean_gradient(self, arrays: Arrays) -> FloatArray:
        """Return d (mean sigma8 of its catalog) / d encoder inputs of each cluster, shape (n_clusters, n_features)."""
        sums, counts = self.sums(arrays).astype(np.float32), arrays.counts.astype(np.float32)
        slopes = [self._mean_slope(sums[part], counts[part]).numpy() for part in self._slices(len(sums))]
        slope = np.concatenate(slopes)
        segments = np.repeat(np.arange(arrays.n_catalogs), arrays.counts)
        parts = [
            self._member_slope(arrays.encoder[rows], arrays.supplementary[rows], slope[segments[rows]]).numpy()
            for rows in self._slices(len(segments))
        ]
        return np.concatenate(parts).astype(np.float64)

    def leave_one_out(self, arrays: Arrays) -> FloatArray:
        """Return mean sigma8 without each cluster minus with all, shape (n_clusters,); NaN for a lone cluster.

        Exact: a cluster leaves by taking its term from the sums and 1 from N.
        """
        sums = self.sums(arrays)
        whole = self._probability(sums, arrays.counts) @ self.centres
        segments = np.repeat(np.arange(arrays.n_catalogs), arrays.counts)
        parts = []
        for rows in self._slices(len(segments)):
            terms = self._members(arrays.encoder[rows], arrays.supplementary[rows]).numpy()
            here = segments[rows]
            left = arrays.counts[here] - 1
            without = self._probability(sums[here] - terms, np.maximum(left, 1)) @ self.centres
            parts.append(np.where(left > 0, without - whole[here], np.nan))
        return np.concatenate(parts)

    def _probability(self, sums: FloatArray, counts: npt.NDArray[Any]) -> FloatArray:
        parts = [
            self._decode(sums[part].astype(np.float32), counts[part].astype(np.float32)).numpy()
            for part in self._slices(len(sums))
        ]
        return np.concatenate(parts).astype(np.float64)

    def _slices(self, n_rows: int) -> Iterator[slice]:
        for start in range(0, n_rows, self.max_rows):
            yield slice(start, min(start + self.max_rows, n_rows))

    def _softmax(self, sums: Any, counts: Any) -> Any:  # noqa: ANN401 - TensorFlow has no useful static types
        # In double precision, so that probabilities of far bins and small differences between catalogs survive.
        return tf.nn.softmax(tf.cast(self.network.decode(sums, counts), tf.float64))

    def _slope_of_terse(self, encoder: Any) -> Any:  # noqa: ANN401
        with tf.GradientTape() as tape:
            tape.watch(encoder)
            terse = self.network.terse(encoder)
        return tape.gradient(terse, encoder)

    def _slope_of_members(self, encoder: Any, supplementary: Any, weight: Any) -> Any:  # noqa: ANN401
        with tf.GradientTape() as tape:
            tape.watch(encoder)
            terms = self.network.members(encoder, supplementary)
        return tape.gradient(terms, encoder, output_gradients=weight)

    def _slope_of_mean(self, sums: Any, counts: Any) -> Any:  # noqa: ANN401
        with tf.GradientTape() as tape:
            tape.watch(sums)
            mean = tf.linalg.matvec(self._softmax(sums, counts), tf.constant(self.centres, tf.float64))
        return tape.gradient(mean, sums)
