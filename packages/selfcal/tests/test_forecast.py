"""The light cone: counts against simulation, and what must hold of any Fisher matrix."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from earnest_common.errors import InputError
from earnest_common.survey.cosmology import MAGNETICUM
from earnest_common.survey.halo import dn_dlog10_m_500c
from earnest_common.survey.scaling import FACTORS
from earnest_selfcal.light_cone.distances import comoving_volume
from earnest_selfcal.light_cone.forecast import assumptions, forecast
from earnest_selfcal.light_cone.shells import PARAMETERS, LightCone, observe, shell_preset
from earnest_selfcal.simulation.surveys import simulate

CONE = LightCone(z_edges=(0.2, 0.3, 0.5))


@pytest.fixture(scope="module")
def result():
    return forecast(CONE)


@dataclass(frozen=True)
class OneSigma8:
    """The mass function at one sigma8, for a simulator that interpolates over it."""

    z: float

    def dn_dlog10_m(self, log10_m, sigma8):
        density = dn_dlog10_m_500c(np.asarray(log10_m), cosmology=MAGNETICUM, z=self.z)
        return np.broadcast_to(density, np.broadcast_shapes(np.shape(log10_m), np.shape(sigma8)))


def test_a_shell_agrees_with_simulation():
    small = replace(CONE, area=100.0)
    seen = observe(small)
    at = {name: reference for name, (reference, _, _) in PARAMETERS.items()}
    preset = shell_preset(small, 0.25, MAGNETICUM, at)
    volume = comoving_volume(0.2, 0.3, solid_angle=100 * np.radians(1) ** 2, cosmology=MAGNETICUM)
    preset = replace(preset, survey=replace(preset.survey, volume=volume))
    n = 300
    surveys = simulate(
        preset,
        {name: np.ones(n) for name in FACTORS} | {"sigma8": np.full(n, 0.809)},
        rng=np.random.default_rng(1),
        mass_function=OneSigma8(0.25),
    )
    expected = seen.n_clusters[0]
    assert surveys.n_clusters.mean() == pytest.approx(expected, abs=4 * np.sqrt(expected / n) + 0.003 * expected)
    for observable, median in (("y_x", surveys.median_log10_y_x), ("l_x", surveys.median_log10_l_x)):
        error = seen.median_err[observable][0]
        assert median.mean() == pytest.approx(seen.median[observable][0], abs=4 * error / np.sqrt(n) + 0.002)
        assert median.std() == pytest.approx(error, rel=0.2)  # 300 surveys: four standard errors of 4 %


def test_more_data_and_more_knowledge_never_hurt(result):
    for data in ("N and y_x", "N and l_x"):
        assert result.sigma8_err[data] <= result.sigma8_err["N"]
    for data, error in result.sigma8_err.items():
        assert result.statistical[data] < result.sigma8_err_om0_known[data] <= error
        assert all(without <= error * (1 + 1e-9) for without in result.sigma8_err_without[data].values())
        assert np.linalg.eigvalsh(result.covariance[data]).min() > 0
    assert result.sigma8_err_without["N"]["Y_X slope"] == pytest.approx(result.sigma8_err["N"])


def test_counts_grow_with_area_and_statistics_with_its_root(result):
    larger = forecast(replace(CONE, area=4 * CONE.area / 2))
    np.testing.assert_allclose(larger.n_clusters, 2 * result.n_clusters)
    assert larger.statistical["N"] == pytest.approx(result.statistical["N"] / np.sqrt(2))
    # The nuisances limit it: twice the sky brings much less than a factor of sqrt 2.
    assert larger.sigma8_err["N"] > 0.9 * result.sigma8_err["N"]


def test_assumptions_name_the_survey():
    assert "13000 deg^2" in assumptions(CONE)[0]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"area": 5e4}, "at most the whole sky"),
        ({"flux_limit": -1.0}, "must be positive"),
        ({"z_edges": (0.3, 0.2)}, "rise"),
    ],
)
def test_light_cones_that_cannot_be(fields, message):
    with pytest.raises(InputError, match=message):
        LightCone(**fields)


def test_empty_shells_are_refused():
    with pytest.raises(InputError, match="merge shells or go deeper"):
        forecast(LightCone(flux_limit=1e-10, area=1.0, z_edges=(0.9, 1.0)))
