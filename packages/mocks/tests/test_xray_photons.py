"""Emulated skies and photon lists: analytic counts, positions, scalings and abundances; files that come back."""

import dataclasses
import sys

import numpy as np
import pytest
from earnest_common.errors import EarnestError, InputError, IntegrityError, MissingExtraError, OutputExistsError
from earnest_common.survey.cosmology import MAGNETICUM
from earnest_common.survey.mass_function import default_mass_function
from earnest_mocks.base_sample.emulator import emulate
from earnest_mocks.gas.emissivity import emission_per_density
from earnest_mocks.gas.geometry import kpc_per_arcmin
from earnest_mocks.gas.profile import GasProfile, density, enclosed_mass
from earnest_mocks.xray.counts import counts_per_emission
from earnest_mocks.xray.image import sky_image
from earnest_mocks.xray.instrument import Instrument
from earnest_mocks.xray.lists import write_photon_lists
from earnest_mocks.xray.photon_list import PhotonList
from earnest_mocks.xray.photons import Observation, emulate_photons, expected_counts, observe
from earnest_mocks.xray.projection import projection
from earnest_mocks.xray.simput import read_photons, write_photons
from earnest_mocks.xray.sky import GasHalos, SkyModel, clumps, correlated_groups
from scipy.integrate import quad

fits = pytest.importorskip("astropy.io.fits")

CLUSTERS = emulate(n_clusters=30)
BARE = Observation(sky=SkyModel(substructure=False, correlated=False))
SHORT = Observation(instrument=Instrument(exposure=2e3))


def halo(*, alpha=0.5, edge=3.0, m_gas=1e13, t_x=3.0):
    one = {"core_radius": 0.1, "scale_radius": 0.7, "alpha": alpha, "beta": 0.45, "epsilon": 2.0}
    second = {"second_amplitude": 0.0, "second_core_radius": 0.03, "second_beta": 1.0}
    return GasHalos(
        profile=GasProfile(**{name: np.array([value]) for name, value in (one | second).items()}),
        r_500c=np.array([800.0]),
        m_gas=np.array([m_gas]),
        t_x=np.array([t_x]),
        edge=np.array([edge]),
        x=np.zeros(1),
        y=np.zeros(1),
    )


@pytest.mark.parametrize("alpha", [0.0, 1.0, 2.5])
def test_expected_counts_are_the_volume_integral(alpha):
    gas = halo(alpha=alpha)
    amplitude = 1e13 / enclosed_mass(gas.profile, np.ones(1))[0, 0] / 800.0**3

    def integrand(ln_r):
        r = np.exp(ln_r)
        rho = amplitude * density(gas.profile, np.array([r]))[0, 0]
        return 4 * np.pi * (800.0 * r) ** 3 * float(emission_per_density(np.array([rho]))[0])

    volume = quad(integrand, -60, np.log(3.0), epsabs=0, limit=300, points=[-12, -4])[0]
    per_emission = counts_per_emission(
        Instrument(), t_x=3.0, z=0.0663, cosmology=MAGNETICUM, metallicity=gas.metallicity
    )
    assert expected_counts(gas, Observation())[0] == pytest.approx(per_emission * volume, rel=2e-3)


def test_counts_grow_with_the_square_of_the_density_and_with_exposure_and_area():
    longer = Observation(instrument=Instrument(exposure=3e5, area=1200.0))
    one = expected_counts(halo(), Observation())
    assert expected_counts(halo(m_gas=2e13), Observation()) == pytest.approx(4 * one)
    assert expected_counts(halo(), longer) == pytest.approx(6 * one)


def test_observed_counts_are_poisson():
    observation = Observation(instrument=Instrument(exposure=20.0))
    expected = expected_counts(halo(), observation)[0]
    rng = np.random.default_rng(4)
    counts = np.array([observe(halo(), observation, rng=rng).n_photons for _ in range(400)])
    assert counts.mean() == pytest.approx(expected, abs=4 * np.sqrt(expected / 400))
    assert counts.var() == pytest.approx(expected, rel=0.3)  # 4 sqrt(2/400)


