"""Recipes: what each decides, and that recipe ``paper`` goes on and repeats itself like ``fast``."""

import dataclasses
import json
import subprocess
import sys

import numpy as np
import pytest
from earnest_common.errors import InputError
from earnest_common.testing import toy_batch
from earnest_model.config import PaperRecipe, TrainingConfig
from earnest_model.data.features import FeatureSet, fit_scaling, to_arrays
from earnest_model.data.training_data import FixedFeed, LiveFeed
from earnest_model.training.bundles import open_feed
from earnest_model.training.checkpoint import Checkpoint
from earnest_model.training.recipes import RECIPES, recipe

SMALL = PaperRecipe(epochs=3, first_epoch=2, n_training=160, n_validation=20, checkpoint_seconds=0.0)


@pytest.fixture(scope="module")
def arrays():
    batch = toy_batch(n_catalogs=200, seed=5)
    return to_arrays(batch, FeatureSet(), fit_scaling(batch, FeatureSet()))


@pytest.fixture
def small(config):
    return dataclasses.replace(config, recipe="paper", paper_recipe=SMALL)


def fixed(source, config):
    live = LiveFeed(source, config.paper_recipe, seed=config.seed)
    return FixedFeed(live, n=config.paper_recipe.n_training, seed=config.seed)


def weights_of(result):
    return np.concatenate([np.ravel(w) for w in result.network.get_weights()])


class KilledError(Exception):
    """Stands for a kill."""


def test_the_published_numbers_are_the_defaults():
    """Section 3.3 of arXiv:2112.05768; 80 and 10 % of 4,968."""
    fields = PaperRecipe()
    assert (fields.epochs, fields.first_epoch, fields.learning_rate) == (5000, 2000, 0.001)
    assert (fields.n_training, fields.n_validation) == (round(0.8 * 4968), round(0.1 * 4968))


def test_a_batch_has_catalogs_of_one_size_and_an_epoch_has_each_catalog_once(arrays):
    way = recipe(TrainingConfig(recipe="paper", paper_recipe=SMALL), peak=1.0, n_training=200)
    epochs = [list(way.batches(arrays, number)) for number in (0, 0, 1)]
    for batches in epochs:
        assert all(len(set(batch.counts.tolist())) == 1 for batch in batches)
        np.testing.assert_array_equal(np.sort(np.concatenate([b.sigma8 for b in batches])), np.sort(arrays.sigma8))
    orders = [[int(batch.counts[0]) for batch in batches] for batches in epochs]
    assert orders[0] == orders[1] != orders[2]
    assert orders[0] != sorted(orders[0])


def test_weights_come_from_the_best_epoch_of_those_that_count(tmp_path, source, small):
    from earnest_model.training.loop import train

    steep = dataclasses.replace(small.paper_recipe, epochs=5, first_epoch=3, learning_rate=0.3)
    small = dataclasses.replace(small, paper_recipe=steep)
    result = train(small, fixed(source, small), workspace=tmp_path / "w")
    assert [record["look"] for record in result.history] == [1, 2, 3, 4, 5]
    assert [record["catalogs"] for record in result.history] == [160, 320, 480, 640, 800]
    state = json.loads(np.load(tmp_path / "w" / "checkpoint.npz")["facts"].tobytes())
    assert state["best_score"] == min(record["validation_mse"] for record in result.history[2:])
    assert {record["learning_rate"] for record in result.history} == {0.3}


def test_squared_errors_are_those_of_the_inferred_value(arrays, trained):
    """In units of the labels' range: scatter and bias say the same, but for the width of a bin of unbinned labels."""
    from earnest_model.networks.heads import PointHead

    head, values = PointHead(0.7, 0.2), np.linspace(0.0, 1.0, 200)[:, None]
    residual = (np.asarray(head.sigma8(values)) - arrays.sigma8) / 0.2
    assert float(head.squared_error(values, head.targets(arrays.labels))) == pytest.approx(np.mean(residual**2))
    last = trained.history[-1]
    wanted = (last["scatter"] ** 2 + last["bias"] ** 2) / 0.22**2
    assert last["validation_mse"] == pytest.approx(wanted, rel=0.15)  # bins are 0.009 wide, the scatter is 0.03


