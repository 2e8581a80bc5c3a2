"""First weights that keep signals at unit size on their way through a deep network."""

from typing import Any

import numpy as np

from earnest_model.config import MAX_ROWS
from earnest_model.data.arrays import Arrays
from earnest_model.networks.layers import Whitening
from earnest_model.networks.paper.network import PaperNetwork
from earnest_model.networks.paper.queries import PaperInference

__all__ = ["begin_whitened"]


def begin_whitened(network: PaperNetwork, arrays: Arrays) -> None:
    r"""Scale the first weights of a ``paper`` network; the architecture and its number of parameters stay.

    Keras's default (Glorot) lets signals fade over sixteen layers, and the fifteen inputs of a cluster are nearly
    one number. Here hidden kernels have variance :math:`2 / [(1 + a^2) n_\mathrm{in}]` (slope a of the leaky ReLU),
    and the linear map that gives inputs of the encoder and of the convolutions zero mean and unit spread is absorbed
    in the layers that read them.

    Parameters
    ----------
    network
        An untrained network.
    arrays
        Training catalogs on which means and spreads are measured.

    References
    ----------
    He et al. 2015 (arXiv:1502.01852).
    """
    gain = 2 / (1 + network.negative_slope**2)
    last = {id(network.encoder_layers[-1]): 1.0, id(network.dense_layers[-1]): 0.1}
    for layer in (*network.encoder_layers, *network.convolution_layers, *network.dense_layers):
        kernel = np.asarray(layer.kernel)
        wanted = last.get(id(layer), gain) / np.prod(kernel.shape[:-1])
        layer.kernel.assign(kernel * np.sqrt(wanted) / kernel.std())
    network.dense_layers[-1].bias.assign([0.5])  # the middle of the labels
    whiten = Whitening()
    whiten.build((None, network.n_features))
    whiten.adapt(arrays.encoder)
    _absorb(network.encoder_layers[0], np.asarray(whiten.mean), np.asarray(whiten.matrix))
    terse = PaperInference(network, max_rows=MAX_ROWS).terse(arrays)
    joined = np.concatenate([terse[:, None], arrays.supplementary], axis=1).astype(np.float64)
    _absorb(network.convolution_layers[0], joined.mean(axis=0), np.diag(1 / np.maximum(joined.std(axis=0), 1e-6)))


def _absorb(layer: Any, mean: Any, matrix: Any) -> None:  # noqa: ANN401 - Keras layers and arrays
    """Let a layer do with x what it did with (x - mean) @ matrix."""
    kernel = matrix @ np.asarray(layer.kernel)
    layer.kernel.assign(kernel)
    layer.bias.assign(np.asarray(layer.bias) - (mean @ kernel).reshape(-1, kernel.shape[-1]).sum(axis=0))
