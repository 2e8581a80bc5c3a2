"""From photons to gas: masses and slopes within their errors, robustness, tables that resume, and messages."""

import contextlib
import dataclasses
import io
import json
import sys
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
from earnest_common.cli.root import main
from earnest_common.errors import InputError, OutputExistsError
from earnest_common.report.section import read_section
from earnest_common.schema import RADII_R500C
from earnest_mocks.base_sample.emulator import emulate
from earnest_mocks.base_sample.sample import emulated_base_sample
from earnest_mocks.gas.emissivity import emission_per_density
from earnest_mocks.gas.profile import GasProfile, density, enclosed_mass, log_slope
from earnest_mocks.measured.emulated import reduce_base_sample, with_measured_profiles
from earnest_mocks.xray.deprojection import deprojected
from earnest_mocks.xray.instrument import Instrument
from earnest_mocks.xray.photons import Observation, emulate_photons
from earnest_mocks.xray.reduction import ReductionConfig, reduce_photons
from earnest_mocks.xray.simput import read_photons, write_photons
from earnest_mocks.xray.sky import SkyModel
from earnest_mocks.xray.table import KnownCluster, read_known_clusters, reduce_files

pytest.importorskip("astropy.io.fits")

CLUSTERS = emulate(n_clusters=30)
BARE = Observation(sky=SkyModel(substructure=False, correlated=False))
COOL_CORE = int(np.argmax(CLUSTERS.core_latent))
SOME = sorted({2, 15, 28, COOL_CORE})
RADII = np.array(RADII_R500C)


def truth(i):
    """Return the gas mass within R_500c [solMass], within the radii, and the slopes at them, of a cluster."""
    profile = GasProfile(**{name: value[i : i + 1] for name, value in vars(CLUSTERS.profile).items()})
    total = 10 ** CLUSTERS.observables[i, 2]
    share = enclosed_mass(profile, RADII)[0] / enclosed_mass(profile, np.ones(1))[0, 0]
    return total, total * share, log_slope(profile, RADII)[0], profile


@pytest.fixture(scope="module")
def bare():
    return {i: emulate_photons(CLUSTERS, i, seed=3, observation=BARE) for i in SOME}


@pytest.fixture(scope="module")
def reduced(bare):
    return {i: reduce_photons(photons) for i, photons in bare.items()}


@pytest.mark.parametrize("i", SOME)
def test_gas_is_recovered_within_its_errors(reduced, i):
    found, (total, masses, slopes, _) = reduced[i], truth(i)
    # 5 standard deviations: 60 numbers, strongly correlated, and errors linearised in the parameters.
    assert abs(found.m_gas - total) < 5 * found.m_gas_err
    assert (np.abs(found.m_gas_profile - masses) < 5 * found.m_gas_profile_err).all()
    assert (np.abs(found.gas_slope_profile - slopes) < 5 * found.gas_slope_profile_err).all()
    assert found.m_gas_err / found.m_gas < 0.025  # the paper's bound


@pytest.mark.parametrize("i", SOME)
def test_photons_give_the_luminosity_back(reduced, i):
    found, true = reduced[i], 10 ** CLUSTERS.observables[i, 0]
    assert found.l_x == pytest.approx(true, rel=0.03)
    assert abs(found.l_x - true) < 5 * found.l_x_err
    assert found.l_x_err / found.l_x < 0.02


def test_surroundings_leave_the_luminosity_within_three_per_cent():
    ratios = [reduce_photons(emulate_photons(CLUSTERS, i, seed=3)).l_x / 10 ** CLUSTERS.observables[i, 0] for i in SOME]
    assert ratios == pytest.approx(np.ones(len(SOME)), abs=0.03)


def test_a_list_states_its_metals_and_one_that_does_not_has_the_usual_ones(bare):
    photons = bare[15]
    unstated = dataclasses.replace(photons, about={k: v for k, v in photons.about.items() if k != "METALS"})
    usual, given = reduce_photons(unstated), reduce_photons(photons, config=ReductionConfig(metallicity=0.3))
    assert photons.about["METALS"] == CLUSTERS.metallicity == 0.0
    assert (
        usual.m_gas == given.m_gas < 0.95 * reduce_photons(photons).m_gas
    )  # lines make the same photons from less gas
    with pytest.raises(InputError, match=r"metals = -1\.0 solar must lie between 0 and 10"):
        reduce_photons(dataclasses.replace(photons, about={**photons.about, "METALS": -1.0}))


