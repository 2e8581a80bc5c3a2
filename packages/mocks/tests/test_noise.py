"""Errors of measurement: their sizes, what stays possible, and that each catalog has its own."""

import numpy as np
import pytest
from earnest_common.errors import InputError
from earnest_mocks.catalogs.config import resolve_config
from earnest_mocks.catalogs.measurement_errors import MeasurementErrors
from earnest_mocks.catalogs.source import open_source

IDS = np.arange(60)
SIZES = {"m_gas_profile": 0.025, "gas_slope_profile": 0.05, "t_x": 0.03}


def pair(preset="paper", **noise):
    """The same catalogs with and without errors."""
    quiet = open_source(preset, seed=5, config={"noise": dict.fromkeys(SIZES, 0.0)})
    return open_source(preset, seed=5, config={"noise": noise or SIZES}).batch(IDS), quiet.batch(IDS)


@pytest.fixture(scope="module")
def noisy_and_true():
    return pair()


def test_the_presets_say_what_is_measured_with_which_error():
    assert resolve_config("paper").noise == MeasurementErrors()
    assert resolve_config("realistic").noise == MeasurementErrors(**SIZES)


def test_every_enclosed_mass_has_the_error_asked_for_and_no_bias(noisy_and_true):
    noisy, true = noisy_and_true
    n = true.n_clusters
    for name in ("m_gas_profile", "m_gas", "t_x"):
        size = SIZES.get(name, 0.025)
        error = np.atleast_2d((noisy.column(name) / true.column(name)).T - 1)
        # 5 sigma of mean and of standard deviation; the first shells are the most skewed.
        np.testing.assert_allclose(error.mean(axis=1), 0, atol=5 * size / np.sqrt(n))
        np.testing.assert_allclose(error.std(axis=1), size, rtol=6 / np.sqrt(2 * n))


def test_slopes_have_independent_errors(noisy_and_true):
    noisy, true = noisy_and_true
    error = noisy.column("gas_slope_profile") - true.column("gas_slope_profile")
    np.testing.assert_allclose(error.std(axis=0), 0.05, rtol=5 / np.sqrt(2 * len(error)))
    np.testing.assert_allclose(np.corrcoef(error.T), np.eye(7), atol=5 / np.sqrt(len(error)))


def test_errors_of_enclosed_masses_are_correlated_by_their_ratio(noisy_and_true):
    noisy, true = noisy_and_true
    mass = true.column("m_gas_profile")
    error = noisy.column("m_gas_profile") / mass - 1
    for inner, outer in ((0, 1), (0, 6), (4, 5)):
        expected = (mass[:, inner] / mass[:, outer]).mean()
        found = np.corrcoef(error[:, inner], error[:, outer])[0, 1]
        assert found == pytest.approx(expected, abs=5 / np.sqrt(len(mass)))


@pytest.mark.parametrize("size", [0.025, 0.2])
def test_measured_profiles_rise_outwards_however_large_the_errors(size):
    noisy, _ = pair(m_gas_profile=size)
    mass, m_gas = noisy.column("m_gas_profile").astype(float), noisy.column("m_gas")
    assert (np.diff(mass, axis=1) > 0).all()
    assert (mass[:, 5] <= m_gas * (1 + 1e-6)).all()
    assert (m_gas <= mass[:, 6] * (1 + 1e-6)).all()
    assert noisy.problems() == []


def test_everything_else_is_as_it_was(noisy_and_true):
    noisy, true = noisy_and_true
    same = [name for name in true.clusters.columns if name not in ("m_gas", *SIZES)]
    assert noisy.clusters.select(same).equals(true.clusters.select(same))
    assert noisy.catalogs.equals(true.catalogs)


def test_switching_one_error_off_leaves_the_others(noisy_and_true):
    noisy, true = noisy_and_true
    partly, _ = pair(t_x=0.03)
    assert partly.clusters["t_x"].equals(noisy.clusters["t_x"])
    np.testing.assert_allclose(partly.column("m_gas_profile"), true.column("m_gas_profile"), rtol=1e-6)


def test_a_catalog_has_the_same_errors_in_any_company():
    source = open_source("realistic", seed=5)
    assert source.batch(np.array([4, 9])).select([1]).clusters.equals(source.batch(np.array([9])).clusters)


@pytest.mark.parametrize("wrong", [{"t_x": -0.1}, {"m_gas_profile": 1.5}])
def test_impossible_errors_are_refused(wrong):
    with pytest.raises(InputError, match=r"noise: .* must lie between 0 and 1"):
        resolve_config("paper", options={"noise": wrong})
