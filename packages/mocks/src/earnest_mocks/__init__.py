"""Mock galaxy-cluster catalogs: base sample, survey selection, scaling relations, donors and weak lensing.

Nothing heavy is imported here, so that the command line starts quickly; import from the modules: ``source`` (live
catalogs), ``generate`` (catalog sets on disk), ``config``, ``base_sample`` and ``imported`` (base samples of your
own).
"""

from importlib.metadata import version

__version__ = version("earnest-mocks")

__all__ = ["__version__"]
