"""Gradients and leave-one-out against what they mean."""

import dataclasses

import numpy as np
import pytest
from earnest_common.testing import toy_batch
from earnest_model.estimator import PooledEstimator
from earnest_model.features import FeatureSet, to_arrays
from earnest_model.inference import PooledInference


@pytest.fixture(scope="module")
def arrays(trained):
    batch = toy_batch(n_catalogs=4, seed=8, mean_n_clusters=20)
    return to_arrays(batch, FeatureSet(), trained.scaling)


@pytest.fixture(scope="module")
def inference(trained):
    return PooledInference(trained.network)


def mean_sigma8(inference, arrays):
    return inference.probability(arrays) @ inference.centres


@pytest.mark.parametrize("feature", [0, 3])
def test_gradients_agree_with_finite_differences(inference, arrays, feature):
    step = 1e-3  # of the range of a column
    rows = (0, 5, len(arrays.encoder) - 1)
    for row in rows:
        moved = []
        for sign in (-1, 1):
            encoder = arrays.encoder.copy()
            encoder[row, feature] += sign * step
            moved.append(dataclasses.replace(arrays, encoder=encoder))
        catalog = np.repeat(np.arange(arrays.n_catalogs), arrays.counts)[row]
        terse = np.diff([inference.terse(m)[row] for m in moved])[0] / (2 * step)
        sigma8 = np.diff([mean_sigma8(inference, m)[catalog] for m in moved])[0] / (2 * step)
        # rounding of single-precision terse values and logits, over twice the step
        assert inference.terse_gradient(arrays)[row, feature] == pytest.approx(terse, rel=0.02, abs=1e-6 / step)
        assert inference.mean_gradient(arrays)[row, feature] == pytest.approx(sigma8, rel=0.02, abs=5e-8 / step)


def test_leave_one_out_is_a_prediction_without_the_cluster(inference, arrays):
    found = inference.leave_one_out(arrays)
    whole = mean_sigma8(inference, arrays)
    catalog = np.repeat(np.arange(arrays.n_catalogs), arrays.counts)
    for row in range(len(found)):
        counts = arrays.counts.copy()
        counts[catalog[row]] -= 1
        without = dataclasses.replace(
            arrays,
            encoder=np.delete(arrays.encoder, row, axis=0),
            supplementary=np.delete(arrays.supplementary, row, axis=0),
            counts=counts,
        )
        expected = mean_sigma8(inference, without)[catalog[row]] - whole[catalog[row]]
        assert found[row] == pytest.approx(expected, abs=1e-5 * 0.22)  # 1e-5 of the scaled label


def test_a_lone_cluster_cannot_be_left_out(trained, inference):
    lone = to_arrays(toy_batch(n_catalogs=2, seed=1, mean_n_clusters=1e-9), FeatureSet(), trained.scaling)
    assert lone.counts.tolist() == [1, 1]
    assert np.isnan(inference.leave_one_out(lone)).all()
    assert np.isfinite(mean_sigma8(inference, lone)).all()


@pytest.mark.parametrize("max_rows", [1, 7, 64])
def test_slices_change_nothing(trained, inference, arrays, max_rows):
    """Memory is bounded by max_rows, also inside a catalog; results differ by rounding alone."""
    sliced = PooledInference(trained.network, max_rows=max_rows)
    np.testing.assert_allclose(sliced.probability(arrays), inference.probability(arrays), atol=1e-6)
    np.testing.assert_allclose(sliced.terse(arrays), inference.terse(arrays), atol=1e-5)
    np.testing.assert_allclose(sliced.mean_gradient(arrays), inference.mean_gradient(arrays), atol=1e-6)
    np.testing.assert_allclose(sliced.leave_one_out(arrays), inference.leave_one_out(arrays), atol=1e-6)


def test_estimators_pass_the_bound_on(trained, bundle):
    from earnest_common.bundle import read_bundle

    assert PooledEstimator(trained.network, read_bundle(bundle), max_rows=10).max_rows == 10
