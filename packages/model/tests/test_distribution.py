"""Histograms: laws that hold for every distribution."""

import numpy as np
import pytest
from earnest_common.errors import InputError
from earnest_model.networks.distribution import Histogram, histogram_for
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

EDGES = tuple(np.linspace(0.7, 0.92, 12))
HISTOGRAM = Histogram(EDGES)


def normalised(weights: np.ndarray) -> np.ndarray:
    return weights / weights.sum(axis=1, keepdims=True)


PROBABILITIES = arrays(np.float64, (3, 11), elements=st.floats(1e-3, 1)).map(normalised)


@given(PROBABILITIES, st.floats(0.01, 0.99))
def test_quantile_is_the_inverse_of_cumulative(probability, level):
    at = HISTOGRAM.quantile(probability, level)
    np.testing.assert_allclose(HISTOGRAM.cumulative(probability, at), level, atol=1e-9)


@given(PROBABILITIES)
def test_mean_lies_inside_and_std_is_bounded_by_the_range(probability):
    assert ((HISTOGRAM.mean(probability) > 0.7) & (HISTOGRAM.mean(probability) < 0.92)).all()
    assert (HISTOGRAM.std(probability) <= 0.11 + 1e-12).all()


def test_moments_agree_with_samples():
    rng = np.random.default_rng(0)
    probability = normalised(rng.random((1, 11)))
    chosen = rng.choice(11, p=probability[0], size=200_000)
    values = np.asarray(EDGES)[chosen] + rng.random(200_000) * (EDGES[1] - EDGES[0])
    # three standard errors of 200,000 samples of width 0.06
    assert HISTOGRAM.mean(probability)[0] == pytest.approx(values.mean(), abs=4e-4)
    assert HISTOGRAM.std(probability)[0] == pytest.approx(values.std(), abs=3e-4)


def test_probability_in_one_bin_is_a_narrow_interval():
    probability = np.eye(11)[[0, 5, 10]]
    quantiles = (HISTOGRAM.quantile(probability, level) for level in (0.16, 0.84))
    for bin_, low, high in zip((0, 5, 10), *quantiles, strict=True):
        assert EDGES[bin_] < low < high < EDGES[bin_ + 1]


def test_a_grid_gets_one_bin_around_each_value():
    grid = np.round(np.arange(0.70, 0.9201, 0.01), 2)
    histogram = histogram_for(np.repeat(grid, 3), n_bins=50)
    np.testing.assert_allclose(histogram.centres, grid, atol=1e-12)
    np.testing.assert_array_equal(histogram.index(grid), np.arange(23))


def test_other_labels_get_bins_that_tile_their_range():
    labels = np.random.default_rng(1).uniform(0.7, 0.92, 500)
    histogram = histogram_for(labels, n_bins=20)
    assert len(histogram.edges) == 21
    assert (histogram.edges[0], histogram.edges[-1]) == (labels.min(), labels.max())
    assert histogram.index(labels).min() == 0
    assert histogram.index(labels).max() == 19


def test_few_scattered_labels_are_no_grid():
    assert len(histogram_for(np.array([0.7, 0.7001, 0.9]), n_bins=10).edges) == 11


def test_labels_outside_are_refused():
    assert HISTOGRAM.index(np.array([0.699, 0.921])).tolist() == [0, 10]  # within a bin: the edges came from a sample
    with pytest.raises(InputError, match=r"1 of 2 training labels are unknown or lie outside 0\.7 to 0\.92"):
        HISTOGRAM.index(np.array([0.8, 1.2]))
    with pytest.raises(InputError, match="unknown"):
        HISTOGRAM.index(np.array([0.8, np.nan]))


@pytest.mark.parametrize(
    ("labels", "words"), [([0.8, np.nan], "1 of 2 training catalogs have no sigma8"), ([0.8, 0.8], "vary it")]
)
def test_labels_that_teach_nothing_are_refused(labels, words):
    with pytest.raises(InputError, match=words):
        histogram_for(np.array(labels), n_bins=10)
