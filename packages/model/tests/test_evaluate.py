"""Numbers of an evaluation against cases with known answers."""

import dataclasses

import numpy as np
import polars as pl
import pytest
from earnest_common.errors import InputError
from earnest_common.testing import toy_batch
from earnest_model.evaluation.accuracy import accuracy, thirds
from earnest_model.evaluation.labelled_predictions import LabelledPredictions, predict_labelled
from scipy.special import ndtr


def known(n: int, *, scatter: float, bias: float, claimed: float, seed: int = 0) -> LabelledPredictions:
    rng = np.random.default_rng(seed)
    true = rng.uniform(0.70, 0.92, n)
    inferred = true + bias + scatter * rng.standard_normal(n)
    table = pl.DataFrame({"catalog_id": np.arange(n), "sigma8": inferred})
    return LabelledPredictions(
        true=true,
        predictions=table,
        interval_68=(inferred - 0.994458 * claimed, inferred + 0.994458 * claimed),
        interval_95=(inferred - 1.959964 * claimed, inferred + 1.959964 * claimed),
        cumulative=lambda values: ndtr((values - inferred) / claimed),
    )


def test_scatter_bias_skill_and_coverage_of_gaussian_errors():
    n = 40_000
    found = accuracy(known(n, scatter=0.02, bias=0.001, claimed=0.02))
    assert found.scatter == pytest.approx(0.02, rel=3 / np.sqrt(2 * n))
    assert found.scatter_err == pytest.approx(0.02 / np.sqrt(2 * n), rel=0.15)  # 400 resamples: 3.5 %, and luck
    assert found.bias == pytest.approx(0.001, abs=3 * 0.02 / np.sqrt(n))
    assert found.prior_scatter == pytest.approx(0.22 / np.sqrt(12), rel=0.01)
    assert found.skill == pytest.approx(1 - (0.02 / 0.0635) ** 2, abs=0.003)
    assert found.coverage_68 == pytest.approx(0.68, abs=0.01)
    assert found.coverage_95 == pytest.approx(0.95, abs=0.01)
    assert found.n_catalogs == n
    assert found.to_dict()["referee_scatter"] is None
    assert found.coverage_68_thirds == pytest.approx((0.68, 0.68, 0.68), abs=0.015)
    assert found.coverage_68_ends == pytest.approx((0.68, 0.68), abs=0.06)  # 1,000 catalogs each
    assert np.isnan(accuracy(known(60, scatter=0.02, bias=0.0, claimed=0.02)).coverage_68_ends).all()
    assert found.coverage_95_thirds == pytest.approx((0.95, 0.95, 0.95), abs=0.007)
    assert found.edge_slope == pytest.approx(1, abs=0.005)  # noise around the truth does not shrink


def test_shrinkage_shows_at_the_edges():
    """An estimate that goes half way to the middle of the prior: slope 1/2, and far off at the ends.

    The outer tenths of a range of 0.22 have their middle 0.099 from the centre.
    """
    sharp = known(4000, scatter=1e-6, bias=0.0, claimed=1e-6)
    inferred = 0.81 + 0.5 * (sharp.true - 0.81)
    shrunk = dataclasses.replace(sharp, predictions=pl.DataFrame({"catalog_id": range(4000), "sigma8": inferred}))
    found = accuracy(shrunk)
    assert found.edge_slope == pytest.approx(0.5, abs=1e-6)
    assert found.edge_bias_low == pytest.approx(0.0495, abs=0.001)
    assert found.edge_bias_high == pytest.approx(-0.0495, abs=0.001)


def test_a_posterior_covers_by_inferred_value_and_not_at_the_ends_of_the_true_ones():
    """Normal truths, normal errors: the posterior covers everywhere by inferred value, its tails by true value not.

    At the true value t the estimate is normal about k t with standard deviation k s; the posterior's is sqrt(k) s.
    """
    rng, s, width = np.random.default_rng(3), 0.03, 0.03
    true = 0.81 + width * np.round(rng.standard_normal(20_000).clip(-2, 2), 1)
    k = width**2 / (width**2 + s**2)
    inferred = 0.81 + k * (true - 0.81 + s * rng.standard_normal(20_000))
    error = np.sqrt(k) * s
    found = accuracy(
        dataclasses.replace(
            known(20_000, scatter=1.0, bias=0.0, claimed=1.0),
            true=true,
            predictions=pl.DataFrame({"catalog_id": range(20_000), "sigma8": inferred}),
            interval_68=(inferred - 0.994458 * error, inferred + 0.994458 * error),
        ),
        n_resamples=2,
    )
    assert found.coverage_68_inferred == pytest.approx((0.68, 0.68, 0.68), abs=0.05)
    expected = float(np.diff(ndtr((2 * width * (1 - k) + 0.994458 * np.array([-error, error])) / (k * s)))[0])
    assert found.coverage_68_ends == pytest.approx((expected, expected), abs=0.08)  # 450 catalogs at either end
    assert expected < 0.4


