"""Apertures and stretched profiles: power laws in closed form, where the iteration ends, and what must not change."""

import numpy as np
import polars as pl
import pytest
from earnest_common.errors import InputError
from earnest_common.schema import RADII_R500C
from earnest_common.survey.priors import LATER, Priors
from earnest_common.survey.scaling import TABLE_2
from earnest_mocks.catalogs.apertures import seen_through
from earnest_mocks.catalogs.config import resolve_config
from earnest_mocks.catalogs.source import open_source

RADII = np.array(RADII_R500C)
IDS = np.arange(40)
FIXED = {name: {"low": 0.0, "high": 0.0} if name == "profile_trend" else {"low": 1.0, "high": 1.0} for name in LATER}
PERFECT = {"noise": {"m_gas_profile": 0.0, "gas_slope_profile": 0.0, "t_x": 0.0}}


def power_law(n=5, *, index=1.4, offset=0.0):
    """Clusters on the reference relations but for log10 Y_X, whose gas masses go as r^index."""
    log10_m = np.linspace(13.8, 15.0, n)
    t_x, m_gas = (10 ** np.asarray(getattr(TABLE_2, name).log10_mean(log10_m)) for name in ("t_x", "m_gas"))
    profile = (m_gas * 10**offset)[:, None] * RADII**index
    array = pl.Array(pl.Float32, len(RADII))
    return pl.DataFrame(
        {
            "m_500c": 10**log10_m,
            "m_wl": 10 ** (log10_m + 0.06),
            "t_x": t_x,
            "m_gas": m_gas * 10**offset,
            "m_gas_profile": pl.Series(profile.astype(np.float32), dtype=array),
            "gas_slope_profile": pl.Series(np.full((n, len(RADII)), index - 3, dtype=np.float32), dtype=array),
        }
    )


def seen(clusters, aperture, *, stretch=0.0):
    ln_stretch = np.full(clusters.height, stretch)
    return seen_through(clusters, aperture, radii=RADII_R500C, relations=TABLE_2, ln_stretch=ln_stretch)


def test_the_true_aperture_changes_nothing():
    clusters = power_law()
    found = seen(clusters, "true")
    assert found.beyond == pytest.approx(1)
    for name in ("m_gas_profile", "gas_slope_profile"):
        np.testing.assert_allclose(found.clusters[name].to_numpy(), clusters[name].to_numpy(), rtol=1e-6)


def test_a_power_law_has_the_same_shape_in_any_aperture():
    found = seen(power_law(), "m_wl")
    # s = 10^(0.06 / 3); masses within s r go as s^1.4, and the slope is one everywhere.
    assert found.beyond == pytest.approx(10 ** (-1.4 * 0.02))
    ratio = found.clusters["m_gas_profile"].to_numpy() / power_law()["m_gas_profile"].to_numpy()
    np.testing.assert_allclose(ratio, 10 ** (1.4 * 0.02), rtol=1e-5)
    np.testing.assert_allclose(found.clusters["gas_slope_profile"].to_numpy(), -1.6, rtol=1e-5)
    back = found.with_true_gas_mass(found.clusters)
    np.testing.assert_allclose(back["m_gas"].to_numpy(), power_law()["m_gas"].to_numpy(), rtol=1e-12)


@pytest.mark.parametrize("offset", [-0.3, 0.0, 0.2])
def test_the_iteration_ends_where_y_x_within_the_radius_belongs_to_the_mass_within_it(offset):
    found = seen(power_law(offset=offset), "y_x")
    # log10 Y_X(< s) = log10 Y_X + 1.4 log10 s and 3 log10 s = (log10 Y_X(< s) - mean) / 1.77.
    log10_s = offset / (3 * (TABLE_2.t_x.slope + TABLE_2.m_gas.slope) - 1.4)
    assert np.log10(found.beyond) == pytest.approx(-1.4 * log10_s, abs=1e-4)


