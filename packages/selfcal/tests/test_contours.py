"""sigma8 and Om0 together: the slice at one Om0 is the posterior of sigma8, and the degeneracy is the known one."""

from dataclasses import replace

import numpy as np
import pytest
from earnest_common.errors import InputError
from earnest_common.survey.halo import dn_dlog10_m_500c
from earnest_common.survey.presets import preset
from earnest_common.survey.priors import Uniform
from earnest_selfcal.cli.joint_answer import joint_answer
from earnest_selfcal.forward.resolution import Resolution
from earnest_selfcal.forward.table import forward_table
from earnest_selfcal.posterior import joint_om0 as contours
from earnest_selfcal.posterior.inference import Observed
from earnest_selfcal.posterior.joint_om0 import contours_figure, joint_posterior
from earnest_selfcal.posterior.posterior import infer

PAPER = replace(preset("paper"), priors=replace(preset("paper").priors, sigma8=Uniform(low=0.66, high=0.98, step=0.02)))
COARSE = Resolution(n_nuisance=64)
NODES = (0.232, 0.272, 0.312)  # 0.04 apart, as the default's tables
OBSERVED = Observed(n_clusters=130, median_log10_x=13.75)


@pytest.fixture(scope="module")
def joint():
    return joint_posterior(PAPER, OBSERVED, om0=NODES, resolution=COARSE)


def test_a_slice_is_the_posterior_of_sigma8(joint):
    alone = infer(forward_table(PAPER, COARSE), 130, 13.75)
    np.testing.assert_allclose(joint.probability[1] / joint.probability[1].sum(), alone.probability, atol=1e-9)
    assert joint.probability.sum() == pytest.approx(1)


def test_the_mass_function_between_tables_is_the_computed_one():
    tables = contours._tabulated(PAPER, np.array(NODES))
    between = contours._BetweenTables(nodes=tuple(tables), tables=tuple(tables.values()), Om0=0.247)
    log10_m = np.linspace(13.5, 15.2, 12)
    cosmology = replace(PAPER.cosmology, Om0=0.247)
    for sigma8 in (0.7, 0.9):
        exact = dn_dlog10_m_500c(log10_m, cosmology=replace(cosmology, sigma8=sigma8), z=PAPER.survey.z)
        np.testing.assert_allclose(between.dn_dlog10_m(log10_m, sigma8), exact, rtol=2e-3)


def test_the_degeneracy_is_that_of_cluster_counts(joint):
    told = joint.numbers()
    # Counts of rich clusters are known to fix sigma8 Om0^0.4..0.6.
    assert 0.25 < told["gamma"] < 0.8
    assert told["correlation"] < -0.2
    assert told["sigma8_om0_over_0p3_to_gamma_err"] < told["sigma8_err"]


def test_contours_are_drawn(joint):
    figure = contours_figure(joint)
    assert figure.svg.count("<svg") == 1
    assert f"{joint.numbers()['gamma']:.2f}" in figure.caption


def test_a_universe_that_cannot_show_the_numbers_has_no_share():
    wide = joint_posterior(
        PAPER, Observed(n_clusters=900, median_log10_x=13.75), om0=(0.1, 0.35, 0.6), resolution=COARSE
    )
    assert wide.probability.sum() == pytest.approx(1)
    assert wide.probability[0].sum() < 1e-6


@pytest.mark.parametrize(
    ("n", "y_x", "message"),
    [
        (
            130,
            43 - np.log10(0.704),
            r"Y_X = 43 \[solMass/h keV\].* is outside preset 'paper'.* is expected.*Give log10",
        ),
        (-3, 13.75, "n_clusters = -3 is no number"),
    ],
)
def test_numbers_that_cannot_be_are_refused_as_by_infer(n, y_x, message):
    with pytest.raises(InputError, match=message):
        joint_posterior(PAPER, Observed(n_clusters=n, median_log10_x=y_x), om0=NODES, resolution=COARSE)


@pytest.mark.parametrize("om0", [(0.2, 0.3), (0.3, 0.25, 0.2), (0.2, 0.25, 0.4)])
def test_values_that_are_no_grid_are_refused(om0):
    with pytest.raises(InputError, match="evenly spaced"):
        joint_posterior(PAPER, OBSERVED, om0=om0, resolution=COARSE)
    with pytest.raises(InputError, match="at least 3 values between Ob0"):
        joint_answer(PAPER, OBSERVED, (0.01, 0.4, 5))
