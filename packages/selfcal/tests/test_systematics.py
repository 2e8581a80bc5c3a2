"""Weak-lensing bias and temperature calibration: what they multiply, what they cost, and sets that have none."""

from dataclasses import replace

import numpy as np
import pytest
from earnest_common.catalogs import Plan
from earnest_common.run.config import as_mapping
from earnest_common.survey.presets import preset
from earnest_common.survey.priors import LATER, Priors, Uniform
from earnest_selfcal.exact_posterior.catalogs import ModelCatalogs, draw_catalog
from earnest_selfcal.exact_posterior.likelihood import build_likelihood
from earnest_selfcal.exact_posterior.posterior import RefereeConfig, referee
from earnest_selfcal.survey.recorded import preset_of

REALISTIC = preset("realistic")
NONE = {name: getattr(Priors(), name) for name in LATER}
TRUE = replace(REALISTIC, priors=replace(REALISTIC.priors, **NONE))
X_RAY = ("l_x", "t_x", "m_gas")


@pytest.fixture(scope="module")
def catalog():
    truth = {name: 0.5 * (REALISTIC.priors.of(name).low + REALISTIC.priors.of(name).high) for name in Priors.names()}
    return draw_catalog(ModelCatalogs.of(REALISTIC), truth, rng=np.random.default_rng(6))


def points(likelihood, **fixed):
    """Return a few points of the parameter space at which the given parameters have the given values."""
    values = likelihood.space.draw(6, rng=np.random.default_rng(2))
    values = {**values, **{name: np.full(6, value) for name, value in fixed.items()}}
    return likelihood.space.coordinates(values)


@pytest.mark.parametrize(("column", "factor"), [("m_wl", "m_wl_bias"), ("t_x", "t_x_calibration")])
def test_a_bias_and_data_that_have_it_cancel(catalog, column, factor):
    likelihood = build_likelihood(REALISTIC)
    plain = likelihood.ln_likelihood(likelihood.data(catalog), points(likelihood, **{factor: 1.0}))
    biased = {**catalog, column: 1.07 * catalog[column]}
    found = likelihood.ln_likelihood(likelihood.data(biased), points(likelihood, **{factor: 1.07}))
    # Densities are per log10, where a factor is a shift; the mass function is a parabola about nodes, to 1e-6.
    np.testing.assert_allclose(found, plain, rtol=1e-9)


def test_normalisation_and_calibration_of_the_temperature_are_one_number_to_the_data(catalog):
    likelihood = build_likelihood(REALISTIC)
    one = points(likelihood, t_x_normalisation=1.1, t_x_calibration=0.95)
    other = points(likelihood, t_x_normalisation=0.95, t_x_calibration=1.1)
    data = likelihood.data(catalog)
    np.testing.assert_allclose(likelihood.ln_likelihood(data, one), likelihood.ln_likelihood(data, other), rtol=1e-9)


def test_what_the_data_do_not_depend_on_is_no_parameter():
    assert not {"profile_stretch", "profile_trend"} & set(build_likelihood(REALISTIC).space.free)
    without = build_likelihood(REALISTIC, observables=X_RAY).space.free
    assert not {"m_wl_bias", "m_wl_scatter"} & set(without)
    assert "t_x_calibration" in without


def test_an_unknown_bias_of_weak_lensing_costs(catalog):
    quick = RefereeConfig(n_draws=1500, target_ess=400)
    known, unknown = (
        referee(one, one.data(catalog), config=quick, rng=np.random.default_rng(1)).posterior
        for one in (build_likelihood(TRUE), build_likelihood(REALISTIC))
    )
    assert unknown.std > 1.1 * known.std


def test_sets_of_earlier_releases_have_none():
    old = {name: as_mapping(REALISTIC.priors.of(name)) for name in Priors.names() if name not in LATER}
    plan = Plan(kind="mock", preset="realistic", seed=1, n_catalogs=1, config={"priors": old})
    assert preset_of(plan).priors == TRUE.priors
    new = {name: as_mapping(REALISTIC.priors.of(name)) for name in Priors.names()}
    assert preset_of(replace(plan, config={"priors": new, "aperture": "y_x"})).priors == REALISTIC.priors


def test_model_catalogs_carry_the_bias():
    truth = {name: 1.0 for name in Priors.names()} | {"sigma8": 0.8, "m_wl_scatter": 0.1, "profile_trend": 0.0}
    draws = [
        draw_catalog(ModelCatalogs.of(REALISTIC), {**truth, "m_wl_bias": bias}, rng=np.random.default_rng(3))
        for bias in (1.0, 1.1)
    ]
    np.testing.assert_allclose(draws[1]["m_wl"], 1.1 * draws[0]["m_wl"], rtol=1e-12)


def test_what_is_fixed_takes_no_random_number():
    fixed = Priors(m_wl_bias=Uniform(low=1.0, high=1.0)).uniform(3, rng=np.random.default_rng(1))
    assert fixed["m_wl_bias"].tolist() == [0.0, 0.0, 0.0]
