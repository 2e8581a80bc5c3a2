"""Laws of the architecture ``pooled``: order, neighbours and batches change nothing."""

import dataclasses

import numpy as np
import pytest
from earnest_common.errors import InputError
from earnest_common.testing import toy_batch
from earnest_model.arrays import Arrays
from earnest_model.config import PooledConfig, TrainingConfig
from earnest_model.features import FeatureSet, fit_scaling, to_arrays
from earnest_model.networks import ARCHITECTURES, architecture

FEATURES = FeatureSet()
EDGES = tuple(np.linspace(0.7, 0.92, 12))
ROUNDING = 2e-5  # of logits of order one, from sums of some hundred single-precision terms


def arrays_of(batch) -> Arrays:
    return to_arrays(batch, FEATURES, fit_scaling(toy_batch(n_catalogs=50, seed=1), FEATURES))


@pytest.fixture(scope="module")
def arrays(batch):
    return arrays_of(batch)


@pytest.fixture(scope="module", params=sorted(ARCHITECTURES))
def network(request, arrays):
    return architecture(request.param).build(TrainingConfig(architecture=request.param), arrays, EDGES)


def logits(network, arrays: Arrays) -> np.ndarray:
    return np.asarray(network((arrays.encoder, arrays.supplementary, arrays.counts)))


def test_the_order_of_clusters_cannot_matter(network, arrays):
    rng = np.random.default_rng(1)
    order = np.concatenate([s + rng.permutation(n) for s, n in zip(arrays.row_splits[:-1], arrays.counts, strict=True)])
    shuffled = dataclasses.replace(arrays, encoder=arrays.encoder[order], supplementary=arrays.supplementary[order])
    np.testing.assert_allclose(logits(network, shuffled), logits(network, arrays), atol=ROUNDING)


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


def test_the_number_of_clusters_matters(network, arrays):
    """Twice the same clusters have the same means, but say more."""
    one = arrays.take(np.array([0]))
    double = dataclasses.replace(
        one,
        encoder=np.concatenate([one.encoder] * 2),
        supplementary=np.concatenate([one.supplementary] * 2),
        counts=one.counts * 2,
    )
    assert np.abs(logits(network, double) - logits(network, one)).max() > 1e-3


def test_one_trace_serves_all_sizes(network, arrays):
    from earnest_model.backend import keras
    from earnest_model.training import compiled_step

    optimizer = keras.optimizers.AdamW()
    optimizer.build(network.trainable_variables)
    step = compiled_step(network, optimizer)
    for size in (1, 2, 3, 7):
        part = arrays.take(np.arange(size))
        step(part.encoder, part.supplementary, part.counts, np.zeros(size, np.int32), np.float32(0))
    assert step.experimental_get_tracing_count() == 1


def test_weights_depend_on_the_seed_alone(arrays):
    build = architecture("pooled").build
    one, same, other = (build(TrainingConfig(seed=seed), arrays, EDGES).get_weights() for seed in (1, 1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(one, same, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def test_saved_and_loaded_it_is_the_same(network, arrays, tmp_path):
    from earnest_model.networks.storage import load_network, save_network

    save_network(network, tmp_path / "model.keras")
    loaded = load_network(tmp_path / "model.keras")
    np.testing.assert_array_equal(logits(loaded, arrays), logits(network, arrays))


def test_inputs_are_centred_and_no_direction_is_blown_up(arrays):
    network = architecture("pooled").build(TrainingConfig(), arrays, EDGES)
    white = np.asarray(network.whiten(arrays.encoder))
    np.testing.assert_allclose(white.mean(axis=0), 0, atol=1e-3)
    strongest = np.linalg.eigvalsh(np.cov(arrays.encoder.T))[-1]
    assert white.std(axis=0).max() == pytest.approx(1.1**-0.5, rel=0.01)
    gain = np.linalg.norm(np.asarray(network.whiten.matrix), axis=0)
    assert gain.max() <= 1.001 / np.sqrt(0.1 * strongest)  # the toy's slopes do not vary at all


def test_turning_the_terse_value_changes_no_prediction(network, arrays):
    before, terse = logits(network, arrays), np.asarray(network.terse(arrays.encoder))[:, 0]
    network.orient(arrays)
    np.testing.assert_allclose(logits(network, arrays), before, atol=ROUNDING)
    after = np.asarray(network.terse(arrays.encoder))[:, 0]
    np.testing.assert_allclose(np.abs(after), np.abs(terse), rtol=1e-6)
    assert np.cov(after, arrays.encoder[:, 0])[0, 1] > 0
    network.orient(arrays)
    np.testing.assert_array_equal(np.asarray(network.terse(arrays.encoder))[:, 0], after)


def test_unknown_names_list_what_is_known():
    with pytest.raises(InputError, match=r"architecture 'resnet' is not known; choose one of .*pooled"):
        architecture("resnet")
    with pytest.raises(InputError, match=r"widths .* must be at least 1"):
        PooledConfig(encoder=(0,))
