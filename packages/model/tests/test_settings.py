"""What the user has set in Keras changes no answer and no file, and stays as it was."""

import contextlib
import dataclasses
import subprocess
import sys
from collections.abc import Iterator

import numpy as np
import pytest
from earnest_common.plugins import load_estimator
from earnest_model.data.training_data import LiveFeed
from earnest_model.networks.backend import keras
from earnest_model.training.loop import train

POLICIES = ("float64", "mixed_float16")


@contextlib.contextmanager
def settings_of_the_user(policy: str) -> Iterator[None]:
    """Settings as in a keras.json or a session of the user, which must still be there at the end."""
    before = keras.config.dtype_policy(), keras.config.floatx(), keras.config.image_data_format()
    keras.config.set_floatx("float64" if policy == "float64" else "float16")
    keras.config.set_dtype_policy(policy)
    keras.config.set_image_data_format("channels_first")
    try:
        yield
        assert keras.config.dtype_policy().name == policy
        assert keras.config.image_data_format() == "channels_first"
    finally:
        keras.config.set_floatx(before[1])
        keras.config.set_dtype_policy(before[0])
        keras.config.set_image_data_format(before[2])


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("name", ["pooled", "paper"])
def test_bundles_answer_the_same_whatever_the_precision_of_the_session(bundle, paper_bundle, name, batch, policy):
    path = bundle if name == "pooled" else paper_bundle
    before = load_estimator(path).predict(batch)
    with settings_of_the_user(policy):
        again = load_estimator(path)
        assert again.predict(batch).equals(before)
        assert np.isfinite(again.gradient(batch, of="sigma8")).all()


@pytest.mark.parametrize("name", ["pooled", "paper"])
def test_training_is_the_same_whatever_the_precision_of_the_session(tmp_path, config, source, name):
    fast = dataclasses.replace(config.fast, max_steps=3, looks=1, n_validation=32, chunk_catalogs=32)
    brief = dataclasses.replace(config, architecture=name, fast=fast)
    before = train(brief, LiveFeed(source, fast, seed=1), workspace=tmp_path / "one")
    with settings_of_the_user("float64" if name == "pooled" else "mixed_float16"):
        again = train(brief, LiveFeed(source, fast, seed=1), workspace=tmp_path / "two")
    for one, two in zip(again.network.get_weights(), before.network.get_weights(), strict=True):
        assert one.dtype == two.dtype
        np.testing.assert_array_equal(one, two)


def test_another_backend_that_is_asked_for_in_the_environment_is_left_to_others(bundle, monkeypatch):
    """A bundle opens although KERAS_BACKEND names another backend, and the variable stays for other programs."""
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    code = (
        "import os; from pathlib import Path; from earnest_common.plugins import load_estimator; "
        f"load_estimator(Path({str(bundle)!r})); print(os.environ['KERAS_BACKEND'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout == "jax\n", done.stderr


def test_a_network_that_brings_code_along_is_refused_without_the_advice_to_run_it(bundle, tmp_path, monkeypatch):
    from earnest_common.errors import IntegrityError
    from earnest_model.bundle import estimator

    def unsafe(*_):
        raise ValueError("Requested the deserialization of a Lambda layer ... you can pass `safe_mode=False`")

    monkeypatch.setattr(estimator, "load_network", unsafe)
    with pytest.raises(IntegrityError, match="is no network of earnest") as caught:
        load_estimator(bundle)
    assert "safe_mode" not in str(caught.value)
