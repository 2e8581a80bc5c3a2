"""Memory: no slice of work grows with the number of catalogs, and a training that cannot fit is refused at once."""

import dataclasses

import numpy as np
import pytest
from earnest_common.errors import InputError
from earnest_model.data.training_data import LiveFeed, Load
from earnest_model.networks.backend import tf
from earnest_model.networks.paper.network import PaperNetwork
from earnest_model.networks.pooled.network import PooledNetwork
from earnest_model.training import loop as training
from earnest_model.training import memory
from earnest_model.training.loop import train
from earnest_model.training.memory import needs

KINDS = {"pooled": PooledNetwork, "paper": PaperNetwork}


@pytest.fixture
def rows_seen(monkeypatch):
    """Numbers of clusters that the encoder was given at a time, in graphs as in eager code."""
    seen: list[int] = []

    def counted(terse):
        def wrapper(self, encoder, *arguments, **named):
            note = tf.py_function(lambda n: seen.append(int(n)), [tf.shape(encoder)[0]], [])
            with tf.control_dependencies([note] if note is not None else []):
                return terse(self, tf.identity(encoder), *arguments, **named)

        return wrapper

    monkeypatch.setattr(training, "MAX_ROWS", 500)
    for network in KINDS.values():
        monkeypatch.setattr(network, "terse", counted(network.terse))
    return seen


@pytest.mark.parametrize("name", KINDS)
def test_no_more_clusters_at_a_time_than_asked_for_whatever_the_validation_set(
    tmp_path, config, source, rows_seen, name
):
    fast = dataclasses.replace(
        config.fast, max_steps=4, looks=1, batch_catalogs=4, chunk_catalogs=16, n_validation=512, n_look=512
    )
    small = dataclasses.replace(config, architecture=name, fast=fast)
    result = train(small, LiveFeed(source, fast, seed=1), workspace=tmp_path / "w")
    n_validation = result.validation["n_catalogs"]
    assert n_validation * 40 > 10 * 500  # the validation set is many slices
    assert 400 < max(rows_seen) <= 500


def test_a_wide_network_is_given_fewer_clusters_at_a_time(config, feed, rows_seen):
    """Memory is bounded, not the number of clusters: rows times the numbers that layers hold for each."""
    from earnest_model.data.features import to_arrays
    from earnest_model.networks import architecture

    sample = feed.first(32)
    arrays = to_arrays(sample, config.features(feed.radii), training.fit_scaling(sample, config.features(feed.radii)))
    wide = dataclasses.replace(config, paper=dataclasses.replace(config.paper, encoder=(1024, 8)))
    network = architecture("paper").build(wide, arrays)
    inference = architecture("paper").ask(network, 1000)
    for question in (inference.terse, inference.sigma8, inference.sigma8_gradient, inference.terse_gradient):
        rows_seen.clear()
        question(arrays)
        assert max(rows_seen) <= 1000 * 256 / 1024


def test_a_training_that_cannot_fit_is_refused_before_anything_is_drawn(tmp_path, config, source, monkeypatch):
    monkeypatch.setattr(memory, "available_memory", lambda: 700_000_000)
    feed = LiveFeed(source, dataclasses.replace(config.fast, n_validation=2_000_000), seed=1)
    monkeypatch.setattr(type(source), "batch", lambda self, ids: pytest.fail("catalogs were drawn"))
    with pytest.raises(InputError, match=r"needs about .* GB .* 0\.7 GB are available: .* validation .*n_validation"):
        train(config, feed, workspace=tmp_path / "w")
    assert not (tmp_path / "w").exists()


def test_a_step_that_cannot_fit_is_refused_before_it_is_taken(tmp_path, config, source, monkeypatch):
    monkeypatch.setattr(memory, "available_memory", lambda: 900_000_000)
    large = dataclasses.replace(config, fast=dataclasses.replace(config.fast, batch_catalogs=10**6))
    with pytest.raises(InputError, match=r"a step over 1000000 catalogs of about \d+ clusters .*fast\.batch_catalogs"):
        train(large, LiveFeed(source, large.fast, seed=1), workspace=tmp_path / "w")
    assert not (tmp_path / "w").exists()


def test_what_was_trained_is_finished_with_the_memory_that_its_end_needs(tmp_path, config, source, monkeypatch):
    """A training that died after its last step goes on from its checkpoint, and steps count no more."""
    brief = dataclasses.replace(config, fast=dataclasses.replace(config.fast, max_steps=4, looks=1))
    whole = train(brief, LiveFeed(source, brief.fast, seed=1), workspace=tmp_path / "whole")

    def dies(*_):
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(training, "_orient", dies)
        with pytest.raises(MemoryError):
            train(brief, LiveFeed(source, brief.fast, seed=1), workspace=tmp_path / "w")
    steps: list[bool] = []
    original = training.refuse_too_large
    monkeypatch.setattr(
        training, "refuse_too_large", lambda *a, **named: (steps.append(named["steps"]), original(*a, **named))
    )
    monkeypatch.setattr(training, "ahead", lambda rounds: pytest.fail("trained again"))
    again = train(brief, LiveFeed(source, brief.fast, seed=1), workspace=tmp_path / "w")
    assert steps == [False, False]
    for one, two in zip(again.network.get_weights(), whole.network.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)


def test_memory_running_out_in_a_step_names_the_remedy(tmp_path, config, feed, monkeypatch):
    def step(*_):
        raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor with shape[1,2]")

    monkeypatch.setattr(training, "compiled_step", lambda *_, **__: step)
    with pytest.raises(InputError, match=r"memory ran out in step 0 .*batch_catalogs"):
        train(config, feed, workspace=tmp_path / "w")


def test_needs_grow_with_what_causes_them(config):
    load = Load(sample=1000, validation=1000, round=1000, per_catalog=10.0)

    def total(**more: int) -> float:
        return sum(need.n_bytes for need in needs(config, dataclasses.replace(load, **more), n_inputs=17))

    for name in ("sample", "validation", "round"):
        assert total(**{name: 10**8}) > total() + 17 * 4 * 10**8
