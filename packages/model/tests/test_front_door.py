"""The names at the top of the package, and what is asked of a model in Python."""

import numpy as np
import polars as pl
import pytest
from earnest_common.catalogs import CatalogSet, Plan, write_batch
from earnest_common.catalogs.batch import CatalogBatch
from earnest_common.errors import InputError, OutputExistsError
from earnest_common.testing import front_door_problems
from earnest_model import TrainingConfig, evaluate, load, predict, train


def test_names():
    assert front_door_problems("earnest_model") == []


def test_accuracy_is_that_of_the_predictions(bundle, toy_set, batch):
    """From a bundle and a set, or from objects: the same numbers, which are those of NumPy."""
    error = predict(bundle, batch)["sigma8"].to_numpy() - batch.label("sigma8")
    found = evaluate(load(bundle), batch)
    assert found.scatter == pytest.approx(error.std(), rel=1e-12)
    assert found.bias == pytest.approx(error.mean(), rel=1e-9)
    assert (found.met_in_training, found.synthetic) == (None, "in training: a toy")
    by_path, by_object = evaluate(bundle, toy_set.path, split="test"), evaluate(load(bundle), toy_set, split="test")
    assert by_path == by_object
    assert by_path.split == "test"
    assert by_path.n_catalogs == predict(bundle, toy_set, split="test").height


def test_no_clusters_no_estimate(bundle, batch, tmp_path):
    counts = pl.when(pl.col("catalog_id") < 5).then(0).otherwise(pl.col("n_clusters"))
    emptied = CatalogBatch(
        catalogs=batch.catalogs.with_columns(n_clusters=counts),
        clusters=batch.clusters.filter(pl.col("catalog_id") >= 5),
    )
    write_batch(tmp_path / "set", emptied, Plan(kind="mock", preset="toy", seed=99, n_catalogs=batch.n_catalogs))
    for catalogs in (emptied, tmp_path / "set"):
        assert predict(bundle, catalogs)["catalog_id"].to_list() == list(range(5, batch.n_catalogs))
        found = evaluate(bundle, catalogs)
        assert found.n_catalogs == batch.n_catalogs - 5
        assert f"5 of {batch.n_catalogs} catalogs have no clusters" in found.note
    with pytest.raises(InputError, match="no clusters"):
        predict(bundle, emptied.select(np.arange(5)))


def test_the_same_call_takes_what_is_there(toy_set, config: TrainingConfig, tmp_path):
    """A second call trains nothing and answers the same; a training of another seed is not overwritten."""
    first = train(tmp_path / "model", data=toy_set, config=config, max_steps=10)
    assert first.description.training["config"]["fast"]["max_steps"] == 10
    before = (tmp_path / "model" / "model.keras").stat().st_mtime_ns
    again = train(str(tmp_path / "model"), data=str(toy_set.path), config=config, max_steps=10)
    assert (tmp_path / "model" / "model.keras").stat().st_mtime_ns == before
    assert predict(again, toy_set).equals(predict(first, toy_set))
    with pytest.raises(OutputExistsError, match="another training"):
        train(tmp_path / "model", data=toy_set, config=config, max_steps=10, seed=4)


def test_catalogs_come_from_one_place(toy_set, tmp_path):
    with pytest.raises(InputError, match="not both"):
        train(tmp_path / "model", live="paper", data=toy_set)
    with pytest.raises(InputError, match="epochs"):
        train(tmp_path / "model", data=toy_set, config=TrainingConfig(recipe="paper"), max_steps=10)


def test_what_is_shown_says_what_is_emulated(bundle, toy_set):
    model, found = load(bundle), evaluate(bundle, CatalogSet.open(toy_set.path))
    for one in (model, found):
        assert "\n" not in repr(one)
        assert "emulated" in repr(one)
        assert "a toy" in one._repr_html_()
    assert f"prior {found.prior_scatter:.4f}" in repr(found)
