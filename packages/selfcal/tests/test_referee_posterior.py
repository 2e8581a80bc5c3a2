"""The referee's posterior against a brute-force grid, and the parts that it is made of."""

from dataclasses import replace

import numpy as np
import pytest
from earnest_common.errors import InputError
from earnest_common.survey.presets import preset
from earnest_common.survey.priors import Priors, Uniform
from earnest_common.survey.scaling import FACTORS
from earnest_selfcal.exact_posterior.catalogs import ModelCatalogs, draw_catalog
from earnest_selfcal.exact_posterior.likelihood import build_likelihood
from earnest_selfcal.exact_posterior.mode import Peak, find_peak, root_of
from earnest_selfcal.exact_posterior.parameters import ParameterSpace
from earnest_selfcal.exact_posterior.posterior import RefereeConfig, referee
from earnest_selfcal.exact_posterior.proposal import first_proposal
from earnest_selfcal.exact_posterior.score import inside

PAPER = preset("paper")
FIXED = {name: Uniform(low=1.0, high=1.0) for name in FACTORS} | {"m_wl_scatter": Uniform(low=0.2, high=0.2)}
CONTINUOUS = Uniform(low=0.8, high=1.3)
MANY = RefereeConfig(n_draws=20_000, target_ess=10_000)

FREE = {
    "grid of sigma8, continuous factors": {"t_x_normalisation": CONTINUOUS, "m_gas_normalisation": CONTINUOUS},
    "everything on a grid": {
        "t_x_normalisation": Uniform(low=0.8, high=1.3, step=0.05),
        "m_gas_normalisation": Uniform(low=0.8, high=1.3, step=0.1),
    },
    "continuous sigma8": {"sigma8": Uniform(low=0.70, high=0.92), "m_gas_normalisation": CONTINUOUS},
    "scatter at the edge": {"l_x_scatter": Uniform(low=0.95, high=1.3), "m_gas_normalisation": CONTINUOUS},
}


def few_free(free):
    """Return a quarter of the paper's survey with everything known but sigma8 and what is given."""
    start = {"sigma8": PAPER.priors.sigma8}
    survey = replace(PAPER.survey, volume=PAPER.survey.volume / 4)
    return replace(PAPER, survey=survey, priors=Priors(**(FIXED | start | free)))


def brute_force(likelihood, data, n=31):
    """Return mean and standard deviation of sigma8 by summing likelihood times prior over a product grid."""
    axes = []
    for name in likelihood.space.free:
        prior = likelihood.preset.priors.of(name)
        if prior.step is None:
            cell = (prior.high - prior.low) / n
            axes.append(prior.low + cell * (np.arange(n) + 0.5))
        else:
            axes.append(prior.values)
    mesh = [axis.ravel() for axis in np.meshgrid(*axes, indexing="ij")]
    values = dict(zip(likelihood.space.free, mesh, strict=True))
    ln_likelihood = likelihood.ln_likelihood(data, likelihood.space.coordinates(values))
    weight = np.exp(ln_likelihood - ln_likelihood.max())
    weight /= weight.sum()
    mean = weight @ mesh[0]
    return mean, np.sqrt(weight @ (mesh[0] - mean) ** 2)


def case(chosen, seed):
    rng = np.random.default_rng(seed)
    truth = {name: float(value[0]) for name, value in chosen.priors.draw(1, rng=rng).items()}
    return truth, draw_catalog(ModelCatalogs.of(chosen), truth, rng=rng)


@pytest.mark.parametrize("free", FREE.values(), ids=FREE)
def test_agrees_with_a_brute_force_grid(free):
    chosen = few_free(free)
    likelihood = build_likelihood(chosen, observables=("l_x", "t_x", "m_gas"))
    _, catalog = case(chosen, 4)
    data = likelihood.data(catalog)
    mean, std = brute_force(likelihood, data)
    found = referee(likelihood, data, rng=np.random.default_rng(5), config=MANY)
    assert found.ess > 10_000
    assert found.numerical_error < 0.01 * std
    assert found.posterior.mean == pytest.approx(mean, abs=0.04 * std)  # four standard errors
    assert found.posterior.std == pytest.approx(std, rel=0.04)


