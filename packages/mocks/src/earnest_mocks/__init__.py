"""Mock galaxy-cluster catalogs: base sample, survey selection, scaling relations, donors and weak lensing."""

from importlib.metadata import version

__version__ = version("earnest-mocks")

__all__ = ["__version__"]
