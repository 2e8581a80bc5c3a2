"""Gas profiles: the analytic slope and mass against numbers, and densities from slopes."""

import numpy as np
import pytest
from earnest_common.schema import RADII_R500C
from earnest_mocks.base_sample.emulator import emulate
from earnest_mocks.gas.profile import (
    GasProfile,
    density,
    density_from_slope,
    emission_integral,
    enclosed_mass,
    log_slope,
)
from scipy.integrate import quad

RADII = np.array(RADII_R500C)


def one(second_amplitude=0.0):
    values = {
        "core_radius": 0.08,
        "scale_radius": 0.66,
        "alpha": 0.8,
        "beta": 0.42,
        "epsilon": 2.7,
        "second_amplitude": second_amplitude,
        "second_core_radius": 0.03,
        "second_beta": 1.0,
    }
    return GasProfile(**{name: np.array([value]) for name, value in values.items()})


CASES = {"plain": one(), "cool core": one(40.0)}


@pytest.mark.parametrize("profile", CASES.values(), ids=CASES)
def test_slope_is_the_derivative_of_the_density(profile):
    r = np.geomspace(0.01, 2, 30)
    step = 1e-5
    numeric = (np.log(density(profile, r * (1 + step))) - np.log(density(profile, r * (1 - step)))) / (
        np.log1p(step) - np.log1p(-step)
    )
    np.testing.assert_allclose(log_slope(profile, r), numeric, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("profile", CASES.values(), ids=CASES)
def test_enclosed_mass_is_the_integral_of_the_density(profile):
    expected = [
        quad(lambda x: 4 * np.pi * x**2 * density(profile, np.array([x]))[0, 0], 0, r, points=[0.01, 0.03])[0]
        for r in RADII
    ]
    np.testing.assert_allclose(enclosed_mass(profile, RADII)[0], expected, rtol=1e-8)


def test_a_second_component_adds_the_emission_it_promises():
    amplitude = 40.0
    whole, _ = quad(lambda x: x**2 * density(one(amplitude), np.array([x]))[0, 0] ** 2, 0, 1, points=[0.01, 0.03, 0.1])
    bare = emission_integral(one(0.0))[0]
    assert emission_integral(one(amplitude))[0] == pytest.approx(whole, rel=1e-8)
    # pi/16 r_c2^3 holds for an infinite radius; beyond 1 R_500c there is 1e-4 of it.
    assert whole - bare == pytest.approx(np.pi / 16 * 0.03**3 * amplitude, rel=1e-3)


def test_densities_follow_from_slopes_and_masses():
    profile = emulate(n_clusters=200).profile
    found = density_from_slope(RADII, enclosed_mass(profile, RADII), log_slope(profile, RADII))
    # The slope is known at seven radii only; the spline between them is good to 0.3 %.
    np.testing.assert_allclose(found, density(profile, RADII), rtol=3e-3)
