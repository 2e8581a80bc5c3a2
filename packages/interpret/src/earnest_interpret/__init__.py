"""Reasons for an estimate: leave-one-out, saliency, terse correlations and the report page."""

from importlib.metadata import version

__version__ = version("earnest-interpret")

__all__ = ["__version__"]
