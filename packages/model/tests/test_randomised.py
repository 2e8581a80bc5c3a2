"""A network that forgets: the weights of a layer stay the same numbers, in another order; the original is untouched."""

import numpy as np
from earnest_common.protocols import Randomisable


def test_weights_are_shuffled_within_layers(estimator, batch):
    assert isinstance(estimator, Randomisable)
    before = [np.array(w) for w in estimator.network.get_weights()]
    terse = estimator.encode(batch)
    other = estimator.randomised(3)
    for one, two in zip(estimator.network.trainable_variables, other.network.trainable_variables, strict=True):
        np.testing.assert_array_equal(np.sort(one.numpy(), axis=None), np.sort(two.numpy(), axis=None))
    changed = [not np.array_equal(a, b) for a, b in zip(before, other.network.get_weights(), strict=True)]
    assert any(changed)
    assert not np.allclose(other.encode(batch), terse)
    for one, two in zip(before, estimator.network.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)
    np.testing.assert_array_equal(estimator.encode(batch), terse)
    np.testing.assert_array_equal(estimator.randomised(3).encode(batch), other.encode(batch))
    np.testing.assert_array_equal(estimator.network.whiten.matrix.numpy(), other.network.whiten.matrix.numpy())