def test_a_stretch_moves_the_radii_and_keeps_the_gas_mass():
    batch = open_source("paper", seed=3).batch(IDS)
    found = seen(batch.clusters, "true", stretch=np.log(RADII[3] / RADII[2]))  # by one step of the radii
    assert found.beyond == pytest.approx(1)
    slopes = batch.column("gas_slope_profile")
    np.testing.assert_allclose(found.clusters["gas_slope_profile"].to_numpy()[:, :-1], slopes[:, 1:], atol=1e-5)
    mass, stretched = (
        np.log(one.astype(np.float64))
        for one in (batch.column("m_gas_profile"), found.clusters["m_gas_profile"].to_numpy())
    )
    np.testing.assert_allclose(np.diff(stretched[:, :-1], axis=1), np.diff(mass[:, 1:], axis=1), atol=1e-5)


def test_realistic_changes_profiles_and_masses_but_no_other_column():
    plain = open_source("realistic", seed=2, config={"priors": FIXED, "aperture": "true", **PERFECT}).batch(IDS)
    batch = open_source("realistic", seed=2, config=PERFECT).batch(IDS)
    row = batch.segment_ids
    for name in ("m_500c", "l_x", "m_gas", "donor_id"):
        np.testing.assert_allclose(batch.column(name), plain.column(name), rtol=1e-12)
    for name, factor in (("m_wl", "m_wl_bias"), ("t_x", "t_x_calibration")):
        np.testing.assert_allclose(batch.column(name) / plain.column(name), batch.label(factor)[row], rtol=1e-12)
        assert 0.9 <= batch.label(factor).min() < 0.95 < 1.05 < batch.label(factor).max() <= 1.1
    assert not np.allclose(batch.column("m_gas_profile"), plain.column("m_gas_profile"))
    assert batch.problems() == []
    assert (np.diff(batch.column("m_gas_profile"), axis=1) > 0).all()


def mass_scale_from_shapes(batch):
    """Return how well the mean shape of a catalog tells its mass scale: the scatter of ln M at given shape."""
    slope, ln_m = batch.column("gas_slope_profile")[:, 4].astype(np.float64), np.log(batch.column("m_500c"))
    fits = [np.polyfit(ln_m[batch.segment_ids == i], slope[batch.segment_ids == i], 1) for i in range(batch.n_catalogs)]
    trend, at_zero = np.array(fits).T
    return np.std(at_zero + trend * np.log(2e14)) / abs(trend.mean())


def test_shapes_are_no_ruler_in_realistic():
    ids = np.arange(150)
    ruler = mass_scale_from_shapes(
        open_source("realistic", seed=5, config={"priors": FIXED, "aperture": "true"}).batch(ids)
    )
    observed = mass_scale_from_shapes(open_source("realistic", seed=5).batch(ids))
    assert ruler < 0.15
    assert observed > 2 * ruler


def test_sets_without_the_later_parameters_draw_the_same_numbers():
    # The paper's preset of release 0.1: nine parameters and Om0, from one generator a catalog.
    parameters = open_source("paper", seed=1).batch(np.arange(3)).catalogs
    assert parameters["m_wl_bias"].to_list() == [1.0, 1.0, 1.0]
    both = [Priors().draw(4, rng=np.random.default_rng(1)) for _ in range(2)]
    old = np.random.default_rng(1)
    for name in Priors.names():
        expected = (
            Priors().of(name).quantile(old.random(4)) if name not in LATER else Priors().of(name).quantile(np.zeros(4))
        )
        np.testing.assert_array_equal(both[0][name], expected)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"aperture": "r_200c"}, "aperture"),
        ({"priors": {"profile_trend": {"low": -3.0, "high": 0.0}}}, "profile_trend from -3.0 to 0.0 must lie within 2"),
        ({"priors": {"m_wl_bias": {"low": 0.0, "high": 1.0}}}, "m_wl_bias from 0.0 must be positive"),
    ],
)
def test_impossible_settings_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        resolve_config("realistic", options=options)
