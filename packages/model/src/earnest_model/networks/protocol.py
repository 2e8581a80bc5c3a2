"""What training and inference need of a network."""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy.typing as npt

from earnest_model.networks.heads import AbstractHead

__all__ = ["Network"]

Tensor = Any  # TensorFlow has no useful static types


class Network(Protocol):
    """A Keras model that maps (encoder inputs, supplementary inputs, clusters per catalog) to outputs of its head."""

    @property
    def head(self) -> AbstractHead:
        """How its outputs are trained and read."""

    @property
    def variables(self) -> Sequence[Any]:
        """All its state, that of random layers included."""

    @property
    def trainable_variables(self) -> Sequence[Any]:
        """What an optimiser changes."""

    def __call__(self, inputs: tuple[Tensor, Tensor, Tensor], training: bool = ...) -> Tensor:
        """Return outputs, shape (n_catalogs, head.size)."""

    def terse(self, encoder: Tensor) -> Tensor:
        """Return the terse value of each row, shape (n_clusters, 1)."""

    @property
    def row_width(self) -> int:
        """Numbers that all layers hold for one cluster: what a slice of clusters costs in memory."""

    def flip(self) -> None:
        """Change the sign of the terse value; predictions stay."""

    def get_weights(self) -> list[npt.NDArray[Any]]:
        """Return all weights."""

    def set_weights(self, weights: list[npt.NDArray[Any]]) -> None:
        """Set all weights."""

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Network":
        """Return a network with these arguments and its first weights."""

    def save(self, path: Any) -> None:  # noqa: ANN401 - Keras takes any path
        """Write a ``.keras`` file."""
