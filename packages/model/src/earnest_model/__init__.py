"""Neural encoders that turn a cluster catalog into sigma8 with an error bar.

The names at the top are loaded when they are first used, TensorFlow with those that need it. Training in three lines,
with fresh mocks of earnest-mocks:

>>> from earnest_model import evaluate, train
>>> model = train("model", live="paper", seed=2)  # doctest: +SKIP
>>> evaluate(model, "mocks")  # doctest: +SKIP
Accuracy(scatter 0.0172 +- 0.0002 (prior 0.0663), ...)
"""

from importlib.metadata import version

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

__version__ = version("earnest-model")
