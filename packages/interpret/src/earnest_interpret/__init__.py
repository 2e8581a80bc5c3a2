"""Reasons for an estimate: leave-one-out, saliency, terse correlations and the report page.

Nothing heavy is imported here, so that the command line starts quickly; import from the modules: ``leave_one_out``,
``saliency``, ``terse``, ``accuracy``, ``reasons``, ``interpretation`` (all of them at once) and ``report``.
"""

from importlib.metadata import version

__version__ = version("earnest-interpret")

__all__ = ["__version__"]
