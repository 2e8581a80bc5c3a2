"""Architecture ``paper``: table 3 of Ntampaka & Vikhlinin (arXiv:2112.05768), for any number of clusters."""

from typing import Any, final

import numpy as np
from earnest_common.errors import InputError
from earnest_common.run.seeds import Stage, generator

from earnest_model.config import PaperConfig
from earnest_model.data.arrays import Arrays
from earnest_model.networks.backend import keras, own_defaults, tf
from earnest_model.networks.heads import PointHead

__all__ = ["PaperNetwork", "build_paper"]

Tensor = Any  # TensorFlow has no useful static types
_KERNEL = 4


@final
@keras.saving.register_keras_serializable(package="earnest_model")
class PaperNetwork(keras.Model):  # type: ignore[misc]
    """A row-wise encoder to one terse value, then a convolutional network over clusters in order of L_X.

    The encoder's "repeated network" sees one cluster at a time; its biases are needed for the published number of
    parameters. Catalogs of different size share a batch: rows beyond a catalog's own are held at zero after every
    layer, which is what the zero padding of a catalog of its exact size gives, and never win the maximum. Pooling of
    pairs leaves an odd last row out, and keeps the last one there is, so that no catalog is too small.

    Parameters
    ----------
    n_features, n_supplementary
        Number of encoder and supplementary inputs.
    low, width
        Linear scaling of sigma8.
    encoder, convolutions, dense, encoder_dropout, dense_dropout, negative_slope, pooling, order
        See :class:`earnest_model.config.PaperConfig`.
    seed
        Seed of the initial weights and of dropout.
    """

    @own_defaults()
    def __init__(
        self,
        *,
        n_features: int,
        n_supplementary: int,
        low: float,
        width: float,
        encoder: list[int],
        convolutions: list[int],
        dense: list[int],
        encoder_dropout: float,
        dense_dropout: float,
        negative_slope: float,
        seed: int,
        pooling: str = "mean",
        order: str = "brightest_first",  # of networks that were written before there was a choice
    ) -> None:
        super().__init__(name="paper")
        self._arguments = {
            "n_features": n_features,
            "n_supplementary": n_supplementary,
            "low": low,
            "width": width,
            "encoder": list(encoder),
            "convolutions": list(convolutions),
            "dense": list(dense),
            "encoder_dropout": encoder_dropout,
            "dense_dropout": dense_dropout,
            "negative_slope": negative_slope,
            "seed": seed,
            "pooling": pooling,
            "order": order,
        }
        self.head = PointHead(low, width)
        self.n_features, self.n_supplementary, self.negative_slope = n_features, n_supplementary, negative_slope
        self.pooling, self.order = pooling, order
        rng = generator(seed, Stage.TRAINING)
        self.encoder_layers = [_dense(units, rng) for units in (*encoder, 1)]
        self.convolution_layers = [_convolution(filters, rng) for filters in convolutions]
        self.dense_layers = [_dense(units, rng) for units in (*dense, 1)]
        self.encoder_dropout = keras.layers.Dropout(encoder_dropout, seed=int(rng.integers(2**31)))
        self.dense_dropouts = [keras.layers.Dropout(dense_dropout, seed=int(rng.integers(2**31))) for _ in dense[:-1]]
        self.build()

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments, from which Keras builds the network again."""
        return dict(self._arguments)

    def build(self, input_shape: Tensor = None) -> None:
        """Create all weights."""
        if getattr(self, "built", False):
            return
        width = self.n_features
        for layer in self.encoder_layers:
            layer.build((None, width))
            width = layer.units
        width = 1 + self.n_supplementary
        for layer in self.convolution_layers:
            layer.build((None, None, width))
            width = layer.filters
        for layer in self.dense_layers:
            layer.build((None, width))
            width = layer.units
        self.built = True

    def terse(self, encoder: Tensor, training: bool = False) -> Tensor:
        """Return the terse values, shape (n_clusters, 1), from X-ray inputs alone."""
        rows = encoder
        for number, layer in enumerate(self.encoder_layers):
            rows = layer(rows)
            if number < len(self.encoder_layers) - 2:  # the last hidden layer and the terse value are linear
                rows = tf.nn.leaky_relu(rows, self.negative_slope)
            if number == 0:
                rows = self.encoder_dropout(rows, training=training)
        return rows

    def decode(self, joined: Tensor, counts: Tensor, training: bool = False) -> Tensor:
        """Return outputs of shape (n_catalogs, 1) from rows (terse, supplementary) and numbers of clusters."""
        rows = tf.RaggedTensor.from_row_lengths(joined, counts, validate=False).to_tensor()
        if self.order == "brightest_last":
            rows = tf.reverse_sequence(rows, counts, seq_axis=1)
        left, pool = counts, tf.nn.max_pool1d if self.pooling == "max" else tf.nn.avg_pool1d
        for layer in self.convolution_layers:
            rows = tf.nn.leaky_relu(layer(rows), self.negative_slope)
            rows = tf.pad(rows, [[0, 0], [0, tf.maximum(2 - tf.shape(rows)[1], 0)], [0, 0]])
            pairs = pool(rows, ksize=2, strides=2, padding="VALID")
            rows = tf.where(left[:, None, None] > 1, pairs, rows[:, : tf.shape(pairs)[1]])  # one row: itself
            left = tf.maximum(left // 2, 1)
            inside = tf.sequence_mask(left, tf.shape(rows)[1])[:, :, None]
            rows = tf.where(inside, rows, 0.0)
        values = tf.reduce_max(tf.where(inside, rows, rows.dtype.min), axis=1)
        for number, layer in enumerate(self.dense_layers):
            values = layer(values)
            if number < len(self.dense_dropouts):
                values = self.dense_dropouts[number](tf.nn.leaky_relu(values, self.negative_slope), training=training)
        return values

    def call(self, inputs: tuple[Tensor, Tensor, Tensor], training: bool = False) -> Tensor:
        """Return the scaled sigma8 from (encoder inputs, supplementary inputs, clusters per catalog)."""
        encoder, supplementary, counts = (tf.convert_to_tensor(each) for each in inputs)
        joined = tf.concat([self.terse(encoder, training=training), supplementary], axis=1)
        return self.decode(joined, counts, training=training)

    @property
    def row_width(self) -> int:
        """Numbers that all layers hold for one cluster; pooling halves the rows."""
        halved: int = sum(int(layer.filters) >> level for level, layer in enumerate(self.convolution_layers))
        encoded: int = sum(int(layer.units) for layer in self.encoder_layers)
        return encoded + halved

    def flip(self) -> None:
        """Change the sign of the terse value; predictions stay."""
        for weight in self.encoder_layers[-1].weights:
            weight.assign(-weight)
        kernel = np.array(self.convolution_layers[0].kernel.numpy())
        kernel[:, 0] *= -1
        self.convolution_layers[0].kernel.assign(kernel)


def build_paper(config: PaperConfig, arrays: Arrays, *, seed: int) -> PaperNetwork:
    """Return a network with Keras's default weights for training catalogs.

    Raises
    ------
    InputError
        If all of them have the same sigma8.
    """
    low, high = float(arrays.sigma8.min()), float(arrays.sigma8.max())
    if low == high:
        raise InputError(f"all {arrays.n_catalogs} training catalogs have sigma8 = {low:.4g}; vary it")
    return PaperNetwork(
        n_features=arrays.encoder.shape[1],
        n_supplementary=arrays.supplementary.shape[1],
        low=low,
        width=high - low if high > low else 1.0,
        encoder=list(config.encoder),
        convolutions=list(config.convolutions),
        dense=list(config.dense),
        encoder_dropout=config.encoder_dropout,
        dense_dropout=config.dense_dropout,
        negative_slope=config.negative_slope,
        seed=seed,
        pooling=config.pooling,
        order=config.order,
    )


def _initial(rng: np.random.Generator) -> keras.initializers.Initializer:
    return keras.initializers.GlorotUniform(seed=int(rng.integers(2**31)))


def _dense(units: int, rng: np.random.Generator) -> keras.layers.Dense:
    return keras.layers.Dense(units, kernel_initializer=_initial(rng))


def _convolution(filters: int, rng: np.random.Generator) -> keras.layers.Conv1D:
    return keras.layers.Conv1D(filters, _KERNEL, padding="same", kernel_initializer=_initial(rng))
