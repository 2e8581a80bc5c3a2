"""Questions to a ``pooled`` network; its sums can be built from any slices of the clusters."""

import functools
from collections.abc import Callable
from typing import Any, final

import numpy as np
import numpy.typing as npt

from earnest_model.data.arrays import Arrays, FloatArray
from earnest_model.networks.backend import tf
from earnest_model.networks.pooled.network import PooledNetwork
from earnest_model.networks.queries import ROWS, AbstractInference, TerseQueries, catalog_of, rows_for, slices

__all__ = ["PooledInference"]

Tensor = Any  # TensorFlow has no useful static types
Ask = Callable[..., Tensor]
_COUNTS = tf.TensorSpec((None,), tf.float32)


@final
class PooledInference(AbstractInference):
    """Compiled questions to one network.

    Parameters
    ----------
    network
        The network.
    max_rows
        Most clusters, or catalogs, in one slice of work of a narrow network; of a wide one so many fewer. A catalog
        may be larger.
    """

    def __init__(self, network: PooledNetwork, *, max_rows: int) -> None:
        self.network, self.max_rows = network, rows_for(network.row_width, max_rows)
        self._terse = TerseQueries(network.terse, max_rows=self.max_rows)

    # Concrete functions: TensorFlow takes one function each of many networks for retracing, and would warn.
    @functools.cached_property
    def _members(self) -> Ask:
        return tf.function(self.network.members, input_signature=[ROWS, ROWS]).get_concrete_function()  # type: ignore[no-any-return]

    @functools.cached_property
    def _decode(self) -> Ask:
        return tf.function(self.network.decode, input_signature=[ROWS, _COUNTS]).get_concrete_function()  # type: ignore[no-any-return]

    @functools.cached_property
    def _read(self) -> Ask:
        return tf.function(self._sigma8_of_sums, input_signature=[ROWS, _COUNTS]).get_concrete_function()  # type: ignore[no-any-return]

    @functools.cached_property
    def _member_slope(self) -> Ask:
        return tf.function(self._slope_of_members, input_signature=[ROWS, ROWS, ROWS]).get_concrete_function()  # type: ignore[no-any-return]

    @functools.cached_property
    def _sums_slope(self) -> Ask:
        return tf.function(self._slope_of_sums, input_signature=[ROWS, _COUNTS]).get_concrete_function()  # type: ignore[no-any-return]

    def sums(self, arrays: Arrays) -> FloatArray:
        """Return the sums over each catalog, shape (n_catalogs, n_sums)."""
        catalog = catalog_of(arrays)
        total = np.zeros((arrays.n_catalogs, self.network.n_sums))
        for rows in slices(len(catalog), self.max_rows):
            starts = np.flatnonzero(np.diff(catalog[rows], prepend=-1))
            total[catalog[rows][starts]] += np.add.reduceat(self._terms(arrays, rows), starts)
        return total

    def outputs(self, arrays: Arrays) -> FloatArray:
        """Return the logits, shape (n_catalogs, n_bins)."""
        return self._by_catalog(self._decode, self.sums(arrays), arrays.counts)

    def sigma8(self, arrays: Arrays) -> FloatArray:
        """Return the inferred value of each catalog, shape (n_catalogs,)."""
        return self._by_catalog(self._read, self.sums(arrays), arrays.counts)

    def terse(self, arrays: Arrays) -> FloatArray:
        """Return the terse value of each cluster, shape (n_clusters,)."""
        return self._terse.values(arrays)

    def terse_gradient(self, arrays: Arrays) -> FloatArray:
        """Return d terse / d encoder inputs, shape (n_clusters, n_features)."""
        return self._terse.gradient(arrays)

    def sigma8_gradient(self, arrays: Arrays) -> FloatArray:
        """Return d (its catalog's sigma8) / d encoder inputs of each cluster, shape (n_clusters, n_features)."""
        weight = self._by_catalog(self._sums_slope, self.sums(arrays), arrays.counts).astype(np.float32)
        catalog = catalog_of(arrays)
        rows_of = slices(len(catalog), self.max_rows)
        asked = ((arrays.encoder[rows], arrays.supplementary[rows], weight[catalog[rows]]) for rows in rows_of)
        parts = [self._member_slope(*_tensors(*one)).numpy() for one in asked]
        return np.concatenate(parts).astype(np.float64)

    def leave_one_out(self, arrays: Arrays) -> FloatArray:
        """Return sigma8 without each cluster minus with all, shape (n_clusters,); NaN for a lone cluster.

        Exact: a cluster leaves by taking its term from the sums and 1 from N.
        """
        sums, catalog = self.sums(arrays), catalog_of(arrays)
        whole = self._by_catalog(self._read, sums, arrays.counts)
        parts = []
        for rows in slices(len(catalog), self.max_rows):
            here = catalog[rows]
            left = arrays.counts[here] - 1
            without = self._by_catalog(self._read, sums[here] - self._terms(arrays, rows), np.maximum(left, 1))
            parts.append(np.where(left > 0, without - whole[here], np.nan))
        return np.concatenate(parts)

    def _terms(self, arrays: Arrays, rows: slice) -> FloatArray:
        terms: FloatArray = (
            self._members(*_tensors(arrays.encoder[rows], arrays.supplementary[rows])).numpy().astype(np.float64)
        )
        return terms

    def _by_catalog(self, ask: Any, sums: FloatArray, counts: npt.NDArray[Any]) -> FloatArray:  # noqa: ANN401
        parts = [ask(*_tensors(sums[part], counts[part])).numpy() for part in slices(len(sums), self.max_rows)]
        return np.concatenate(parts).astype(np.float64)

    def _sigma8_of_sums(self, sums: Tensor, counts: Tensor) -> Tensor:
        return self.network.head.sigma8(self.network.decode(sums, counts))

    def _slope_of_members(self, encoder: Tensor, supplementary: Tensor, weight: Tensor) -> Tensor:
        with tf.GradientTape() as tape:
            tape.watch(encoder)
            terms = self.network.members(encoder, supplementary)
        return tape.gradient(terms, encoder, output_gradients=weight)

    def _slope_of_sums(self, sums: Tensor, counts: Tensor) -> Tensor:
        with tf.GradientTape() as tape:
            tape.watch(sums)
            value = self._sigma8_of_sums(sums, counts)
        return tape.gradient(value, sums)


def _tensors(*arrays: npt.NDArray[Any]) -> list[Tensor]:
    return [tf.constant(array, tf.float32) for array in arrays]
