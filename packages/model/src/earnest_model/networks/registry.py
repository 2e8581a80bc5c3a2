"""The dictionary of architectures."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from earnest_common.errors import InputError

from earnest_model.arrays import Arrays
from earnest_model.config import TrainingConfig

if TYPE_CHECKING:  # importing it would load TensorFlow
    from earnest_model.networks.pooled import PooledNetwork

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
        Returns an untrained network from the configuration, some training catalogs and the bin edges of sigma8.
    """

    description: str
    build: "Callable[[TrainingConfig, Arrays, tuple[float, ...]], PooledNetwork]"


def _build_pooled(config: TrainingConfig, arrays: Arrays, edges: tuple[float, ...]) -> "PooledNetwork":
    from earnest_model.networks.pooled import build_pooled

    return build_pooled(config.pooled, arrays, edges, seed=config.seed)


ARCHITECTURES = {
    "pooled": Architecture(
        description="encoder to one terse value per cluster, sums over the catalog, decoder to a histogram of sigma8",
        build=_build_pooled,
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
