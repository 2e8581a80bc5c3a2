"""Borrowed residuals, scaled profiles, weak lensing and ranks."""

import numpy as np
import pytest
from earnest_common.schema import RADII_R500C
from earnest_common.survey.scaling import TABLE_2
from earnest_mocks.base_sample.relations import OBSERVABLES, fit_relations, mean_observables
from earnest_mocks.base_sample.sample import default_base_sample
from earnest_mocks.catalogs.config import DonorRule
from earnest_mocks.catalogs.donors import donor_pools
from earnest_mocks.catalogs.observables import borrow, largest_residual
from earnest_mocks.catalogs.population import Population
from earnest_mocks.catalogs.source import open_source
from earnest_mocks.gas.profile import density_from_slope

RULES = {"paper": DonorRule(), "recombined": DonorRule(recombine=0.3), "split": DonorRule(split=True)}


def many_loans(rule, *, n=40_000, seed=1):
    """Clusters with the masses of the base sample, many for each of its own."""
    sample = default_base_sample()
    rng = np.random.default_rng(seed)
    log10_m = rng.choice(sample.log10_m_500c, n)
    clusters = Population(
        counts=np.array([n]),
        row=np.zeros(n, dtype=np.int64),
        log10_m=log10_m,
        uniform=rng.random((4, n)),
        normal=rng.standard_normal(n),
    )
    pools = donor_pools(sample, rule, seed=1)
    pool = np.zeros(n, dtype=np.int64)
    return sample, clusters, borrow(sample, pools, rule, clusters=clusters, pool=pool)


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_table_2_is_recovered_from_mock_clusters(rule):
    sample, clusters, loan = many_loans(rule)
    x = clusters.log10_m
    found = fit_relations(x, mean_observables(sample.relations, x) + loan.residuals.T)
    for name in OBSERVABLES:
        law, expected = getattr(found, name), getattr(TABLE_2, name)
        # A split pool of 932 donors has its own sampling error (its share of cool cores above all).
        assert law.slope == pytest.approx(expected.slope, abs=0.25 * expected.scatter)
        assert law.log10_normalisation == pytest.approx(expected.log10_normalisation, abs=0.2 * expected.scatter)
        assert law.scatter == pytest.approx(expected.scatter, rel=0.08 if rule.split else 0.03)


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
@pytest.mark.parametrize("low", [13.8, 14.0, 14.2])
def test_correlations_of_residuals_are_preserved_at_each_mass(rule, low):
    sample, clusters, loan = many_loans(rule)
    here = (clusters.log10_m > low) & (clusters.log10_m < low + 0.2)
    # Each donor counts as often as its neighbours borrow from it, within 0.1 dex and from the donors in use.
    pool = np.unique(loan.donor)
    near = np.abs(sample.log10_m_500c[pool] - clusters.log10_m[here][:, None]) < 0.1
    share = np.sum(near / near.sum(axis=1)[:, None], axis=0)
    found = np.corrcoef(loan.residuals[:, here])
    cov = np.cov(sample.residuals[pool].T, aweights=share)
    expected = cov / np.sqrt(np.outer(np.diag(cov), np.diag(cov)))
    np.testing.assert_allclose(found, expected, atol=0.12)  # the sampling error of some hundred donors


def test_donors_are_near_in_mass():
    sample, clusters, loan = many_loans(DonorRule())
    distance = np.abs(sample.log10_m_500c[loan.donor] - clusters.log10_m)
    assert np.mean(distance <= 0.1) > 0.98
    assert (distance[clusters.log10_m < 14.4] <= 0.1).all()


def test_no_recombined_cluster_copies_its_donor():
    _, _, loan = many_loans(DonorRule(recombine=0.3))
    sample = default_base_sample()
    assert np.mean(np.abs(loan.residuals.T - sample.residuals[loan.donor]).max(axis=1) < 1e-6) < 0.01


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_no_residual_exceeds_the_bound(rule):
    sample, clusters, loan = many_loans(rule)
    nodes = np.linspace(13.0, 15.5, 251)
    bound = largest_residual(sample, donor_pools(sample, rule, seed=1)[0], rule, nodes)
    left = np.clip(np.searchsorted(nodes, clusters.log10_m) - 1, 0, len(nodes) - 2)
    assert (loan.residuals[0] <= np.minimum(bound[left], bound[left + 1]) + 1e-12).all()


