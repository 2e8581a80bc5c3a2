"""What a model is measured against: a limit where the preset is untouched, and pairs of the same catalogs."""

import dataclasses

import numpy as np
import polars as pl
import pytest
from earnest_common.catalogs import Plan
from earnest_common.errors import EarnestError, InputError, PluginError
from earnest_common.survey.limits import Limit
from earnest_model.evaluation import limits as referee
from earnest_model.evaluation.accuracy import accuracy
from earnest_model.evaluation.labelled_predictions import LabelledPredictions
from earnest_model.evaluation.limits import limit_of_preset, paired, with_limit, with_referee

LIMIT = Limit(scatter=0.01, scatter_err=0.001, n_catalogs=100, text="a toy")
PLAN = Plan(kind="mock", preset="toy", seed=1, n_catalogs=10, config={"survey": {"radii": [1, 2]}})


@pytest.fixture
def found() -> LabelledPredictions:
    rng = np.random.default_rng(1)
    true = rng.uniform(0.7, 0.92, 500)
    mine = true + 0.02 * rng.standard_normal(500)
    table = pl.DataFrame({"catalog_id": np.arange(500), "sigma8": mine})
    return LabelledPredictions(
        true=true, predictions=table, interval_68=(mine, mine), interval_95=(mine, mine), cumulative=np.zeros_like
    )


class Source:
    def __init__(self, config):
        self.config = config

    def provenance(self):
        return {"config": self.config}


@pytest.mark.parametrize(
    ("source", "plan", "known"),
    [
        (lambda: Source({"survey": {"radii": (1, 2)}}), PLAN, True),
        (lambda: Source({"survey": {"radii": (1, 3)}}), PLAN, False),  # a field was changed
        (lambda: Source({"survey": {"radii": (1, 2)}}), dataclasses.replace(PLAN, kind="observed"), False),
    ],
)
def test_a_limit_holds_for_the_preset_as_it_is(monkeypatch, source, plan, known):
    monkeypatch.setattr(referee, "open_source", lambda name, *, preset, seed: source())
    monkeypatch.setattr(referee, "known_limit", lambda preset, *, columns: LIMIT)
    assert limit_of_preset(plan, columns=("t_x",)) == (LIMIT if known else None)


def test_who_cannot_tell_whether_a_preset_is_unchanged_names_no_limit(monkeypatch):
    def missing(name, *, preset, seed):
        raise PluginError("no installed package provides 'mocks'")

    monkeypatch.setattr(referee, "open_source", missing)
    monkeypatch.setattr(referee, "known_limit", lambda preset, *, columns: LIMIT)
    assert limit_of_preset(PLAN, columns=()) is None


def test_efficiency_is_a_ratio_of_variances(found):
    quality = with_limit(accuracy(found), LIMIT)
    assert quality.efficiency == pytest.approx((0.01 / quality.scatter) ** 2)
    assert quality.efficiency_without_grid is None
    gridded = with_limit(accuracy(found), dataclasses.replace(LIMIT, without_grid=0.012))
    assert gridded.efficiency == quality.efficiency
    assert gridded.efficiency_without_grid == pytest.approx(1.44 * quality.efficiency)
    assert (quality.referee_scatter, quality.referee_scatter_err, quality.referee) == (0.01, 0.001, "a toy")


def test_pairs_are_the_catalogs_that_both_know(found, tmp_path):
    """The referee has other catalogs too, in another order, and errs half as much in the same direction."""
    ids = np.random.default_rng(2).permutation(np.arange(200, 500))
    true = found.true[ids]
    table = pl.DataFrame(
        {"catalog_id": ids, "sigma8": true + (found.sigma8[ids] - true) / 2, "sigma8_true": true, "more": ids}
    )
    table.write_parquet(tmp_path / "R.parquet")
    model, exact = paired(found, tmp_path / "R.parquet")
    np.testing.assert_allclose(exact, model / 2, atol=1e-12)
    quality = with_referee(accuracy(found), found, tmp_path / "R.parquet")
    assert quality.efficiency == pytest.approx(0.25)
    assert "exact posterior of 300 of these catalogs" in quality.referee
    seeing = with_referee(accuracy(found), found, tmp_path / "R.parquet", columns=("t_x", "m_gas_profile"))
    assert (seeing.efficiency, seeing.referee_scatter) == (None, quality.referee_scatter)
    assert "profiles are not in it" in seeing.referee
    assert with_referee(accuracy(found), found, tmp_path / "R.parquet", columns=("t_x", "m_gas")) == quality


def test_a_referee_of_something_else_is_refused(found, tmp_path):
    file = tmp_path / "R.parquet"
    good = pl.DataFrame({"catalog_id": np.arange(5), "sigma8": found.true[:5], "sigma8_true": found.true[:5]})
    for table, message in (
        (good.drop("sigma8_true"), "lacks sigma8_true"),
        (good.with_columns(pl.col("catalog_id") + 1000), "share 0 catalogs"),
        (good.with_columns(pl.col("sigma8_true") + 0.01), "belongs to another set"),
    ):
        table.write_parquet(file)
        with pytest.raises(InputError, match=message):
            paired(found, file)
    file.write_text("no table")
    with pytest.raises(EarnestError, match="cannot be read"):
        paired(found, file)
