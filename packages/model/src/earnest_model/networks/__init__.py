"""The architectures by name; importing this loads no TensorFlow, building one does."""

from earnest_model.networks.registry import ARCHITECTURES, Architecture, architecture

__all__ = ["ARCHITECTURES", "Architecture", "architecture"]
