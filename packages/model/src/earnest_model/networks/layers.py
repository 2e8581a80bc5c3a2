"""Layers that the architectures share."""

from typing import Any, final

import numpy as np
import numpy.typing as npt

from earnest_model.networks.backend import keras

__all__ = ["Whitening", "dense_stack"]

_SMALLEST_VARIANCE = 0.1
_CONSTANT = 1e-12


@final
@keras.saving.register_keras_serializable(package="earnest_model")
class Whitening(keras.layers.Layer):  # type: ignore[misc]
    r"""A fixed linear map of each row to zero mean and nearly unit covariance, measured once on training rows.

    .. math:: y = (x - \mu) V (\Lambda + \epsilon \lambda_{\max})^{-1/2}, \quad \mathrm{cov}(x) = V \Lambda V^T

    Neighbouring values of a profile are nearly equal, and gradient descent would need long to find what little
    distinguishes them. With :math:`\epsilon = 0.1` weak directions gain no more than a factor of three: full whitening
    teaches 1 % faster, but lets the network lean on differences that real clusters do not have, and its saliencies
    then jump by tens from one radius to the next.
    """

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create the two constants."""
        width = int(input_shape[-1] or 0)
        self.mean = self.add_weight(name="mean", shape=(width,), initializer="zeros", trainable=False)
        self.matrix = self.add_weight(name="matrix", shape=(width, width), initializer="identity", trainable=False)

    def adapt(self, rows: npt.NDArray[np.float32], *, independent: bool = False) -> None:
        """Measure the map on training rows of shape (n_rows, width).

        Parameters
        ----------
        rows
            Training rows.
        independent
            Scale each column by itself, from its known values: where some may be missing they are not to be mixed.
        """
        if rows.shape[1] == 0:
            return
        values = rows.astype(np.float64)
        if independent:
            widths = np.nanstd(values, axis=0)
            self.mean.assign(np.nanmean(values, axis=0))
            self.matrix.assign(np.diag(1 / np.where(widths**2 < _CONSTANT, 1.0, widths)))
            return
        self.mean.assign(values.mean(axis=0))
        variances, vectors = np.linalg.eigh(np.atleast_2d(np.cov(values, rowvar=False)))
        largest = float(variances[-1])
        if largest < _CONSTANT:  # an array of ones: there is no direction, and noise is not to be blown up
            return
        self.matrix.assign(vectors / np.sqrt(np.maximum(variances, 0.0) + _SMALLEST_VARIANCE * largest))

    def call(self, rows: Any) -> Any:  # noqa: ANN401 - tensors of any backend
        """Map rows of shape (n_rows, width)."""
        return keras.ops.matmul(rows - self.mean, self.matrix)


def dense_stack(
    widths: tuple[int, ...], last: int, *, activation: str, rng: np.random.Generator, name: str
) -> keras.Sequential:
    """Return hidden layers and a linear last one, with weights that depend on ``rng`` alone."""

    def layer(units: int, kind: str | None, scale: float) -> keras.layers.Dense:
        seed = int(rng.integers(2**31))
        initial = keras.initializers.VarianceScaling(scale, mode="fan_in", distribution="truncated_normal", seed=seed)
        return keras.layers.Dense(units, activation=kind, kernel_initializer=initial)

    hidden = [layer(units, activation, 2.0) for units in widths]
    return keras.Sequential([*hidden, layer(last, None, 0.5)], name=name)
