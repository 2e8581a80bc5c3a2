"""Statistical self-calibration: sigma8 from the number of clusters and their median Y_X.

The names at the top are loaded when they are first used. A posterior from two numbers of a survey, h-free:

>>> from earnest_selfcal import forward_table, infer
>>> table = forward_table("paper")  # about a second, then 0.4 ms per posterior
>>> infer(table, 130, 13.75)  # clusters, and the median of log10 Y_X [solMass keV]
Posterior(sigma8 0.8321 +- 0.0321, 68 % from 0.7984 to 0.8650)
"""

from importlib.metadata import version

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

__version__ = version("earnest-selfcal")
