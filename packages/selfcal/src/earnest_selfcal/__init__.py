"""Statistical self-calibration: sigma8 from the number of clusters and their median Y_X."""

from importlib.metadata import version

__version__ = version("earnest-selfcal")

__all__ = ["__version__"]
