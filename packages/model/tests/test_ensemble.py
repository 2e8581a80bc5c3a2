"""Laws of an ensemble: the mean of its members, calibrated, resumed, and the same however it was trained."""

import dataclasses
import shutil

import numpy as np
import pytest
from earnest_common.bundle import read_bundle
from earnest_common.errors import InputError, OutputExistsError
from earnest_common.plugins import load_estimator
from earnest_common.testing import toy_batch, toy_set
from earnest_model.bundle.export import export_bundle
from earnest_model.config import FastRecipe, PooledConfig, TrainingConfig
from earnest_model.evaluation.accuracy import accuracy
from earnest_model.evaluation.labelled_predictions import predict_labelled
from earnest_model.training import ensemble as module
from earnest_model.training.ensemble import train_ensemble
from earnest_model.training.seeds import Training
from earnest_model.training.train import train


@pytest.fixture(scope="module")
def training(tmp_path_factory):
    """A small network and a set of 400 catalogs."""
    config = TrainingConfig(
        seed=3,
        pooled=PooledConfig(encoder=(16,), member=(24,), pooled=24, decoder=(32,), learning_rate=1e-2),
        fast=FastRecipe(max_steps=60, batch_catalogs=32, looks=2, n_look=64),
    )
    with toy_set(n_catalogs=400, seed=5) as folder:
        kept = tmp_path_factory.mktemp("sets") / "SET"
        shutil.copytree(folder, kept)
    return Training(config=config, out=tmp_path_factory.mktemp("ensembles") / "ENSEMBLE", data=kept)


@pytest.fixture(scope="module")
def ensemble(training):
    train_ensemble(training, 3)
    return load_estimator(training.out)


def test_it_is_the_mean_of_its_members(ensemble):
    batch = toy_batch(n_catalogs=6, seed=11)
    assert len(ensemble.members) == 3
    for ask in (
        lambda one: np.stack([posterior.probability for posterior in one.posteriors(batch)]),
        lambda one: one.predict(batch)["sigma8"].to_numpy(),
        lambda one: one.leave_one_out(batch),
        lambda one: one.encode(batch),
        lambda one: one.gradient(batch, of="sigma8"),
    ):
        each = [ask(member) for member in ensemble.members]
        np.testing.assert_allclose(ask(ensemble), np.mean(each, axis=0), rtol=1e-4, atol=1e-6)
        assert np.abs(each[0] - each[1]).max() > 1e-4  # they are not the same network


def test_its_distribution_is_at_least_as_good_as_a_member_on_average(ensemble):
    """Log-loss is convex: the mean of distributions has at most the mean of the members' losses. No tolerance."""
    batch = toy_batch(n_catalogs=200, seed=12)
    true = batch.label("sigma8").astype(np.float64)

    def loss(one):
        return -np.mean([np.log(p.pdf(np.array([s]))[0]) for p, s in zip(one.posteriors(batch), true, strict=True)])

    assert loss(ensemble) <= np.mean([loss(member) for member in ensemble.members])


def test_its_intervals_cover(ensemble):
    """68 % within four errors, of 1,000 catalogs and of the 40 validation catalogs of the set."""
    found = accuracy(predict_labelled(ensemble, [toy_batch(n_catalogs=1000, seed=13)]))
    n_validation = ensemble.description.calibration["n_catalogs"]
    assert found.coverage_68 == pytest.approx(0.68, abs=4 * np.sqrt(0.68 * 0.32 * (1 / 1000 + 1 / n_validation)))


def test_it_says_what_it_is_made_of(ensemble, training):
    description = read_bundle(training.out)
    assert description.training["seeds"] == [3, 4, 5]
    assert "seeds 3, 4, 5" in repr(ensemble)
    assert "in 3 networks whose distributions are averaged" in (training.out / "README.md").read_text()
    assert description.training["n_parameters"] == 3 * sum(
        int(np.prod(weight.shape)) for weight in ensemble.network.trainable_variables
    )


def test_it_is_kept_resumed_and_refused(training, ensemble, tmp_path, monkeypatch):
    """Killed before the bundle is written, its finished members are not trained again; workers change nothing."""
    assert train_ensemble(training, 3)["path"] == str(training.out)  # kept
    with pytest.raises(OutputExistsError, match="a bundle of another training"):
        train_ensemble(training, 2)
    other = dataclasses.replace(training, out=tmp_path / "AGAIN")
    write = module._write
    monkeypatch.setattr(module, "_write", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        train_ensemble(other, 3, workers=2)
    members = sorted((tmp_path / "AGAIN.training").glob("member-*/bundle.json"))
    assert len(members) == 3
    times = [file.stat().st_mtime_ns for file in members]

    def watched(*arguments):
        assert [file.stat().st_mtime_ns for file in members] == times
        return write(*arguments)

    monkeypatch.setattr(module, "_write", watched)
    train_ensemble(other, 3)
    assert not (tmp_path / "AGAIN.training").exists()
    batch = toy_batch(n_catalogs=4, seed=14)
    np.testing.assert_allclose(
        load_estimator(other.out).predict(batch)["sigma8"], ensemble.predict(batch)["sigma8"], atol=1e-6
    )


def test_an_exported_ensemble_repeats_its_numbers(training, ensemble, tmp_path):
    assert export_bundle(training.out, tmp_path / "GRAPH", kind="savedmodel")["difference"] < 1e-5


def test_one_call_in_python_trains_it(training, tmp_path):
    small = dataclasses.replace(training.config, fast=dataclasses.replace(training.config.fast, max_steps=2))
    found = train(tmp_path / "MODEL", data=training.data, config=small, members=2)
    assert [len(found.members), len(found.networks)] == [2, 2]
    with pytest.raises(InputError, match="members"):
        train(tmp_path / "NONE", data=training.data, config=small, members=0)
