"""The report section: the numbers that figures show, and what happens without matplotlib."""

import builtins

import numpy as np
import pytest
from earnest_common.errors import MissingExtraError
from earnest_common.report.section import read_section, write_section
from earnest_model.evaluation.accuracy import accuracy
from earnest_model.evaluation.labelled_predictions import predict_labelled
from earnest_model.report.accuracy import accuracy_section, by_true_sigma8


def test_grid_values_are_their_own_bins():
    true = np.repeat([0.70, 0.71, 0.72], 101)
    values = true + np.tile(np.linspace(-0.05, 0.05, 101), 3)
    centres, quantiles = by_true_sigma8(true, values)
    np.testing.assert_allclose(centres, [0.70, 0.71, 0.72])
    np.testing.assert_allclose(quantiles - centres[:, None], np.tile([-0.034, 0.0, 0.034], (3, 1)), atol=1e-12)


def test_other_values_are_binned_in_equal_numbers():
    true = np.random.default_rng(1).uniform(0.7, 0.92, 1000)
    centres, quantiles = by_true_sigma8(true, true)
    assert len(centres) == 23
    assert (np.diff(centres) > 0).all()
    assert (np.abs(quantiles[:, 1] - centres) < 0.005).all()


def test_the_section_is_written_and_read(estimator, batch, tmp_path):
    found = predict_labelled(estimator, [batch])
    section = accuracy_section(found, accuracy(found), provenance={"model": "toy"})
    write_section(tmp_path / "s.json", section)
    back = read_section(tmp_path / "s.json")
    assert [f.name for f in back.figures] == ["model-sigma8", "model-coverage", "model-ranks"]
    assert all(f.svg.lstrip().startswith("<?xml") and f.alt and f.caption for f in back.figures)
    assert back.summary["n_catalogs"] == 40
    assert section == accuracy_section(found, accuracy(found), provenance={"model": "toy"})  # no dates, no random names


def test_without_matplotlib_the_remedy_is_named(estimator, batch, monkeypatch):
    original = builtins.__import__

    def without(name, *args, **kwargs):
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return original(name, *args, **kwargs)

    found = predict_labelled(estimator, [batch])
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingExtraError, match=r'pip install "earnest-common\[figures\]"'):
        accuracy_section(found, accuracy(found), provenance={})
