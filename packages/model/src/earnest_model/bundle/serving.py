"""A trained network as one graph, from physical columns to sigma8 with its interval."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from earnest_common.bundle import BundleDescription
from earnest_common.catalogs.batch import CatalogBatch
from earnest_common.schema import CLUSTERS, PREDICTIONS

from earnest_model.data.features import LOGARITHMIC, FeatureSet
from earnest_model.data.missing import combinations
from earnest_model.networks.backend import tf
from earnest_model.networks.calibration import Calibration, missing_key
from earnest_model.networks.heads import AbstractHead, HistogramHead, PointHead
from earnest_model.networks.protocol import Network

__all__ = ["COUNTS", "OUTPUTS", "Port", "ServedNetwork", "inputs_of"]

Tensor = Any  # TensorFlow has no useful static types
COUNTS = "n_clusters"
"""Name of the input that tells catalogs apart."""

OUTPUTS = {
    **{name: PREDICTIONS.column(name).description for name in PREDICTIONS.names if name != "catalog_id"},
    "sigma8_lo95": "lower end of the 95 % interval",
    "sigma8_hi95": "upper end of the 95 % interval",
    "terse": "terse value of each cluster",
}
"""What the graph returns, float64, one number per catalog except for ``terse``."""


@final
@dataclass(frozen=True, kw_only=True)
class Port:
    """One input of a graph: name, type, shape (``None``: any length), unit and meaning."""

    name: str
    dtype: str
    shape: tuple[int | None, ...]
    unit: str
    description: str


def inputs_of(description: BundleDescription) -> tuple[Port, ...]:
    """Return the inputs: one array per column over the clusters of all catalogs, and the clusters of each."""
    columns = [CLUSTERS.column(name) for name in (*description.features, *description.supplementary)]
    ports = [
        Port(
            name=column.name,
            dtype="float64",
            shape=(None,) if column.width is None else (None, column.width),
            unit=column.unit,
            description=column.description,
        )
        for column in columns
    ]
    return (*ports, Port(name=COUNTS, dtype="int32", shape=(None,), unit="", description="clusters of each catalog"))


def inputs_from(batch: CatalogBatch, description: BundleDescription) -> dict[str, Any]:
    """Return the graph's inputs for some catalogs."""
    columns = {
        name: batch.column(name).astype(np.float64) for name in (*description.features, *description.supplementary)
    }
    return {**columns, COUNTS: np.diff(batch.row_splits).astype(np.int32)}


