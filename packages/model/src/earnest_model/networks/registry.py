"""The dictionary of architectures."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from earnest_common.errors import InputError

from earnest_model.config import TrainingConfig
from earnest_model.data.arrays import Arrays

if TYPE_CHECKING:  # importing these would load TensorFlow
    from earnest_model.networks.protocol import Network
    from earnest_model.networks.queries import AbstractInference

__all__ = ["ARCHITECTURES", "Architecture", "architecture"]


@final
@dataclass(frozen=True, kw_only=True)
class Architecture:
    """One kind of network.

    Attributes
    ----------
    description
        One sentence for the model card.
    build
        Returns an untrained network from the configuration and some training catalogs.
    ask
        Returns the questions to a network of this kind; at most so many clusters are worked on at a time.
    learning_rate
        Returns the peak learning rate of the configuration.
    ordered
        Whether the answer depends on the order of clusters.
    """

    description: str
    build: "Callable[[TrainingConfig, Arrays], Network]"
    ask: "Callable[[Network, int], AbstractInference]"
    learning_rate: Callable[[TrainingConfig], float]
    ordered: bool


def _build_pooled(config: TrainingConfig, arrays: Arrays) -> "Network":
    from earnest_model.networks.pooled.network import build_pooled

    return build_pooled(config.pooled, arrays, seed=config.seed, labels=config.labels)


def _ask_pooled(network: "Network", max_rows: int) -> "AbstractInference":
    from earnest_model.networks.pooled.network import PooledNetwork
    from earnest_model.networks.pooled.queries import PooledInference

    if not isinstance(network, PooledNetwork):
        raise TypeError(f"expected a PooledNetwork, found {type(network).__name__}")
    return PooledInference(network, max_rows=max_rows)


def _build_paper(config: TrainingConfig, arrays: Arrays) -> "Network":
    from earnest_model.networks.initial import begin_whitened
    from earnest_model.networks.paper.network import build_paper

    if len(config.labels) > 1:
        raise InputError(f"architecture 'paper' infers sigma8 alone, not {', '.join(config.labels)}; use 'pooled'")
    network = build_paper(config.paper, arrays, seed=config.seed)
    if config.paper.initial == "whitened":
        begin_whitened(network, arrays)
    return network


def _ask_paper(network: "Network", max_rows: int) -> "AbstractInference":
    from earnest_model.networks.paper.network import PaperNetwork
    from earnest_model.networks.paper.queries import PaperInference

    if not isinstance(network, PaperNetwork):
        raise TypeError(f"expected a PaperNetwork, found {type(network).__name__}")
    return PaperInference(network, max_rows=max_rows)


ARCHITECTURES = {
    "pooled": Architecture(
        description="encoder to one terse value per cluster, sums over the catalog, decoder to a histogram of sigma8",
        build=_build_pooled,
        ask=_ask_pooled,
        learning_rate=lambda config: config.pooled.learning_rate,
        ordered=False,
    ),
    "paper": Architecture(
        description="table 3 of arXiv:2112.05768: encoder to one terse value per cluster, convolutions over clusters "
        "in falling L_X, global maximum, dense layers to one value of sigma8",
        build=_build_paper,
        ask=_ask_paper,
        learning_rate=lambda config: config.paper.learning_rate,
        ordered=True,
    ),
}
"""What ``--architecture`` may name."""


def architecture(name: str) -> Architecture:
    """Return an architecture by name.

    Raises
    ------
    InputError
        If there is none of that name.
    """
    if name not in ARCHITECTURES:
        raise InputError(f"architecture '{name}' is not known; choose one of {', '.join(sorted(ARCHITECTURES))}")
    return ARCHITECTURES[name]
