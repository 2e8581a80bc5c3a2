"""Laws of catalogs that list the simulated clusters themselves: nothing changed but by the rule, chances as stated."""

import numpy as np
import pytest
from earnest_common.errors import InputError
from earnest_common.survey.mass_function import default_mass_function
from earnest_common.survey.scaling import FACTORS
from earnest_mocks.base_sample.sample import default_base_sample
from earnest_mocks.catalogs.config import DonorRule
from earnest_mocks.catalogs.direct_catalogs import own_clusters
from earnest_mocks.catalogs.source import open_source
from earnest_mocks.prescription.scaling import PRESCRIBED

SAMPLE = default_base_sample()
FREE = {"prescription": {name: dict.fromkeys(("sigma8", "fb", "h"), 0.0) for name in PRESCRIBED}}


def test_without_exponents_every_cluster_is_one_of_the_sample():
    batch = open_source("overspecialised", seed=1, config=FREE).batch(np.arange(30))
    member = np.searchsorted(SAMPLE.donor_id, batch.column("donor_id"))
    np.testing.assert_allclose(np.log10(batch.column("m_500c")), SAMPLE.log10_m_500c[member], rtol=1e-12)
    for i, name in enumerate(("l_x", "t_x", "m_gas")):
        np.testing.assert_allclose(np.log10(batch.column(name)), SAMPLE.observables[member, i], atol=1e-12)
    fraction = batch.column("m_gas_profile") / batch.column("m_gas")[:, None]
    np.testing.assert_allclose(fraction, SAMPLE.gas_fraction_profile[member], rtol=1e-6)
    np.testing.assert_array_equal(
        batch.column("gas_slope_profile"), SAMPLE.gas_slope_profile[member].astype(np.float32)
    )


def test_scaled_by_cosmology_alone_a_cluster_tells_sigma8():
    """Of one simulated cluster, luminosity and sigma8 are functions of each other."""
    batch = open_source("overspecialised", seed=1).batch(np.arange(100))
    member = np.searchsorted(SAMPLE.donor_id, batch.column("donor_id"))
    power = np.log10(batch.column("l_x")) - SAMPLE.observables[member, 0]
    sigma8 = batch.label("sigma8")[batch.segment_ids]
    np.testing.assert_allclose(0.809 * 10 ** (power / 0.3), sigma8, rtol=1e-10)
    assert all(set(batch.catalogs[name]) == {1.0} for name in FACTORS)


def test_clusters_enter_as_often_as_selection_and_mass_function_say():
    """Counts of each cluster against V S n / (V_base n_ref) from the mass function's table, written out here."""
    n, sigma8 = 4000, {"priors": {"sigma8": {"low": 0.90, "high": 0.90, "step": None}}}
    source = open_source("overspecialised", seed=3, config={**FREE, **sigma8})
    batch = source.batch(np.arange(n))
    table, log10_m = default_mass_function(), SAMPLE.log10_m_500c
    nodes = np.linspace(log10_m[0], 15.9, 20_000)
    volume = SAMPLE.n_clusters / np.trapezoid(table.dn_dlog10_m(nodes, 0.809), nodes)
    more = table.dn_dlog10_m(log10_m, 0.90) / table.dn_dlog10_m(log10_m, 0.809)
    survey = source.config.survey
    # the fitted relation moves the break of the sharp power law by 0.0002 dex at most
    expected = survey.volume / volume * survey.selection.probability(log10_m) * more
    member = np.searchsorted(SAMPLE.donor_id, batch.column("donor_id"))
    found = np.bincount(member, minlength=SAMPLE.n_clusters)
    error = np.sqrt(n * np.maximum((expected % 1) * (1 - expected % 1), 1e-3))
    deviation = (found - n * expected) / (error + 0.002 * n * expected)
    assert np.abs(deviation).max() < 4.5  # of 1165; 4 sigma happens in 7 % of tests
    assert abs(found.sum() - n * expected.sum()) < 5 * np.sqrt(np.sum(error**2)) + 0.002 * n * expected.sum()
    assert expected.max() > 1  # so that doubled clusters are covered


def test_a_cluster_is_never_listed_more_often_than_rounded_up():
    expected = np.tile(np.linspace(0, 2.2, SAMPLE.n_clusters), (300, 1))
    clusters, loan = own_clusters(SAMPLE, expected, seed=1, catalog_id=np.arange(300))
    copies = np.zeros((300, SAMPLE.n_clusters), dtype=int)
    np.add.at(copies, (clusters.row, loan.donor), 1)
    assert (copies >= np.floor(expected)).all()
    assert (copies <= np.ceil(expected)).all()
    assert np.array_equal(clusters.log10_m, SAMPLE.log10_m_500c[loan.donor])


def test_catalogs_are_the_same_in_any_company():
    source = open_source("overspecialised", seed=1)
    together = source.batch(np.array([4, 7, 9]))
    assert together.select([1]).clusters.equals(source.batch(np.array([7])).clusters)


@pytest.mark.parametrize("lending", [{"split": True}, {"recombine": 0.3}])
def test_what_is_not_lent_cannot_be_divided_or_mixed(lending):
    with pytest.raises(InputError, match="lends nothing"):
        DonorRule(own_clusters=True, **lending)
