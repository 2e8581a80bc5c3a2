"""Ranks of the truth: even for exact posteriors, uneven for wrong ones."""

import numpy as np
import polars as pl
import pytest
from earnest_model.evaluation.labelled_predictions import LabelledPredictions
from earnest_model.evaluation.ranks import nearer, ranks, uniformity
from earnest_model.networks.distribution import histogram_for
from scipy.special import ndtr

N = 5000
PRIOR, NOISE = 0.05, 0.03


def estimates_of(true, inferred, cumulative) -> LabelledPredictions:
    table = pl.DataFrame({"catalog_id": np.arange(len(true)), "sigma8": inferred})
    return LabelledPredictions(
        true=true, predictions=table, interval_68=(true, true), interval_95=(true, true), cumulative=cumulative
    )


def conjugate(*, too_sure: float = 1.0, shift: float = 0.0, seed: int = 1) -> LabelledPredictions:
    """Gaussian prior and noise: the exact posterior is a Gaussian; ``too_sure`` narrows it."""
    rng = np.random.default_rng(seed)
    true = 0.8 + PRIOR * rng.standard_normal(N)
    data = true + NOISE * rng.standard_normal(N)
    weight = PRIOR**2 / (PRIOR**2 + NOISE**2)
    mean, width = 0.8 + weight * (data - 0.8) + shift, np.sqrt(weight) * NOISE / too_sure
    return estimates_of(true, mean, lambda values: ndtr((values - mean) / width))


def p_values(found: LabelledPredictions) -> tuple[float, float]:
    told = ranks(found)
    return uniformity(told.pit), uniformity(told.tarp)


def test_exact_posteriors_pass():
    sbc, tarp = zip(*(p_values(conjugate(seed=seed)) for seed in range(20)), strict=True)
    assert min(sbc + tarp) > 1e-3  # 40 p-values
    assert np.mean(sbc + tarp) == pytest.approx(0.5, abs=0.2)  # they are themselves even: 4 sigma


@pytest.mark.parametrize("wrong", [{"too_sure": 1.2}, {"too_sure": 0.8}, {"shift": 0.005}])
def test_wrong_widths_and_biases_fail(wrong):
    """Regions about random points hardly see a bias: errors to the left and right of them cancel."""
    sbc, tarp = p_values(conjugate(**wrong))
    assert sbc < 1e-4
    assert tarp < 1e-2 or "shift" in wrong


def test_knowing_nothing_but_the_prior_is_no_error():
    """What these tests cannot see, and why the skill stands beside them."""
    found = conjugate()
    assert min(p_values(estimates_of(found.true, found.true, lambda values: ndtr((values - 0.8) / PRIOR)))) > 0.01


def test_a_truth_on_a_grid_has_even_ranks_too():
    """The exact posterior on a grid, narrower than a cell: ranks are even only where ties are broken at random."""
    rng = np.random.default_rng(2)
    grid = np.linspace(0.70, 0.92, 23)
    true = grid[rng.integers(23, size=N)]
    data = true + 0.004 * rng.standard_normal(N)
    weight = np.exp(-0.5 * ((data[:, None] - grid) / 0.004) ** 2)
    probability = weight / weight.sum(axis=1, keepdims=True)
    histogram = histogram_for(true, n_bins=30)
    found = estimates_of(true, data, lambda values: histogram.cumulative(probability, values))
    assert min(p_values(found)) > 0.01
    assert uniformity(histogram.cumulative(probability, true)) < 1e-6


def test_the_share_nearer_than_the_truth_agrees_with_draws():
    rng = np.random.default_rng(3)
    mean, true, reference = (0.8 + 0.05 * rng.standard_normal(8) for _ in range(3))
    draws = mean + 0.03 * rng.standard_normal((200_000, 8))
    counted = (np.abs(draws - reference) < np.abs(true - reference)).mean(axis=0)
    found = nearer(lambda values: ndtr((values - mean) / 0.03), true, reference)
    np.testing.assert_allclose(found, counted, atol=0.005)  # 4 sigma of 200,000 draws