def test_spread_grid_and_two_seeds_agree():
    likelihood = build_likelihood(PAPER, spread=("l_x_normalisation", "t_x_normalisation", "m_gas_normalisation"))
    _, catalog = case(PAPER, 6)
    data = likelihood.data(catalog)
    one, two = (referee(likelihood, data, rng=np.random.default_rng(seed)) for seed in (1, 2))
    error = np.hypot(one.numerical_error, two.numerical_error)
    assert abs(one.posterior.mean - two.posterior.mean) < 5 * error
    assert one.posterior.ln_evidence == pytest.approx(two.posterior.ln_evidence, abs=0.3)
    assert error < 0.1 * one.posterior.std


def test_weak_lensing_adds_and_nothing_leaves_the_prior():
    truth, catalog = case(PAPER, 8)
    x_ray = ("l_x", "t_x", "m_gas")
    with_wl, without = (build_likelihood(PAPER, observables=used) for used in ((*x_ray, "m_wl"), x_ray))
    tight = referee(with_wl, with_wl.data(catalog), rng=np.random.default_rng(1)).posterior
    loose = referee(without, without.data(catalog), rng=np.random.default_rng(1)).posterior
    assert tight.std < loose.std < PAPER.priors.sigma8.std
    assert abs(tight.mean - truth["sigma8"]) < 4 * tight.std


def test_no_clusters_mean_a_low_sigma8():
    tiny = replace(PAPER, survey=replace(PAPER.survey, volume=PAPER.survey.volume / 100))
    likelihood = build_likelihood(tiny)
    nothing = likelihood.data({name: np.zeros(0) for name in likelihood.observables})
    found = referee(likelihood, nothing, rng=np.random.default_rng(1))
    assert found.posterior.mean < PAPER.priors.sigma8.values.mean()
    assert found.posterior.std > 0.8 * PAPER.priors.sigma8.std


def test_covers_the_truth_of_easy_catalogs():
    chosen = few_free({"m_gas_normalisation": CONTINUOUS})
    likelihood = build_likelihood(chosen)
    shares, pulls = [], []
    for seed in range(60):
        truth, catalog = case(chosen, [9, seed])
        found = referee(
            likelihood,
            likelihood.data(catalog),
            rng=np.random.default_rng(seed),
            config=RefereeConfig(n_draws=500, target_ess=200),
        ).posterior
        shares.append(inside(found, truth["sigma8"], 0.6827))
        pulls.append((found.mean - truth["sigma8"]) / found.std)
    assert abs(np.mean(shares) - 0.6827) < 3 * 0.06  # binomial error of 60 catalogs
    assert abs(np.mean(np.square(pulls)) - 1) < 3 * np.sqrt(2 / 60)


def test_too_few_draws_are_admitted():
    likelihood = build_likelihood(PAPER)
    _, catalog = case(PAPER, 10)
    config = RefereeConfig(n_draws=100, max_rounds=1)
    found = referee(likelihood, likelihood.data(catalog), rng=np.random.default_rng(1), config=config)
    assert found.ess < 100
    assert found.n_draws == 100


def test_refuses():
    known = replace(PAPER, priors=replace(PAPER.priors, sigma8=Uniform(low=0.8, high=0.8)))
    likelihood = build_likelihood(known)
    _, catalog = case(known, 1)
    with pytest.raises(InputError, match="nothing to infer"):
        referee(likelihood, likelihood.data(catalog), rng=np.random.default_rng(1))
    with pytest.raises(InputError, match="n_draws = 10 must be at least 100"):
        RefereeConfig(n_draws=10)


