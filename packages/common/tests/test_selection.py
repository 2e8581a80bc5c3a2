"""The selection function: limits, monotonicity, the fixed flux limit, and smoothing against a direct convolution."""

import numpy as np
import pytest
from earnest_common.errors import InputError
from earnest_common.survey.scaling import TABLE_2, with_factors
from earnest_common.survey.selection import Selection
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad

SHARP = Selection()
LOG10_M = np.linspace(13.0, 15.5, 501)


def test_three_regimes():
    np.testing.assert_allclose(
        SHARP.probability(np.array([13.599, 13.6, 14.4, 15.5])), [0.0, 10 ** (2.4 * -0.8), 1.0, 1.0], rtol=1e-12
    )


@pytest.mark.parametrize("smoothing", [0.0, 0.02, 0.076, 0.3])
def test_a_probability_that_never_falls_with_mass(smoothing):
    probability = Selection(smoothing=smoothing).probability(LOG10_M)
    assert ((probability >= 0) & (probability <= 1)).all()
    assert (np.diff(probability) >= -1e-12).all()


@pytest.mark.parametrize("smoothing", [0.02, 0.076, 0.3])
def test_smoothing_is_a_gaussian_convolution(smoothing):
    u = (np.arange(4_000) + 0.5) / 4_000
    from scipy.special import ndtri

    brute = SHARP.probability(LOG10_M[:, None] + smoothing * ndtri(u)).mean(axis=1)
    # 5e-4: the jump at M_min falls between two of 4,000 equally likely nodes.
    np.testing.assert_allclose(Selection(smoothing=smoothing).probability(LOG10_M), brute, atol=5e-4)


@pytest.mark.parametrize("gap", [1.0, 4.0, 8.0, 30.0])
def test_far_below_the_cut_a_gaussian_tail_is_left(gap):
    """What reaches the cut from ``gap`` widths below it, integrated from the cut upwards without small differences."""
    width, rate = 0.06, 2.4 * np.log(10)
    rest, _ = quad(lambda t: np.exp(rate * t - gap * t / width - 0.5 * (t / width) ** 2), 0, 0.8, epsabs=0, limit=200)
    expected = -0.5 * gap**2 - np.log(np.sqrt(2 * np.pi) * width) - rate * 0.8 + np.log(rest)
    found = Selection(smoothing=width).probability(np.array([13.6 - gap * width]))
    assert np.log(found[0]) == pytest.approx(expected, abs=1e-6)  # the break, 13 widths above the cut, adds nothing


def test_no_smoothing_is_the_limit_of_little_smoothing():
    away = np.abs(LOG10_M - 13.6) > 0.01
    little = Selection(smoothing=1e-5).probability(LOG10_M[away])
    np.testing.assert_allclose(little, SHARP.probability(LOG10_M[away]), atol=1e-4)


@given(normalisation=st.floats(0.5, 2.0), slope=st.floats(0.6, 1.5))
def test_the_flux_limit_stays(normalisation, slope):
    l_x = with_factors(TABLE_2, {"l_x_normalisation": normalisation, "l_x_slope": slope}).l_x
    limit = TABLE_2.l_x.log10_mean(SHARP.log10_m_break)
    assert l_x.log10_mean(SHARP.log10_m_break_of(l_x)) == pytest.approx(limit, abs=1e-12)


def test_breaks_of_many_catalogs_broadcast():
    breaks = np.array([14.2, 14.4, 14.6])
    together = SHARP.probability(LOG10_M, log10_m_break=breaks[:, None])
    for row, one in zip(together, breaks, strict=True):
        np.testing.assert_array_equal(row, SHARP.probability(LOG10_M, log10_m_break=one))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"log10_m_min": 14.5}, "log10_m_min = 14.5 must lie below log10_m_break = 14.4"),
        ({"smoothing": -0.1}, "must not be negative"),
        ({"smoothing": 0.6}, "beyond 100 and 0.5 dex"),
    ],
)
def test_impossible_selection_is_refused(fields, message):
    with pytest.raises(InputError, match=message):
        Selection(**fields)
