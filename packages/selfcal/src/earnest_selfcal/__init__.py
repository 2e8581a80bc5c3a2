"""Statistical self-calibration: sigma8 from the number of clusters and their median Y_X.

Nothing heavy is imported here, so that the command line starts quickly; import from the modules: ``forward`` (the
semi-analytic table), ``posterior``, ``region`` (where it holds), ``simulate`` (the same by direct simulation),
``evaluate`` and ``answer`` (what the commands do).
"""

from importlib.metadata import version

__version__ = version("earnest-selfcal")

__all__ = ["__version__"]
