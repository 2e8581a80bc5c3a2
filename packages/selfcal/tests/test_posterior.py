"""Posteriors: closure over the prior, Bayes' rule by hand, and what each number adds."""

import numpy as np
import pytest
from earnest_common.errors import InputError
from earnest_common.posterior import Posterior
from earnest_selfcal.posterior.posterior import infer
from earnest_selfcal.posterior.validity import reason_outside
from earnest_selfcal.simulation.surveys import simulate
from scipy.stats import poisson


def closure(table, n, seed):
    """Simulate surveys from the prior; return truths and posteriors without and with the median."""
    rng = np.random.default_rng(seed)
    parameters = table.preset.priors.draw(n, rng=rng)
    surveys = simulate(table.preset, parameters, rng=rng)
    median = surveys.median_log10_l_x if table.observable == "l_x" else surveys.median_log10_y_x
    pairs = list(zip(surveys.n_clusters.tolist(), median.tolist(), strict=True))
    return parameters["sigma8"], [infer(table, count) for count, _ in pairs], [infer(table, *pair) for pair in pairs]


@pytest.mark.parametrize("name", ["paper_table", "realistic_table", "paper_l_x_table", "realistic_l_x_table"])
def test_closure(name, request):
    table = request.getfixturevalue(name)
    truth, n_only, both = closure(table, 400, seed=5)
    spread = {}
    for label, posteriors in {"n_only": n_only, "both": both}.items():
        error = np.array([p.mean for p in posteriors]) - truth
        low, high = np.array([p.interval(0.6827) for p in posteriors]).T
        spread[label] = error.std()
        # Three standard errors of a share of 400, of a mean, and of a standard deviation.
        assert ((low <= truth) & (truth <= high)).mean() == pytest.approx(0.6827, abs=3 * np.sqrt(0.22 / 400))
        assert abs(error.mean()) < 3 * error.std() / np.sqrt(400)
        assert error.std() == pytest.approx(np.sqrt(np.mean([p.std**2 for p in posteriors])), rel=3 / np.sqrt(800))
    # L_X itself is what the survey is limited by and need not add anything to N.
    assert spread["both"] < spread["n_only"] * (1.02 if table.observable == "l_x" else 1)
    assert spread["n_only"] < table.preset.priors.sigma8.std


def test_n_only_is_bayes_rule(paper_table):
    weight = poisson.pmf(130, paper_table.expected_n).mean(axis=0)
    np.testing.assert_allclose(infer(paper_table, 130).probability, weight / weight.sum(), rtol=1e-9)


def test_more_clusters_of_the_same_median_mean_larger_sigma8(paper_table):
    means = [infer(paper_table, n, 13.7).mean for n in (80, 120, 180)]
    assert means == sorted(means)


def test_posterior_hardly_depends_on_the_design(paper_table):
    from earnest_selfcal.forward.resolution import Resolution
    from earnest_selfcal.forward.table import forward_table

    finer = forward_table(paper_table.preset, Resolution(n_nuisance=2048))
    # A tenth of the posterior's own width of 0.03; 512 and 2,048 points differ by 0.001 in the mean.
    for n, y_x in ((70, 13.5), (130, 13.75), (200, 13.8)):
        assert infer(paper_table, n, y_x).mean == pytest.approx(infer(finer, n, y_x).mean, abs=0.003)


def test_quantiles_of_a_known_posterior():
    flat = Posterior.of_cells(np.linspace(0.7, 0.9, 21), 0.01, np.full(21, 1 / 21))
    assert flat.mean == pytest.approx(0.8)
    assert flat.interval(1.0) == pytest.approx((0.695, 0.905))
    assert flat.quantile(0.5) == pytest.approx(0.8)
    assert flat.std == pytest.approx(0.01 * np.sqrt((21**2 - 1) / 12))


def test_impossible_data_are_refused_as_by_the_command(paper_table):
    for n, y_x in ((130, 30.0), (-3, 13.75), (0, 13.75)):
        with pytest.raises(InputError) as refused:
            infer(paper_table, n, y_x)
        assert str(refused.value) == reason_outside(paper_table, n, y_x)
    assert "h-free 30 is outside" in str(reason_outside(paper_table, 130, 30.0))
