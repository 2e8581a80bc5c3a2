"""Training: it learns, it repeats itself, and it goes on after an interruption as if nothing had happened."""

import dataclasses
import json

import numpy as np
import pytest
from earnest_common.errors import InputError
from earnest_model.data.training_data import LiveFeed, SetFeed
from earnest_model.training import checkpoint as checkpoints
from earnest_model.training.loop import train


class InterruptedTrainingError(Exception):
    """Stands for a kill."""


@dataclasses.dataclass
class FailingSource:
    """A source that stops the training at a certain call."""

    inner: object
    calls_left: int

    @property
    def radii(self):
        return self.inner.radii

    def provenance(self):
        return self.inner.provenance()

    def batch(self, catalog_ids):
        self.calls_left -= 1
        if self.calls_left < 0:
            raise InterruptedTrainingError
        return self.inner.batch(catalog_ids)


def brief(config, **fields):
    """Rounds of 4, then 8 steps; the third round is interrupted, or not."""
    sizes = {"max_steps": 16, "looks": 2, "batch_catalogs": 16, "chunk_catalogs": 64, "n_validation": 64}
    return dataclasses.replace(config, fast=dataclasses.replace(config.fast, **{**sizes, **fields}))


def same_weights(one, two) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(one.network.get_weights(), two.network.get_weights(), strict=True))


def test_it_beats_the_prior_and_the_number_of_clusters(trained):
    """The toy's N alone gives 0.026 (Poisson of mean 60, N ~ sigma8^4)."""
    last = trained.history[-1]
    assert last["scatter"] < 0.040 < 0.0635
    assert abs(last["bias"]) < 0.01
    assert trained.history[0]["validation_loss"] > last["validation_loss"]
    assert trained.prior["sigma8"] == pytest.approx((0.70, 0.92), abs=0.005)


@pytest.mark.parametrize("name", ["pooled", "paper"])
def test_interrupted_and_taken_up_again_it_ends_bit_identical(tmp_path, config, source, name):
    """Also with dropout, whose random state is part of the checkpoint."""
    config = dataclasses.replace(brief(config), architecture=name)
    straight = train(config, LiveFeed(source, config.fast, seed=1), workspace=tmp_path / "straight")
    failing = LiveFeed(FailingSource(source, calls_left=5), config.fast, seed=1)
    with pytest.raises(InterruptedTrainingError):
        train(config, failing, workspace=tmp_path / "broken")
    step = json.loads((tmp_path / "broken" / "history.jsonl").read_text().splitlines()[-1])["step"]
    assert 0 < step < 16
    resumed = train(config, LiveFeed(source, config.fast, seed=1), workspace=tmp_path / "broken")
    assert same_weights(straight, resumed)
    again = train(config, LiveFeed(source, config.fast, seed=1), workspace=tmp_path / "broken")  # nothing left to do
    assert same_weights(straight, again)
    for one, two in zip(resumed.history, straight.history, strict=True):
        assert {**one, "seconds": 0} == {**two, "seconds": 0}


def test_a_set_trains_and_the_seed_matters(tmp_path, config, toy_set):
    def run(name, seed):
        chosen = dataclasses.replace(brief(config), seed=seed, drop=("m_wl",))
        return train(chosen, SetFeed(toy_set, chosen.fast, seed=seed), workspace=tmp_path / name)

    one, other = run("one", 1), run("other", 2)
    assert not same_weights(one, other)
    assert one.features.supplementary == ("l_x",)
    assert one.calibration["n_catalogs"] == toy_set.read(split="validation").n_catalogs


def test_a_budget_of_seconds_is_kept(tmp_path, config, feed):
    config = brief(config, max_seconds=2.0)
    result = train(config, feed, workspace=tmp_path / "w")
    assert result.history[-1]["look"] == 2
    assert result.history[-1]["step"] >= 1
    assert result.history[-1]["seconds"] < 6  # the last step and look end a little later; the machine may be busy


def test_another_plan_does_not_touch_an_unfinished_training(tmp_path, config, source):
    config = brief(config)
    with pytest.raises(InterruptedTrainingError):
        train(config, LiveFeed(FailingSource(source, calls_left=5), config.fast, seed=1), workspace=tmp_path / "w")
    other = dataclasses.replace(config, seed=config.seed + 1)
    with pytest.raises(InputError, match=r"unfinished training with other settings .*config.seed: 3 there, 4 now"):
        train(other, LiveFeed(source, other.fast, seed=1), workspace=tmp_path / "w")


def test_a_full_disk_keeps_the_last_checkpoint(tmp_path, config, source, monkeypatch):
    config = brief(config)
    workspace = tmp_path / "w"
    with pytest.raises(InterruptedTrainingError):
        train(config, LiveFeed(FailingSource(source, calls_left=5), config.fast, seed=1), workspace=workspace)
    before = (workspace / "checkpoint.npz").read_bytes()

    def full(stream, **arrays):
        stream.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoints.np, "savez", full)
    with pytest.raises(InputError, match=r"step 16 cannot be written .*No space left.* make room, and repeat"):
        train(config, LiveFeed(source, config.fast, seed=1), workspace=workspace)
    assert (workspace / "checkpoint.npz").read_bytes() == before
    assert not list(workspace.glob(".*.part"))


def test_a_damaged_checkpoint_is_named(tmp_path, config, source):
    config = brief(config)
    with pytest.raises(InterruptedTrainingError):
        train(config, LiveFeed(FailingSource(source, calls_left=5), config.fast, seed=1), workspace=tmp_path / "w")
    file = tmp_path / "w" / "checkpoint.npz"
    file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(InputError, match=r"cannot be read .*; remove the folder"):
        train(config, LiveFeed(source, config.fast, seed=1), workspace=tmp_path / "w")


def test_divergence_is_said(tmp_path, config, feed):
    steep = dataclasses.replace(
        brief(config, clip_norm=1e30), pooled=dataclasses.replace(config.pooled, learning_rate=1e30)
    )
    with pytest.raises(InputError, match=r"training diverged at step .*; lower learning_rate"):
        train(steep, feed, workspace=tmp_path / "w")


@pytest.mark.parametrize(
    ("field", "words"), [("recipe", "recipe 'x' is not known"), ("architecture", "architecture 'x'")]
)
def test_unknown_names_are_refused(tmp_path, config, feed, field, words):
    with pytest.raises(InputError, match=rf"{words}.*choose one of"):
        train(dataclasses.replace(config, **{field: "x"}), feed, workspace=tmp_path / "w")


def test_recipes_that_make_no_sense_are_refused(config):
    with pytest.raises(InputError, match=r"batch_catalogs must be at least 1"):
        dataclasses.replace(config.fast, batch_catalogs=0)
    with pytest.raises(InputError, match=r"warm_up 2.0"):
        dataclasses.replace(config.fast, warm_up=2.0)
    for one in (config.pooled, config.paper):
        with pytest.raises(InputError, match=r"learning_rate -1"):
            dataclasses.replace(one, learning_rate=-1.0)
