"""Laws of accuracy: known errors come back, and what is unknown stays unknown."""

import numpy as np
import polars as pl
import pytest
from earnest_interpret.accuracy import summarise_accuracy
from earnest_interpret.responses.questions import predict
from earnest_interpret.testing import PlainEstimator


def test_known_errors_come_back(rng: np.random.Generator):
    truth = rng.uniform(0.7, 0.92, 50_000)
    inferred = truth + rng.normal(0.005, 0.02, truth.size)
    frame = pl.DataFrame({"sigma8": inferred, "sigma8_lo68": inferred - 0.025, "sigma8_hi68": inferred + 0.015})
    found = summarise_accuracy(frame, truth)
    assert found.scatter == pytest.approx(0.02, rel=0.02)
    assert found.bias == pytest.approx(0.005, abs=4 * found.bias_err)
    assert found.prior_scatter == pytest.approx(0.22 / np.sqrt(12), rel=0.01)
    assert found.skill == pytest.approx(1 - (0.02 / 0.0635) ** 2, abs=0.01)
    assert found.coverage_68 == pytest.approx(0.6827, abs=0.01)


def test_the_error_of_the_scatter_is_right(rng: np.random.Generator):
    found = []
    for _ in range(400):
        truth = rng.uniform(0.7, 0.92, 100)
        frame = pl.DataFrame(
            {name: truth + rng.normal(0, 0.02, 100) for name in ("sigma8", "sigma8_lo68", "sigma8_hi68")}
        )
        found.append(summarise_accuracy(frame, truth))
    assert np.std([one.scatter for one in found]) == pytest.approx(found[0].scatter_err, rel=0.15)


def test_only_labelled_catalogs_count(batch):
    predictions = predict(PlainEstimator(), batch, max_rows=100)
    assert predictions["catalog_id"].to_list() == batch.catalogs["catalog_id"].to_list()
    truth = np.where(np.arange(batch.n_catalogs) < 10, batch.label("sigma8"), np.nan)
    found = summarise_accuracy(predictions, truth)
    assert found.n_catalogs == 10
    assert np.isnan(found.coverage_68)  # no interval is given
    assert summarise_accuracy(predictions, np.full(batch.n_catalogs, np.nan)) is None