def test_photons_lie_as_the_projected_profile():
    photons = observe(halo(), Observation(), rng=np.random.default_rng(3))
    in_arcmin = 800.0 / kpc_per_arcmin(0.0663, MAGNETICUM)
    radii = np.sort(np.hypot(photons.x, photons.y)) / in_arcmin
    sphere = projection(r_max=3.0 * 1.06, n_radii=150)  # the last node only supports the interpolation
    emission = np.where(sphere.r <= 3.0, density(halo().profile, sphere.r)[0] ** 2, 0.0)
    fine = np.geomspace(3e-3, 2.5, 400)
    rising = 2 * np.pi * fine**2 * (sphere.brightness_at(fine) @ emission)
    share = np.cumsum((rising[1:] + rising[:-1]) / 2 * np.diff(np.log(fine)))
    inside = radii[(radii > fine[0]) & (radii < fine[-1])]
    found = np.interp(inside, fine[1:], share / share[-1])
    distance = np.abs(found - (np.arange(len(inside)) + 0.5) / len(inside)).max()
    assert distance < 1.63 / np.sqrt(len(inside)) + 2e-3  # Kolmogorov-Smirnov, 1 %, and the quadrature


def test_seed_and_cluster_decide_everything():
    one, same, other = (emulate_photons(CLUSTERS, 4, seed=seed, observation=SHORT) for seed in (1, 1, 2))
    assert np.array_equal(one.x, same.x)
    assert np.array_equal(one.energy, same.energy)
    assert one.n_photons != other.n_photons


def test_emulated_lists_say_so_and_stay_in_band_and_field():
    photons = emulate_photons(CLUSTERS, 29, seed=1, observation=SHORT)
    assert photons.about["SIMUL"] == "EMULATED"
    assert photons.energy.min() >= 0.5
    assert photons.energy.max() < 2.0
    assert max(np.abs(photons.x).max(), np.abs(photons.y).max()) < 21


def test_surroundings_only_add_light():
    bare = emulate_photons(CLUSTERS, 20, seed=1, observation=BARE).n_photons
    full = emulate_photons(CLUSTERS, 20, seed=1).n_photons
    assert full > bare - 4 * np.sqrt(bare)


def test_clumps_have_the_stated_mass_function():
    model, rng = SkyModel(), np.random.default_rng(8)
    drawn = [clumps(model, r_500c=1000.0, m_gas=1e14, t_x=5.0, rng=rng) for _ in range(200)]
    mu = np.concatenate([(one.r_500c / 1000.0) ** 3 for one in drawn])
    low, high = model.clump_masses
    expected = 200 * model.clump_abundance / 0.9 * (low**-0.9 - high**-0.9)
    assert len(mu) == pytest.approx(expected, abs=4 * np.sqrt(expected))
    assert mu.min() >= low
    assert mu.max() <= high
    above = 200 * model.clump_abundance / 0.9 * (0.02**-0.9 - high**-0.9)
    assert (mu > 0.02).sum() == pytest.approx(above, abs=4 * np.sqrt(above))
    distance = np.concatenate([np.hypot(one.x, one.y) for one in drawn])
    assert distance.max() <= 2000.0


def test_groups_have_mean_and_correlated_numbers():
    half_kpc, inner, model = 1600.0, 1400.0, SkyModel()
    rng = np.random.default_rng(9)

    def number(**changes):
        drawn = dataclasses.replace(model, **changes)
        options = {"inner": inner, "half_width": half_kpc, "z": 0.0663, "cosmology": MAGNETICUM, "rng": rng}
        return np.array([correlated_groups(drawn, **options).n_halos for _ in range(400)])

    nodes = np.linspace(12.5, 15.0, 300)
    density = np.trapezoid(default_mass_function().dn_dlog10_m(nodes[None, :], 0.809)[0], nodes)
    comoving = 1.0663 / 1e3
    volume = (2 * half_kpc * comoving) ** 2 * 2 * model.depth
    mean = density * (volume - 4 / 3 * np.pi * (inner * comoving) ** 3)
    nearly_none = number(correlation_length=1e-3)
    assert nearly_none.mean() == pytest.approx(mean, abs=4 * np.sqrt(mean / 400))
    # In a column of this width the excess is density times the integral of xi, here by quadrature on a grid.
    step = 0.1
    at = np.arange(-half_kpc * comoving + step / 2, half_kpc * comoving, step)
    along = np.arange(-model.depth + step / 2, model.depth, step)
    r = np.sqrt(at[:, None, None] ** 2 + at[None, :, None] ** 2 + along[None, None, :] ** 2)
    xi = np.where(r > inner * comoving, (r / model.correlation_length) ** -model.correlation_slope, 0.0)
    excess = density * np.sum(np.where(r < model.depth, xi, 0.0)) * step**3
    both = number()
    assert both.mean() == pytest.approx(mean + excess, abs=4 * np.sqrt((mean + excess) / 400) + 0.03 * excess)


