"""What is said of the network that is kept, against numbers of known answer and against the saved network itself."""

import dataclasses

import numpy as np
import pytest
from earnest_common.bundle import read_bundle
from earnest_common.catalogs.batch import concat
from earnest_common.errors import InputError
from earnest_model.bundle.estimator import NetworkEstimator
from earnest_model.networks.heads import PointHead
from earnest_model.training import recipes
from earnest_model.training.bundle_writing import describe
from earnest_model.training.bundles import headline
from earnest_model.training.card import model_card
from earnest_model.training.loop import train
from earnest_model.training.validation import in_words, validation_metrics, warning


def test_errors_are_those_of_gaussian_residuals_and_the_prior_is_that_of_the_labels():
    n, rng = 20_000, np.random.default_rng(1)
    true = rng.uniform(0.70, 0.92, n)
    outputs = (true + 0.003 + 0.02 * rng.standard_normal(n))[:, None]
    found = validation_metrics(PointHead(0.0, 1.0), outputs, true[:, None])
    assert found["scatter"] == pytest.approx(0.02, rel=3 / np.sqrt(2 * n))
    assert found["scatter_err"] == pytest.approx(0.02 / np.sqrt(2 * n), rel=0.15)  # 400 resamples: 3.5 %, and luck
    assert found["bias"] == pytest.approx(0.003, abs=3 * 0.02 / np.sqrt(n))
    assert found["bias_err"] == pytest.approx(0.02 / np.sqrt(n), rel=0.02)
    assert found["prior_scatter"] == pytest.approx(0.22 / np.sqrt(12), rel=0.02)
    assert found["n_catalogs"] == n


def test_the_saved_network_is_quoted_on_all_validation_catalogs(tmp_path, config, feed, monkeypatch):
    """The first look is made the best: what is quoted must be of its weights, and of more than a look's catalogs."""
    monkeypatch.setattr(recipes._Fast, "score", lambda self, record: float(record["step"]))
    brief = dataclasses.replace(config, fast=dataclasses.replace(config.fast, max_steps=24, looks=3, n_look=64))
    result = train(brief, feed, workspace=tmp_path / "w")
    first, last = result.history[0], result.history[-1]
    assert result.validation["kept_step"] == first["step"] < last["step"] == 24

    validation = concat(list(feed.validation()))
    estimator = NetworkEstimator([result.network], describe(result, brief, feed))
    residual = estimator.predict(validation)["sigma8"].to_numpy() - validation.label("sigma8")
    assert result.validation["n_catalogs"] == len(residual) > 64
    assert result.validation["scatter"] == pytest.approx(residual.std(), abs=1e-6)
    assert result.validation["bias"] == pytest.approx(residual.mean(), abs=1e-6)
    assert result.validation["scatter"] != pytest.approx(last["scatter"], abs=1e-4)

    told = describe(result, brief, feed).training["validation"]
    assert (told["step"], told["scatter"]) == (24, result.validation["scatter"])
    card = model_card(estimator.description)
    assert f"scatter {residual.std():.4f} ± " in card
    assert f"on {len(residual):,} validation catalogs" in card
    assert f"scatter by {validation.label('sigma8').std():.4f} (the prior)" in card


@pytest.mark.parametrize(("scatter", "warned"), [(0.0629, False), (0.0631, True), (0.0700, True)])
def test_no_better_than_the_prior_is_said(trained, config, feed, scatter, warned):
    record = {**trained.validation, "scatter": scatter, "prior_scatter": 0.0663}
    assert (warning(record) is not None) is warned
    card = model_card(describe(dataclasses.replace(trained, validation=record), config, feed))
    assert ("**Warning:** the network is hardly better than the prior" in card) is warned
    assert warning(trained.validation) is None


def test_bundles_of_earlier_releases_are_read():
    old = {"scatter": 0.0172, "bias": 0.001, "step": 3}
    assert in_words(old) == "scatter 0.0172, bias +0.0010 on validation catalogs of its kind"
    assert warning(old) is None


def test_no_step_in_the_time_is_refused_and_blocks_nothing(tmp_path, config, feed):
    hasty = dataclasses.replace(config, fast=dataclasses.replace(config.fast, max_seconds=1e-3))
    with pytest.raises(InputError, match=r"the time was over before the first step: .*raise --max-seconds"):
        train(hasty, feed, workspace=tmp_path / "w")
    assert not list(tmp_path.iterdir())
    longer = dataclasses.replace(config, fast=dataclasses.replace(config.fast, max_steps=2, looks=1))
    assert train(longer, feed, workspace=tmp_path / "w").history[-1]["step"] == 2


def test_what_train_tells_leaves_the_quantiles_in_the_bundle(bundle):
    """A point estimate is calibrated by a hundred quantiles, which say nothing to a reader of the terminal."""
    calibration = {"lo68": -0.02, "q01": -0.04, "q99": 0.04, "std": 0.018, "n_catalogs": 9.0}
    description = dataclasses.replace(read_bundle(bundle), calibration=calibration)
    assert headline(bundle, description)["calibration"] == {"lo68": -0.02, "std": 0.018, "n_catalogs": 9.0}
