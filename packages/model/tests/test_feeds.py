"""Where training catalogs come from: never from a set or another split, and the same after an interruption."""

import dataclasses
import itertools

import numpy as np
import polars as pl
import pytest
from earnest_common.catalogs import CatalogSet, Plan, write_batch
from earnest_common.catalogs.batch import concat
from earnest_common.errors import InputError
from earnest_common.testing import toy_batch
from earnest_model.config import FastRecipe
from earnest_model.data.features import FeatureSet, fit_scaling, to_arrays
from earnest_model.data.training_data import LiveFeed, SetFeed, ahead

RECIPE = FastRecipe(chunk_catalogs=40, n_validation=30, passes=2)
FEATURES = FeatureSet()


def arrays_of(batch):
    return to_arrays(batch, FEATURES, fit_scaling(toy_batch(n_catalogs=50, seed=1), FEATURES))


def ids(batch) -> np.ndarray:
    return batch.catalogs.get_column("catalog_id").to_numpy()


def test_live_catalogs_are_never_those_of_a_set(source):
    feed = LiveFeed(source, RECIPE, seed=1)
    train, validation = ids(feed.sample()), ids(concat(list(feed.validation())))
    assert min(train.min(), validation.min()) > 2**31  # sets count from 0
    assert not set(train) & set(validation)
    assert len(train) == 1024  # enough that labels span the prior, however small the chunks
    assert len(validation) == 30


def test_splits_of_the_source_are_kept(source):
    feed = LiveFeed(source, RECIPE, seed=1)
    assert set(feed.sample().catalogs.get_column("split")) == {"train"}
    assert {split for part in feed.validation() for split in part.catalogs.get_column("split")} == {"validation"}


def test_a_source_without_splits_gives_all_its_catalogs(source):
    feed = LiveFeed(dataclasses.replace(source, with_splits=False), RECIPE, seed=1)
    assert feed.sample().n_catalogs == 1024
    assert sum(part.n_catalogs for part in feed.validation()) == 30


def test_each_live_catalog_is_used_in_as_many_passes_as_the_recipe_says(source):
    rounds = LiveFeed(source, RECIPE, seed=1).rounds(0, arrays_of)
    seen = [set(next(rounds).sigma8.tolist()) for _ in range(4)]
    assert [len(s) for s in seen] == [40, 80, 80, 80]
    assert len(seen[1] & seen[2]) == 40
    assert not seen[0] & seen[2]


@pytest.mark.parametrize("first", [1, 3])
def test_rounds_are_the_same_after_an_interruption(source, toy_set, first):
    for feed in (LiveFeed(source, RECIPE, seed=1), SetFeed(toy_set, RECIPE, seed=1)):
        straight = next(itertools.islice(feed.rounds(0, arrays_of), first, None))
        resumed = next(feed.rounds(first, arrays_of))
        np.testing.assert_array_equal(straight.encoder, resumed.encoder)


def test_a_set_in_memory_is_shuffled_anew_in_every_round(toy_set):
    feed = SetFeed(toy_set, RECIPE, seed=1)
    one, two = itertools.islice(feed.rounds(0, arrays_of), 2)
    assert not np.array_equal(one.sigma8, two.sigma8)
    np.testing.assert_array_equal(np.sort(one.sigma8), np.sort(two.sigma8))
    assert set(feed.sample().catalogs.get_column("split")) == {"train"}
    assert {split for part in feed.validation() for split in part.catalogs.get_column("split")} == {"validation"}


def test_a_set_larger_than_memory_is_passed_over_in_groups(toy_set):
    recipe = FastRecipe(memory_clusters=toy_set.manifest.n_clusters // 4, n_validation=5)
    feed = SetFeed(toy_set, recipe, seed=1)
    rounds = list(itertools.islice(feed.rounds(0, arrays_of), 10))
    everything = np.sort(toy_set.read(split="train").label("sigma8"))
    for one_pass in (rounds[:5], rounds[5:]):
        assert max(r.counts.sum() for r in one_pass) < toy_set.manifest.n_clusters / 3
        np.testing.assert_array_equal(np.sort(np.concatenate([r.sigma8 for r in one_pass])), everything)
    assert sum(part.n_catalogs for part in feed.validation()) == 5


def test_a_set_without_splits_is_refused(tmp_path):
    batch = toy_batch(n_catalogs=4, seed=1)
    plain = dataclasses.replace(batch, catalogs=batch.catalogs.with_columns(split=pl.lit(None, dtype=pl.String)))
    write_batch(tmp_path / "SET", plain, Plan(kind="mock", preset="toy", seed=1, n_catalogs=4))
    with pytest.raises(InputError, match="no catalogs of split train and validation; divide it"):
        SetFeed(CatalogSet.open(tmp_path / "SET"), RECIPE, seed=1)


def test_working_ahead_keeps_order_and_passes_errors_on():
    assert list(ahead(iter(range(5)))) == [0, 1, 2, 3, 4]

    def failing():
        yield 1
        raise InputError("the source is empty")

    items = ahead(failing())
    assert next(items) == 1
    with pytest.raises(InputError, match="the source is empty"):
        next(items)


@pytest.mark.parametrize("wrong", [1.3, 0.5])
def test_labels_outside_the_prior_of_a_set_are_refused(tmp_path, wrong):
    """One misplaced point would stretch the range of every estimate; sets without a prior are not judged."""
    batch = toy_batch(n_catalogs=30, seed=1)
    strange = pl.when(pl.col("catalog_id") == 7).then(wrong).otherwise("sigma8")
    labelled = dataclasses.replace(batch, catalogs=batch.catalogs.with_columns(sigma8=strange))
    plan = Plan(kind="mock", preset="toy", seed=1, n_catalogs=30)
    write_batch(tmp_path / "PLAIN", labelled, plan)
    SetFeed(CatalogSet.open(tmp_path / "PLAIN"), RECIPE, seed=1)
    prior = {"priors": {"sigma8": {"low": 0.70, "high": 0.92}}}
    write_batch(tmp_path / "SET", labelled, dataclasses.replace(plan, config=prior))
    with pytest.raises(InputError, match=rf"sigma8: 1 of 30 .*0.7 to 0.92 \(first: catalog_id 7, {wrong}\)"):
        SetFeed(CatalogSet.open(tmp_path / "SET"), RECIPE, seed=1)
    write_batch(tmp_path / "GOOD", batch, dataclasses.replace(plan, config=prior))
    SetFeed(CatalogSet.open(tmp_path / "GOOD"), RECIPE, seed=1)
