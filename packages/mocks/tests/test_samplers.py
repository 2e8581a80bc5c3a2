"""Every sampler against its analytic density, at both edges of the priors: each test states the density anew."""

import functools
from itertools import pairwise

import numpy as np
import pytest
from earnest_common.survey.mass_function import default_mass_function
from earnest_common.survey.presets import preset
from earnest_mocks.base_sample.relations import OBSERVABLES, mean_observables
from earnest_mocks.base_sample.sample import default_base_sample
from earnest_mocks.catalogs.config import DonorRule
from earnest_mocks.catalogs.donors import donor_pools, nearby
from earnest_mocks.catalogs.observables import borrow
from earnest_mocks.catalogs.population import Population
from earnest_mocks.catalogs.source import open_source
from scipy.integrate import quad
from scipy.stats import chisquare, kstest, norm, poisson

SLOPE, BREAK, LOWEST = 2.4, 14.4, 13.6
EDGES = {"low": (0.70, 0.8, 0.7), "middle": (0.81, 1.0, 1.0), "high": (0.92, 1.3, 1.3)}
FACTORS = ("t_x_normalisation", "m_gas_normalisation")
SCATTERS = tuple(f"{name}_scatter" for name in OBSERVABLES)
# Every test here is seeded; its p-value is uniform under the null, so a bound of 0.001 is met with any fair seed.
SMALLEST_P = 0.001


def edge(name, *, n, preset_name="paper", **more):
    """Catalogs at one edge of every prior that the selection knows, and their parameters."""
    sigma8, normalisation, slope = EDGES[name]
    values = {"sigma8": sigma8, "l_x_normalisation": normalisation, "l_x_slope": slope} | more
    values |= dict.fromkeys(FACTORS, normalisation) | dict.fromkeys(SCATTERS, slope)
    priors = {key: {"low": value, "high": value} for key, value in values.items()}
    source = open_source(preset_name, seed=21, config={"priors": priors})
    return source, source.batch(np.arange(n))


def density(x, name):
    """n(M) S(M) V per dex, with the break where the catalog's own relation reaches the flux limit."""
    sigma8, normalisation, slope = EDGES[name]
    pivot = 14.4 - np.log10(0.704)  # where slopes turn
    at_break = pivot + (1.74 * (BREAK - pivot) - np.log10(normalisation)) / (1.74 * slope)
    selected = np.where(x < LOWEST, 0.0, np.minimum(1.0, 10 ** (SLOPE * (x - at_break))))
    return preset("paper").survey.volume * selected * default_mass_function().dn_dlog10_m(x, sigma8)


@functools.cache
def distribution(name):
    """Return a grid and the number of clusters expected below each of its points."""
    grid = np.unique(np.concatenate([np.linspace(LOWEST, 15.9, 461), np.linspace(13.6, 15.3, 171)]))
    parts = [quad(lambda x: float(density(x, name)), a, b)[0] for a, b in pairwise(grid)]
    return grid, np.concatenate([[0.0], np.cumsum(parts)])


@pytest.fixture(scope="module", params=EDGES)
def at_edge(request):
    return request.param, *edge(request.param, n=400)


def test_masses_are_uniform_in_their_own_cumulative_distribution(at_edge):
    name, _, batch = at_edge
    grid, number = distribution(name)
    pit = np.interp(np.log10(batch.column("m_500c")), grid, number / number[-1])
    assert kstest(pit, "uniform").pvalue > SMALLEST_P


def test_numbers_are_poisson_in_all_and_in_every_mass_bin(at_edge):
    name, _, batch = at_edge
    grid, number = distribution(name)
    counts = batch.label("n_clusters")
    # The randomised PIT of a discrete variable is uniform.
    u = np.random.default_rng(3).random(len(counts))
    pit = poisson.cdf(counts - 1, number[-1]) + u * poisson.pmf(counts, number[-1])
    assert kstest(pit, "uniform").pvalue > SMALLEST_P
    # The paper draws bins of 0.01 dex; ten of them hold enough clusters for a chi-squared test.
    edges = np.linspace(LOWEST, 15.0, 15)
    expected = len(counts) * np.diff(np.interp(edges, grid, number))
    found, _ = np.histogram(np.log10(batch.column("m_500c")), edges)
    pull = np.sum((found - expected) ** 2 / expected)
    assert norm.sf((pull - len(expected)) / np.sqrt(2 * len(expected))) > SMALLEST_P


@pytest.mark.parametrize("scatter", [0.10, 0.30])
def test_weak_lensing_is_lognormal_at_both_ends(scatter):
    _, batch = edge("middle", n=60, m_wl_scatter=scatter)
    ln_ratio = np.log(batch.column("m_wl") / batch.column("m_500c"))
    assert kstest(ln_ratio / scatter, "norm").pvalue > SMALLEST_P