@pytest.mark.parametrize("i", SOME)
def test_the_fit_is_good_and_masks_nothing_of_a_smooth_cluster(reduced, i):
    fit = reduced[i].fit
    assert abs(fit.deviance - fit.degrees_of_freedom) < 4 * np.sqrt(2 * fit.degrees_of_freedom)
    assert reduced[i].masked < 0.005
    assert np.hypot(*reduced[i].centre) < 0.1  # a pixel


def test_a_cool_core_needs_the_second_component(reduced):
    assert reduced[COOL_CORE].fit.n_components == 2


@pytest.mark.parametrize("i", SOME)
def test_onion_peeling_agrees_with_the_true_density(reduced, i):
    total, _, _, profile = truth(i)
    shells = deprojected(reduced[i])
    rho = total / enclosed_mass(profile, np.ones(1))[0, 0] / reduced[i].r_500c ** 3 * density(profile, shells.radius)[0]
    pull = (shells.emission - emission_per_density(rho)) / shells.emission_err
    # Not the innermost shell, whose mean radius is not its middle.
    assert np.sqrt(np.mean(pull[1:] ** 2)) < 1.6


def test_surroundings_bias_little_once_masked():
    ratios = []
    for i in (5, 12, 20, 26):
        photons = emulate_photons(CLUSTERS, i, seed=3)
        ratios.append(reduce_photons(photons).m_gas / truth(i)[0])
    assert np.median(ratios) == pytest.approx(1, abs=0.02)


def test_exposure_cancels_in_the_mass_and_shrinks_the_error():
    short, long = (Observation(instrument=Instrument(exposure=t), sky=BARE.sky) for t in (2e4, 2e5))
    one, ten = (reduce_photons(emulate_photons(CLUSTERS, 20, seed=3, observation=o)) for o in (short, long))
    assert one.m_gas == pytest.approx(ten.m_gas, abs=5 * one.m_gas_err)
    assert one.m_gas_err / ten.m_gas_err == pytest.approx(np.sqrt(10), rel=0.25)


def test_redshift_cancels_in_the_mass():
    # Everything at another distance: angles, counts, band; the gas is the same.
    far = dataclasses.replace(BARE, z=0.2)
    found = reduce_photons(emulate_photons(CLUSTERS, 25, seed=3, observation=far))
    assert abs(found.m_gas - truth(25)[0]) < 5 * found.m_gas_err


def test_photons_may_be_turned_and_mirrored(bare):
    photons = bare[15]
    config = ReductionConfig(recentre=False)
    one = reduce_photons(photons, config=config)
    turned = reduce_photons(dataclasses.replace(photons, x=-photons.y, y=photons.x), config=config)
    assert turned.m_gas == pytest.approx(one.m_gas, rel=1e-3)


def test_an_offset_cluster_is_found(bare):
    photons = bare[28]
    moved = dataclasses.replace(photons, x=photons.x + 0.5, y=photons.y - 0.3)
    found = reduce_photons(moved)
    assert found.centre == pytest.approx((0.5, -0.3), abs=0.1)
    assert found.m_gas == pytest.approx(truth(28)[0], abs=5 * found.m_gas_err)


def test_a_wrong_temperature_shifts_the_mass_as_the_emissivity(bare):
    right, wrong = (reduce_photons(bare[28], t_x=t) for t in (4.0, 8.0))
    assert wrong.m_gas / right.m_gas == pytest.approx(1.0, abs=0.05)  # soft-band emissivity hardly depends on it
    assert wrong.m_gas != right.m_gas


REFUSED = {
    "mass unknown": ({"M500C": None}, {}, "m_500c unknown; give a table"),
    "mass negative": ({}, {"m_500c": -1.0}, "m_500c = -1.0 solMass must be positive"),
    "temperature of zero": ({}, {"t_x": 0.0}, "t_x = 0.0 keV must be positive"),
    "radius outside": ({}, {"m_500c": 5e15}, r"radius 1.4 R_500c is .* arcmin and lies outside of the field of view"),
    "hardly any photons": ({}, {"m_500c": 1e7}, "photons within R_500c, at least 200 are needed"),
}


@pytest.mark.parametrize(("about", "given", "message"), REFUSED.values(), ids=REFUSED)
def test_impossible_reductions_are_refused(bare, about, given, message):
    photons = bare[15]
    kept = {name: value for name, value in (dict(photons.about) | about).items() if value is not None}
    with pytest.raises(InputError, match=message):
        reduce_photons(dataclasses.replace(photons, about=kept), **given)