@final
class ServedNetwork(tf.Module):  # type: ignore[misc]
    """An estimator of sigma8 as a TensorFlow function: logarithms, scaling, network, calibration.

    Parameters
    ----------
    networks
        The network, or the members of an ensemble.
    description
        Its inputs, scaling and calibration.
    """

    def __init__(self, networks: Sequence[Network], description: BundleDescription) -> None:
        super().__init__(name="earnest")
        self._networks, self._description = list(networks), description
        self._features = FeatureSet.of(description)
        self.signature = {
            port.name: tf.TensorSpec(port.shape, tf.as_dtype(port.dtype), name=port.name)
            for port in inputs_of(description)
        }
        self.serve = tf.function(self._serve, input_signature=[self.signature])

    def _serve(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        rows = tf.shape(inputs[self._features.columns[0]])[0]
        encoder = self._scaled(inputs, self._features.encoder, rows)
        supplementary = self._scaled(inputs, self._features.supplementary, rows)
        seen, head = (encoder, supplementary, inputs[COUNTS]), self._networks[0].head
        outputs = combined(head, [tf.cast(network(seen), tf.float64) for network in self._networks])
        answer = read(head, outputs, self._calibration(supplementary, inputs[COUNTS]))
        terse = tf.add_n([network.terse(encoder)[:, 0] for network in self._networks]) / len(self._networks)
        answer["terse"] = tf.cast(terse, tf.float64)
        return {name: tf.identity(answer[name], name=name) for name in OUTPUTS}

    def _calibration(self, supplementary: Tensor, counts: Tensor) -> Mapping[str, Any]:
        """Return the constants of each catalog by the columns that it lacks; the same as ``calibration_for``."""
        record, columns = self._description.calibration, self._features.optional
        if not columns:
            return record
        segments = tf.repeat(tf.range(tf.size(counts)), counts)
        missing = tf.math.segment_sum(tf.cast(tf.math.is_nan(supplementary), tf.int32), segments)
        powers = tf.constant([2**i for i in reversed(range(len(columns)))], tf.int32)
        number = tf.linalg.matvec(tf.cast(2 * missing > counts[:, None], tf.int32), powers)
        keys = [missing_key(columns, one) for one in combinations(len(columns))]
        records = [record["without"][key] if key else record for key in keys]
        return {
            name: tf.gather(tf.constant([one[name] for one in records], tf.float64), number)
            for name in ("factor_68", "factor_95")
        } | {"n_catalogs": record["n_catalogs"]}

    def _scaled(self, inputs: Mapping[str, Tensor], names: tuple[str, ...], rows: Tensor) -> Tensor:
        columns = [tf.zeros((rows, 0), tf.float64)]
        for name in names:
            offset, width = self._description.scaling[name]
            values = tf.math.log(inputs[name]) / np.log(10) if name in LOGARITHMIC else inputs[name]
            columns.append(tf.reshape((values - offset) / width, (rows, CLUSTERS.column(name).width or 1)))
        return tf.cast(tf.concat(columns, axis=1), tf.float32)


def combined(head: AbstractHead, outputs: Sequence[Tensor]) -> Tensor:
    """Return the outputs of an ensemble; the same as the head's ``combine``, in TensorFlow, for sigma8 alone."""
    if len(outputs) == 1:
        return outputs[0]
    if isinstance(head, HistogramHead):
        probabilities = tf.stack([tf.nn.softmax(head.parts(one)[0]) for one in outputs])
        return tf.math.log(tf.maximum(tf.reduce_mean(probabilities, axis=0), 1e-30))
    return tf.reduce_mean(tf.stack(outputs), axis=0)


def read(head: AbstractHead, outputs: Tensor, calibration: Mapping[str, Any]) -> dict[str, Tensor]:
    """Return a head's numbers as tensors; the same as its ``infer``, in TensorFlow."""
    if isinstance(head, HistogramHead):
        return _read_histogram(head, outputs, Calibration.of(calibration))
    if isinstance(head, PointHead):
        value = outputs[:, 0] * head.width + head.low
        ends = {f"sigma8_{name}": value + calibration[name] for name in ("lo68", "hi68", "lo95", "hi95")}
        return {"sigma8": value, "sigma8_err": tf.zeros_like(value) + calibration["std"], **ends}
    raise TypeError(f"no graph for a {type(head).__name__}")


def _read_histogram(head: HistogramHead, outputs: Tensor, calibration: Calibration) -> dict[str, Tensor]:
    probability = tf.nn.softmax(head.parts(outputs)[0])
    edges = np.asarray(head.histogram.edges)
    centres, widths = head.histogram.centres, np.diff(edges)
    mean = tf.linalg.matvec(probability, centres)
    square = tf.linalg.matvec(probability, centres**2 + widths**2 / 12)
    answer = {"sigma8": mean, "sigma8_err": tf.sqrt(tf.maximum(square - mean**2, 0.0)) * calibration.factor_68}
    median = _quantile(probability, edges, 0.5)
    for level, factor in ((68, calibration.factor_68), (95, calibration.factor_95)):
        tail = (1 - level / 100) / 2
        low, high = (_quantile(probability, edges, q) for q in (tail, 1 - tail))
        answer[f"sigma8_lo{level}"] = tf.maximum(median - factor * (median - low), edges[0])
        answer[f"sigma8_hi{level}"] = tf.minimum(median + factor * (high - median), edges[-1])
    return answer


def _quantile(probability: Tensor, edges: Any, level: float) -> Tensor:  # noqa: ANN401 - a NumPy array
    """Return quantiles of histograms, see :meth:`earnest_model.networks.distribution.Histogram.quantile`."""
    n_bins = len(edges) - 1
    after = tf.cumsum(probability, axis=1)
    after /= after[:, -1:]
    found = tf.minimum(tf.reduce_sum(tf.cast(after < level, tf.int32), axis=1), n_bins - 1)
    # A mask picks the bin: exported graphs know few ways to gather double precision by rows.
    here = tf.cast(tf.range(n_bins)[None, :] == found[:, None], tf.float64)
    upper = tf.reduce_sum(here * after, axis=1)
    inside = tf.maximum(upper - tf.reduce_sum(here[:, 1:] * after[:, :-1], axis=1), 1e-300)
    share = tf.clip_by_value((level - (upper - inside)) / inside, 0.0, 1.0)
    return tf.linalg.matvec(here, edges[:-1]) + share * tf.linalg.matvec(here, np.diff(edges))
