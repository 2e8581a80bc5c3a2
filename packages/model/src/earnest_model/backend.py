"""The one place that imports TensorFlow and Keras, without their start-up noise."""

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator

from earnest_common.errors import InputError

__all__ = ["keras", "tf"]


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Hold back what C++ start-up code writes to standard error, and show it only if the import fails.

    TensorFlow's log level does not reach messages that are written before its logging begins.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.stderr.flush()
    shown = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            held.seek(0)
            os.write(shown, held.read())
            raise
        finally:
            os.dup2(shown, 2)
            os.close(shown)


with _quiet():
    import keras
    import tensorflow as tf

if keras.backend.backend() != "tensorflow":
    raise InputError(
        f"KERAS_BACKEND is '{keras.backend.backend()}'; the networks of earnest-model sum over clusters with "
        "TensorFlow: unset KERAS_BACKEND or set it to 'tensorflow'"
    )
