"""Neural encoders that turn a cluster catalog into sigma8 with an error bar."""

from importlib.metadata import version

__version__ = version("earnest-model")

__all__ = ["__version__"]