@pytest.mark.parametrize("name", ["paper", "pooled"])
def test_killed_and_taken_up_again_it_ends_bit_identical(tmp_path, source, small, monkeypatch, name):
    """With dropout in the paper's network; the kill comes within an epoch, and that epoch is done again."""
    from earnest_model.training import loop as training

    small = dataclasses.replace(small, architecture=name)
    straight = training.train(small, fixed(source, small), workspace=tmp_path / "straight")
    with monkeypatch.context() as patch:
        calls = iter([False] * 100 + [True] * 1000)
        advance = training._Run._advance

        def killed(self, batch):
            if self.state.round == 2 or next(calls):
                raise KilledError
            advance(self, batch)

        patch.setattr(training._Run, "_advance", killed)
        with pytest.raises(KilledError):
            training.train(small, fixed(source, small), workspace=tmp_path / "broken")
    kept = (tmp_path / "broken" / "history.jsonl").read_text().splitlines()
    assert 1 <= len(kept) < 3
    resumed = training.train(small, fixed(source, small), workspace=tmp_path / "broken")
    np.testing.assert_array_equal(weights_of(resumed), weights_of(straight))
    for one, two in zip(resumed.history, straight.history, strict=True):
        assert {**one, "seconds": 0} == {**two, "seconds": 0}


def test_reruns_are_identical_whatever_the_global_seed(tmp_path, source, small):
    """All randomness comes from the configuration's seed; `keras.utils.set_random_seed` therefore reruns it too."""
    from earnest_model.networks.backend import keras
    from earnest_model.training.loop import train

    small = dataclasses.replace(small, architecture="paper")
    found = []
    for number, seed in enumerate((1, 7)):
        keras.utils.set_random_seed(seed)
        found.append(weights_of(train(small, fixed(source, small), workspace=tmp_path / str(number))))
    np.testing.assert_array_equal(found[0], found[1])


def test_an_endless_feed_is_refused(tmp_path, source, small):
    from earnest_model.training.loop import train

    with pytest.raises(InputError, match=r"recipe 'paper' counts epochs over a fixed number"):
        train(small, LiveFeed(source, small.paper_recipe, seed=1), workspace=tmp_path / "w")


def test_a_fixed_feed_never_draws_anew(source, small):
    feed = fixed(source, small)
    assert feed.n_training == feed.sample().n_catalogs == 160
    assert set(feed.sample().catalogs.get_column("split")) == {"train"}
    assert feed.sample() is feed.sample()
    assert feed.identity()["first"] == 160
    assert sum(part.n_catalogs for part in feed.validation()) == 20


def test_a_set_is_read_with_the_sizes_of_its_recipe(toy_set):
    config = TrainingConfig(recipe="paper")
    feed = open_feed(config, live=None, data=toy_set.path)
    assert feed.n_training == toy_set.read(split="train").n_catalogs
    way = RECIPES["paper"](config, 1.0, feed.n_training)
    assert way.share(Checkpoint(catalogs=2500 * feed.n_training), 0.0) == 0.5


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"epochs": 3}, "first_epoch 2000 must lie between 1 and epochs = 3"),
        ({"batch_catalogs": 0}, "batch_catalogs must be at least 1"),
        ({"learning_rate": 0.0}, "learning_rate 0.0 must be positive"),
    ],
)
def test_sizes_that_make_no_sense_are_refused(fields, words):
    with pytest.raises(InputError, match=words):
        PaperRecipe(**fields)


