"""Networks as files."""

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from earnest_model.networks.backend import keras

if TYPE_CHECKING:
    from earnest_model.networks.protocol import Network

__all__ = ["load_network", "save_network"]


def save_network(network: "Network", path: Path) -> None:
    """Write a network as a ``.keras`` file."""
    with warnings.catch_warnings():
        # Keras 3.15 copies variables in a way that NumPy 2 calls old; nothing is wrong with the file.
        warnings.simplefilter("ignore", DeprecationWarning)
        network.save(path)


def load_network(path: Path) -> Any:  # noqa: ANN401 - Keras gives whatever class the file names
    """Return the network in a ``.keras`` file; code in the file is never run (Keras's safe mode)."""
    # Keras finds a registered class only once its module is imported.
    import earnest_model.networks.paper.network
    import earnest_model.networks.pooled.network  # noqa: F401

    return keras.saving.load_model(path, compile=False, safe_mode=True)
