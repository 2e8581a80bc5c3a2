"""Laws of the architectures: neighbours and batches change nothing, and in ``pooled`` neither does the order."""

import dataclasses

import numpy as np
import pytest
from earnest_common.catalogs.variants import view
from earnest_common.errors import InputError
from earnest_common.testing import toy_batch
from earnest_model.config import PaperConfig, PooledConfig, TrainingConfig
from earnest_model.data.arrays import Arrays, join
from earnest_model.data.features import FeatureSet, fit_scaling, to_arrays
from earnest_model.networks import ARCHITECTURES, architecture

FEATURES = FeatureSet()
ROUNDING = 2e-5  # of logits of order one, from sums of some hundred single-precision terms


def arrays_of(batch) -> Arrays:
    return to_arrays(batch, FEATURES, fit_scaling(toy_batch(n_catalogs=50, seed=1), FEATURES))


@pytest.fixture(scope="module")
def arrays(batch):
    return arrays_of(batch)


def small(name: str) -> TrainingConfig:
    """Small networks obey the same laws."""
    paper = PaperConfig(encoder=(16, 8), convolutions=(8, 8), dense=(16, 8))
    return TrainingConfig(architecture=name, paper=paper)


@pytest.fixture(scope="module", params=sorted(ARCHITECTURES))
def network(request, arrays):
    return architecture(request.param).build(small(request.param), arrays)


def logits(network, arrays: Arrays) -> np.ndarray:
    return np.asarray(network((arrays.encoder, arrays.supplementary, arrays.counts)))


def test_without_supplementary_inputs_and_on_ones_it_works(batch, tmp_path):
    """Nothing is blown up where nothing varies, and a network of no supplementary inputs is stored like any other."""
    from earnest_model.networks.storage import load_network, save_network

    ones, alone = view(batch, "ones"), FEATURES.drop(["l_x", "m_wl"])
    seen = to_arrays(ones, alone, fit_scaling(ones, alone))
    for name in sorted(ARCHITECTURES):
        network = architecture(name).build(small(name), seen)
        before = logits(network, seen)
        assert np.isfinite(before).all()
        slightly = dataclasses.replace(seen, encoder=seen.encoder + np.float32(1e-6))
        np.testing.assert_allclose(logits(network, slightly), before, atol=1e-4)
        save_network(network, tmp_path / f"{name}.keras")
        np.testing.assert_array_equal(logits(load_network(tmp_path / f"{name}.keras"), seen), before)


@pytest.fixture
def pooled(arrays):
    return architecture("pooled").build(TrainingConfig(), arrays)


def test_the_order_of_clusters_cannot_matter(pooled, arrays):
    rng = np.random.default_rng(1)
    order = np.concatenate([s + rng.permutation(n) for s, n in zip(arrays.row_splits[:-1], arrays.counts, strict=True)])
    shuffled = dataclasses.replace(arrays, encoder=arrays.encoder[order], supplementary=arrays.supplementary[order])
    np.testing.assert_allclose(logits(pooled, shuffled), logits(pooled, arrays), atol=ROUNDING)


def test_a_catalog_is_read_alike_alone_and_among_others(network, arrays):
    together = logits(network, arrays)
    alone = np.concatenate([logits(network, arrays.take(np.array([i]))) for i in range(arrays.n_catalogs)])
    np.testing.assert_allclose(together, alone, atol=ROUNDING)
    twice = logits(network, arrays.take(np.array([3, 3, 5])))
    np.testing.assert_allclose(twice, together[[3, 3, 5]], atol=ROUNDING)


def test_the_encoder_sees_one_cluster_at_a_time(network, arrays):
    terse = np.asarray(network.terse(arrays.encoder))
    assert terse.shape == (len(arrays.encoder), 1)
    changed = arrays.encoder.copy()
    changed[7] += 1.0
    after = np.asarray(network.terse(changed))
    assert after[7] != terse[7]
    np.testing.assert_allclose(np.delete(after, 7), np.delete(terse, 7), atol=1e-6)


