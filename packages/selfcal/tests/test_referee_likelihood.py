"""The referee's likelihood against direct numerical integration, and its symmetries."""

from dataclasses import replace

import numpy as np
import pytest
from earnest_common.errors import InputError
from earnest_common.survey.mass_function import default_mass_function
from earnest_common.survey.presets import Preset, Survey, preset
from earnest_common.survey.priors import Priors, Uniform
from earnest_common.survey.scaling import FACTORS, ScalingRelations, with_factors
from earnest_common.survey.selection import Selection
from earnest_selfcal.exact_posterior.catalogs import ModelCatalogs, draw_catalog
from earnest_selfcal.exact_posterior.likelihood import build_likelihood
from earnest_selfcal.exact_posterior.residuals import ORIGIN, X_RAY, ResidualModel, lognormal
from earnest_selfcal.information.variants import continuous_priors
from earnest_selfcal.survey.measurement_errors import noise_of
from scipy.interpolate import CubicSpline

LN_10 = np.log(10)
SMALL = 0.05 * Survey().volume


def small(name, **changes):
    """Return a preset with a tenth of its volume, so that direct integration is quick."""
    chosen = preset(name)
    return replace(chosen, survey=replace(chosen.survey, volume=SMALL, **changes))


TWO = ResidualModel(
    mean=np.array([[0.0, 0.0, 0.01], [0.1, -0.01, -0.03]]),
    slope=np.array([[0.02, 0.0, 0.1], [0.0, -0.02, 0.05]]),
    covariance=lognormal(preset("paper").relations, preset("paper").correlation).covariance[0] * [[[0.5]], [[1.5]]],
    share=np.array([0.7, 0.3]),
    centre=np.array([-0.1, 0.3]),
    width=np.array([0.3, 0.4]),
    origin="two Gaussians",
)

CASES = {
    "paper": (small("paper"), None),
    "smoothed": (small("paper", selection=Selection(smoothing=0.076)), None),
    "flux": (small("realistic"), None),
    "mixture": (small("paper"), TWO),
    "mixture in flux": (small("realistic"), TWO),
}


def truth_of(chosen, seed):
    drawn = chosen.priors.draw(1, rng=np.random.default_rng(seed))
    return {name: float(value[0]) for name, value in drawn.items()}


def residual_density(model, residual, v, *, scatter, noise):
    """Return p(r | v) for measured residuals of shape (3, n) at masses of shape (n,)."""
    total = 0.0
    measured = np.array([noise.dex(name) for name in X_RAY])
    shift = np.array([noise.offset(name) for name in X_RAY])
    for k, ln_weight in enumerate(model.ln_weight(v + ORIGIN)):
        mean = scatter * (model.mean[k] + np.outer(v, model.slope[k])) + shift
        covariance = np.outer(scatter, scatter) * model.covariance[k] + np.diag(measured**2)
        off, inverse = residual - mean.T, np.linalg.inv(covariance)
        norm = np.sqrt(np.linalg.det(2 * np.pi * covariance))
        total = total + np.exp(ln_weight - 0.5 * np.einsum("in,ij,jn->n", off, inverse, off)) / norm
    return total


def direct(chosen, model, catalog, values):
    """Return ln L by sums over a fine grid of masses."""
    relations = with_factors(chosen.relations, {name: values[name] for name in FACTORS})
    selection, survey = chosen.survey.selection, chosen.survey
    low = selection.log10_m_min if survey.cut == "mass" and not selection.smoothing else 12.5
    x, step = np.linspace(low, 15.8, 16_001, retstep=True)
    density = survey.volume * default_mass_function().dn_dlog10_m(x, values["sigma8"])
    scatter = np.array([values[f"{name}_scatter"] for name in X_RAY])
    if survey.cut == "mass":
        share = selection.probability(x, log10_m_break=selection.log10_m_break_of(relations.l_x))
        density = density * share
        expected = np.trapezoid(density, dx=step)
    else:
        expected = np.trapezoid(density * share_in_flux(chosen, model, relations, x, values["l_x_scatter"]), dx=step)
    total = -expected
    width = values["m_wl_scatter"] / LN_10
    for i in range(len(catalog["l_x"])):
        y = np.array([np.log10(catalog[name][i]) for name in X_RAY])
        mean = np.stack([getattr(relations, name).log10_mean(x) for name in X_RAY])
        p = residual_density(model, y[:, None] - mean, x - ORIGIN, scatter=scatter, noise=noise_of(chosen))
        z = (np.log10(catalog["m_wl"][i] / values["m_wl_bias"]) - x) / width
        p = p * np.exp(-0.5 * z**2) / (np.sqrt(2 * np.pi) * width)
        total += np.log(np.trapezoid(density * p, dx=step))
    return total


