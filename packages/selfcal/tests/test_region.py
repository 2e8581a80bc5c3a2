"""Refusals: what lies outside the modelled region, and what the message says."""

import re
from dataclasses import replace

import numpy as np
import pytest
from earnest_selfcal.posterior.posterior import infer
from earnest_selfcal.posterior.validity import reason_outside
from earnest_selfcal.simulation.surveys import simulate

LOG10_H = np.log10(0.704)
TYPICAL = 13.6 - LOG10_H


@pytest.mark.parametrize(
    ("n", "y_x", "message"),
    [
        (0, TYPICAL, "n_clusters = 0: an empty catalog"),
        (-3, TYPICAL, "n_clusters = -3 is no number of clusters; give"),
        (3000, TYPICAL, "n_clusters = 3000 is outside preset 'paper', whose surveys hold"),
        (130, np.nan, "not a number"),
        (130, -0.4 - LOG10_H, r"implies clusters of 10\^6.3\d* solMass/h"),  # in 1e14 solMass/h keV
        (130, 31.3 - LOG10_H, r"implies clusters of 10\^24.2\d* solMass/h"),  # in erg instead of keV and so on
        (
            130,
            13.1 - LOG10_H - 0.5,
            r"\d\.\d\d to 1\d\.\d\d \(h-free 1\d\.\d\d to 1\d\.\d\d\) is expected, masses of 10",
        ),
    ],
)
def test_outside(paper_table, n, y_x, message):
    assert re.search(message, reason_outside(paper_table, n, y_x) or "")


@pytest.mark.parametrize(("n", "y_x"), [(130, TYPICAL), (130, None), (70, TYPICAL - 0.1), (220, TYPICAL)])
def test_inside(paper_table, n, y_x):
    assert reason_outside(paper_table, n, y_x) is None


def test_the_ends_in_the_message_are_the_ends(paper_table):
    low, high = map(int, re.search(r"hold (\d+) to (\d+) clusters", reason_outside(paper_table, 3000) or "").groups())
    refused = [bool(reason_outside(paper_table, n)) for n in (low - 1, low, high, high + 1)]
    assert refused == [True, False, False, True]


def test_a_survey_of_millions_of_clusters_costs_no_more_memory(paper_table):
    huge = replace(paper_table, expected_n=paper_table.expected_n * 1e5)
    assert "n_clusters = 130 is outside" in (reason_outside(huge, 130) or "")
    assert reason_outside(huge, 13_000_000) is None


def test_luminosity_in_the_wrong_unit_is_told_by_the_mass(paper_l_x_table):
    assert "implies clusters of 10^39" in (reason_outside(paper_l_x_table, 130, 44.1) or "")
    assert reason_outside(paper_l_x_table, 130, float(paper_l_x_table.preset.relations.l_x.log10_mean(14.3))) is None


def test_simulated_surveys_are_inside(paper_table):
    rng = np.random.default_rng(9)
    surveys = simulate(paper_table.preset, paper_table.preset.priors.draw(400, rng=rng), rng=rng)
    pairs = zip(surveys.n_clusters.tolist(), surveys.median_log10_y_x.tolist(), strict=True)
    refused = [pair for pair in pairs if reason_outside(paper_table, *pair)]
    # Four tails of 1e-4 make 0.16 expected among 400; more than three has a probability of 2e-5.
    assert len(refused) <= 3


def test_whatever_is_inside_has_a_posterior(paper_table):
    for y_x in np.linspace(12.9, 14.3, 29):
        if reason_outside(paper_table, 130, float(y_x)) is None:
            assert infer(paper_table, 130, float(y_x)).probability.sum() == pytest.approx(1)
