"""Mock galaxy-cluster catalogs: base sample, survey selection, scaling relations, donors and weak lensing.

The names at the top are loaded when they are first used. Catalogs come live, any of them by its number, or as a set on
disk:

>>> import numpy as np
>>> from earnest_mocks import open_source
>>> batch = open_source("paper", seed=1).batch(np.arange(3))
>>> batch.catalogs["sigma8"].round(2).to_list()
[0.8, 0.79, 0.78]
"""

from importlib.metadata import version

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

__version__ = version("earnest-mocks")
