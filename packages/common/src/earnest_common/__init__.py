"""The shared language of earnest: catalog schema and sets, survey physics, model bundles, the command line."""

from importlib.metadata import version

__version__ = version("earnest-common")

__all__ = ["__version__"]
