"""One step of an optimiser as a graph, on one device or mirrored on several."""

from collections.abc import Sequence
from typing import Any

from earnest_model.networks.backend import tf
from earnest_model.networks.protocol import Network

__all__ = ["compiled_step", "open_strategy"]

Tensor = Any  # TensorFlow has no useful static types


def open_strategy(devices: Sequence[str]) -> Any:  # noqa: ANN401
    """Return the way of distribution: what TensorFlow chooses, or the same weights on each of some devices.

    Parameters
    ----------
    devices
        Names such as ``"GPU:0"``; none leaves the choice to TensorFlow.
    """
    if not devices:
        return tf.distribute.get_strategy()
    # Copies, not collective operations, which may start in another order on each device and then never meet.
    return tf.distribute.MirroredStrategy(list(devices), cross_device_ops=tf.distribute.HierarchicalCopyAllReduce())


def compiled_step(network: Network, optimizer: Any, strategy: Any = None) -> Any:  # noqa: ANN401
    """Return one optimiser step as a graph, traced once for all sizes of catalogs and batches.

    Each device takes its part of the catalogs; its loss counts by the share of catalogs it has, so that gradients add
    up to that of the whole batch. The optimiser adds the gradients of all devices by itself, therefore each hands it
    the total divided by their number.

    Parameters
    ----------
    network, optimizer
        Built within the scope of the strategy.
    strategy
        See :func:`open_strategy`; by default TensorFlow's own.
    """
    strategy = strategy or tf.distribute.get_strategy()
    replicas = strategy.num_replicas_in_sync
    rows, counts = tf.TensorSpec((None, None), tf.float32), tf.TensorSpec((None,), tf.int32)

    def replica(encoder: Tensor, supplementary: Tensor, counts: Tensor, targets: Tensor) -> Tensor:
        here = tf.distribute.get_replica_context().replica_id_in_sync_group
        own, members, share = _part(counts, here, replicas)
        inputs = (encoder[members], supplementary[members], counts[own])
        with tf.GradientTape() as tape:
            outputs = network(inputs, training=True)
            loss = share * network.head.loss(outputs, targets[own])
        variables = network.trainable_variables
        gradients = tape.gradient(loss, variables)
        if replicas > 1:
            total = tf.distribute.get_replica_context().all_reduce("sum", gradients)
            gradients = [gradient / replicas for gradient in total]
        optimizer.apply_gradients(zip(gradients, variables, strict=True))
        return tf.stack([loss, share * tf.cast(network.head.squared_error(outputs, targets[own]), tf.float32)])

    def step(encoder: Tensor, supplementary: Tensor, counts: Tensor, targets: Tensor, rate: Tensor) -> Tensor:
        optimizer.learning_rate.assign(rate)
        found = strategy.run(replica, args=(encoder, supplementary, counts, targets))
        return strategy.reduce("sum", found, axis=None) if replicas > 1 else found

    return tf.function(step, input_signature=[rows, rows, counts, rows, tf.TensorSpec((), tf.float32)])


def _part(counts: Tensor, here: Tensor, replicas: int) -> tuple[slice, slice, Tensor]:
    """Return a device's catalogs, their clusters, and its share in the loss: 0 where others have all the catalogs."""
    n = tf.size(counts)
    start, stop = n * here // replicas, n * (here + 1) // replicas
    share = tf.cast(stop - start, tf.float32) / tf.cast(n, tf.float32)
    # A device without catalogs works on one of another's in vain: the mean over none has no gradient.
    start = tf.minimum(start, n - 1)
    stop = tf.maximum(stop, start + 1)
    ends = tf.concat([[0], tf.cumsum(counts)], axis=0)
    return slice(start, stop), slice(ends[start], ends[stop]), share