def test_impossible_configurations_are_refused():
    with pytest.raises(InputError, match=r"core = 0.1 < fit_radius = 0.05"):
        ReductionConfig(fit_radius=0.05)
    with pytest.raises(InputError, match="must be positive and rise"):
        ReductionConfig(radii=(0.5, 0.2))


# Tables


@pytest.fixture(scope="module")
def lists(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lists")
    short = Observation(instrument=Instrument(exposure=2e4))
    for i in (2, 15, 28):
        write_photons(folder / f"c{i}.fits", emulate_photons(CLUSTERS, i, seed=3, observation=short))
    return folder


def test_a_table_states_what_the_reductions_found(lists, tmp_path):
    files = sorted(lists.glob("*.fits"))
    frame = reduce_files(files, tmp_path / "t.parquet")
    assert frame["file"].to_list() == ["c15.fits", "c2.fits", "c28.fits"]
    assert frame["cluster_id"].to_list() == [15, 2, 28]
    assert set(frame["simulation"]) == {"EMULATED"}
    found = reduce_photons(read_photons(files[0]))
    assert frame["m_gas"][0] == found.m_gas
    assert frame["m_gas_profile"][0].to_numpy() == pytest.approx(found.m_gas_profile, rel=1e-6)
    assert pl.read_parquet(tmp_path / "t.parquet").equals(frame)
    assert list(tmp_path.iterdir()) == [tmp_path / "t.parquet"]
    with pytest.raises(OutputExistsError):
        reduce_files(files, tmp_path / "t.parquet")


def test_one_bad_list_is_named_and_the_others_are_kept(lists, tmp_path):
    good = sorted(lists.glob("*.fits"))
    bad = tmp_path / "bad.fits"
    bad.write_text("nothing")
    with pytest.raises(InputError, match=r"1 of 4 photon lists cannot be reduced; the other 3 are kept.*\n.*bad.fits"):
        reduce_files([*good, bad], tmp_path / "t.parquet")
    parts = sorted((tmp_path / "t.parquet.parts").iterdir())
    stamps = [part.stat().st_mtime_ns for part in parts]
    assert len(parts) == 3
    done = []
    with pytest.raises(InputError, match=r"none.fits does not exist"):
        reduce_files([*good, tmp_path / "none.fits"], tmp_path / "t.parquet", on_done=done.append)
    assert [part.stat().st_mtime_ns for part in parts] == stamps
    assert len(reduce_files(good, tmp_path / "t.parquet")) == len(done) - 1 == 3


def test_a_changed_configuration_is_reduced_afresh(lists, tmp_path):
    (one,) = lists.glob("c15.fits")
    out = tmp_path / "t.parquet"
    with pytest.raises(InputError):
        reduce_files([one, tmp_path / "none.fits"], out)
    frame = reduce_files([one], out, config=ReductionConfig(radii=(0.2, 1.0)))
    assert frame["m_gas_profile"][0].len() == 2
    assert frame["m_gas_profile"][0][1] == pytest.approx(frame["m_gas"][0], rel=1e-6)


def test_names_must_differ(lists, tmp_path):
    (one,) = lists.glob("c15.fits")
    with pytest.raises(InputError, match=r"found more than once: c15.fits"):
        reduce_files([one, one], tmp_path / "t.parquet")


def test_known_clusters_come_from_a_table(tmp_path):
    (tmp_path / "k.csv").write_text("file,m_500c,t_x\nfolder/a.fits,1e14,2.5\nb.fits,2e14,3\n")
    known = read_known_clusters(tmp_path / "k.csv")
    assert known == {"a.fits": KnownCluster(m_500c=1e14, t_x=2.5), "b.fits": KnownCluster(m_500c=2e14, t_x=3.0)}
    (tmp_path / "n.csv").write_text("file,m_500c,t_x,cluster_id\na.fits,1e14,2.5,7\n")
    assert read_known_clusters(tmp_path / "n.csv")["a.fits"].cluster_id == 7
    (tmp_path / "m.csv").write_text("file,m_500c\na.fits,1e14\n")
    with pytest.raises(InputError, match=r"column\(s\) t_x are missing, found file, m_500c"):
        read_known_clusters(tmp_path / "m.csv")
    (tmp_path / "d.csv").write_text("file,m_500c,t_x\na.fits,1e14,2.5\na.fits,2e14,3\n")
    with pytest.raises(InputError, match="names a file twice"):
        read_known_clusters(tmp_path / "d.csv")
    (tmp_path / "w.csv").write_text("file,m_500c,t_x\na.fits,heavy,2.5\n")
    with pytest.raises(InputError, match="must be numbers"):
        read_known_clusters(tmp_path / "w.csv")
    with pytest.raises(InputError, match="cannot be read"):
        read_known_clusters(tmp_path / "none.csv")


def test_the_base_sample_takes_measured_profiles():
    clusters = emulate(n_clusters=4)
    measured = reduce_base_sample(clusters, seed=1, observation=BARE)
    share = clusters.gas_fraction_profile
    assert measured.gas_fraction_profile == pytest.approx(share, rel=0.05)
    assert measured.gas_slope_profile == pytest.approx(clusters.gas_slope_profile, abs=0.15)
    assert (measured.m_gas_err / measured.m_gas).max() < 0.025
    sample = emulated_base_sample()
    few = dataclasses.replace(
        sample, **{name: getattr(sample, name)[:4] for name in ("log10_m_500c", "observables", "donor_id")}
    )
    taken = with_measured_profiles(few, measured)
    assert taken.gas_slope_profile == pytest.approx(measured.gas_slope_profile, rel=1e-6)
    assert taken.synthetic == sample.synthetic
    assert np.array_equal(taken.observables, few.observables)
    with pytest.raises(InputError, match=r"of 4 clusters .* do not fit a base sample of 1165"):
        with_measured_profiles(sample, measured)


# Commands


def earnest(*words, cwd):
    """Run the command in this process, which spares the imports."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.ExitStack() as stack:
        stack.enter_context(contextlib.chdir(cwd))
        stack.enter_context(contextlib.redirect_stdout(out))
        stack.enter_context(contextlib.redirect_stderr(err))
        stack.enter_context(pytest.MonkeyPatch.context()).setattr(sys, "argv", ["earnest", "mocks", *words])
        with pytest.raises(SystemExit) as ended:
            main()
    return SimpleNamespace(returncode=ended.value.code or 0, stdout=out.getvalue(), stderr=err.getvalue())


def test_commands_lead_from_photons_to_a_section(tmp_path):
    pytest.importorskip("matplotlib")
    (tmp_path / "short.toml").write_text("[instrument]\nexposure = 2e4\n")
    words = [word for i in (10, 600, 1100) for word in ("--cluster-id", str(i))]
    made = earnest("photons", *words, "--config", "short.toml", "--out", "LISTS", "--json", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    assert json.loads(made.stdout) == {"path": "LISTS", "n_lists": 3, "synthetic": "EMULATED"}
    files = sorted(str(file) for file in (tmp_path / "LISTS").glob("*.fits"))
    words = ("--out", "t.parquet", "--section", "s.json", "--json")
    done = earnest("reduce", *files, *words, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert (answer["n_clusters"], answer["n_emulated"]) == (3, 3)
    assert answer["m_gas_err_max"] < 0.025
    section = read_section(tmp_path / "s.json")
    assert [figure.name for figure in section.figures] == ["density-squared", "xray-images"]
    assert any("EMULATED" in text for text in section.text)
    assert section.summary == {key: answer[key] for key in section.summary}


def test_one_cluster_goes_to_one_file_and_errors_exit_with_2(tmp_path):
    (tmp_path / "short.toml").write_text("[instrument]\nexposure = 1e3\n")
    words = ("--cluster-id", "1100", "--config", "short.toml", "--out", "one.fits")
    assert earnest("photons", *words, cwd=tmp_path).returncode == 0
    for again, message in [
        (("photons", *words), "one.fits exists"),
        (("photons", "--cluster-id", "5000", "--out", "NEW"), "no cluster 5000"),
        (("reduce", "none.fits", "--out", "t.parquet"), "none.fits does not exist"),
        (("reduce", "one.fits", "--clusters", "none.csv", "--out", "t.parquet"), "cannot be read"),
    ]:
        failed = earnest(*again, cwd=tmp_path)
        assert failed.returncode == 2
        assert message in failed.stderr
        assert "Traceback" not in failed.stderr
    assert read_photons(tmp_path / "one.fits").exposure == 1e3