def test_image_holds_the_photons_where_they_are():
    x, y = np.array([-20.99, 0.04, 20.99, 30.0]), np.array([-20.99, 0.04, -20.99, 0.0])
    listed = PhotonList(energy=np.ones(4), x=x, y=y, z=0.1, area=1.0, exposure=1.0)
    image = sky_image(listed, Instrument())
    assert np.argwhere(image).tolist() == [[0, 0], [0, 419], [210, 210]]


# Files


def test_a_list_comes_back_from_disk(tmp_path):
    photons = emulate_photons(CLUSTERS, 10, seed=1, observation=SHORT)
    write_photons(tmp_path / "a.fits", photons)
    again = read_photons(tmp_path / "a.fits")
    assert (again.z, again.area, again.exposure) == (photons.z, photons.area, photons.exposure)
    assert dict(again.about) == dict(photons.about) | {"SNAPNUM": -1, "MODE": 1, "INSTR": -1, "XC": 0, "YC": 0, "ZC": 0}
    assert again.x == pytest.approx(photons.x, abs=2e-6)  # single precision of half a degree [arcmin]
    assert again.energy == pytest.approx(photons.energy, rel=1e-7)
    with pytest.raises(OutputExistsError, match=r"a.fits exists"):
        write_photons(tmp_path / "a.fits", photons)


def test_the_file_has_the_layout_of_phox(tmp_path):
    write_photons(tmp_path / "a.fits", emulate_photons(CLUSTERS, 10, seed=1, observation=SHORT))
    with fits.open(tmp_path / "a.fits") as parts:
        assert [part.name for part in parts] == ["PRIMARY", "SRC_CAT", "PHLIST"]
        keys = ["SIMUL", "SNAPNUM", "REDSHIFT", "MODE", "INSTR", "AREA", "TIME", "XC", "YC", "ZC", "WIDTH", "DEPTH"]
        assert [key for key in parts[0].header if key in keys] == keys
        catalog, listed = parts["SRC_CAT"], parts["PHLIST"]
        assert [(c.name, c.format) for c in catalog.columns] == [
            ("SRC_ID", "K"),
            ("SRC_NAME", "26A"),
            *((name, "E") for name in ("RA", "DEC", "E_MIN", "E_MAX", "FLUX")),
            ("SPECTRUM", "10A"),
            ("IMAGE", "10A"),
            ("TIMING", "4A"),
        ]
        assert catalog.data["SPECTRUM"][0] == catalog.data["IMAGE"][0] == "[PHLIST,1]"
        assert [(c.name, c.format, c.unit) for c in listed.columns] == [
            ("ENERGY", "E", "keV"),
            ("RA", "E", "deg"),
            ("DEC", "E", "deg"),
        ]
        assert (listed.header["HDUCLAS1"], listed.header["HDUCLAS2"]) == ("SIMPUT", "PHOTONS")
        flux = listed.data["ENERGY"].sum() * 1.602176634e-9 / (600 * 2e3)
        assert catalog.data["FLUX"][0] == pytest.approx(flux, rel=1e-4)


def phox_like(path, *, energy=(0.3, 1.0, 3.0), ra=(359.9, 0.0, 0.1), units=("keV", "deg", "deg"), **cards):
    """Write a list as another program would, with the given units and header cards."""
    primary = fits.PrimaryHDU()
    for name, value in ({"REDSHIFT": 0.0663, "AREA": 600.0, "TIME": 1e5} | cards).items():
        if value is not None:
            primary.header[name] = value
    values = (np.array(energy, dtype=np.float32), np.array(ra, dtype=np.float32), np.zeros(len(energy), np.float32))
    names = ("ENERGY", "RA", "DEC")
    columns = [fits.Column(name=n, format="E", unit=u, array=v) for n, u, v in zip(names, units, values, strict=True)]
    table = fits.BinTableHDU.from_columns(columns, name="PHLIST")
    table.header["REFRA"] = table.header["REFDEC"] = 0.0
    fits.HDUList([primary, table]).writeto(path)
    return path


