"""The one place that imports TensorFlow and Keras, without their start-up noise."""

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator

from earnest_common.errors import InputError

__all__ = ["keras", "out_of_memory_as", "own_defaults", "tf"]


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


@contextlib.contextmanager
def _on_tensorflow() -> Iterator[None]:
    """Let Keras choose TensorFlow while it is loaded, whatever KERAS_BACKEND or a keras.json says."""
    chosen = os.environ.get("KERAS_BACKEND")
    os.environ["KERAS_BACKEND"] = "tensorflow"
    try:
        yield
    finally:
        if chosen is None:
            del os.environ["KERAS_BACKEND"]
        else:
            os.environ["KERAS_BACKEND"] = chosen


with _quiet(), _on_tensorflow():
    import keras
    import tensorflow as tf

if keras.backend.backend() != "tensorflow":
    raise InputError(
        f"Keras was loaded with the backend '{keras.backend.backend()}' before earnest; the networks of earnest-model "
        "sum over clusters with TensorFlow: import earnest_model first, or set KERAS_BACKEND to 'tensorflow'"
    )


@contextlib.contextmanager
def own_defaults() -> Iterator[None]:
    """Build networks and optimisers in single precision, whatever the user has set in Keras; that is restored.

    Layers keep the precision that they are built with, so that their answers do not depend on settings either.
    """
    policy, float_type = keras.config.dtype_policy(), keras.config.floatx()
    layout, epsilon = keras.config.image_data_format(), keras.config.epsilon()
    keras.config.set_floatx("float32")
    keras.config.set_dtype_policy("float32")
    keras.config.set_image_data_format("channels_last")
    keras.config.set_epsilon(1e-7)
    try:
        yield
    finally:
        keras.config.set_floatx(float_type)
        keras.config.set_dtype_policy(policy)
        keras.config.set_image_data_format(layout)
        keras.config.set_epsilon(epsilon)


@contextlib.contextmanager
def out_of_memory_as(message: str) -> Iterator[None]:
    """Turn a lack of memory into one message.

    Raises
    ------
    InputError
        Instead of an error of TensorFlow, or of Python, for want of memory.
    """
    try:
        yield
    except (tf.errors.ResourceExhaustedError, MemoryError) as error:
        raise InputError(message) from error
