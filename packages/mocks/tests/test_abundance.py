"""The mass function over Om0 against COLOSSUS called afresh, and catalogs in which Om0 varies."""

from dataclasses import replace

import numpy as np
import pytest
from earnest_common.errors import InputError, IntegrityError, OutputExistsError
from earnest_common.survey.cosmology import MAGNETICUM
from earnest_common.survey.halo import dn_dlog10_m_500c
from earnest_common.survey.mass_function import default_mass_function
from earnest_common.survey.priors import Uniform
from earnest_mocks.catalogs.config import resolve_config
from earnest_mocks.catalogs.mass_function import MassFunctionCube, abundance_of, mass_function_cube, tabulate_cube
from earnest_mocks.catalogs.source import make_source, open_source
from scipy.integrate import trapezoid

OM0, SIGMA8 = Uniform(low=0.24, high=0.36), Uniform(low=0.75, high=0.87)


@pytest.fixture(scope="module")
def cube():
    return tabulate_cube(MAGNETICUM, 0.0663, Om0=OM0, sigma8=SIGMA8, model="bocquet16")


@pytest.fixture(scope="module")
def cube_file(cube, tmp_path_factory):
    path = tmp_path_factory.mktemp("cube") / "cube.npz"
    cube.save(path)
    return path


def varying(file, **options):
    priors = {"sigma8": {"low": 0.75, "high": 0.87, "step": 0.01}}
    om0 = {"low": 0.24, "high": 0.36}
    return {"Om0": om0, "priors": priors, "mass_function_table": str(file)} | options


@pytest.mark.parametrize("Om0", [0.24, 0.3137, 0.36])
@pytest.mark.parametrize("sigma8", [0.7511, 0.87])
def test_interpolation_agrees_with_colossus(cube, Om0, sigma8):
    log10_m = np.linspace(13.3, 15.3, 9)
    expected = dn_dlog10_m_500c(log10_m, cosmology=replace(MAGNETICUM, Om0=Om0, sigma8=sigma8), z=0.0663)
    found = cube.of(np.array([Om0]), np.array([sigma8]))(log10_m)[0]
    # Grids of 0.03 in both: the splines are good to 1e-3; COLOSSUS itself claims a few per cent.
    np.testing.assert_allclose(found, expected, rtol=2e-3)


def test_it_agrees_with_the_shipped_table_at_the_reference(cube):
    sigma8 = np.array([0.76, 0.81, 0.86])
    masses = np.linspace(13.6, 15.5, 50)
    found = cube.of(np.full(3, MAGNETICUM.Om0), sigma8)
    # COLOSSUS itself jumps by 0.3 % at the highest masses between neighbouring values of Om0.
    np.testing.assert_allclose(found(masses), abundance_of(default_mass_function(), sigma8)(masses), rtol=3e-3)
    own = np.array([[13.7], [14.4], [15.0]])
    np.testing.assert_allclose(found(own)[:, 0], np.diagonal(found(own[:, 0])), rtol=1e-12)


def test_a_file_gives_the_cube_back(cube, cube_file, tmp_path):
    found = MassFunctionCube.load(cube_file)
    np.testing.assert_array_equal(found.ln_dn_dlog10_m, cube.ln_dn_dlog10_m)
    assert (found.cosmology, found.z, found.model) == (cube.cosmology, cube.z, cube.model)
    cube.save(tmp_path / "again.npz")
    assert (tmp_path / "again.npz").read_bytes() == cube_file.read_bytes()
    with pytest.raises(OutputExistsError):
        cube.save(cube_file)


def test_catalogs_follow_their_own_matter_density(cube_file):
    source = open_source("paper", seed=1, config=varying(cube_file))
    batch = source.batch(np.arange(600))
    om0 = batch.label("Om0")
    assert batch.problems() == []
    assert om0.min() > 0.24
    assert om0.max() < 0.36
    assert om0.std() == pytest.approx(0.12 / np.sqrt(12), rel=0.1)
    # More matter at fixed sigma8 means more clusters; sigma8 is on its grid, independent of Om0.
    assert np.corrcoef(om0, batch.label("sigma8"))[0, 1] == pytest.approx(0, abs=4 / np.sqrt(600))
    assert np.corrcoef(om0, batch.label("n_clusters"))[0, 1] > 0.3


