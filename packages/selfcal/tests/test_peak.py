"""Equations (5) and (6): solved back, in the limit without scatter, and what their errors are made of."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from earnest_common.errors import InputError
from earnest_common.survey.presets import preset
from earnest_common.survey.priors import Priors, Uniform
from earnest_selfcal.forward.observable import relation_of
from earnest_selfcal.forward.population import mass_function_for
from earnest_selfcal.peak.equations import Solution, peak_of, sharp_peak, solve_peak
from earnest_selfcal.peak.errors import combined, compare_observables, peak_answer
from earnest_selfcal.survey.measurement_errors import MeasurementErrors

PAPER = preset("paper")
TABLE = mass_function_for(PAPER)


@dataclass(frozen=True)
class PowerLawUniverse:
    """dn/dlog10 m = 1e-5 (sigma8 / 0.8)^4 10^(-1.2 (x - 14))."""

    def dn_dlog10_m(self, log10_m, sigma8):
        return 1e-5 * (np.asarray(sigma8) / 0.8) ** 4 * 10 ** (-1.2 * (np.asarray(log10_m) - 14))


@pytest.mark.parametrize("name", ["paper", "realistic"])
@pytest.mark.parametrize("observable", ["y_x", "l_x"])
@pytest.mark.parametrize("truth", [(0.75, 14.3), (0.88, 14.45)])
def test_the_peak_of_a_universe_gives_the_universe_back(name, observable, truth):
    survey, solution = preset(name), Solution(sigma8=truth[0], log10_m_peak=truth[1])
    factors = {"l_x_normalisation": 1.1, "m_gas_normalisation": 0.9, "l_x_slope": 1.1}
    peak = peak_of(survey, solution, observable=observable, factors=factors, mass_function=TABLE)
    numbers = {"per_dex": peak.per_dex, "log10_x": peak.log10_x}
    found = solve_peak(survey, **numbers, observable=observable, factors=factors, mass_function=TABLE)
    assert found.sigma8 == pytest.approx(truth[0], abs=1e-4)
    assert found.log10_m_peak == pytest.approx(truth[1], abs=1e-4)


def test_without_scatter_the_equations_are_solved_by_hand():
    law = relation_of("y_x", PAPER.relations, PAPER.correlation, MeasurementErrors())
    volume, log10_m = PAPER.survey.volume, 14.2
    per_dex = volume * 1e-5 * (0.85 / 0.8) ** 4 * 10 ** (-1.2 * 0.2) / law.slope
    place = float(law.log10_mean(log10_m))
    found = sharp_peak(per_dex, place, law=law, volume=volume, mass_function=PowerLawUniverse())
    assert found.sigma8 == pytest.approx(0.85, abs=1e-6)
    assert found.log10_m_peak == pytest.approx(log10_m)


def test_scatter_lowers_the_peak_so_the_sharp_equations_are_biased():
    peak = peak_of(PAPER, Solution(sigma8=0.809, log10_m_peak=14.4), observable="y_x", mass_function=TABLE)
    law = relation_of("y_x", PAPER.relations, PAPER.correlation, MeasurementErrors())
    numbers = {"law": law, "volume": PAPER.survey.volume, "mass_function": TABLE}
    assert sharp_peak(peak.per_dex, peak.log10_x, **numbers).sigma8 < 0.79


def test_y_x_beats_l_x_because_of_the_slope_of_l_x():
    errors = compare_observables(PAPER)
    y_x, l_x = errors["y_x"], errors["l_x"]
    assert y_x.total_sigma8_err < l_x.total_sigma8_err
    assert max(l_x.sigma8_err, key=l_x.sigma8_err.get) == "l_x_slope"
    assert max(y_x.sigma8_err, key=y_x.sigma8_err.get) in ("t_x_normalisation", "m_gas_normalisation")
    assert combined(errors) < y_x.total_sigma8_err
    assert y_x.sigma8_err["l_x_slope"] == 0.0  # the break is solved for: no round-off is shown as an error
    # A factor of Y_X moves the mass by itself divided by the slope of Y_X, to first order and 5 %.
    factor = PAPER.priors.t_x_normalisation
    expected = np.log10(1 + factor.std / 1.05) / 1.77
    assert y_x.log10_m_peak_err["t_x_normalisation"] == pytest.approx(expected, rel=0.05)
    certain = {name: Uniform(low=1.0, high=1.0) for name in Priors.names() if name.startswith("l_x")}
    known = compare_observables(replace(PAPER, priors=replace(PAPER.priors, **certain)))["l_x"]
    assert set(known.sigma8_err) == {"number of clusters", "place of the peak"}
    assert known.total_sigma8_err < y_x.total_sigma8_err


def test_an_observed_peak_in_the_papers_unit():
    survey = compare_observables(PAPER)["y_x"]
    place = survey.peak.log10_x + np.log10(0.704)
    told = peak_answer(PAPER, per_dex=survey.peak.per_dex, log10_y_x_h=place)
    assert told["sigma8"] == pytest.approx(0.809, abs=1e-4)
    assert (told["peak_log10_x"], told["peak_log10_x_unit"]) == (pytest.approx(place), "log10(solMass/h keV)")
    assert told["sigma8_err"] == pytest.approx(survey.total_sigma8_err, rel=1e-2)


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        ({"per_dex": 100.0}, "give the height"),
        ({"per_dex": 100.0, "log10_y_x_h": 13.6, "log10_l_x": 0.1}, "give the height"),
        ({"log10_l_x": 0.1}, "give the height"),
        ({"per_dex": 0.0, "log10_l_x": 0.1}, "is none"),
        ({"per_dex": 1e6, "log10_l_x": 0.1}, "fits no sigma8"),
        ({"per_dex": 100.0, "log10_l_x": 44.1}, "fits no sigma8 .* check the volume and the unit"),
    ],
)
def test_peaks_that_cannot_be(numbers, message):
    with pytest.raises(InputError, match=message):
        peak_answer(PAPER, **numbers)


def test_a_sharp_peak_that_cannot_be():
    law = PAPER.relations.l_x
    for per_dex in (0.0, 1e9):
        with pytest.raises(InputError, match=r"fits no sigma8 from 0\.57 to 1\.09"):
            sharp_peak(per_dex, 0.1, law=law, volume=PAPER.survey.volume, mass_function=TABLE)