def test_thirds_divide_the_range():
    grid = np.linspace(0.70, 0.92, 23)
    np.testing.assert_array_equal(thirds(grid), [0] * 8 + [1] * 7 + [2] * 8)


def test_overconfidence_shows_in_coverage_alone():
    modest, proud = (accuracy(known(2000, scatter=0.02, bias=0.0, claimed=c)) for c in (0.02, 0.01))
    assert modest.scatter == proud.scatter
    assert proud.coverage_68 < 0.5 < modest.coverage_68


class Plain:
    """An estimator that tells no intervals but those of the schema."""

    description = None

    def predict(self, batch):
        true = batch.label("sigma8")
        columns = {
            "sigma8": true,
            "sigma8_err": true * 0 + 0.01,
            "sigma8_lo68": true - 0.01,
            "sigma8_hi68": true + 0.01,
        }
        return batch.catalogs.select("catalog_id").with_columns(**{k: pl.Series(v) for k, v in columns.items()})


def test_any_estimator_can_be_evaluated_in_parts(batch):
    parts = [batch.select(np.arange(15)), batch.select([]), batch.select(np.arange(15, 40))]
    found = accuracy(predict_labelled(Plain(), parts))
    assert (found.scatter, found.coverage_68, found.coverage_95, found.n_catalogs) == (0.0, 1.0, 1.0, 40)
    told = predict_labelled(Plain(), parts)
    np.testing.assert_allclose(told.cumulative(told.true), 0.5)
    np.testing.assert_allclose(told.cumulative(told.true + np.linspace(0, 0.02, 40)), ndtr(np.linspace(0, 2, 40)))


def test_unknown_truth_is_refused(batch):
    unknown = batch.catalogs.with_columns(sigma8=pl.lit(None, dtype=pl.Float64))
    with pytest.raises(InputError, match="40 of 40 catalogs have no true sigma8"):
        predict_labelled(Plain(), [type(batch)(catalogs=unknown, clusters=batch.clusters)])
    with pytest.raises(InputError, match="no catalogs to evaluate"):
        predict_labelled(Plain(), [])
    with pytest.raises(InputError, match="at least two catalogs, found 1"):
        accuracy(predict_labelled(Plain(), [toy_batch(n_catalogs=1, seed=1)]))


def test_one_true_sigma8_leaves_null_with_the_reason_and_nothing_absurd(estimator, tmp_path):
    """Fiducial mocks: no spread of the truth is there to be explained, whatever rounding leaves of it."""
    from earnest_common.report.section import write_section
    from earnest_model.report.accuracy import accuracy_section

    batch = toy_batch(n_catalogs=120, seed=3)
    same = dataclasses.replace(batch, catalogs=batch.catalogs.with_columns(sigma8=pl.lit(0.809)))
    found = predict_labelled(estimator, [same])
    quality = accuracy(found)
    told = quality.to_dict()
    for name in ("skill", "edge_slope", "edge_bias_low", "edge_bias_high", "sbc_p_value", "tarp_p_value"):
        assert told[name] is None, name
    assert told["coverage_68_thirds"] == told["coverage_95_thirds"] == [None, None, None]
    assert told["prior_scatter"] == 0
    assert "the same true sigma8" in told["undefined"]
    assert told["scatter"] == pytest.approx(float((found.sigma8 - 0.809).std()))
    section = accuracy_section(found, quality, provenance={})
    write_section(tmp_path / "s.json", section)
    assert "undefined: all catalogs have the same true sigma8" in " ".join(section.text)
    assert not [word for word in " ".join(section.text).split() if "nan" in word or "e+" in word]


def test_estimates_that_never_change_have_no_skill(tmp_path):
    found = known(500, scatter=0.02, bias=0.0, claimed=0.02)
    constant = dataclasses.replace(found, predictions=found.predictions.with_columns(sigma8=pl.lit(0.81)))
    quality = accuracy(constant)
    assert quality.skill == pytest.approx(0, abs=0.01)
    assert quality.edge_slope == pytest.approx(0, abs=1e-9)
    assert quality.undefined is None
