"""Questions to a ``paper`` network, whose convolutions need whole catalogs."""

from collections.abc import Iterator
from typing import Any, final

import numpy as np
import numpy.typing as npt

from earnest_model.data.arrays import Arrays, Float32Array, FloatArray
from earnest_model.networks.backend import tf
from earnest_model.networks.paper.network import PaperNetwork
from earnest_model.networks.paper.removal import OWN_ROWS, RemovalPlan, plan_removals
from earnest_model.networks.queries import ROWS, AbstractInference, TerseQueries, catalog_of, rows_for, slices

__all__ = ["PaperInference"]

Tensor = Any  # TensorFlow has no useful static types
_COUNTS = tf.TensorSpec((None,), tf.int32)
_ROWS_PER_REMOVAL = 64
"""Rows that leaving out one cluster holds at a time: four of its own, times four taps and as many sums."""


@final
class PaperInference(AbstractInference):
    """Compiled questions to one network.

    Parameters
    ----------
    network
        The network.
    max_rows
        Most clusters in one slice of work of a narrow network; of a wide one so many fewer. A single catalog may be
        larger.
    """

    def __init__(self, network: PaperNetwork, *, max_rows: int) -> None:
        self.network, self.max_rows = network, max_rows
        self._rows = rows_for(network.row_width, max_rows)
        self._terse = TerseQueries(network.terse, max_rows=self._rows)
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
        """Return sigma8 without each cluster minus with all, shape (n_clusters,); NaN for a lone cluster.

        Exact, and far from a prediction for each cluster: the encoder is asked once, and of the convolutional part
        only rows near the gap are computed anew, see :mod:`earnest_model.networks.paper.removal`. Catalogs that are
        left with a single row before the last pooling are small enough to be read anew.
        """
        joined, splits, catalog = self._joined(arrays), arrays.row_splits, catalog_of(arrays)
        whole = self._by_catalog(self._read, joined, arrays.counts)
        place = np.arange(len(catalog)) - splits[catalog]
        if self.network.order == "brightest_last":
            place = arrays.counts[catalog] - 1 - place
        ordered = joined[splits[catalog] + place]  # as the network has them
        delta, full = np.full(len(catalog), np.nan), 2**self._levels
        large = np.flatnonzero(arrays.counts[catalog] > full)
        small = np.flatnonzero((arrays.counts[catalog] > 1) & (arrays.counts[catalog] <= full))
        for part in slices(len(large), max(1, self.max_rows // _ROWS_PER_REMOVAL)):
            removed = large[part]
            first, last = int(catalog[removed[0]]), int(catalog[removed[-1]]) + 1
            counts = arrays.counts[first:last].astype(np.int64)
            plan = plan_removals(counts, catalog[removed] - first, place[removed], levels=self._levels)
            delta[removed] = self._without(ordered[splits[first] : splits[last]], plan).numpy()
        for part in slices(len(small), max(1, self.max_rows // full)):
            delta[small[part]] = self._read_without(joined, arrays, small[part])
        return delta - whole[catalog]

    def _read_without(self, joined: Float32Array, arrays: Arrays, removed: npt.NDArray[np.int64]) -> FloatArray:
        """Return sigma8 of the catalogs of some clusters without them, read anew, shape (n_removed,)."""
        catalog = catalog_of(arrays)[removed]
        sizes = arrays.counts[catalog]
        starts = np.repeat(arrays.row_splits[catalog], sizes)
        rows = starts + np.arange(len(starts)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        rows = rows[rows != np.repeat(removed, sizes)]
        return self._by_catalog(self._read, joined[rows], (sizes - 1).astype(np.int32))

    @property
    def _levels(self) -> int:
        return len(self.network.convolution_layers)

    def _without(self, joined: Float32Array, plan: RemovalPlan) -> Tensor:
        """Return sigma8 of reduced catalogs, shape (n_removals,)."""
        rows = tf.pad(joined, [[1, 0], [0, 0]])
        for layer, windows in zip(self.network.convolution_layers, plan.windows, strict=True):
            rows = tf.pad(self._level(layer, rows, windows), [[1, 0], [0, 0]])
        floor = tf.fill((1, rows.shape[1]), rows.dtype.min)  # what is not there wins no maximum
        rows = tf.concat([floor, rows[1:]], axis=0)
        shared = rows[: len(plan.first)]
        values = tf.maximum(
            tf.gather(_running_maximum(shared, plan.first, step=-1), plan.before),
            tf.gather(_running_maximum(shared, plan.last, step=1), plan.behind),
        )
        for number in range(OWN_ROWS):
            values = tf.maximum(values, tf.gather(rows, plan.own[:, number]))
        return self.network.head.sigma8(self._dense(values))

    def _level(self, layer: Any, rows: Tensor, windows: npt.NDArray[np.int64]) -> Tensor:  # noqa: ANN401
        """Return pooled pairs of convolved rows; the product of a row with each tap is taken once for all."""
        kernel = layer.kernel  # (taps, inputs, filters)
        taps, inputs, filters = kernel.shape
        products = tf.matmul(rows, tf.reshape(tf.transpose(kernel, (1, 0, 2)), (inputs, taps * filters)))
        products = tf.reshape(products, (-1, filters))
        pair = [
            tf.nn.leaky_relu(
                layer.bias + tf.add_n([tf.gather(products, windows[:, k + lag] * taps + k) for k in range(taps)]),
                self.network.negative_slope,
            )
            for lag in (0, 1)
        ]
        return tf.maximum(*pair) if self.network.pooling == "max" else (pair[0] + pair[1]) / 2

    def _dense(self, values: Tensor) -> Tensor:
        network = self.network
        for number, layer in enumerate(network.dense_layers):
            values = layer(values)
            if number < len(network.dense_dropouts):
                values = tf.nn.leaky_relu(values, network.negative_slope)
        return values

    def _joined(self, arrays: Arrays) -> Float32Array:
        terse = self._terse.values(arrays).astype(np.float32)
        return np.concatenate([terse[:, None], arrays.supplementary], axis=1)

    def _groups(self, counts: npt.NDArray[np.int32]) -> Iterator[tuple[int, int]]:
        """Yield ranges of whole catalogs with few enough clusters, at least one catalog each."""
        start, held = 0, 0
        for number, n in enumerate(counts.tolist()):
            if held and held + n > self._rows:
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


def _running_maximum(rows: Tensor, limit: npt.NDArray[np.int64], *, step: int) -> Tensor:
    """Return the maximum of each row and all between it and its limit, by doubling the reach.

    ``step`` is -1 for limits in front of the rows and 1 for limits behind them.
    """
    place = np.arange(len(limit))
    reach, longest = 1, int(np.abs(place - limit).max(initial=0))
    while reach <= longest:
        there = np.maximum(place - reach, limit) if step < 0 else np.minimum(place + reach, limit)
        rows = tf.maximum(rows, tf.gather(rows, there))
        reach *= 2
    return rows
