"""The tabulated mass function against fresh COLOSSUS and against hmf, an independent code."""

from dataclasses import replace

import numpy as np
import pytest
from earnest_common.errors import InputError, IntegrityError
from earnest_common.survey.cosmology import MAGNETICUM
from earnest_common.survey.halo import dn_dlog10_m_500c
from earnest_common.survey.mass_function import (
    DEFAULT_Z,
    MassFunctionTable,
    default_mass_function,
    mass_function_of,
    tabulate_mass_function,
)
from earnest_common.survey.presets import MAGNETICUM_VOLUME
from scipy.integrate import trapezoid

LOG10_H = np.log10(MAGNETICUM.h)


@pytest.mark.parametrize("sigma8", [0.613, 0.75, 1.041])
def test_interpolation_agrees_with_fresh_colossus(sigma8):
    # 1e-5: spline error measured between nodes is below 4e-6 for 0.60 < sigma8 < 1.05 and masses below 10^15.9.
    log10_m = np.linspace(12.93, 15.87, 40)
    fresh = dn_dlog10_m_500c(log10_m, cosmology=replace(MAGNETICUM, sigma8=sigma8), z=DEFAULT_Z)
    np.testing.assert_allclose(default_mass_function().dn_dlog10_m(log10_m, sigma8), fresh, rtol=1e-5)


def test_shipped_table_is_what_this_release_computes():
    shipped = default_mass_function()
    nodes = (0.56, 0.70, 0.82, 1.10)
    again = tabulate_mass_function(MAGNETICUM, DEFAULT_Z, sigma8_grid=nodes)
    rows = np.searchsorted(shipped.sigma8, nodes)
    np.testing.assert_array_equal(shipped.log10_m, again.log10_m)
    # The table is rounded to 9 decimals; another libm may move the last one.
    np.testing.assert_allclose(shipped.ln_dn_dlog10_m[rows], again.ln_dn_dlog10_m, atol=3e-9, rtol=0)


# Integrals over the simulation box computed with COLOSSUS by the authors of the survey notes, to 5 %: their masks cut
# bins of 0.01 dex in halves, and a half bin is worth 2 % of N(>M) at 10^14 and 5 % at 10^14.8 solMass/h.
@pytest.mark.parametrize(
    ("sigma8", "counts"),
    [(0.72, [955, 147, 13.4, 0.40]), (0.809, [1339, 261, 33.9, 1.8]), (0.93, [1767, 429, 77.6, 7.1])],
)
def test_cumulative_counts_of_the_box(sigma8, counts):
    found = []
    for threshold in (13.58, 14.0, 14.4, 14.8):
        log10_m = np.linspace(threshold - LOG10_H, 15.9, 500)
        density = default_mass_function().dn_dlog10_m(log10_m, sigma8)
        found.append(MAGNETICUM_VOLUME * trapezoid(density, log10_m))
    np.testing.assert_allclose(found, counts, rtol=0.075)


@pytest.mark.filterwarnings("ignore")  # hmf and its dependencies warn about their own deprecations
@pytest.mark.parametrize("model", ["bocquet16", "tinker08"])
@pytest.mark.parametrize("sigma8", [0.70, 0.92])
def test_agrees_with_hmf(model, sigma8):
    hmf = pytest.importorskip("hmf")
    from astropy.cosmology import FlatLambdaCDM

    # hmf carries preprint values of the 500c hydro fit; these are the published ones (arXiv:1502.07357, table 2).
    published = {"A": 0.180, "b": 2.29, "e": 2.44, "d": 1.97, "A_z": 1.088, "b_z": 0.150, "e_z": -1.008, "d_z": -0.322}
    other = hmf.MassFunction(
        z=DEFAULT_Z,
        Mmin=13.2,
        Mmax=14.65,
        dlog10m=0.1,
        hmf_model={"bocquet16": "Bocquet500cHydro", "tinker08": "Tinker08"}[model],
        hmf_params=published if model == "bocquet16" else {},
        mdef_model="SOCritical",
        mdef_params={"overdensity": 500},
        disable_mass_conversion=True,
        cosmo_model=FlatLambdaCDM(H0=MAGNETICUM.H0, Om0=MAGNETICUM.Om0, Ob0=MAGNETICUM.Ob0, Tcmb0=2.7255),
        sigma_8=sigma8,
        n=MAGNETICUM.ns,
        transfer_model="EH_BAO",
    )
    ours = dn_dlog10_m_500c(
        np.log10(other.m) - LOG10_H, cosmology=replace(MAGNETICUM, sigma8=sigma8), z=DEFAULT_Z, model=model
    )
    # 2.5 %: the two codes' sigma(M) of the same transfer function differ by about 0.3 %, the abundance by 1 to 2 %.
    np.testing.assert_allclose(other.dndlog10m * MAGNETICUM.h**3, ours, rtol=0.025)


def test_more_clusters_for_larger_sigma8_and_fewer_at_higher_mass():
    density = default_mass_function().dn_dlog10_m(np.linspace(12.9, 15.9, 50), np.linspace(0.6, 1.05, 20)[:, None])
    assert density.shape == (20, 50)
    assert (np.diff(density[:, 10:], axis=0) > 0).all()
    assert (np.diff(density, axis=1) < 0).all()


@pytest.mark.parametrize(
    ("log10_m", "sigma8", "name"), [(17.0, 0.8, "log10_m"), (14.0, 0.2, "sigma8"), (np.nan, 0.8, "log10_m")]
)
def test_values_outside_the_table_are_refused(log10_m, sigma8, name):
    with pytest.raises(InputError, match=f"{name} from .* is not covered by the table"):
        default_mass_function().dn_dlog10_m(log10_m, sigma8)


def test_save_and_load_keep_every_bit(tmp_path):
    table = default_mass_function()
    first, second = tmp_path / "a.npz", tmp_path / "b.npz"
    table.save(first)
    loaded = MassFunctionTable.load(first)
    loaded.save(second)
    assert first.read_bytes() == second.read_bytes()
    assert (loaded.cosmology, loaded.z, loaded.model) == (table.cosmology, table.z, table.model)


def test_default_table_serves_the_default_survey_and_no_other():
    assert mass_function_of(MAGNETICUM, DEFAULT_Z) is default_mass_function()
    assert default_mass_function().cosmology == MAGNETICUM


def test_a_damaged_table_is_refused_at_every_byte_or_read_as_it_was(tmp_path):
    whole, file = default_mass_function(), tmp_path / "table.npz"
    whole.save(file)
    data = file.read_bytes()
    for at in range(3, len(data), len(data) // 40):
        file.write_bytes(data[:at] + bytes([data[at] ^ 4]) + data[at + 1 :])
        try:
            read = MassFunctionTable.load(file)
        except IntegrityError:
            continue
        np.testing.assert_array_equal(read.ln_dn_dlog10_m, whole.ln_dn_dlog10_m)
    with pytest.raises(InputError, match="does not exist"):
        MassFunctionTable.load(tmp_path / "none.npz")