TWO_DEVICES = """
import json, sys
import numpy as np
from earnest_model.networks.backend import keras, tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
from earnest_common.testing import toy_batch
from earnest_model.config import PaperConfig, TrainingConfig
from earnest_model.data.features import FeatureSet, fit_scaling, to_arrays
from earnest_model.networks import architecture
from earnest_model.training.recipes import recipe
from earnest_model.training.steps import compiled_step, open_strategy
batch = toy_batch(n_catalogs=9, seed=5)
arrays = to_arrays(batch, FeatureSet(), fit_scaling(batch, FeatureSet()))
small = PaperConfig(encoder=(16, 8), convolutions=(8, 8), dense=(16, 8), encoder_dropout=0.0, dense_dropout=0.0)
differences = {}
for kind, name in (("pooled", "fast"), ("paper", "paper"), ("paper", "fast")):
    config = TrainingConfig(architecture=kind, recipe=name, paper=small)
    found = []
    for devices in ((), ("CPU:0", "CPU:1")):
        strategy = open_strategy(devices)
        with strategy.scope():
            network = architecture(kind).build(config, arrays)
            optimizer = recipe(config, peak=1e-2, n_training=9).optimizer(strategy.num_replicas_in_sync)
            optimizer.build(network.trainable_variables)
        step = compiled_step(network, optimizer, strategy)
        begin = np.concatenate([np.ravel(w) for w in network.get_weights()])
        losses = []
        for part in (arrays, arrays.take(np.arange(3)), arrays.take(np.arange(1))):
            targets = network.head.targets(part.labels).astype(np.float32)
            losses.append(step(part.inputs, targets, part.log_mass, np.float32(1e-2)).numpy())
        end = np.concatenate([np.ravel(w) for w in network.get_weights()])
        found.append((np.array(losses), end - begin))
    (one, moved), (two, moved_two) = found
    differences[kind + name] = [float(abs(one - two).max()), float(abs(moved - moved_two).max() / abs(moved).max())]
json.dump(differences, sys.stdout)
"""


def test_two_devices_step_like_one():
    """Gradients of the parts add up to that of the batch, also where a device has no catalog (the last, of one)."""
    done = subprocess.run([sys.executable, "-c", TWO_DEVICES], capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    differences = json.loads(done.stdout.splitlines()[-1])
    assert len(differences) == 3
    for name, (loss, moved) in differences.items():
        assert loss < 1e-5, name
        assert moved < 2e-2, name  # AdamW turns rounding of tiny gradients into steps of full size


def test_whitened_first_weights_keep_signals_at_unit_size(arrays):
    """Glorot weights let them fade: terse values hardly differ between clusters when training begins."""
    from earnest_model.config import PaperConfig
    from earnest_model.networks import architecture

    sizes = {"encoder": (64, 64, 32, 32, 16, 16, 8), "convolutions": (16, 16, 16, 16), "dense": (32, 32, 16, 16, 8)}
    spread = {}
    for initial in ("glorot", "whitened"):
        config = TrainingConfig(architecture="paper", paper=PaperConfig(initial=initial, **sizes))
        network = architecture("paper").build(config, arrays)
        spread[initial] = float(np.asarray(network.terse(arrays.encoder)).std())
    assert 3 * spread["glorot"] < spread["whitened"] < 3


def test_a_linear_map_is_absorbed_exactly():
    from earnest_model.networks.backend import keras
    from earnest_model.networks.initial import _absorb

    rng = np.random.default_rng(1)
    rows, mean, matrix = rng.normal(size=(20, 4)), rng.normal(size=4), rng.normal(size=(4, 4))
    layer = keras.layers.Dense(3, kernel_initializer=keras.initializers.GlorotUniform(seed=1))
    layer.build((None, 4))
    before = np.asarray(layer((rows - mean) @ matrix))
    _absorb(layer, mean, matrix)
    np.testing.assert_allclose(np.asarray(layer(rows)), before, atol=1e-5)