@pytest.mark.parametrize("spread", [(), ("sigma8", "l_x_normalisation", "t_x_normalisation", "m_gas_normalisation")])
def test_proposal_knows_its_density(spread):
    """The prior's total probability, estimated with draws from the proposal, is one."""
    space = ParameterSpace(priors=PAPER.priors, spread=spread, unused=("m_wl_scatter",))
    width = space.bounds[1] - space.bounds[0]
    correlated = 0.02 * np.eye(len(width)) + 0.005
    peak = Peak(centre=space.bounds.mean(axis=0), covariance=correlated * np.outer(width, width))
    proposal = first_proposal(space, peak)
    rng = np.random.default_rng(3)
    for _ in range(2):
        draws = proposal.draw(100_000, rng=rng)
        ln_prior = space.ln_prior(draws.coordinates) - np.log(len(space.grid))
        weight = np.exp(ln_prior - proposal.ln_density(draws))
        error = weight.std() / np.sqrt(len(weight))
        assert weight.mean() == pytest.approx(1.0, abs=4 * error)
        assert error < 0.05
        proposal = proposal.learn(draws, weight / weight.sum())


def test_parameter_space_and_prior_agree():
    space = ParameterSpace(priors=PAPER.priors, spread=("t_x_normalisation",))
    drawn = space.draw(2000, rng=np.random.default_rng(1))
    coordinates = space.coordinates(drawn)
    assert np.isfinite(space.ln_prior(coordinates)).all()
    again = space.values(coordinates)
    for name, values in drawn.items():
        np.testing.assert_allclose(again[name], values, rtol=1e-12)
    assert drawn["t_x_normalisation"].min() < 0.8
    assert set(np.round(drawn["l_x_normalisation"], 9)) == set(PAPER.priors.l_x_normalisation.values)
    outside = coordinates.copy()
    outside[:, 4] = 1.4  # the slope's factor
    assert (space.ln_prior(outside) == -np.inf).all()


def test_finds_a_peak_far_from_where_it_starts():
    """On its way the search puts clusters tens of widths below the cut in mass, where their chance is tiny."""
    likelihood = build_likelihood(PAPER, observables=("l_x", "t_x", "m_gas"))
    truth = {"sigma8": 0.79, "l_x_normalisation": 1.1, "t_x_normalisation": 0.9, "m_gas_normalisation": 0.8}
    truth |= {"l_x_slope": 1.02, "l_x_scatter": 0.94, "t_x_scatter": 1.12, "m_gas_scatter": 0.78, "m_wl_scatter": 0.29}
    truth |= {"m_wl_bias": 1.0, "t_x_calibration": 1.0}
    at = likelihood.space.coordinates({name: np.array([value]) for name, value in truth.items()})
    for seed in range(10):
        data = likelihood.data(draw_catalog(ModelCatalogs.of(PAPER), truth, rng=np.random.default_rng(seed)))
        peak = find_peak(lambda x, data=data: likelihood.ln_likelihood(data, x), likelihood.space.bounds)
        reached, true = likelihood.ln_likelihood(data, np.vstack([peak.centre, at[0]]))
        assert reached > true - 1  # the prior may hold the peak a little below


def test_peak_of_a_correlated_gaussian_from_far_away():
    rng = np.random.default_rng(2)
    root = 0.01 * rng.standard_normal((5, 5))
    covariance = root @ root.T + 1e-5 * np.eye(5)
    precision = np.linalg.inv(covariance)
    centre = np.array([0.2, 0.8, 0.4, 0.55, 0.7])
    bounds = np.array([np.zeros(5), np.ones(5)])

    def ln_likelihood(x):
        return -0.5 * np.einsum("ni,ij,nj->n", x - centre, precision, x - centre)

    peak = find_peak(ln_likelihood, bounds)
    np.testing.assert_allclose(peak.centre, centre, atol=0.01)
    np.testing.assert_allclose(peak.covariance, np.linalg.inv(precision + 12 * np.eye(5)), atol=1e-5)


def test_a_covariance_that_rounding_made_indefinite_keeps_its_other_directions():
    rotation = np.linalg.qr(np.random.default_rng(3).standard_normal((3, 3)))[0]
    covariance = (rotation * np.array([1.0, 0.1, -1e-15])) @ rotation.T
    with pytest.raises(np.linalg.LinAlgError):
        np.linalg.cholesky(covariance)
    root = root_of(covariance)
    np.testing.assert_allclose(root, np.tril(root))
    np.testing.assert_allclose(root @ root.T, covariance, atol=1e-8)
