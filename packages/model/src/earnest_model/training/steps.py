"""One step of an optimiser as a graph, on one device or mirrored on several."""

from collections.abc import Sequence
from typing import Any

from earnest_model.networks.backend import tf
from earnest_model.networks.protocol import Network

__all__ = ["anchor_loss", "compiled_step", "open_strategy"]

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


def compiled_step(network: Network, optimizer: Any, strategy: Any = None, *, anchor: float = 0.0) -> Any:  # noqa: ANN401
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
    anchor
        Weight of :func:`anchor_loss`.
    """
    strategy = strategy or tf.distribute.get_strategy()
    replicas = strategy.num_replicas_in_sync
    rows, counts = tf.TensorSpec((None, None), tf.float32), tf.TensorSpec((None,), tf.int32)

    def replica(inputs: tuple[Tensor, Tensor, Tensor], targets: Tensor, log_mass: Tensor) -> Tensor:
        encoder, supplementary, counts = inputs
        here = tf.distribute.get_replica_context().replica_id_in_sync_group
        own, members, share = _part(counts, here, replicas)
        seen = (encoder[members], supplementary[members], counts[own])
        with tf.GradientTape() as tape:
            outputs = network(seen, training=True)
            loss = network.head.loss(outputs, targets[own])
            if anchor:
                terse = network.terse(seen[0])[:, 0]  # TensorFlow computes what is asked twice once
                loss += anchor * anchor_loss(terse, log_mass[members, 0], seen[2])
            loss *= share
        variables = network.trainable_variables
        gradients = tape.gradient(loss, variables)
        if replicas > 1:
            total = tf.distribute.get_replica_context().all_reduce("sum", gradients)
            gradients = [gradient / replicas for gradient in total]
        optimizer.apply_gradients(zip(gradients, variables, strict=True))
        return tf.stack([loss, share * tf.cast(network.head.squared_error(outputs, targets[own]), tf.float32)])

    def step(inputs: tuple[Tensor, Tensor, Tensor], targets: Tensor, log_mass: Tensor, rate: Tensor) -> Tensor:
        optimizer.learning_rate.assign(rate)
        found = strategy.run(replica, args=(inputs, targets, log_mass))
        return strategy.reduce("sum", found, axis=None) if replicas > 1 else found

    return tf.function(step, input_signature=[(rows, rows, counts), rows, rows, tf.TensorSpec((), tf.float32)])


def anchor_loss(terse: Tensor, log_mass: Tensor, counts: Tensor) -> Tensor:
    r"""Return the mean square of :math:`(t_i - \bar t) - (\ln M_i - \overline{\ln M})`, means over each catalog.

    The offset of terse values stays free: a network that could tell masses from their absolute size alone would have
    no need of the catalog.

    Parameters
    ----------
    terse, log_mass
        Terse values and ln M_500c, shape (n_clusters,).
    counts
        Clusters of each catalog, shape (n_catalogs,).
    """
    segments = tf.repeat(tf.range(tf.size(counts)), counts)
    difference = terse - log_mass
    return tf.reduce_mean(tf.square(difference - tf.gather(tf.math.segment_mean(difference, segments), segments)))


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
