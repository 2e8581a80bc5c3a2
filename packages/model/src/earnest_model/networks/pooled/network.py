"""Architecture ``pooled``: encoder, terse, sums over the catalog, decoder; the order of clusters cannot matter."""

from collections.abc import Sequence
from typing import Any, final

import numpy as np
from earnest_common.run.seeds import Stage, generator

from earnest_model.config import PooledConfig
from earnest_model.data.arrays import Arrays
from earnest_model.networks.backend import keras, own_defaults, tf
from earnest_model.networks.distribution import Histogram, histogram_for
from earnest_model.networks.heads import HistogramHead
from earnest_model.networks.layers import Whitening, dense_stack

__all__ = ["PooledNetwork", "build_pooled"]

Tensor = Any  # TensorFlow has no useful static types


@final
@keras.saving.register_keras_serializable(package="earnest_model")
class PooledNetwork(keras.Model):  # type: ignore[misc]
    r"""A distribution of sigma8 from a set of clusters.

    .. math::

        t_i = e(x_i), \quad S = \sum_i m(t_i, s_i), \quad
        p(\sigma_8) = \mathrm{softmax}\, d(S / N_0, S / N, \ln N / N_0, N / N_0)

    with encoder e, member network m and decoder d. The log-likelihood of a Poisson process is itself a sum over its
    members, so sums (and N) keep what a catalog has to say. Clusters are flat rows with the number of rows of each
    catalog: no padding, and one trace for all sizes.

    Parameters
    ----------
    n_features, n_supplementary
        Number of encoder inputs x and supplementary inputs s.
    edges
        Bin edges of the distribution.
    n_typical
        Typical number of clusters N_0, which only sets the scale of the sums.
    encoder, member, pooled, decoder, activation
        See :class:`earnest_model.config.PooledConfig`.
    seed
        Seed of the initial weights.
    others
        Bin edges of other labels, whose marginal distributions follow that of sigma8 in the outputs.
    optional
        Whether supplementary inputs may be missing (NaN). The member network then sees each by itself, with a flag and
        0 in its place where it is missing, and where none is, all of them whitened; the decoder sees for which share of
        the catalog's clusters each is known.
    """

    @own_defaults()
    def __init__(
        self,
        *,
        n_features: int,
        n_supplementary: int,
        edges: list[float],
        n_typical: float,
        encoder: list[int],
        member: list[int],
        pooled: int,
        decoder: list[int],
        activation: str,
        seed: int,
        others: dict[str, list[float]] | None = None,
        optional: bool = False,
    ) -> None:
        super().__init__(name="pooled")
        rng = generator(seed, Stage.TRAINING)
        self.n_features, self.n_supplementary, self.optional = n_features, n_supplementary, optional
        self.head = HistogramHead(
            Histogram(tuple(edges)), {name: Histogram(tuple(found)) for name, found in (others or {}).items()}
        )
        self.n_typical = n_typical
        self.whiten = Whitening(name="whiten")
        self.whiten_supplementary = Whitening(name="whiten_supplementary")
        if optional:  # networks of earlier releases have no such layer
            self.scale_supplementary = Whitening(name="scale_supplementary")
        self.encoder = dense_stack(tuple(encoder), 1, activation=activation, rng=rng, name="encoder")
        self.member = dense_stack(tuple(member), pooled, activation=activation, rng=rng, name="member")
        self.decoder = dense_stack(tuple(decoder), self.head.size, activation=activation, rng=rng, name="decoder")
        self.n_pooled = pooled
        self.n_flags = n_supplementary if optional else 0
        self._arguments = {
            "n_features": n_features,
            "n_supplementary": n_supplementary,
            "edges": [float(edge) for edge in edges],
            "n_typical": float(n_typical),
            "encoder": list(encoder),
            "member": list(member),
            "pooled": pooled,
            "decoder": list(decoder),
            "activation": activation,
            "seed": seed,
            "others": {name: [float(edge) for edge in found] for name, found in (others or {}).items()},
            "optional": optional,
        }
        self.build()

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments, from which Keras builds the network again."""
        return dict(self._arguments)

    def build(self, input_shape: Tensor = None) -> None:
        """Create all weights."""
        if not getattr(self, "built", False):
            self.whiten.build((None, self.n_features))
            self.whiten_supplementary.build((None, self.n_supplementary))
            if self.optional:
                self.scale_supplementary.build((None, self.n_flags))
            self.encoder.build((None, self.n_features))
            self.member.build((None, 1 + self.n_supplementary + 2 * self.n_flags))
            self.decoder.build((None, 2 * self.n_pooled + 2 + self.n_flags))
            self.built = True

    def adapt(self, arrays: Arrays) -> None:
        """Measure the fixed linear maps of the inputs on training catalogs."""
        self.whiten.adapt(arrays.encoder)
        known = np.isfinite(arrays.supplementary).all(axis=1)
        if known.any():
            self.whiten_supplementary.adapt(arrays.supplementary[known])
        if self.optional:
            self.scale_supplementary.adapt(arrays.supplementary, independent=True)

    @property
    def row_width(self) -> int:
        """Numbers that all layers hold for one cluster."""
        return sum(int(layer.units) for layer in (*self.encoder.layers, *self.member.layers))

    def flip(self) -> None:
        """Change the sign of the terse value; predictions stay."""
        for weight in self.encoder.layers[-1].weights:
            weight.assign(-weight)
        kernel = np.array(self.member.layers[0].kernel.numpy())
        kernel[0] *= -1
        self.member.layers[0].kernel.assign(kernel)

    def terse(self, encoder: Tensor) -> Tensor:
        """Return the terse values, shape (n_clusters, 1), from X-ray inputs alone."""
        return self.encoder(self.whiten(encoder))

    @property
    def n_sums(self) -> int:
        """Numbers that are added up over a catalog: the pooled ones and, of optional inputs, how many are known."""
        return self.n_pooled + self.n_flags

    def members(self, encoder: Tensor, supplementary: Tensor) -> Tensor:
        """Return each cluster's term of the sums, shape (n_clusters, n_sums)."""
        if not self.optional:
            joined = [self.terse(encoder), self.whiten_supplementary(supplementary)]
            return self.member(keras.ops.concatenate(joined, axis=1))
        is_known = keras.ops.isfinite(supplementary)
        filled = keras.ops.where(is_known, supplementary, self.scale_supplementary.mean)  # scaled to 0
        known = keras.ops.cast(is_known, "float32")
        # whitened, what distinguishes correlated inputs is large, but only where all are known
        whitened = self.whiten_supplementary(filled) * keras.ops.min(known, axis=1, keepdims=True)
        joined = [self.terse(encoder), self.scale_supplementary(filled), known - 0.5, whitened]
        return keras.ops.concatenate([self.member(keras.ops.concatenate(joined, axis=1)), known], axis=1)

    def decode(self, sums: Tensor, counts: Tensor) -> Tensor:
        """Return logits of the bins, shape (n_catalogs, n_bins), from sums and numbers of clusters."""
        n = keras.ops.cast(counts, "float32")[:, None]
        relative = n / self.n_typical
        pooled, known = sums[:, : self.n_pooled], sums[:, self.n_pooled :]
        parts = [pooled / self.n_typical, pooled / n, 2.0 * keras.ops.log(relative), relative - 1.0, known / n - 0.5]
        return self.decoder(keras.ops.concatenate(parts, axis=1))

    def call(self, inputs: tuple[Tensor, Tensor, Tensor], training: bool = False) -> Tensor:
        """Return logits from (encoder inputs, supplementary inputs, clusters per catalog)."""
        encoder, supplementary, counts = inputs
        segments = tf.repeat(tf.range(tf.size(counts)), counts)
        return self.decode(tf.math.segment_sum(self.members(encoder, supplementary), segments), counts)


def build_pooled(config: PooledConfig, arrays: Arrays, *, seed: int, labels: Sequence[str]) -> PooledNetwork:
    """Return an untrained network whose fixed input maps are measured on training catalogs."""
    edges = {
        name: list(histogram_for(values, n_bins=config.n_bins, name=name).edges)
        for name, values in zip(labels, arrays.labels.T, strict=True)
    }
    network = PooledNetwork(
        n_features=arrays.encoder.shape[1],
        n_supplementary=arrays.supplementary.shape[1],
        edges=edges.pop("sigma8"),
        n_typical=float(np.mean(arrays.counts)),
        encoder=list(config.encoder),
        member=list(config.member),
        pooled=config.pooled,
        decoder=list(config.decoder),
        activation=config.activation,
        seed=seed,
        others=edges,
        optional=config.missing > 0 and arrays.supplementary.shape[1] > 0,
    )
    network.adapt(arrays)
    return network