def test_numbers_are_those_of_colossus_at_fixed_matter_density(cube_file):
    one = {"low": 0.33, "high": 0.33}
    fixed = {name: {"low": 1.0, "high": 1.0} for name in ("l_x_normalisation", "l_x_slope")}
    priors = {"sigma8": {"low": 0.8, "high": 0.8}, **fixed}
    source = open_source("paper", seed=2, config={"Om0": one, "priors": priors, "mass_function_table": str(cube_file)})
    counts = source.batch(np.arange(300)).label("n_clusters")
    x = np.linspace(13.6, 15.6, 801)
    cosmology = replace(MAGNETICUM, Om0=0.33, sigma8=0.8)
    selected = np.minimum(1, 10 ** (2.4 * (x - 14.4))) * dn_dlog10_m_500c(x, cosmology=cosmology, z=0.0663)
    mean = source.config.survey.volume * trapezoid(selected, x)
    assert counts.mean() == pytest.approx(mean, abs=4 * np.sqrt(mean / 300))


def test_a_fixed_matter_density_leaves_every_other_parameter_as_it_was(cube_file):
    varied = open_source("paper", seed=1, config=varying(cube_file)).batch(np.arange(20)).catalogs
    priors = {"sigma8": {"low": 0.75, "high": 0.87}}
    plain = open_source("paper", seed=1, config={"priors": priors}).batch(np.arange(20)).catalogs
    same = ["sigma8", "l_x_normalisation", "l_x_slope", "m_wl_scatter"]
    assert varied.select(same).equals(plain.select(same))


def test_a_cut_in_flux_takes_varying_matter_density_too(cube_file):
    options = varying(cube_file) | {"priors": {"sigma8": {"low": 0.75, "high": 0.87}}}
    batch = open_source("realistic", seed=1, config=options).batch(np.arange(30))
    assert batch.problems() == []


def test_tables_that_do_not_fit_are_refused(cube_file, tmp_path):
    for change in ({"survey": {"z": 0.2}}, {"Om0": {"low": 0.2, "high": 0.3}}, {"mass_function": "tinker08"}):
        with pytest.raises(InputError, match="make another with earnest mocks mass-function"):
            make_source(resolve_config("paper", options=varying(cube_file, **change)), seed=1)
    with pytest.raises(InputError, match="does not exist; make it with"):
        make_source(resolve_config("paper", options=varying(tmp_path / "none.npz")), seed=1)
    (tmp_path / "bad.npz").write_bytes(b"no")
    with pytest.raises(IntegrityError, match="cannot be read"):
        MassFunctionCube.load(tmp_path / "bad.npz")
    with pytest.raises(InputError, match="Om0 does not vary"):
        mass_function_cube(resolve_config("paper"))
    with pytest.raises(InputError, match=r"must lie above Ob0 = 0.0456"):
        tabulate_cube(MAGNETICUM, 0.0663, Om0=Uniform(low=0.02, high=0.3), sigma8=SIGMA8, model="bocquet16")


def test_a_damaged_cube_is_refused_at_every_byte_or_read_as_it_was(cube_file, tmp_path):
    data, whole, damaged = cube_file.read_bytes(), MassFunctionCube.load(cube_file), tmp_path / "damaged.npz"
    for at in range(3, len(data), len(data) // 40):
        damaged.write_bytes(data[:at] + bytes([data[at] ^ 4]) + data[at + 1 :])
        try:
            read = MassFunctionCube.load(damaged)
        except IntegrityError:
            continue
        np.testing.assert_array_equal(read.ln_dn_dlog10_m, whole.ln_dn_dlog10_m)
