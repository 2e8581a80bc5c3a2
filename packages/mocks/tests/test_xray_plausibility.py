"""Photon lists of a cluster are reduced as they are, and refused with the cause named once something is wrong."""

import dataclasses

import numpy as np
import pytest
from earnest_common.cli.root import main
from earnest_common.errors import InputError
from earnest_mocks.base_sample.emulator import emulate
from earnest_mocks.xray.instrument import Instrument
from earnest_mocks.xray.photons import Observation, emulate_photons
from earnest_mocks.xray.reduction import reduce_photons
from earnest_mocks.xray.simput import read_photons, write_photons
from earnest_mocks.xray.table import reduce_files

fits = pytest.importorskip("astropy.io.fits")

CLUSTERS = emulate()
LIGHTEST, MIDDLE, HEAVIEST = 0, 500, len(CLUSTERS.log10_m_500c) - 1
GROUP = 103  # within 0.06 dex of all mean relations: slips of units are told from each other by their sizes


def observed(cluster_id, *, z=0.0663, exposure=2e4):
    observation = Observation(z=z, instrument=Instrument(exposure=exposure))
    return emulate_photons(CLUSTERS, cluster_id, seed=2, observation=observation)


@pytest.mark.parametrize("cluster_id", [LIGHTEST, 100, 250, MIDDLE, 800, 1000, HEAVIEST])
@pytest.mark.parametrize(("z", "exposure"), [(0.0663, 1e5), (0.2, 3e4), (0.35, 1e5)])
def test_every_cluster_of_the_emulation_is_plausible(cluster_id, z, exposure):
    plain = observed(cluster_id, z=z, exposure=exposure)
    assert reduce_photons(plain).m_gas == reduce_photons(plain, trust_units=True).m_gas


def shifted(photons, arcmin, *, towards=2.0):
    """Return a list whose cluster lies off the middle, in a direction [rad]."""
    x, y = photons.x + arcmin * np.cos(towards), photons.y + arcmin * np.sin(towards)
    return dataclasses.replace(photons, x=x, y=y)


def with_about(photons, **about):
    return dataclasses.replace(photons, about={**photons.about, **about})


def with_background(photons, share):
    """Return a list with photons from everywhere in the field, by their number over that of the others."""
    n, rng = int(share * photons.n_photons), np.random.default_rng(3)
    added = {"energy": rng.uniform(0.5, 2, n), "x": rng.uniform(-21, 21, n), "y": rng.uniform(-21, 21, n)}
    return dataclasses.replace(photons, **{k: np.concatenate([getattr(photons, k), v]) for k, v in added.items()})


WRONG = {
    "area in m2": (lambda p: dataclasses.replace(p, area=p.area / 1e4), "suspected: .*AREA in m2 rather than cm2"),
    "time in ks": (
        lambda p: dataclasses.replace(p, exposure=p.exposure / 1e3),
        "suspected: .*TIME in ks rather than s",
    ),
    "redshift too low": (lambda p: dataclasses.replace(p, z=p.z / 1.5), "outside of the field|suspected: REDSHIFT"),
    "redshift too high": (lambda p: dataclasses.replace(p, z=1.5 * p.z), "arcmin at REDSHIFT = .* suspected: REDSHIFT"),
    "temperature in eV": (lambda p: with_about(p, TX=1e3 * p.about["TX"]), "t_x in eV rather than keV"),
    "temperature in kelvin": (lambda p: with_about(p, TX=1.16e7 * p.about["TX"]), "t_x in kelvin rather than keV"),
    "mass a tenth": (lambda p: with_about(p, M500C=p.about["M500C"] / 10), "the unit of t_x or of m_500c"),
    "positions in arcmin": (
        lambda p: dataclasses.replace(p, x=60 * p.x, y=60 * p.y),
        "the unit of RA and DEC|the units of RA and DEC",
    ),
    "off centre": (lambda p: shifted(p, 6.0), "REFRA.* DEC"),
    "a little off centre": (lambda p: shifted(p, 3.0), "arcmin. from the middle of the field.*REFRA and REFDEC"),
    "background": (lambda p: with_background(p, 3.0), "photons within R_500c .*suspected: background"),
}


@pytest.mark.parametrize("cluster_id", [GROUP, MIDDLE])
@pytest.mark.parametrize(("alter", "message"), WRONG.values(), ids=WRONG)
def test_what_no_cluster_can_be_is_refused_with_its_cause(cluster_id, alter, message):
    with pytest.raises(InputError, match=message):
        reduce_photons(alter(observed(cluster_id)))


def test_a_brighter_neighbour_does_not_make_a_cluster_off_centre():
    photons = observed(MIDDLE, exposure=1e5)
    neighbour = shifted(dataclasses.replace(photons), 4.0)
    both = {k: np.concatenate([getattr(photons, k)] + 2 * [getattr(neighbour, k)]) for k in ("energy", "x", "y")}
    reduced = reduce_photons(dataclasses.replace(photons, **both))
    assert reduced.centre == (0.0, 0.0)


def test_lists_without_a_width_are_judged_by_their_gas():
    photons = with_about(observed(MIDDLE), WIDTH=0.0)
    assert reduce_photons(photons).m_gas > 0
    with pytest.raises(InputError, match="outside of the field of view"):
        reduce_photons(dataclasses.replace(photons, z=photons.z / 4))


def edited(path, photons, *, cards=(), units=None):
    """Write a list and change its header cards and units afterwards, as a user's script would."""
    write_photons(path, photons)
    with fits.open(path, mode="update") as parts:
        for name, value in cards:
            parts[0].header[name] = value
        for name, unit in (units or {}).items():
            parts["PHLIST"].columns[name].unit = unit
    return path


@pytest.mark.parametrize("comment", ["[m2] effective area", "effective area (m^2)", "m**2"])
def test_units_in_comments_are_honoured(tmp_path, comment):
    photons = observed(MIDDLE)
    file = edited(tmp_path / "p.fits", photons, cards=[("AREA", (0.06, comment)), ("TX", (2300.0, "[eV] of the gas"))])
    again = read_photons(file)
    assert (again.area, again.about["TX"]) == (pytest.approx(600.0), pytest.approx(2.3))


def test_columns_must_state_their_units(tmp_path):
    file = edited(tmp_path / "p.fits", observed(MIDDLE), units={"RA": None, "DEC": None})
    with pytest.raises(InputError, match=r"column RA of PHLIST states no unit; set TUNIT2, .*DEC .* set TUNIT3"):
        read_photons(file)


def test_the_command_refuses_with_exit_code_2_and_writes_nothing_unless_it_is_to_trust(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    edited(tmp_path / "p.fits", observed(MIDDLE), cards=[("AREA", (0.06, ""))])
    words = ["earnest", "mocks", "reduce", "p.fits", "--out", "t.parquet"]
    monkeypatch.setattr("sys.argv", words)
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert "AREA in m2 rather than cm2" in " ".join(capsys.readouterr().err.split())
    assert [file.name for file in tmp_path.iterdir()] == ["p.fits"]
    frame = reduce_files([tmp_path / "p.fits"], tmp_path / "t.parquet", trust_units=True)
    assert frame["m_gas"][0] > frame["m_500c"][0]
