"""Published pickles of simulations of many cosmologies: read back exactly, and never run."""

import os
import pickle
from dataclasses import replace

import numpy as np
import pytest
from earnest_common.errors import InputError
from earnest_common.survey.cosmology import MAGNETICUM
from earnest_mocks.prescription.fit import fit_prescription, read_clusters

REDSHIFTS = {"014": 0.0, "012": 0.29, "010": 0.67}
POWERS = {"m_gas": {"fb": 1.0}, "t_x": {"h": 2 / 3, "sigma8": 0.2}, "l_x": {"fb": 2.0}}
N = 40


def columns(values):
    """Six apertures, of which only R500C, the fifth, is to be read."""
    return np.outer(values, [2.0, 1.8, 1.4, 1.3, 1.0, 0.5])


def simulation(rng):
    om0, ob0 = rng.uniform(0.15, 0.43), rng.uniform(0.041, 0.05)
    sigma8, h = rng.uniform(0.6, 0.9), rng.uniform(0.66, 0.74)
    parameters = [round(value, 4) for value in (om0, ob0, sigma8, h)]
    return replace(MAGNETICUM, **dict(zip(("Om0", "Ob0", "sigma8"), parameters, strict=False)), H0=100 * parameters[3])


def snapshot(cosmology, z, rng):
    """Return the clusters of a snapshot in the published units and the same in ours."""
    m = 10 ** rng.uniform(14, 15, N)
    factor = {"sigma8": cosmology.sigma8, "fb": cosmology.Ob0 / cosmology.Om0, "h": cosmology.h}
    law = {
        name: np.prod([factor[p] ** power for p, power in powers.items()]) * np.exp(0.02 * rng.standard_normal(N))
        for name, powers in POWERS.items()
    }
    ours = {"m_500c": m, "m_gas": 0.5 * m * law["m_gas"], "t_x": (m / 1e14) ** 0.6 * law["t_x"]}
    ours["l_x"] = (m / 1e14) ** 1.7 * law["l_x"]
    e2 = cosmology.Om0 * (1 + z) ** 3 + 1 - cosmology.Om0
    radius = (3 * m / (4 * np.pi * 500 * 277.536627 * cosmology.h**2 * e2)) ** (1 / 3)  # kpc, physical
    published = {
        "MASSES": m * cosmology.h / 1e10,
        "MGAS": ours["m_gas"] * cosmology.h / 1e10,
        "TGAS": ours["t_x"],
        "LGAS": ours["l_x"],
        "RADII": radius * (1 + z) * cosmology.h,
    }
    return {name: columns(v) for name, v in published.items()} | {"SIGMAV": np.zeros(N)}, ours


@pytest.fixture
def published(tmp_path):
    """A folder of ten simulations, and what is in its first snapshot."""
    rng = np.random.default_rng(2)
    first = None
    for _ in range(10):
        cosmology = simulation(rng)
        name = f"mr_{cosmology.Om0}_{cosmology.Ob0}_{cosmology.sigma8}_{round(cosmology.h, 4)}"
        (tmp_path / name).mkdir()
        for number, z in REDSHIFTS.items():
            content, ours = snapshot(cosmology, z, rng)
            (tmp_path / name / f"snap_{number}").write_bytes(pickle.dumps(content, protocol=2))
            first = first or (name, cosmology, ours)
    return tmp_path, first


def test_values_come_back_in_physical_units(published):
    folder, (_, cosmology, ours) = published
    found = read_clusters(folder)
    assert found.height == 10 * len(REDSHIFTS) * N
    here = found.filter(sigma8=cosmology.sigma8, z=0.0)
    for name, values in ours.items():
        np.testing.assert_allclose(here[name], values, rtol=1e-12)
    np.testing.assert_allclose(here["y_500"], ours["m_gas"] * ours["t_x"], rtol=1e-12)
    assert here["H0"][0] == pytest.approx(cosmology.H0)


def test_known_exponents_are_recovered(published):
    fits = fit_prescription(read_clusters(published[0]))
    for name, powers in POWERS.items():
        for parameter, found in fits[name].exponents.items():
            assert found == pytest.approx(powers.get(parameter, 0.0), abs=max(4 * fits[name].errors[parameter], 0.01))


def test_clusters_without_gas_are_left_out(published):
    folder, (name, *_) = published
    file = folder / name / "snap_014"
    content = pickle.loads(file.read_bytes())
    content["LGAS"][:3] = 0
    content["TGAS"][3] = np.nan
    file.write_bytes(pickle.dumps(content))
    assert read_clusters(folder).height == 10 * len(REDSHIFTS) * N - 4


class Payload:
    def __init__(self, mark):
        self._mark = mark

    def __reduce__(self):
        return os.system, (f"touch {self._mark}",)


def test_a_program_in_a_pickle_is_refused_and_not_run(published):
    folder, (name, *_) = published
    mark = folder / "ran"
    bad = pickle.dumps({"MASSES": Payload(mark)})
    (folder / name / "snap_014").write_bytes(bad)
    with pytest.raises(InputError, match=r"it asks for (posix|nt)\.system, and only arrays are read"):
        read_clusters(folder)
    assert not mark.exists()
    pickle.loads(bad)  # the plain reader does run it, so the test can fail
    assert mark.exists()


def replaced(**changes):
    return lambda content: {**content, **{key: change(content[key]) for key, change in changes.items()}}


WRONG = {
    "a key is missing": (lambda c: {k: v for k, v in c.items() if k != "LGAS"}, "lacks 'LGAS'"),
    "too few columns": (replaced(TGAS=lambda v: v[:, :3]), "not a pickled dictionary of arrays"),
    "not a dictionary": (lambda _: [1, 2], "not a pickled dictionary of arrays"),
    "physical radii": (replaced(RADII=lambda v: v / 1.3), "the radii are 0.769 times the R_500c of the masses"),
}


@pytest.mark.parametrize(("change", "message"), WRONG.values(), ids=WRONG)
def test_files_of_another_form_are_refused(published, change, message):
    folder, (name, *_) = published
    file = folder / name / "snap_014"
    file.write_bytes(pickle.dumps(change(pickle.loads(file.read_bytes()))))
    with pytest.raises(InputError, match=message):
        read_clusters(folder)


NAMES = {
    "nothing there": ("other/snap_014", "holds no simulations"),
    "no cosmology": ("mr_0.3_0.045_0.8/snap_014", "does not tell the cosmology"),
    "too many baryons": ("mr_0.04_0.045_0.8_0.7/snap_014", "cosmology"),
    "unknown snapshot": ("mr_0.3_0.045_0.8_0.7/snap_020", "known are 014, 013"),
}


@pytest.mark.parametrize(("name", "message"), NAMES.values(), ids=NAMES)
def test_folders_of_another_form_are_refused(tmp_path, name, message):
    (tmp_path / name).parent.mkdir()
    (tmp_path / name).write_bytes(b"")
    with pytest.raises(InputError, match=message):
        read_clusters(tmp_path)
