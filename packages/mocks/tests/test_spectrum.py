"""Laws of the spectra: exact integrals and unbiased draws, edges included."""

import numpy as np
import pytest
from earnest_mocks.base_sample.mass_sampling import cumulative, draw
from hypothesis import example, given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import kstest

SHAPES = {
    "falling": lambda x: np.exp(-3 * x),
    "rising": lambda x: np.exp(2 * x),
    "flat": lambda x: np.ones_like(x),
    "kinked": lambda x: np.exp(np.where(x < 0.5, 4 * x, 2 - 6 * (x - 0.5))),
}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_integral_is_exact_for_log_linear_cells(shape):
    nodes = np.linspace(0, 1, 11)[None, :]
    expected, _ = quad(lambda x: float(shape(np.array(x))), 0, 1, points=[0.5])
    # Quadrature itself is good to 1e-12 here.
    np.testing.assert_allclose(cumulative(nodes, shape(nodes))[0, -1], expected, rtol=1e-11)


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_draws_follow_the_spectrum_up_to_both_edges(shape):
    nodes = np.linspace(0, 1, 11)[None, :]
    n = 20_000
    uniform = (np.arange(n) + 0.5) / n
    x = draw(nodes, shape(nodes), np.zeros(n, dtype=np.int64), uniform)
    total = cumulative(nodes, shape(nodes))[0, -1]
    probes = np.array([1e-4, 0.01, 0.3, 0.5, 0.77, 0.99, 0.9999])
    below = np.array([quad(lambda y: float(shape(np.array(y))), 0, p, points=[0.5])[0] for p in probes]) / total
    # Stratified numbers resolve the distribution to 1/n.
    np.testing.assert_allclose(np.searchsorted(x, probes) / n, below, atol=1.5 / n)
    assert (x >= 0).all()
    assert (x <= 1).all()


def test_random_draws_pass_a_kolmogorov_test():
    nodes = np.linspace(0, 1, 7)[None, :]
    x = draw(nodes, np.exp(-3 * nodes), np.zeros(50_000, dtype=np.int64), np.random.default_rng(1).random(50_000))
    assert kstest(x, lambda v: np.expm1(-3 * v) / np.expm1(-3)).pvalue > 0.01


def test_a_draw_does_not_depend_on_its_company():
    rng = np.random.default_rng(2)
    nodes = np.sort(rng.random((300, 40)), axis=1)
    density = np.exp(rng.normal(size=(300, 40)))
    row = np.repeat(np.arange(300), 25)
    uniform = rng.random(len(row))
    together = draw(nodes, density, row, uniform)
    for one in (0, 7, 299):
        here = row == one
        alone = draw(nodes[one : one + 1], density[one : one + 1], np.zeros(here.sum(), dtype=np.int64), uniform[here])
        np.testing.assert_array_equal(alone, together[here])  # bit for bit


def test_cells_without_width_are_harmless():
    nodes = np.array([[0.0, 0.5, 0.5, 1.0]])
    x = draw(nodes, np.ones((1, 4)), np.zeros(1001, dtype=np.int64), np.linspace(0, 1, 1001, endpoint=False))
    np.testing.assert_allclose(x, np.linspace(0, 1, 1001, endpoint=False), atol=1e-12)


@given(st.floats(0, 1, exclude_max=True), st.floats(-30, 30))
@example(0.1875, 2.0**-24)  # a cell that counts as flat and is not
def test_a_quantile_is_inverted_by_the_integral(uniform, slope):
    nodes = np.linspace(0, 1, 5)[None, :]
    density = np.exp(slope * nodes)
    x = draw(nodes, density, np.zeros(1, dtype=np.int64), np.array([uniform]))[0]
    share = x if abs(slope) < 1e-9 else np.expm1(slope * x) / np.expm1(slope)
    assert share == pytest.approx(uniform, abs=1e-9)
