"""Reasons for an estimate: leave-one-out, saliency, terse correlations and the report page.

The names at the top are loaded when they are first used. One function for each question takes a model, or its bundle,
and catalogs, or their folder:

>>> from earnest_common.testing import toy_batch
>>> from earnest_interpret import leave_one_out
>>> from earnest_interpret.testing import SaturatingEstimator
>>> print(leave_one_out(SaturatingEstimator(), toy_batch(n_catalogs=3, seed=1)).reasons[0][:45])
Leaving out one cluster moves σ₈ by less than
"""

from importlib.metadata import version

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

__version__ = version("earnest-interpret")
