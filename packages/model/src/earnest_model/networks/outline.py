"""What a network is made of, layer by layer, for drawings and cards."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, final

import numpy as np

from earnest_model.networks.paper.network import PaperNetwork
from earnest_model.networks.pooled.network import PooledNetwork

if TYPE_CHECKING:
    from earnest_model.networks.protocol import Network

__all__ = ["Part", "Stage", "outline"]

Part = Literal["input", "encoder", "terse", "supplementary", "decoder", "output"]


@final
@dataclass(frozen=True, kw_only=True)
class Stage:
    """One layer.

    Attributes
    ----------
    name, part
        What it is and where it belongs.
    width
        Numbers that it passes on, per cluster or per catalog.
    n_parameters
        What training changes in it.
    per_cluster
        Whether it holds a row for each cluster (or for some of them, after pooling) rather than one per catalog.
    """

    name: str
    part: Part
    width: int
    n_parameters: int = 0
    per_cluster: bool = True


def outline(network: "Network") -> tuple[Stage, ...]:
    """Return the layers of a network from its inputs to its output.

    Raises
    ------
    TypeError
        If the network's architecture is not known here.
    """
    if isinstance(network, PaperNetwork):
        return _paper(network)
    if isinstance(network, PooledNetwork):
        return _pooled(network)
    raise TypeError(f"no outline of a {type(network).__name__}")


def _paper(network: PaperNetwork) -> tuple[Stage, ...]:
    *dense, last = network.dense_layers
    filters = network.convolution_layers[-1].filters
    convolutions = [
        Stage(name=f"4 x 1, {network.pooling} of 2", part="decoder", width=layer.filters, n_parameters=_size(layer))
        for layer in network.convolution_layers
    ]
    return (
        *_encoder(network.n_features, network.encoder_layers, network.n_supplementary),
        *convolutions,
        Stage(name="global maximum", part="decoder", width=filters, per_cluster=False),
        *_layers(dense, "decoder", name="dense", per_cluster=False),
        Stage(name="sigma8", part="output", width=1, n_parameters=_size(last), per_cluster=False),
    )


def _pooled(network: PooledNetwork) -> tuple[Stage, ...]:
    *decoder, last = network.decoder.layers
    return (
        *_encoder(network.n_features, network.encoder.layers, network.n_supplementary),
        *_layers(network.member.layers, "decoder", name="member", per_cluster=True),
        Stage(
            name="sums, means, N", part="decoder", width=2 * network.n_pooled + 2 + network.n_flags, per_cluster=False
        ),
        *_layers(decoder, "decoder", name="dense", per_cluster=False),
        Stage(name="bins of sigma8", part="output", width=last.units, n_parameters=_size(last), per_cluster=False),
    )


def _encoder(n_features: int, layers: Sequence[Any], n_supplementary: int) -> tuple[Stage, ...]:
    *hidden, terse = layers
    return (
        Stage(name="inputs", part="input", width=n_features),
        *_layers(hidden, "encoder", name="dense", per_cluster=True),
        Stage(name="terse", part="terse", width=1, n_parameters=_size(terse)),
        *([Stage(name="supplementary", part="supplementary", width=n_supplementary)] if n_supplementary else []),
    )


def _layers(layers: Sequence[Any], part: Part, *, name: str, per_cluster: bool) -> tuple[Stage, ...]:
    return tuple(
        Stage(name=name, part=part, width=layer.units, n_parameters=_size(layer), per_cluster=per_cluster)
        for layer in layers
    )


def _size(layer: Any) -> int:  # noqa: ANN401 - a Keras layer
    return sum(int(np.prod(weight.shape)) for weight in layer.trainable_variables)
