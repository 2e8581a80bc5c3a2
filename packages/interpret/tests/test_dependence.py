"""Laws of dependence: closed forms for normals, brute force, invariances, and p-values that mean what they say."""

import numpy as np
import pytest
from earnest_interpret.statistics.dependence import (
    distance_correlation,
    measure_dependence,
    mutual_information,
    p_between_catalogs,
    p_within_catalogs,
)
from earnest_interpret.statistics.fixed_mass import correlation_at_fixed_mass
from scipy import stats


def _normals(rng: np.random.Generator, rho: float, n: int) -> tuple[np.ndarray, np.ndarray]:
    x = rng.normal(size=n)
    return x, rho * x + np.sqrt(1 - rho**2) * rng.normal(size=n)


@pytest.mark.parametrize("rho", [0.0, 0.4, -0.8, 0.95])
def test_distance_correlation_of_normals(rng, rho):
    """Szekely, Rizzo & Bakirov (2007), theorem 7."""
    r = abs(rho)
    top = r * np.arcsin(r) + np.sqrt(1 - r**2) - r * np.arcsin(r / 2) - np.sqrt(4 - r**2) + 1
    expected = np.sqrt(top / (1 + np.pi / 3 - np.sqrt(3)))
    found = distance_correlation(*_normals(rng, rho, 1500))
    assert found == pytest.approx(expected, abs=0.08 if rho == 0 else 0.03)  # root of a noisy square near zero


def test_distance_correlation_by_brute_force(rng):
    """The U-statistic written as sums over pairs, one entry at a time."""
    n = 12
    x, y = rng.normal(size=n), rng.normal(size=n) ** 2

    def centred(values: np.ndarray) -> np.ndarray:
        d = [[abs(a - b) for b in values] for a in values]
        out = np.zeros((n, n))
        for i in range(n):
            for j in range(n):
                if i != j:
                    out[i, j] = d[i][j] - sum(d[i]) / (n - 2) - sum(row[j] for row in d) / (n - 2)
                    out[i, j] += sum(map(sum, d)) / ((n - 1) * (n - 2))
        return out

    a, b = centred(x), centred(y)
    square = (a * b).sum() / np.sqrt((a * a).sum() * (b * b).sum())
    assert distance_correlation(x, y) == pytest.approx(np.sqrt(max(square, 0)), abs=1e-12)


@pytest.mark.parametrize("rho", [0.0, 0.5, -0.9])
def test_mutual_information_of_normals(rng, rho):
    found = mutual_information(*_normals(rng, rho, 3000), rng=rng)
    assert found == pytest.approx(-0.5 * np.log(1 - rho**2), abs=0.05)


def test_which_p_values_are_counted_is_told(rng):
    """A label of catalogs is shuffled, so that p cannot be below 1 / 1000; a property of clusters has a formula."""
    groups = np.repeat(np.arange(40), 50)
    label, x = np.linspace(0, 1, 40)[groups], rng.normal(size=2000)
    counted = measure_dependence(x + 9 * label, label, groups, rng=rng)
    formula = measure_dependence(x, x + 0.1 * rng.normal(size=2000), groups, rng=rng)
    assert (counted.n_shuffles, counted.p_value) == (999, pytest.approx(1e-3))
    assert (formula.n_shuffles, formula.p_value < 1e-100) == (0, True)


def test_mutual_information_with_a_label_of_few_values(rng):
    """x = label + noise without overlap tells the label: ln 4 for four equal labels; ties are no obstacle."""
    label = rng.integers(0, 4, 3000).astype(float)
    found = mutual_information(label + rng.uniform(-0.3, 0.3, 3000), label, rng=rng)
    assert found == pytest.approx(np.log(4), abs=0.08)


def test_a_monotonic_map_changes_no_information(rng):
    x, y = _normals(rng, 0.7, 2000)
    one = mutual_information(x, y, rng=np.random.default_rng(1))
    other = mutual_information(np.exp(3 * x), -(y**3), rng=np.random.default_rng(1))
    assert other == pytest.approx(one, abs=1e-3)


def test_a_parabola_is_found_where_correlation_is_zero(rng):
    x = rng.normal(size=2000)
    found = measure_dependence(x, x**2 + 0.1 * rng.normal(size=2000), np.arange(2000) // 20, rng=rng)
    assert abs(stats.pearsonr(x, x**2).statistic) < 0.2
    assert found.distance > 0.4
    assert found.information > 0.8


def test_p_within_catalogs_agrees_with_shuffling(rng):
    groups = np.repeat(np.arange(12), 15)
    x, y = rng.normal(size=180), rng.normal(size=180)
    y = y + 0.12 * x + rng.normal(size=12)[groups]  # offsets of catalogs must not count
    rx, ry = stats.rankdata(x), stats.rankdata(y)
    expected = sum((rx[groups == g] - rx[groups == g].mean()) @ ry[groups == g] for g in range(12))
    shuffles = []
    for _ in range(1500):
        order = np.argsort(groups + rng.random(180), kind="stable")
        shuffles.append(sum((rx[order][groups == g] - rx[groups == g].mean()) @ ry[groups == g] for g in range(12)))
    by_hand = np.mean(np.abs(shuffles) >= abs(expected))
    assert p_within_catalogs(x, y, groups) == pytest.approx(by_hand, abs=0.045)  # 1,500 shuffles


def test_p_values_between_catalogs_are_uniform_and_find_a_link(rng):
    groups = np.repeat(np.arange(30), 12)
    null = []
    for _ in range(150):
        x = rng.normal(size=30)[groups] + rng.normal(size=360)  # catalogs differ, for a reason of their own
        null.append(p_between_catalogs(x, rng.normal(size=30), groups, rng=rng, n_permutations=99))
    assert stats.kstest(null, "uniform").pvalue > 0.001
    labels = rng.normal(size=30)
    linked = (labels**2)[groups] + rng.normal(size=360)  # no linear link
    assert p_between_catalogs(linked, labels, groups, rng=rng, n_permutations=199) < 0.02


def test_what_cannot_be_measured_is_unknown(rng):
    x, groups = rng.normal(size=40), np.repeat([0, 1], 20)
    for other in (np.ones(40), np.full(40, np.nan)):
        found = measure_dependence(x, other, groups, rng=rng)
        assert np.isnan([found.distance, found.information, found.p_value]).all()


def test_correlation_at_fixed_mass(rng):
    """y and x share mass and a residual: the mass goes, whatever function of it they follow."""
    log10_m, shared = rng.normal(14.3, 0.2, (2, 5000))
    shared = shared - 14.3
    x = np.tanh(4 * (log10_m - 14.3)) + shared
    y = -3 * log10_m + shared + 0.2 * rng.normal(size=5000)
    assert correlation_at_fixed_mass(x, y, log10_m) == pytest.approx(1 / np.sqrt(2), abs=0.03)
    assert abs(correlation_at_fixed_mass(x - shared, y, log10_m)) < 0.05
    assert np.isnan(correlation_at_fixed_mass(log10_m, y, log10_m))  # nothing is left of mass at fixed mass
    assert np.isnan(correlation_at_fixed_mass(x[:30], y[:30], log10_m[:30]))
