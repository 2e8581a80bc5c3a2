"""Laws of the statistics: oracles for the numbers, and p-values that mean what they say."""

import numpy as np
import pytest
from earnest_interpret.statistics.correlation import correlate, running_quantiles
from earnest_interpret.statistics.fixed_mass import mass_basis, partial_correlation
from scipy import stats


def test_running_quantiles_of_a_known_normal(rng: np.random.Generator):
    x = rng.uniform(14, 15, 200_000)
    run = running_quantiles(x, 2 * x + rng.normal(0, 0.5, x.size), step=0.1, width=0.05)
    np.testing.assert_allclose(run.level(0.5), 2 * run.centres, atol=0.06)
    inner = slice(1, -1)  # windows at the ends reach beyond the data
    np.testing.assert_allclose((run.level(0.84) - run.level(0.16))[inner] / 2, 0.5 * 0.9945, rtol=0.03)
    assert (np.diff(run.values, axis=0) >= 0).all()


def test_running_quantiles_leave_out_thin_windows_and_unknown_values():
    x = np.concatenate([np.full(30, 14.01), np.full(3, 15.0), [np.nan]])
    run = running_quantiles(x, np.where(np.isnan(x), 1e9, x), width=0.05, min_count=20)
    assert (run.centres.tolist(), run.counts.tolist()) == ([14.0], [30])
    assert running_quantiles(np.array([np.nan]), np.array([1.0])).centres.size == 0


