"""Conformal factors: intervals cover what they say even if the distributions are wrong."""

import numpy as np
import pytest
from earnest_model.networks.calibration import Calibration, fit_calibration
from earnest_model.networks.distribution import Histogram

HISTOGRAM = Histogram(tuple(np.linspace(0.5, 1.1, 121)))


def gaussian(centre: np.ndarray, width: float) -> np.ndarray:
    density = np.exp(-0.5 * ((HISTOGRAM.centres - centre[:, None]) / width) ** 2)
    return density / density.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("claimed", [0.01, 0.02, 0.04])
def test_intervals_cover_whatever_width_is_claimed(claimed):
    rng = np.random.default_rng(4)
    true = rng.uniform(0.7, 0.92, 8000)
    probability = gaussian(true + 0.02 * rng.standard_normal(8000), claimed)
    calibration = fit_calibration(HISTOGRAM, probability[:4000], true[:4000])
    assert calibration.factor_68 == pytest.approx(0.02 / claimed, rel=0.05)  # 4000 catalogs: 2 % on a width
    for level in (0.68, 0.95):
        low, high = calibration.interval(HISTOGRAM, probability[4000:], level=level)
        covered = np.mean((true[4000:] >= low) & (true[4000:] <= high))
        assert covered == pytest.approx(level, abs=0.025)  # 2.5 standard errors of both halves


def test_intervals_stay_inside_the_prior():
    low, high = Calibration(factor_68=50.0).interval(HISTOGRAM, gaussian(np.array([0.6]), 0.05))
    assert (low[0], high[0]) == (0.5, 1.1)


def test_one_catalog_is_enough_to_be_defined():
    calibration = fit_calibration(HISTOGRAM, gaussian(np.array([0.8]), 0.02), np.array([0.81]))
    assert calibration.factor_68 > 0
    assert calibration.n_catalogs == 1