def test_the_number_of_clusters_matters(pooled, arrays):
    """Twice the same clusters have the same means, but say more."""
    one = arrays.take(np.array([0]))
    double = dataclasses.replace(
        one,
        encoder=np.concatenate([one.encoder] * 2),
        supplementary=np.concatenate([one.supplementary] * 2),
        counts=one.counts * 2,
    )
    assert np.abs(logits(pooled, double) - logits(pooled, one)).max() > 1e-3


def test_one_trace_serves_all_sizes(network, arrays):
    from earnest_model.networks.backend import keras
    from earnest_model.training.steps import compiled_step

    optimizer = keras.optimizers.AdamW()
    optimizer.build(network.trainable_variables)
    step = compiled_step(network, optimizer)
    for size in (1, 2, 3, 7):
        part = arrays.take(np.arange(size))
        step(part.inputs, np.zeros((size, 1), np.float32), part.log_mass, np.float32(0))
    assert step.experimental_get_tracing_count() == 1


def test_weights_depend_on_the_seed_alone(arrays):
    build = architecture("pooled").build
    one, same, other = (build(TrainingConfig(seed=seed), arrays).get_weights() for seed in (1, 1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(one, same, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def test_saved_and_loaded_it_is_the_same(network, arrays, tmp_path):
    from earnest_model.networks.storage import load_network, save_network

    save_network(network, tmp_path / "model.keras")
    loaded = load_network(tmp_path / "model.keras")
    np.testing.assert_array_equal(logits(loaded, arrays), logits(network, arrays))


def test_inputs_are_centred_and_no_direction_is_blown_up(arrays):
    network = architecture("pooled").build(TrainingConfig(), arrays)
    white = np.asarray(network.whiten(arrays.encoder))
    np.testing.assert_allclose(white.mean(axis=0), 0, atol=1e-3)
    strongest = np.linalg.eigvalsh(np.cov(arrays.encoder.T))[-1]
    assert white.std(axis=0).max() == pytest.approx(1.1**-0.5, rel=0.01)
    gain = np.linalg.norm(np.asarray(network.whiten.matrix), axis=0)
    assert gain.max() <= 1.001 / np.sqrt(0.1 * strongest)  # the toy's slopes do not vary at all


def test_turning_the_terse_value_changes_no_prediction(network, arrays):
    before, terse = logits(network, arrays), np.asarray(network.terse(arrays.encoder))[:, 0]
    network.flip()
    np.testing.assert_allclose(logits(network, arrays), before, atol=ROUNDING)
    np.testing.assert_allclose(np.asarray(network.terse(arrays.encoder))[:, 0], -terse, rtol=1e-6)


def test_unknown_names_list_what_is_known():
    with pytest.raises(InputError, match=r"architecture 'resnet' is not known; choose one of .*pooled"):
        architecture("resnet")
    with pytest.raises(InputError, match=r"widths .* must be at least 1"):
        PooledConfig(encoder=(0,))


def test_the_paper_network_has_the_published_number_of_parameters(arrays):
    """Section 3.1: 10,472,834; about 2.8 million in the encoder and 7.6 million in the rest."""
    network = architecture("paper").build(TrainingConfig(architecture="paper"), arrays)
    counts = [
        sum(int(np.prod(weight.shape)) for layer in layers for weight in layer.trainable_variables)
        for layers in (network.encoder_layers, network.convolution_layers + network.dense_layers)
    ]
    assert counts == [2_830_337, 7_642_497]
    assert sum(int(np.prod(v.shape)) for v in network.trainable_variables) == 10_472_834


@pytest.mark.parametrize(
    ("pooling", "pool", "order"),
    [("mean", "AveragePooling1D", "brightest_last"), ("max", "MaxPooling1D", "brightest_first")],
)
def test_the_paper_network_reads_catalogs_of_exact_size_with_plain_layers(arrays, pooling, pool, order):
    """Oracle: the same weights in Keras's own layers, which know catalogs of one size only."""
    network = paper_network(arrays, pooling=pooling, order=order)
    together = logits(network, arrays)
    for number in (0, 7):
        rows = joined_rows(network, arrays.take(np.array([number])))
        rows = rows[::-1] if order == "brightest_last" else rows
        np.testing.assert_allclose(with_plain_layers(network, rows, pool), together[number], atol=1e-5)


def test_pooling_keeps_the_last_row_that_is_left(arrays):
    """Three rows are pooled to one, of the first two, which the second pooling keeps; beside others or alone."""
    network = paper_network(arrays, pooling="mean", order="brightest_last")
    large = arrays.take(np.array([0]))
    few = dataclasses.replace(
        large, encoder=large.encoder[:3], supplementary=large.supplementary[:3], counts=np.array([3], np.int32)
    )
    rows = joined_rows(network, few)[::-1]
    first, second = network.convolution_layers
    pooled = leaky(first(rows[None]))[:, :2].mean(axis=1, keepdims=True)
    alone = decide(network, leaky(second(pooled)).max(axis=1))
    np.testing.assert_allclose(logits(network, few), alone, atol=1e-5)
    np.testing.assert_allclose(logits(network, join([large, few]))[1:], alone, atol=1e-5)


def test_the_order_of_rows_is_that_of_figure_6(arrays):
    """Networks of the same weights that read the reversed rows say the same; those of the same rows do not."""
    last, first = (paper_network(arrays, pooling="mean", order=f"brightest_{place}") for place in ("last", "first"))
    one = arrays.take(np.array([3]))
    turned = dataclasses.replace(one, encoder=one.encoder[::-1], supplementary=one.supplementary[::-1])
    np.testing.assert_allclose(logits(last, one), logits(first, turned), atol=1e-6)
    assert np.abs(logits(last, one) - logits(first, one)).max() > 1e-4
    assert PaperConfig().order == "brightest_last"
    written = {name: value for name, value in first.get_config().items() if name != "order"}  # before the choice
    assert type(first).from_config(written).order == "brightest_first"


def paper_network(arrays, *, pooling: str, order: str):
    config = small("paper")
    paper = dataclasses.replace(config.paper, pooling=pooling, order=order)
    return architecture("paper").build(dataclasses.replace(config, paper=paper), arrays)


def joined_rows(network, arrays) -> np.ndarray:
    """Return terse value and supplementary inputs of all clusters."""
    return np.concatenate([np.asarray(network.terse(arrays.encoder)), arrays.supplementary], axis=1)


def leaky(values) -> np.ndarray:
    """Return the leaky ReLU of slope 0.3 below zero."""
    values = np.asarray(values)
    return np.where(values > 0, values, 0.3 * values)


def with_plain_layers(network, rows: np.ndarray, pool: str) -> np.ndarray:
    """Return the outputs for one catalog of Keras's layers for a fixed number of rows."""
    from earnest_model.networks.backend import keras

    rows = rows[None]
    for layer in network.convolution_layers:
        rows = getattr(keras.layers, pool)(2)(keras.layers.LeakyReLU(0.3)(layer(rows)))
    return decide(network, np.asarray(keras.layers.GlobalMaxPooling1D()(rows)))[0]


def decide(network, values: np.ndarray) -> np.ndarray:
    """Return the outputs from the largest values over rows."""
    hidden = leaky(network.dense_layers[0](values))
    return np.asarray(network.dense_layers[2](network.dense_layers[1](hidden)))


def test_dropout_acts_in_training_only(arrays):
    network = architecture("paper").build(small("paper"), arrays)
    inputs = (arrays.encoder, arrays.supplementary, arrays.counts)
    assert np.array_equal(network(inputs), network(inputs))
    assert not np.array_equal(network(inputs, training=True), network(inputs, training=True))
