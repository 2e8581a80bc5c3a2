"""Laws of the terse value: exact correlations, planted leaks, and mass proxies of known scatter."""

import numpy as np
import polars as pl
import pytest
from earnest_common.catalogs.batch import CatalogBatch
from earnest_common.errors import InputError
from earnest_interpret.analyses.terse.correlations import mass_proxy, sigma8_at_fixed_mass, summarise_terse
from earnest_interpret.responses.questions import encode
from earnest_interpret.sample import mass_axis
from earnest_interpret.testing import PlainEstimator, SaturatingEstimator


def test_a_copy_of_temperature_correlates_with_it_fully(batch):
    copy = SaturatingEstimator(weights={"log10_t_x": -1.0}, saturation=1e9)
    found = summarise_terse(encode(copy, batch, max_rows=50), batch, mass_axis(batch), n_permutations=99)
    assert found.correlations["log10_t_x"].pearson == pytest.approx(-1)
    assert found.correlations["log10_t_x"].spearman == pytest.approx(-1)
    # 10 % scatter of T about M^0.61, masses of dn/dlnM ~ M^-1.5: the toy's own correlation.
    expected = np.corrcoef(np.log10(batch.column("t_x")), np.log10(batch.column("m_500c")))[0, 1]
    assert found.correlations["log10_m_500c"].pearson == pytest.approx(-expected)
    assert list(found.correlations) == [
        *("log10_m_500c", "log10_m_wl", "log10_m_gas", "log10_t_x", "log10_y_x"),
        *("l_x_excess", "t_x_excess", "m_gas_excess", "n_clusters", "sigma8"),
    ]


def test_a_sound_encoder_passes_and_a_leaking_one_does_not(batch):
    terse = np.log10(batch.column("t_x"))
    assert sigma8_at_fixed_mass(terse, batch, n_permutations=999).p_value > 0.01
    leaking = terse + 0.5 * batch.label("sigma8")[batch.segment_ids]
    found = sigma8_at_fixed_mass(leaking, batch, n_permutations=999)
    assert found.p_value == 0.001
    assert found.value > 0.3


def test_mass_itself_is_no_leak(batch):
    """Clusters of high-sigma8 catalogs may be heavier: any function of the mass alone must pass."""
    log10_m = np.log10(batch.column("m_500c")) + 0.3 * (batch.label("sigma8")[batch.segment_ids] - 0.81)
    heavier = CatalogBatch(
        catalogs=batch.catalogs, clusters=batch.clusters.with_columns(m_500c=pl.Series(10**log10_m)), radii=batch.radii
    )
    terse = np.tanh(log10_m - 14.5) + np.random.default_rng(2).normal(0, 0.02, len(log10_m))
    assert sigma8_at_fixed_mass(terse, heavier, n_permutations=999).p_value > 0.01


@pytest.mark.parametrize("lost", ["m_500c", "sigma8", "catalogs", "spread"])
def test_the_test_is_not_made_up_where_it_cannot_be_done(batch, lost):
    terse, unknown = np.log10(batch.column("t_x")), pl.lit(None, dtype=pl.Float64)
    catalogs, clusters = batch.catalogs, batch.clusters
    if lost == "m_500c":
        clusters = clusters.with_columns(m_500c=unknown)
    if lost == "sigma8":
        catalogs = catalogs.with_columns(sigma8=unknown)
    if lost == "spread":
        catalogs = catalogs.with_columns(sigma8=pl.lit(0.8))
    reduced = CatalogBatch(catalogs=catalogs, clusters=clusters, radii=batch.radii)
    if lost == "catalogs":
        reduced = reduced.select(np.arange(19))
        terse = terse[: reduced.n_clusters]
    assert sigma8_at_fixed_mass(terse, reduced) is None


def test_proxy_scatter_is_what_was_put_in(rng):
    """ln M = proxy + catalog offset + 12 % noise: the offset goes, the noise stays."""
    groups = np.repeat(np.arange(300), 40)
    ln_m = rng.normal(33, 0.6, groups.size)
    proxy = ln_m + 0.12 * rng.normal(size=groups.size)
    free = mass_proxy("free", proxy, ln_m / np.log(10), groups)
    # Predicting mass from the proxy shrinks the noise by the usual factor of regression.
    shrunk = 0.12 / np.sqrt(1 + (0.12 / 0.6) ** 2)
    assert free.scatter == pytest.approx(shrunk, rel=0.03)
    offset = mass_proxy("offset", proxy + rng.normal(0, 0.3, 300)[groups], ln_m / np.log(10), groups)
    assert offset.scatter_within == pytest.approx(shrunk, rel=0.03)
    assert offset.scatter > free.scatter  # offsets flatten the slope of the common line
    means = np.bincount(groups, weights=offset.error) / 40
    np.testing.assert_allclose(means, 0, atol=1e-12)


def test_proxies_do_not_depend_on_units(batch):
    log10_m, groups = np.log10(batch.column("m_500c")), batch.segment_ids
    proxy = np.log10(batch.column("m_gas"))
    one, other = (mass_proxy("m_gas", scale * proxy + 7, log10_m, groups).scatter for scale in (1, -20))
    assert one == pytest.approx(other)


def test_no_proxy_without_masses(observed, estimator):
    found = summarise_terse(encode(estimator, observed), observed, mass_axis(observed))
    assert found.proxies == ()
    assert found.at_fixed_mass is None
    assert set(found.correlations) == {"log10_m_gas", "log10_t_x", "log10_y_x"}
    assert mass_proxy("constant", np.ones(50), np.linspace(14, 15, 50), np.zeros(50, dtype=np.int64)) is None


def test_lone_clusters_are_no_catalog_to_compare_within(lonely, estimator):
    found = summarise_terse(encode(estimator, lonely), lonely, mass_axis(lonely), n_permutations=99)
    assert all(np.isfinite(proxy.scatter) for proxy in found.proxies)


def test_a_model_without_terse_layer_says_so(batch):
    with pytest.raises(InputError, match="no terse layer"):
        encode(PlainEstimator(), batch)