def share_in_flux(chosen, model, relations, x, factor):
    """Return the detected share at each mass by sums over the luminosity's residual, interpolated between masses."""
    z, step = np.linspace(-8, 8, 4001, retstep=True)
    selection = chosen.survey.selection
    nodes = np.linspace(x[0], x[-1], 331)
    total = np.zeros(len(nodes))
    for k, ln_weight in enumerate(model.ln_weight(nodes)):
        residual = model.mean[k, 0] + model.slope[k, 0] * (nodes - ORIGIN)[:, None]
        log10_l_x = relations.l_x.log10_mean(nodes)[:, None] + factor * (
            residual + model.covariance[k, 0, 0] ** 0.5 * z
        )
        share = selection.probability(selection.equivalent_log10_m(log10_l_x))
        total += np.exp(ln_weight) * (share @ np.exp(-0.5 * z**2)) * step / np.sqrt(2 * np.pi)
    return CubicSpline(nodes, total)(x)


@pytest.mark.parametrize(("chosen", "model"), CASES.values(), ids=CASES)
def test_agrees_with_direct_integration(chosen, model):
    truth = truth_of(chosen, 3)
    known = model or lognormal(chosen.relations, chosen.correlation)
    catalog = draw_catalog(ModelCatalogs.of(chosen, residuals=known), truth, rng=np.random.default_rng(5))
    likelihood = build_likelihood(chosen, residuals=model)
    other = truth | {"sigma8": truth["sigma8"] + 0.013, "m_gas_scatter": 1.1, "l_x_slope": truth["l_x_slope"] + 0.02}
    points = [truth, other]
    coordinates = likelihood.space.coordinates({name: np.array([p[name] for p in points]) for name in truth})
    found = likelihood.ln_likelihood(likelihood.data(catalog), coordinates)
    expected = [direct(chosen, known, catalog, point) for point in points]
    np.testing.assert_allclose(found, expected, rtol=0, atol=2e-3)  # 1e-4 per cluster from parabolas and nodes


@pytest.mark.parametrize("name", ["paper", "realistic"])
def test_the_score_vanishes_on_average_at_the_truth(name):
    """E[d ln L / d theta] = 0 over catalogs of the model, which any disagreement between the two would break."""
    chosen = preset(name)
    chosen = replace(chosen, priors=continuous_priors(chosen.priors))
    likelihood, maker, rng = build_likelihood(chosen), ModelCatalogs.of(chosen), np.random.default_rng(12)
    space, truth = likelihood.space, chosen.priors.draw(150, rng=rng)
    step = 0.004 * np.diff(space.bounds, axis=0)[0]
    scores = []
    for at in space.coordinates(truth):
        catalog = draw_catalog(maker, {k: float(v[0]) for k, v in space.values(at[None]).items()}, rng=rng)
        around = np.concatenate([at + np.diag(step), at - np.diag(step)])
        above, below = np.split(likelihood.ln_likelihood(likelihood.data(catalog), around), 2)
        scores.append(above - below)
    mean, error = np.mean(scores, axis=0), np.std(scores, axis=0) / np.sqrt(len(scores))
    assert (np.abs(mean) < 4 * error).all(), dict(zip(space.free, mean / error, strict=True))


@pytest.fixture(scope="module")
def paper():
    chosen = preset("paper")
    truth = truth_of(chosen, 11)
    catalog = draw_catalog(ModelCatalogs.of(chosen), truth, rng=np.random.default_rng(12))
    likelihood = build_likelihood(chosen)
    drawn = chosen.priors.draw(20, rng=np.random.default_rng(13))
    near = {name: 0.9 * truth[name] + 0.1 * drawn[name] for name in truth}
    return likelihood, catalog, likelihood.space.coordinates(near)


