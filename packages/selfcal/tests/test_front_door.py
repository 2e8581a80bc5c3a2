"""The names at the top of the package."""

import numpy as np
import polars as pl
import pytest
from earnest_common.catalogs import CatalogSet
from earnest_common.errors import InputError
from earnest_common.testing import front_door_problems, toy_batch, toy_set
from earnest_selfcal import RefereeConfig, forward_table, infer, named_preset, referee, summaries_of

QUICK = RefereeConfig(n_draws=300, max_rounds=1)


def test_names():
    assert front_door_problems("earnest_selfcal") == []


def test_a_survey_is_named_or_given():
    """By name, as a preset, or as its table: one posterior."""
    expected = infer("paper", 130, 13.75)
    for survey in (named_preset("paper"), forward_table("paper"), forward_table(named_preset("paper"))):
        np.testing.assert_allclose(infer(survey, 130, 13.75).probability, expected.probability, rtol=1e-12)


def test_medians_are_those_of_numpy():
    """Of a batch, a set and a folder."""
    batch = toy_batch(n_catalogs=30, seed=1)
    y_x = np.log10(batch.column("t_x") * batch.column("m_gas"))
    expected = [np.median(part) for part in np.split(y_x, batch.row_splits[1:-1])]
    with toy_set(n_catalogs=30, seed=1) as folder:
        for catalogs in (batch, folder, CatalogSet.open(folder)):
            found = summaries_of(catalogs)
            np.testing.assert_allclose(found["median_log10_y_x"], expected, rtol=1e-12)
        assert summaries_of(folder, split="test").height < 30
    with pytest.raises(InputError, match="the batch of catalogs has no catalogs of split 'test'"):
        summaries_of(batch.select([0]), split="test")


def test_the_referee_takes_any_catalogs():
    """A batch and the set of it are refereed alike: a catalog's random numbers are its own."""
    wanted = {"survey": "paper", "split": "train", "max_catalogs": 2, "residuals": "lognormal", "config": QUICK}
    with toy_set(n_catalogs=8, seed=1) as folder:
        from_set = referee(folder, **{**wanted, "survey": named_preset("paper")})
    from_batch = referee(toy_batch(n_catalogs=8, seed=1), **wanted)
    assert from_set.table.equals(from_batch.table)
    assert from_batch.to_dict()["n_catalogs"] == 2
    assert "prior 0.0663" in repr(from_batch)
    assert from_batch.table["sigma8_true"].is_between(0.7, 0.92).all()


def test_catalogs_in_memory_do_not_know_their_survey():
    batch = toy_batch(n_catalogs=2, seed=1)
    with pytest.raises(InputError, match="name a preset"):
        referee(batch)
    with pytest.raises(InputError, match="learned from the splits"):
        referee(batch, survey="paper", residuals="learned")
    unknown = batch.catalogs.with_columns(split=pl.lit(None, dtype=pl.String))
    with pytest.raises(InputError, match="no catalogs to referee of split 'test'"):
        referee(type(batch)(catalogs=unknown, clusters=batch.clusters), survey="paper", split="test")


def test_results_are_shown():
    found = infer("paper", 130)
    assert "\n" not in repr(found)
    assert f"{found.mean:.4g}" in found._repr_html_()
    assert "50 to 317" not in forward_table("realistic")._repr_html_()
