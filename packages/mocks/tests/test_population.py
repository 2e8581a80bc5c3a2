"""Numbers and masses of clusters against the analytic density."""

from itertools import pairwise

import numpy as np
import pytest
from earnest_common.errors import InputError
from earnest_common.survey.mass_function import default_mass_function
from earnest_common.survey.presets import Survey, preset
from earnest_common.survey.scaling import TABLE_2, with_factors
from earnest_common.survey.selection import Selection
from earnest_mocks.catalogs.mass_function import abundance_of
from earnest_mocks.catalogs.population import LOG10_M_MAX, expected_number, insert_node, mass_nodes, populate
from earnest_mocks.catalogs.selection import mass_limited
from scipy.integrate import quad
from scipy.stats import chi2, kstest

FIDUCIAL = 0.809


def analytic_density(log10_m, sigma8, *, log10_m_break=14.4):
    """n(M) S(M) V written out once more, independently of Selection and of the spectra."""
    detected = np.where(log10_m < 13.6, 0.0, np.minimum(1.0, 10 ** (2.4 * (log10_m - log10_m_break))))
    return preset("paper").survey.volume * detected * default_mass_function().dn_dlog10_m(log10_m, sigma8)


def analytic_number(a, b, sigma8, *, log10_m_break=14.4):
    edges = [a, *[p for p in (log10_m_break, 15.0) if a < p < b], b]
    return sum(
        quad(lambda x: float(analytic_density(x, sigma8, log10_m_break=log10_m_break)), u, v, epsrel=1e-10)[0]
        for u, v in pairwise(edges)
    )


def spectra_of(sigma8, *, l_x=TABLE_2.l_x, survey=None):
    abundance = abundance_of(default_mass_function(), np.atleast_1d(sigma8))
    return mass_limited(survey or Survey(), abundance, l_x=l_x)


@pytest.mark.parametrize("sigma8", [0.70, FIDUCIAL, 0.92])
def test_expected_number_is_the_integral_of_abundance_and_selection(sigma8):
    spectra = spectra_of(sigma8)
    # Log-linear cells of 0.01 dex follow the curved mass function to a few 1e-5.
    number = expected_number(spectra.nodes, spectra.density)[0]
    assert number == pytest.approx(analytic_number(13.6, LOG10_M_MAX, sigma8), rel=1e-4)


def test_a_brighter_relation_moves_the_break_and_keeps_the_flux_limit():
    l_x = with_factors(TABLE_2, {"l_x_normalisation": np.array([1.3]), "l_x_slope": np.array([0.8])}).l_x
    spectra = spectra_of(FIDUCIAL, l_x=l_x)
    log10_m_break = 14.552427 - (1.74 * (14.552427 - 14.4) + np.log10(1.3)) / (0.8 * 1.74)
    expected = analytic_number(13.6, LOG10_M_MAX, FIDUCIAL, log10_m_break=log10_m_break)
    assert expected_number(spectra.nodes, spectra.density)[0] == pytest.approx(expected, rel=1e-4)


def test_masses_follow_the_density_with_both_edges_and_the_break():
    n_catalogs = 400
    spectra = spectra_of(np.full(n_catalogs, FIDUCIAL))
    found = populate(spectra.nodes, spectra.density, seed=5, catalog_id=np.arange(n_catalogs))
    x = np.sort(found.log10_m)
    total = analytic_number(13.6, LOG10_M_MAX, FIDUCIAL)
    grid = np.linspace(13.6, 15.4, 721)
    cdf = np.array([0.0, *np.cumsum([analytic_number(a, b, FIDUCIAL) for a, b in pairwise(grid)])]) / total
    assert kstest(x, lambda v: np.interp(v, grid, cdf)).pvalue > 0.01
    assert x[0] >= 13.6
    # The numbers in narrow slices at the lowest mass, on both sides of the break and at the highest masses.
    for a, b in [(13.6, 13.605), (13.6, 13.65), (14.38, 14.4), (14.4, 14.42), (15.0, 15.9), (15.2, 15.9)]:
        expected = n_catalogs * analytic_number(a, b, FIDUCIAL)
        assert ((x >= a) & (x < b)).sum() == pytest.approx(expected, abs=4 * np.sqrt(expected)), (a, b)


def test_numbers_are_poisson():
    n = 2000
    spectra = spectra_of(np.full(n, FIDUCIAL))
    counts = populate(spectra.nodes, spectra.density, seed=6, catalog_id=np.arange(n)).counts
    mean = expected_number(spectra.nodes, spectra.density)[0]
    assert counts.mean() == pytest.approx(mean, abs=4 * np.sqrt(mean / n))
    dispersion = ((counts - mean) ** 2).sum() / mean  # chi-squared with n degrees of freedom
    assert chi2.cdf(dispersion, n) == pytest.approx(0.5, abs=0.4995)


def test_the_survey_has_the_size_the_paper_reports():
    spectra = spectra_of(np.array([0.70, FIDUCIAL, 0.92]))
    low, middle, high = expected_number(spectra.nodes, spectra.density)
    assert middle == pytest.approx(130, abs=10)  # break read as solMass; as solMass/h it would be 69
    assert 50 < low < 80
    assert 180 < high < 220
    in_h = spectra_of(FIDUCIAL, survey=Survey(selection=Selection(log10_m_break=14.4 - np.log10(0.704))))
    assert expected_number(in_h.nodes, in_h.density)[0] == pytest.approx(69, abs=7)


def test_a_blurred_selection_reaches_below_the_lowest_mass():
    survey = Survey(selection=Selection(smoothing=0.076))
    spectra = spectra_of(FIDUCIAL, survey=survey)
    assert spectra.nodes[0, 0] < 13.2
    below, _ = quad(
        lambda x: (
            survey.volume * float(survey.selection.probability(x) * default_mass_function().dn_dlog10_m(x, FIDUCIAL))
        ),
        spectra.nodes[0, 0],
        LOG10_M_MAX,
        points=[13.6, 14.4],
        limit=200,
    )
    assert expected_number(spectra.nodes, spectra.density)[0] == pytest.approx(below, rel=1e-4)


def test_inserted_nodes_stay_in_order():
    nodes = np.array([1.0, 2.0, 3.0])
    extra = np.array([0.5, 1.0, 1.5, 3.0, 9.0])
    expected = [[1, 1, 2, 3], [1, 1, 2, 3], [1, 1.5, 2, 3], [1, 2, 3, 3], [1, 2, 3, 3]]
    np.testing.assert_array_equal(insert_node(nodes, extra), expected)


def test_nodes_are_fine_and_begin_at_the_lowest_mass():
    nodes = mass_nodes(Selection())
    assert nodes[0] == 13.6
    assert np.diff(nodes).max() <= 0.01 + 1e-12


def test_a_selection_without_clusters_is_refused():
    with pytest.raises(InputError, match=r"log10_m_min = 15.2 leaves no clusters"):
        mass_nodes(Selection(log10_m_min=15.2, log10_m_break=15.5))
