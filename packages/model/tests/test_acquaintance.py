"""Which catalogs are called held-out, and which of a set a model is judged on."""

import dataclasses

import polars as pl
import pytest
from earnest_common.bundle import read_bundle
from earnest_common.catalogs import CatalogSet, Plan, write_batch
from earnest_common.errors import InputError
from earnest_common.testing import toy_batch
from earnest_model.config import FastRecipe
from earnest_model.data.overlap import overlap_with_training
from earnest_model.data.training_data import SetFeed


@pytest.fixture
def trained_on(bundle, toy_set):
    """The description of a model that was trained on the toy set."""
    description = read_bundle(bundle)
    origin = SetFeed(toy_set, FastRecipe(), seed=1).identity()
    return dataclasses.replace(description, training={**description.training, "catalogs": origin})


def written(path, n, seed):
    write_batch(path, toy_batch(n_catalogs=n, seed=seed), Plan(kind="mock", preset="toy", seed=seed, n_catalogs=n))
    return CatalogSet.open(path)


SPLITS = {None: ("test", False), "test": ("test", False), "train": ("train", True), "all": (None, True)}
SPLITS["validation"] = ("validation", True)


@pytest.mark.parametrize(("asked", "expected"), SPLITS.items())
def test_of_the_set_that_was_trained_on_only_the_split_test_is_held_out(trained_on, toy_set, asked, expected):
    found = overlap_with_training(trained_on, toy_set, asked)
    assert (found.split, found.met) == expected
    assert ("held-out" in found.words) is not found.met
    assert ("warning" in (found.note or "")) is found.met
    assert (found.note is None) == (asked == "test")  # what is not told apart from what was asked needs no note


def test_another_set_is_held_out_and_taken_whole(trained_on, tmp_path):
    found = overlap_with_training(trained_on, written(tmp_path / "OTHER", 30, seed=6), None)
    assert (found.split, found.met, found.words, found.note) == (None, False, "held-out catalogs", None)


def test_a_shorter_set_of_the_same_seed_may_hold_the_same_catalogs(trained_on, toy_set, tmp_path):
    shorter = written(tmp_path / "SHORT", 30, seed=5)
    assert shorter.manifest.data_hash != toy_set.manifest.data_hash
    before = dict(trained_on.training["catalogs"]["set"])
    del before["seed"]  # a bundle that was written before seeds were
    old = dataclasses.replace(trained_on, training={**trained_on.training, "catalogs": {"set": before}})
    for description in (trained_on, old):
        found = overlap_with_training(description, shorter, None)
        assert (found.split, found.met) == (None, None)
        assert "held-out" not in found.words
        assert "preset and seed of the set that the model was trained on" in found.note


def test_live_training_never_meets_a_set_and_unknown_training_promises_nothing(bundle, toy_set):
    live = read_bundle(bundle)
    assert "live" in live.training["catalogs"]
    assert overlap_with_training(live, toy_set, None).words == "held-out catalogs"
    unknown = overlap_with_training(dataclasses.replace(live, training={}), toy_set, "train")
    assert (unknown.split, unknown.met, unknown.words) == ("train", None, "catalogs")


@pytest.mark.parametrize(
    ("seed", "split", "words"),
    [(1, "test", None), (1, None, "--split test has strangers"), (3, "test", "split test of a set of seed 1 has")],
)
def test_donors_that_are_dealt_by_another_seed_were_met(bundle, tmp_path, seed, split, words):
    """Splits with donors of their own are strange to a live training only if the same seed dealt the donors."""
    live = read_bundle(bundle)
    origin = {"live": {**live.training["catalogs"]["live"], "seed": 1}}
    description = dataclasses.replace(live, training={**live.training, "catalogs": origin})
    plan = Plan(kind="mock", preset="toy", seed=seed, n_catalogs=30, config={"donors": {"split": True}})
    write_batch(tmp_path / "SET", toy_batch(n_catalogs=30, seed=seed), plan)
    found = overlap_with_training(description, CatalogSet.open(tmp_path / "SET"), split)
    assert found.words == "held-out catalogs"
    assert found.note is None if words is None else words in found.note


def test_without_catalogs_to_judge_on_the_remedy_is_named(trained_on, toy_set, tmp_path):
    everything = toy_set.read()
    no_test = dataclasses.replace(everything, catalogs=everything.catalogs.with_columns(split=pl.lit("train")))
    write_batch(tmp_path / "SET", no_test, toy_set.manifest.plan)
    opened = CatalogSet.open(tmp_path / "SET")
    origin = {"set": {"data_hash": opened.manifest.data_hash, "preset": "toy", "seed": 5}}
    description = dataclasses.replace(trained_on, training={"catalogs": origin})
    with pytest.raises(InputError, match=r"no catalogs of split test; take another set, or with --split all"):
        overlap_with_training(description, opened, None)