def test_order_of_clusters_does_not_matter(paper):
    likelihood, catalog, points = paper
    order = np.random.default_rng(1).permutation(len(catalog["l_x"]))
    shuffled = {name: values[order] for name, values in catalog.items()}
    np.testing.assert_allclose(
        likelihood.ln_likelihood(likelihood.data(shuffled), points),
        likelihood.ln_likelihood(likelihood.data(catalog), points),
        rtol=0,
        atol=1e-7,
    )


@pytest.mark.parametrize("name", X_RAY)
def test_units_do_not_matter(paper, name):
    likelihood, catalog, points = paper
    chosen, factor = likelihood.preset, 1000.0
    laws = {one: getattr(chosen.relations, one) for one in X_RAY}
    laws[name] = replace(laws[name], log10_normalisation=laws[name].log10_normalisation + 3)
    survey = chosen.survey
    if name == "l_x":
        survey = replace(survey, selection=replace(survey.selection, l_x=laws[name]))
    other = build_likelihood(replace(chosen, relations=ScalingRelations(**laws), survey=survey))
    data = other.data(catalog | {name: factor * catalog[name]})
    expected = likelihood.ln_likelihood(likelihood.data(catalog), points)
    np.testing.assert_allclose(other.ln_likelihood(data, points), expected, rtol=0, atol=1e-6)


def test_perfect_masses_are_the_poisson_likelihood_of_counts(paper):
    likelihood, catalog, _ = paper
    chosen = likelihood.preset
    fixed = {name: Uniform(low=1.0, high=1.0) for name in FACTORS}
    known = replace(chosen, priors=replace(chosen.priors, **fixed))
    perfect = build_likelihood(known, observables=("m_500c",))
    sigma8 = np.array([0.75, 0.8, 0.85])
    found = perfect.ln_likelihood(perfect.data(catalog), sigma8[:, None])
    x = np.linspace(13.6, 15.8, 8001)
    table, volume = default_mass_function(), chosen.survey.volume
    at = np.log10(catalog["m_500c"])
    seen = chosen.survey.selection.probability(x)
    for i, one in enumerate(sigma8):
        rate = volume * table.dn_dlog10_m(at, one) * chosen.survey.selection.probability(at)
        total = np.trapezoid(volume * table.dn_dlog10_m(x, one) * seen, x)
        assert found[i] == pytest.approx(np.log(rate).sum() - total, abs=0.05)  # masses are taken as good to 1e-4 dex


def test_no_clusters_leave_the_expected_number(paper):
    likelihood, _, points = paper
    nothing = {name: np.zeros(0) for name in likelihood.observables}
    found = likelihood.ln_likelihood(likelihood.data(nothing), points)
    assert (found < 0).all()
    assert found[np.argmin(points[:, 0])] > found[np.argmax(points[:, 0])]


def test_refuses_what_it_cannot_use(paper):
    likelihood, catalog, _ = paper
    with pytest.raises(InputError, match=r"m_wl of 1 of .* use --drop m_wl"):
        likelihood.data(catalog | {"m_wl": np.where(np.arange(len(catalog["l_x"])) == 3, np.nan, catalog["m_wl"])})
    with pytest.raises(InputError, match="richness cannot be used; choose from"):
        build_likelihood(likelihood.preset, observables=("richness",))
    with pytest.raises(InputError, match="selects by observed flux"):
        build_likelihood(preset("realistic"), observables=("t_x",))
    in_flux = build_likelihood(preset("realistic"))
    with pytest.raises(InputError, match="fainter than the survey's limit"):
        in_flux.data(catalog | {"l_x": 0.001 * catalog["l_x"]})
    fine = Priors(l_x_slope=Uniform(low=0.7, high=1.3, step=0.01), t_x_scatter=Uniform(low=0.7, high=1.3, step=0.01))
    with pytest.raises(InputError, match="make some of them continuous"):
        build_likelihood(Preset(name="fine", priors=fine))