def test_foreign_lists_wrap_around_zero_and_keep_all_energies_until_cut(tmp_path):
    photons = read_photons(phox_like(tmp_path / "p.fits"))
    assert photons.x == pytest.approx([-6.0, 0.0, 6.0], abs=2e-3)  # single precision at 360 deg
    assert photons.n_photons == 3
    assert photons.within(Instrument()).energy == pytest.approx([1.0])


def test_units_come_from_the_keywords(tmp_path):
    units = {"energy": (300.0, 1000.0, 3000.0), "ra": (-6.0, 0.0, 6.0), "units": ("eV", "arcmin", "deg")}
    path = phox_like(tmp_path / "p.fits", AREA=(0.06, "[m2] area"), TIME=(100.0, "[ks] time"), **units)
    photons = read_photons(path)
    assert photons.energy == pytest.approx([0.3, 1.0, 3.0])
    assert photons.x == pytest.approx([-6.0, 0.0, 6.0])
    assert (photons.area, photons.exposure) == (pytest.approx(600.0), pytest.approx(1e5))


WRONG = {
    "no redshift or area": ({"REDSHIFT": None, "AREA": None}, "keyword REDSHIFT .* missing; keyword AREA .* missing"),
    "redshift of words": ({"REDSHIFT": "low"}, "REDSHIFT = 'low' is not a number"),
    "no exposure": ({"TIME": 0.0}, "TIME = 0.0 s must all be positive"),
    "unknown unit": ({"units": ("erg", "deg", "deg")}, "unit 'erg' of ENERGY is not understood; known are kev, ev"),
    "unknown unit of a card": ({"AREA": (600.0, "[acre] area")}, "unit 'acre' of AREA"),
    "not finite": ({"energy": (np.nan, 1.0, 1.0)}, "1 of 3 values of ENERGY are not finite"),
}


@pytest.mark.parametrize(("changes", "message"), WRONG.values(), ids=WRONG)
def test_wrong_lists_are_refused_with_a_message(tmp_path, changes, message):
    with pytest.raises(InputError, match=message):
        read_photons(phox_like(tmp_path / "p.fits", **changes))


def test_files_that_are_no_lists_are_refused(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        read_photons(tmp_path / "none.fits")
    (tmp_path / "text.fits").write_text("hello")
    with pytest.raises(IntegrityError, match="cannot be read as FITS"):
        read_photons(tmp_path / "text.fits")
    fits.PrimaryHDU().writeto(tmp_path / "empty.fits")
    with pytest.raises(InputError, match="part PHLIST is missing, found PRIMARY"):
        read_photons(tmp_path / "empty.fits")
    table = fits.BinTableHDU.from_columns([fits.Column(name="ENERGY", format="E", array=[1.0])], name="PHLIST")
    fits.HDUList([fits.PrimaryHDU(), table]).writeto(tmp_path / "bare.fits")
    with pytest.raises(InputError, match=r"keyword TIME .*; column RA of PHLIST is missing, found ENERGY"):
        read_photons(tmp_path / "bare.fits")


def test_without_astropy_the_message_names_the_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "astropy.io", None)
    with pytest.raises(MissingExtraError, match=r'pip install "earnest-mocks\[xray\]"'):
        read_photons(tmp_path / "any.fits")


def test_a_list_cut_short_is_refused(tmp_path):
    write_photons(tmp_path / "a.fits", emulate_photons(CLUSTERS, 10, seed=1, observation=SHORT))
    whole = (tmp_path / "a.fits").read_bytes()
    (tmp_path / "cut.fits").write_bytes(whole[: int(0.9 * len(whole))])
    with pytest.raises(IntegrityError, match=r"cut.fits cannot be read as FITS"):
        read_photons(tmp_path / "cut.fits")


