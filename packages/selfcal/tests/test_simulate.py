"""Direct simulation: reproducible, independent of how surveys are grouped, right about empty ones."""

from dataclasses import replace

import numpy as np
import pytest
from earnest_common.survey.presets import preset
from earnest_selfcal.simulation.surveys import simulate

PAPER = preset("paper")


def test_same_seed_same_surveys():
    parameters = PAPER.priors.draw(50, rng=np.random.default_rng(1))
    first, second = (simulate(PAPER, parameters, rng=np.random.default_rng(2)) for _ in range(2))
    np.testing.assert_array_equal(first.n_clusters, second.n_clusters)
    np.testing.assert_array_equal(first.median_log10_y_x, second.median_log10_y_x)


def test_normalisations_of_y_x_only_shift_the_median():
    parameters = PAPER.priors.draw(200, rng=np.random.default_rng(1))
    hotter = parameters | {"t_x_normalisation": parameters["t_x_normalisation"] * 2}
    before, after = (simulate(PAPER, p, rng=np.random.default_rng(2)) for p in (parameters, hotter))
    np.testing.assert_array_equal(before.n_clusters, after.n_clusters)
    np.testing.assert_allclose(after.median_log10_y_x - before.median_log10_y_x, np.log10(2), atol=1e-9)


def test_empty_surveys_have_no_median():
    tiny = replace(PAPER, survey=replace(PAPER.survey, volume=1e5))
    parameters = PAPER.priors.draw(300, rng=np.random.default_rng(1))
    surveys = simulate(tiny, parameters, rng=np.random.default_rng(2))
    assert (surveys.n_clusters == 0).any()
    np.testing.assert_array_equal(np.isnan(surveys.median_log10_y_x), surveys.n_clusters == 0)


def test_counts_scale_with_volume():
    parameters = {
        name: values[:1].repeat(400) for name, values in PAPER.priors.draw(1, rng=np.random.default_rng(3)).items()
    }
    large = replace(PAPER, survey=replace(PAPER.survey, volume=4 * PAPER.survey.volume))
    small_n, large_n = (simulate(p, parameters, rng=np.random.default_rng(4)).n_clusters for p in (PAPER, large))
    # Four standard errors of the ratio of two means of 400 Poisson numbers near 100 and 400.
    assert large_n.mean() / small_n.mean() == pytest.approx(4, abs=4 * 4 / np.sqrt(400 * 80))
