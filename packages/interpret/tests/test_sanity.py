"""Laws of the randomisation check: what was learned changes saliency, what was not cannot."""

from dataclasses import dataclass

import numpy as np
import pytest
from earnest_interpret.analyses.saliency.randomisation import randomisation_check
from earnest_interpret.responses.questions import gradient
from earnest_interpret.testing import FEATURES, SaturatingEstimator
from scipy.stats import spearmanr


@dataclass
class Deaf:
    """An estimator whose saliency is the same whatever its weights are, as that of an edge detector."""

    inner: SaturatingEstimator

    feature_names = FEATURES
    description = property(lambda self: self.inner.description)

    def predict(self, batch):
        return self.inner.predict(batch)

    def encode(self, batch):
        return self.inner.encode(batch)

    def gradient(self, batch, *, of):
        return batch.column("m_gas_profile") / 1e13 @ np.ones((7, 15)) * np.arange(1, 16)

    def leave_one_out(self, batch):
        return self.inner.leave_one_out(batch)

    def randomised(self, seed):
        return self


WEIGHTS = {name: 0.3 * (k + 1) * (-1) ** k for k, name in enumerate(FEATURES)}


def test_learned_saliency_goes_with_the_weights(batch):
    """Mean saliencies are the weights times one number, so their order is that of a random permutation."""
    model = SaturatingEstimator(weights=WEIGHTS, saturation=0.5)
    found = randomisation_check(model, batch, gradient(model, batch), n_shuffles=6)
    orders = [np.abs(list(model.randomised(1 + k).weights.values())) for k in range(6)]
    names = [list(model.randomised(1 + k).weights) for k in range(6)]
    ranks = [[order[name.index(f)] for f in FEATURES] for order, name in zip(orders, names, strict=True)]
    expected = np.mean([spearmanr(np.abs(list(WEIGHTS.values())), rank).statistic for rank in ranks])
    assert found.of_inputs == pytest.approx(expected)
    assert (found.passed, found.n_shuffles) == (True, 6)
    assert found == randomisation_check(model, batch, gradient(model, batch), n_shuffles=6)
    # Any tanh of any direction answers less to the largest clusters; that is no achievement, and it is told.
    assert found.of_clusters > 0.5


def test_saliency_that_weights_do_not_change_is_caught(batch):
    model = Deaf(SaturatingEstimator())
    found = randomisation_check(model, batch, gradient(model, batch), n_shuffles=2)
    assert (found.of_clusters, found.of_inputs) == pytest.approx((1.0, 1.0))
    assert not found.passed


def test_what_cannot_forget_is_not_checked(batch):
    model = SaturatingEstimator()

    class Fixed:
        feature_names = FEATURES
        description = model.description
        predict, encode, gradient, leave_one_out = model.predict, model.encode, model.gradient, model.leave_one_out

    assert randomisation_check(Fixed(), batch, gradient(Fixed(), batch)) is None


def test_shuffled_weights_are_the_same_weights():
    shuffled = SaturatingEstimator(weights=WEIGHTS).randomised(3)
    assert sorted(shuffled.weights.values()) == sorted(WEIGHTS.values())
    assert dict(shuffled.weights) != WEIGHTS