@pytest.mark.parametrize("name", ["paper", "realistic"])
def test_free_parameters_are_uniform_and_independent(name):
    source = open_source(name, seed=8)
    catalogs = source.batch(np.arange(600)).catalogs
    priors = source.config.priors
    free = [p for p in priors.names() if priors.of(p).step is None and priors.of(p).low < priors.of(p).high]
    share = np.stack(
        [(catalogs[p].to_numpy() - priors.of(p).low) / (priors.of(p).high - priors.of(p).low) for p in free]
    )
    for p, values in zip(free, share, strict=True):
        assert kstest(values, "uniform").pvalue > SMALLEST_P, p
    off_diagonal = np.corrcoef(share)[np.triu_indices(len(free), 1)]
    # Correlations of 600 independent pairs scatter by 1 / sqrt(600).
    assert np.abs(off_diagonal).max() < 4.5 / np.sqrt(600)


def test_gridded_parameters_take_each_value_equally_often():
    catalogs = open_source("paper", seed=8).batch(np.arange(1200)).catalogs
    for name, n in {"sigma8": 23, "l_x_normalisation": 6, "t_x_normalisation": 6, "m_gas_normalisation": 6}.items():
        assert chisquare(catalogs[name].value_counts()["count"]).pvalue > SMALLEST_P
        assert catalogs[name].n_unique() == n


def test_donors_are_drawn_evenly_among_those_near_in_mass(at_edge):
    _, source, batch = at_edge
    (pool,) = source.pools
    first, last = nearby(pool, np.log10(batch.column("m_500c")), source.config.donors)
    place = np.searchsorted(pool.index, batch.column("donor_id"))  # donors are numbered in rising mass
    assert (place >= first).all()
    assert (place < last).all()
    u = np.random.default_rng(4).random(len(place))
    assert kstest((place - first + u) / (last - first), "uniform").pvalue > SMALLEST_P


def test_residuals_keep_scatter_and_correlations_at_both_edges(at_edge):
    name, source, batch = at_edge
    _, normalisation, slope = EDGES[name]
    x = np.log10(batch.column("m_500c"))
    mean = mean_observables(source.sample.relations, x) + np.log10(normalisation)
    mean[:, 0] += (slope - 1) * source.sample.relations.l_x.slope * (x - source.sample.relations.l_x.log10_pivot)
    found = (np.log10(np.stack([batch.column(o) for o in OBSERVABLES], axis=1)) - mean) / slope  # the scatter factor
    sample = default_base_sample()
    for low in (13.75, 14.05, 14.35):
        here, there = ((v >= low) & (v < low + 0.3) for v in (x, sample.log10_m_500c))
        # Donors come from 0.1 dex beyond the bin too, and few hundred donors have a sampling error of their own.
        np.testing.assert_allclose(np.corrcoef(found[here].T), np.corrcoef(sample.residuals[there].T), atol=0.13)
        np.testing.assert_allclose(found[here].std(axis=0), sample.residuals[there].std(axis=0), rtol=0.2)


def test_errors_of_measurement_are_lognormal():
    _, true = edge("middle", n=40)
    noise = {"m_gas_profile": 0.0, "gas_slope_profile": 0.1, "t_x": 0.05}
    source, _ = edge("middle", n=1)
    noisy = open_source("paper", seed=21, config={"priors": source.plain_config()["priors"], "noise": noise}).batch(
        np.arange(40)
    )
    variance = np.log1p(0.05**2)
    standard = (np.log(noisy.column("t_x") / true.column("t_x")) + variance / 2) / np.sqrt(variance)
    assert kstest(standard, "norm").pvalue > SMALLEST_P
    slopes = (noisy.column("gas_slope_profile") - true.column("gas_slope_profile")).ravel() / 0.1
    assert kstest(slopes, "norm").pvalue > SMALLEST_P


def test_mixing_weights_and_second_donors_are_drawn_evenly():
    n, sample, rule = 20_000, default_base_sample(), DonorRule(recombine=0.3)
    rng = np.random.default_rng(9)
    clusters = Population(
        counts=np.array([n]),
        row=np.zeros(n, dtype=np.int64),
        log10_m=rng.uniform(13.3, 15.2, n),
        uniform=rng.random((4, n)),
        normal=rng.standard_normal(n),
    )
    pools = donor_pools(sample, rule, seed=1)
    loan = borrow(sample, pools, rule, clusters=clusters, pool=np.zeros(n, dtype=np.int64))
    assert kstest((loan.weight / 0.3 + 1) / 2, "uniform").pvalue > SMALLEST_P
    first, last = nearby(pools[0], clusters.log10_m, rule)
    for drawn in (loan.donor, loan.partner):
        assert kstest((drawn - first + rng.random(n)) / (last - first), "uniform").pvalue > SMALLEST_P
