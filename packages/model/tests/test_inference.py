"""Gradients and leave-one-out against what they mean."""

import dataclasses

import numpy as np
import pytest
from earnest_common.testing import toy_batch
from earnest_model.bundle.estimator import NetworkEstimator
from earnest_model.config import MAX_ROWS
from earnest_model.data.features import FeatureSet, to_arrays
from earnest_model.networks import architecture


@pytest.fixture(scope="module")
def arrays(trained):
    batch = toy_batch(n_catalogs=4, seed=8, mean_n_clusters=20)
    return to_arrays(batch, FeatureSet(), trained.scaling)


@pytest.fixture(scope="module", params=["pooled", "paper", "paper, max pooling"])
def inference(request, trained, config, arrays):
    """Questions to a trained pooled network, and to small paper networks with their first weights."""
    if request.param == "pooled":
        return architecture("pooled").ask(trained.network, MAX_ROWS)
    kind, pooling = architecture("paper"), "max" if "max" in request.param else "mean"
    config = dataclasses.replace(config, paper=dataclasses.replace(config.paper, pooling=pooling))
    return kind.ask(kind.build(config, arrays), MAX_ROWS)


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
        sigma8 = np.diff([inference.sigma8(m)[catalog] for m in moved])[0] / (2 * step)
        # rounding of single-precision terse values and logits, over twice the step
        assert inference.terse_gradient(arrays)[row, feature] == pytest.approx(terse, rel=0.02, abs=1e-6 / step)
        assert inference.sigma8_gradient(arrays)[row, feature] == pytest.approx(sigma8, rel=0.02, abs=5e-8 / step)


def test_leave_one_out_is_a_prediction_without_the_cluster(inference, arrays):
    found = inference.leave_one_out(arrays)
    whole = inference.sigma8(arrays)
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
        expected = inference.sigma8(without)[catalog[row]] - whole[catalog[row]]
        assert found[row] == pytest.approx(expected, abs=1e-5 * 0.22)  # 1e-5 of the scaled label


def test_a_lone_cluster_cannot_be_left_out(trained):
    inference = architecture("pooled").ask(trained.network, MAX_ROWS)
    lone = to_arrays(toy_batch(n_catalogs=2, seed=1, mean_n_clusters=1e-9), FeatureSet(), trained.scaling)
    assert lone.counts.tolist() == [1, 1]
    assert np.isnan(inference.leave_one_out(lone)).all()
    assert np.isfinite(inference.sigma8(lone)).all()


@pytest.mark.parametrize("max_rows", [1, 7, 64])
def test_slices_change_nothing(inference, arrays, max_rows):
    """Memory is bounded by max_rows; results differ by rounding alone."""
    network = inference.network
    sliced = architecture(network.name).ask(network, max_rows)
    for question in ("outputs", "sigma8", "terse", "terse_gradient", "sigma8_gradient", "leave_one_out"):
        one, two = getattr(sliced, question)(arrays), getattr(inference, question)(arrays)
        np.testing.assert_allclose(one, two, atol=2e-6 * max(1, np.abs(two).max()), err_msg=question)


def test_estimators_pass_the_bound_on(trained, bundle):
    from earnest_common.bundle import read_bundle

    assert NetworkEstimator([trained.network], read_bundle(bundle), max_rows=10).max_rows == 10
