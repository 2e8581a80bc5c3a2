"""The distribution of the median against simulated medians."""

import numpy as np
import pytest
from earnest_selfcal.forward.median import ln_median_density, median_cdf
from scipy.integrate import trapezoid


def distance_from_uniform(values):
    """Return the Kolmogorov-Smirnov distance of values from a flat distribution on [0, 1]."""
    values = np.sort(values)
    n = len(values)
    return max((np.arange(1, n + 1) / n - values).max(), (values - np.arange(n) / n).max())


# Odd numbers are exact: 1.95 / sqrt(20,000) = 0.014 is the 0.1 % point of the distance. Two values are the worst case
# of the rule for even numbers: the triangular law differs from its Beta stand-in by 0.012.
@pytest.mark.parametrize(
    ("n", "tolerance"), [(1, 0.014), (7, 0.014), (101, 0.014), (2, 0.024), (8, 0.015), (130, 0.014)]
)
def test_law_of_simulated_medians(n, tolerance):
    medians = np.median(np.random.default_rng(n).random((20_000, n)), axis=1)
    assert distance_from_uniform(median_cdf(n, medians)) < tolerance


@pytest.mark.parametrize("n", [1, 2, 7, 130, 1001])
def test_density_is_the_derivative_of_the_distribution(n):
    u = np.linspace(1e-6, 0.48, 100_001)
    density = np.exp(ln_median_density(n, u, np.ones_like(u)))
    # 2e-6: what lies below the first point for n = 1.
    assert trapezoid(density, u) == pytest.approx(float(median_cdf(n, np.array([0.48]))[0]), abs=2e-6)


def test_impossible_values_have_no_density():
    density = ln_median_density(5, np.array([0.0, 1.0]), np.array([0.0, 0.0]))
    assert (density == -np.inf).all()
