"""Surveys and presets: expected counts, cuts in mass and in flux, and refusals."""

from dataclasses import replace

import numpy as np
import pytest
from earnest_common.errors import InputError
from earnest_common.survey.cosmology import MAGNETICUM
from earnest_common.survey.mass_function import default_mass_function
from earnest_common.survey.presets import MAGNETICUM_VOLUME, PRESETS, Survey, preset
from earnest_common.survey.scaling import TABLE_2, with_factors
from earnest_common.survey.selection import Selection
from scipy.integrate import trapezoid

LOG10_H = np.log10(MAGNETICUM.h)


def counts(selection, sigma8):
    log10_m = np.linspace(12.9, 15.9, 6001)
    density = default_mass_function().dn_dlog10_m(log10_m, sigma8) * selection.probability(log10_m)
    return preset("paper").survey.volume * trapezoid(density, log10_m)


# Computed with COLOSSUS by the authors of the survey notes for half the box; 1 % for their rounding and bins.
@pytest.mark.parametrize(
    ("log10_m_break", "expected"), [(14.4, [64, 126, 194]), (14.4 - LOG10_H, [33, 69, 114])], ids=["Msun", "Msun/h"]
)
def test_expected_counts_for_the_two_readings_of_the_break(log10_m_break, expected):
    selection = Selection(log10_m_break=log10_m_break, log10_m_min=13.6 - LOG10_H)
    np.testing.assert_allclose([counts(selection, s) for s in (0.70, 0.809, 0.92)], expected, rtol=0.015)


def test_volume_of_the_box():
    np.testing.assert_allclose(MAGNETICUM_VOLUME, 500.0**3)
    np.testing.assert_allclose(preset("paper").survey.volume, 6.25e7)


def test_cuts_in_mass_and_flux_agree_without_scatter_at_the_reference():
    log10_m = np.linspace(13.2, 15.0, 200)
    log10_l_x = TABLE_2.l_x.log10_mean(log10_m)
    mass, flux = (Survey(cut=cut).detection_probability(log10_m, log10_l_x, TABLE_2.l_x) for cut in ("mass", "flux"))
    np.testing.assert_allclose(mass[np.abs(log10_m - 13.6) > 1e-9], flux[np.abs(log10_m - 13.6) > 1e-9], rtol=1e-9)


def test_only_a_cut_in_flux_moves_its_lower_edge_with_luminosity():
    brighter = with_factors(TABLE_2, {"l_x_normalisation": 1.3}).l_x
    below = 13.58
    probability = {
        cut: float(Survey(cut=cut).detection_probability(below, brighter.log10_mean(below), brighter))
        for cut in ("mass", "flux")
    }
    assert probability["mass"] == 0
    assert probability["flux"] > 0


def test_scatter_of_luminosity_smooths_a_cut_in_flux_like_appendix_a():
    # Appendix A smooths by 0.076 dex, "set by the scatter of log M for the L_X-M relation": 0.13 / 1.74 = 0.0747.
    log10_m = np.linspace(13.3, 14.8, 16)[:, None]
    scatter = TABLE_2.l_x.scatter * np.random.default_rng(5).standard_normal(100_000)
    flux = preset("realistic").survey.detection_probability(
        log10_m, TABLE_2.l_x.log10_mean(log10_m) + scatter, TABLE_2.l_x
    )
    expected = Selection(smoothing=TABLE_2.l_x.scatter / TABLE_2.l_x.slope).probability(log10_m[:, 0])
    # 0.006: four standard errors of a mean of 1e5 numbers in [0, 1].
    np.testing.assert_allclose(flux.mean(axis=1), expected, atol=0.006)


def test_presets():
    assert set(PRESETS) == {"paper", "paper-h", "realistic"}
    assert preset("paper").priors.grid
    assert not preset("realistic").priors.grid


def test_both_readings_of_the_papers_masses():
    assert preset("paper-msun") is preset("paper")
    msun, h = preset("paper").survey.selection, preset("paper-h").survey.selection
    assert (msun.log10_m_break, msun.log10_m_min) == (14.4, 13.6)  # printed
    # 10^14.4 and 10^13.6 solMass/h with h = 0.704: log10 0.704 = -0.1524.
    assert (h.log10_m_break, h.log10_m_min) == (14.5524, 13.7524)
    assert replace(preset("paper-h"), name="paper", survey=preset("paper").survey) == preset("paper")
    assert replace(preset("paper-h").survey, selection=msun) == preset("paper").survey


def test_unknown_preset_lists_the_known_ones():
    with pytest.raises(InputError, match="'eROSITA' is not known; choose one of paper, paper-h, paper-msun, realistic"):
        preset("eROSITA")


@pytest.mark.parametrize("fields", [{"volume": 0.0}, {"z": -0.1}, {"cut": "colour"}])
def test_impossible_survey_is_refused(fields):
    with pytest.raises(InputError, match="survey:"):
        replace(Survey(), **fields)