@pytest.fixture(scope="module", params=["paper", "realistic"])
def batch(request):
    perfect = {"noise": {"m_gas_profile": 0.0, "gas_slope_profile": 0.0, "t_x": 0.0}}
    return open_source(request.param, seed=11, config=perfect).batch(np.arange(60))


def test_observables_are_relation_plus_scaled_residual():
    batch = open_source("paper", seed=11).batch(np.arange(60))
    sample = default_base_sample()
    row = batch.segment_ids
    x = np.log10(batch.column("m_500c")) - TABLE_2.l_x.log10_pivot
    donor = batch.column("donor_id")
    for i, name in enumerate(OBSERVABLES):
        law = getattr(sample.relations, name)
        slope = law.slope * (batch.label("l_x_slope")[row] if name == "l_x" else 1.0)
        expected = (
            law.log10_normalisation
            + np.log10(batch.label(f"{name}_normalisation")[row])
            + slope * x
            + batch.label(f"{name}_scatter")[row] * sample.residuals[donor, i]
        )
        np.testing.assert_allclose(np.log10(batch.column(name)), expected, atol=1e-9)


def test_profiles_are_the_donors_scaled_by_the_gas_mass():
    batch = open_source("paper", seed=11).batch(np.arange(60))
    sample = default_base_sample()
    donor = batch.column("donor_id")
    expected = sample.gas_fraction_profile[donor] * batch.column("m_gas")[:, None]
    np.testing.assert_allclose(batch.column("m_gas_profile"), expected, rtol=3e-7)  # single precision
    np.testing.assert_allclose(batch.column("gas_slope_profile"), sample.gas_slope_profile[donor], rtol=1e-6)


def test_profiles_are_possible(batch):
    mass, slope = (batch.column(name).astype(np.float64) for name in ("m_gas_profile", "gas_slope_profile"))
    assert (np.diff(mass, axis=1) > 0).all()
    m_gas = batch.column("m_gas")
    if batch.label("profile_stretch").min() == 1:
        assert (slope < 0).all()
        assert (mass[:, 5] < m_gas).all()
        assert (mass[:, 6] > m_gas).all()
    else:
        # Stretched radii within the innermost tabulated one are extrapolated, where a few cores are flat or rise. The
        # aperture of an observer is not the true one, within which m_gas is.
        assert (slope[:, 2:] < 0).all()
        assert (slope >= 0).mean() < 1e-3
        assert 0 < (mass[:, 5] > m_gas).mean() < 0.5
    # Masses of the inner shells follow from slopes and the outermost masses alone.
    r = np.array(RADII_R500C)
    density = density_from_slope(r, mass, slope)
    middle = np.sqrt(r[1:] * r[:-1])
    shell = 4 * np.pi / 3 * np.diff(r**3) * np.sqrt(density[:, 1:] * density[:, :-1]) * (middle / middle)
    # Crude quadrature over shells of 45 % in radius: 5 % at worst.
    far = np.abs(shell / np.diff(mass, axis=1) - 1) > 0.12
    # Where cores are extrapolated, the crude quadrature of the innermost shells is worse: 1 in 800 of all shells.
    assert far.mean() <= (0 if batch.label("profile_stretch").min() == 1 else 2e-3)


def test_weak_lensing_scatters_as_its_catalog_says(batch):
    bias = batch.label("m_wl_bias")[batch.segment_ids]
    ln_ratio = np.log(batch.column("m_wl") / (bias * batch.column("m_500c")))
    standard = ln_ratio / batch.label("m_wl_scatter")[batch.segment_ids]
    n = len(standard)
    assert standard.mean() == pytest.approx(0, abs=4 / np.sqrt(n))
    assert standard.std() == pytest.approx(1, abs=4 / np.sqrt(2 * n))
    residual = np.log10(batch.column("l_x") / batch.column("m_500c") ** 1.74)
    assert np.corrcoef(standard, residual)[0, 1] == pytest.approx(0, abs=4 / np.sqrt(n))


def test_ranks_fall_in_luminosity(batch):
    assert batch.problems() == []
    assert (batch.column("cluster_id") == batch.column("rank")).all()