@pytest.mark.parametrize("truth", [-0.9, 0.0, 0.6])
def test_correlations_agree_with_scipy(rng: np.random.Generator, truth: float):
    x = rng.normal(size=3_000)
    y = truth * x + np.sqrt(1 - truth**2) * rng.normal(size=x.size)
    found = correlate(x, y, np.arange(x.size) // 10, rng=rng)
    assert found.pearson == pytest.approx(stats.pearsonr(x, y).statistic, abs=1e-12)
    assert found.spearman == pytest.approx(stats.spearmanr(x, y).statistic, abs=1e-12)
    # Independent clusters: the bootstrap must agree with the textbook error (1 - r^2) / sqrt(n).
    assert found.pearson_err == pytest.approx((1 - truth**2) / np.sqrt(x.size), rel=0.25)


def test_errors_of_correlations_know_that_clusters_share_a_catalog(rng: np.random.Generator):
    groups = np.repeat(np.arange(50), 40)
    x, y = rng.normal(size=50)[groups], rng.normal(size=50)[groups]
    # 50 independent pairs, whatever the number of clusters: the error is about 1 / sqrt(50).
    assert correlate(x, y, groups, rng=rng).pearson_err == pytest.approx(1 / np.sqrt(50), rel=0.35)


def test_what_is_constant_or_unknown_correlates_with_nothing(rng: np.random.Generator):
    x, groups = rng.normal(size=20), np.zeros(20, dtype=np.int64)
    assert np.isnan(correlate(x, np.ones(20), groups, rng=rng).pearson)
    found = correlate(x, np.where(np.arange(20) < 10, np.nan, x), groups, rng=rng)
    assert (found.n, found.pearson) == (10, pytest.approx(1.0))
    assert np.isnan(found.pearson_err)


def test_mass_basis_holds_every_smooth_function(rng: np.random.Generator):
    log10_m = rng.normal(14.3, 0.25, 4_000)
    basis = mass_basis(log10_m)
    saturating = np.tanh(2 * (log10_m - 14.3))
    rest = saturating - basis @ np.linalg.lstsq(basis, saturating, rcond=None)[0]
    assert rest.std() < 0.01 * saturating.std()
    assert mass_basis(np.full(5, 14.0)).shape == (5, 1)


def test_hats_without_a_cluster_do_no_harm(rng: np.random.Generator):
    terse, labels, log10_m, groups = _catalogs(rng, leak=0.5)
    basis = mass_basis(log10_m)
    padded = np.hstack([basis, np.zeros_like(basis), basis[:, :3]])
    one, other = (
        partial_correlation(terse, labels, columns, groups, rng=np.random.default_rng(1), n_permutations=99)
        for columns in (basis, padded)
    )
    assert other.value == pytest.approx(one.value, abs=1e-9)
    assert other.p_value == one.p_value


def _catalogs(rng: np.random.Generator, leak: float, n_catalogs: int = 60) -> tuple[np.ndarray, ...]:
    """Return terse values that follow mass, shifted by catalog-wide nuisances and, if leaking, by sigma8.

    Catalogs of high sigma8 hold more and heavier clusters, and mass acts through a saturating function, as it may.
    """
    labels = rng.uniform(0.7, 0.92, n_catalogs)
    counts = rng.poisson(30 * (labels / 0.81) ** 6) + 2
    groups = np.repeat(np.arange(n_catalogs), counts)
    log10_m = rng.normal(14.2 + 0.3 * labels[groups], 0.2)
    nuisance = rng.normal(0, 0.1, n_catalogs)[groups]
    terse = np.tanh(3 * (log10_m - 14.4)) + nuisance + rng.normal(0, 0.1, len(groups)) + leak * labels[groups]
    return terse, labels, log10_m, groups


def test_partial_correlation_agrees_with_weighted_regression(rng: np.random.Generator):
    terse, labels, log10_m, groups = _catalogs(rng, leak=0.5)
    basis = mass_basis(log10_m)
    root = np.sqrt(1 / np.bincount(groups))[groups]
    scaled = basis * root[:, None]

    def rest(values: np.ndarray) -> np.ndarray:
        return values * root - scaled @ np.linalg.lstsq(scaled, values * root, rcond=None)[0]

    a, b = rest(terse), rest(labels[groups])
    found = partial_correlation(terse, labels, basis, groups, rng=rng, n_permutations=9)
    assert found.value == pytest.approx(a @ b / np.sqrt((a @ a) * (b @ b)), abs=1e-10)


def test_p_values_are_uniform_under_the_null(rng: np.random.Generator):
    """Catalog-wide nuisances, unequal numbers and saturation are no reason for an alarm.

    3,000 trials with 199 shuffles gave alarms at the 5 % level in 5.2 +- 0.4 % of them.
    """
    found = []
    for _ in range(300):
        terse, labels, log10_m, groups = _catalogs(rng, leak=0.0)
        test = partial_correlation(terse, labels, mass_basis(log10_m), groups, rng=rng, n_permutations=99)
        found.append(test.p_value)
    assert stats.kstest(found, "uniform").pvalue > 0.001
    assert stats.binomtest(int(np.sum(np.array(found) <= 0.05)), len(found), 0.05).pvalue > 0.001


def test_shuffling_clusters_instead_would_raise_false_alarms(rng: np.random.Generator):
    """The reason for shuffling catalogs: with each cluster as its own catalog, nuisances look like knowledge."""
    alarms = 0
    for _ in range(40):
        terse, labels, log10_m, groups = _catalogs(rng, leak=0.0)
        alone = np.arange(len(groups))
        test = partial_correlation(terse, labels[groups], mass_basis(log10_m), alone, rng=rng, n_permutations=199)
        alarms += test.p_value <= 0.05
    assert alarms > 15


def test_a_planted_leak_is_found(rng: np.random.Generator):
    terse, labels, log10_m, groups = _catalogs(rng, leak=2.0)
    found = partial_correlation(terse, labels, mass_basis(log10_m), groups, rng=rng, n_permutations=1_999)
    assert found.p_value == 1 / 2_000
    assert found.value > 0.3


def test_a_seed_decides_the_p_value():
    terse, labels, log10_m, groups = _catalogs(np.random.default_rng(5), leak=0.1)
    first, second = (
        partial_correlation(terse, labels, mass_basis(log10_m), groups, rng=np.random.default_rng(7), n_permutations=99)
        for _ in range(2)
    )
    assert first == second