NOTHING = {
    "no photons": ((), 0.0, "it holds no photons"),
    "wrong band": ((5.0, 9.0), 0.0, r"none of 2 photons lies in the band 0.5-2 keV \(found 5-9 keV\)"),
    "wrong place": ((1.0, 1.0), 90.0, "field of view of 42 arcmin .* 90 arcmin away"),
}


@pytest.mark.parametrize(("energy", "x", "message"), NOTHING.values(), ids=NOTHING)
def test_lists_without_a_photon_in_band_and_field_are_refused(energy, x, message):
    n = len(energy)
    photons = PhotonList(energy=np.array(energy), x=np.full(n, x), y=np.zeros(n), z=0.1, area=1.0, exposure=1.0)
    with pytest.raises(InputError, match=message):
        photons.within(Instrument())


def test_unknown_clusters_and_impossible_skies_are_refused():
    with pytest.raises(InputError, match="no cluster 30 in the base sample; its 30 clusters count from 0 to 29"):
        emulate_photons(CLUSTERS, 30, seed=1)
    for changes, message in [
        ({"edge": 1.0}, "beyond 2 R_500c"),
        ({"clump_masses": (0.1, 0.01)}, "must rise"),
        ({"correlation_slope": 3.5}, "between 0 and 3"),
    ]:
        with pytest.raises(InputError, match=message):
            SkyModel(**changes)
    with pytest.raises(InputError, match="z = 0"):
        Observation(z=0.0)
    for changes, message in [
        ({"clump_abundance": 1e16}, "at most 1,000,000 haloes .* clumps; lower sky.clump_abundance"),
        ({"depth": 1e30}, "groups; lower sky.depth"),
        ({"correlation_length": 1e30}, "around the cluster; lower sky.depth, sky.correlation_length"),
    ]:
        with pytest.raises(InputError, match=message):
            emulate_photons(CLUSTERS, 3, seed=1, observation=Observation(sky=SkyModel(**changes)))


def test_a_folder_of_lists_goes_on_where_it_was_interrupted(tmp_path):
    folder = tmp_path / "lists"
    files = write_photon_lists(folder, CLUSTERS, [3, 5], seed=1, observation=SHORT)
    first = files[0].read_bytes()
    files[0].unlink()
    stamp = files[1].stat().st_mtime_ns
    again = write_photon_lists(folder, CLUSTERS, [3, 5], seed=1, observation=SHORT)
    assert again == files
    assert (files[0].read_bytes(), files[1].stat().st_mtime_ns) == (first, stamp)
    with pytest.raises(OutputExistsError, match="seed: 1 there, 2 now"):
        write_photon_lists(folder, CLUSTERS, [3], seed=2, observation=SHORT)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "file").touch()
    with pytest.raises(OutputExistsError, match="holds other files"):
        write_photon_lists(tmp_path / "other", CLUSTERS, [3], seed=1, observation=SHORT)


def test_equal_photons_are_equal_bytes(tmp_path):
    for name in ("a.fits", "b.fits"):
        write_photons(tmp_path / name, emulate_photons(CLUSTERS, 10, seed=1, observation=SHORT))
    assert (tmp_path / "a.fits").read_bytes() == (tmp_path / "b.fits").read_bytes()


def test_a_flipped_bit_is_refused_or_changes_nothing(tmp_path):
    photons = emulate_photons(CLUSTERS, 10, seed=1, observation=SHORT)
    write_photons(tmp_path / "a.fits", photons)
    whole, rng = (tmp_path / "a.fits").read_bytes(), np.random.default_rng(4)
    expected = read_photons(tmp_path / "a.fits")
    refused, n = 0, 60
    for k in range(n):
        at = int(rng.integers(20_000 if k % 2 else len(whole)))  # every second in the headers
        flipped = bytes([whole[at] ^ (1 << int(rng.integers(8)))])
        (tmp_path / "b.fits").write_bytes(whole[:at] + flipped + whole[at + 1 :])
        try:
            found = read_photons(tmp_path / "b.fits")
        except EarnestError:
            refused += 1
        else:
            assert (found.z, found.area, found.exposure) == (expected.z, expected.area, expected.exposure)
            for name in ("energy", "x", "y"):
                assert np.array_equal(getattr(found, name), getattr(expected, name)), (at, name)
    assert refused > 0.7 * n
