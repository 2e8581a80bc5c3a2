"""Published tables, where the user has them: set EARNEST_REAL_TABLES to their folder, or keep them beside the clone."""

import os
from pathlib import Path

import numpy as np
import pytest
from earnest_common.importers import ImportOptions, ImportReport, import_table
from earnest_common.importers.mapping import TableCosmology
from earnest_common.importers.plausibility import mass_within_r_500c
from earnest_common.survey.scaling import TABLE_2

FOLDER = Path(os.environ.get("EARNEST_REAL_TABLES", Path(__file__).parents[4] / "shared" / "data"))
LIGHTCONE = "magneticum_box2hr_lightcone_49clusters.csv"
PLANCK = "lovisari2020_planck_esz.csv"
MCXC = "mcxc_min.csv"

# Redshifts of the snapshots that the lightcone is stacked from.
SNAPSHOTS = (0.06634, 0.10114, 0.13708, 0.17419, 0.21252, 0.25209, 0.29295, 0.33515, 0.37873, 0.42372, 0.47019)


def real(name: str) -> Path:
    path = FOLDER / name
    if not path.is_file():
        pytest.skip(f"{name} is not in {FOLDER}; docs/tables.md says where to get it")
    return path


def value(report: ImportReport, name: str) -> float:
    return next(check.value for check in report.checks if check.name == name)


def test_lightcone_clusters_lie_on_table_2():
    batch, report = import_table(real(LIGHTCONE), "magneticum-lightcone")
    assert (report.n_read, batch.n_clusters) == (49, 47)  # two are cut by the edge of the cone
    fraction = batch.column("m_gas") / batch.column("m_500c")
    assert fraction.mean() == pytest.approx(0.100, abs=0.002)
    assert fraction.std() == pytest.approx(0.007, abs=0.002)
    nearby = int(np.argmin(batch.column("z")))
    log10_m = np.log10(batch.column("m_500c")[nearby])
    assert 10**log10_m * 0.704 == pytest.approx(1.2827e14, rel=1e-4)
    assert batch.column("t_x")[nearby] == pytest.approx(2.27, abs=0.01)
    assert 10 ** TABLE_2.t_x.log10_mean(log10_m) == pytest.approx(2.27, abs=0.01)
    assert batch.column("l_x")[nearby] == pytest.approx(0.455, abs=0.001)
    assert 10 ** TABLE_2.l_x.log10_mean(log10_m) == pytest.approx(0.547, abs=0.003)
    assert batch.column("m_gas")[nearby] * 0.704 == pytest.approx(1.131e13, rel=1e-3)
    assert report.warnings == ()
    assert value(report, "mass_in_r_500c") == pytest.approx(1, abs=0.005)


def test_masses_and_radii_of_snapshots_obey_the_definition():
    path = real(LIGHTCONE)
    rows = np.genfromtxt(path, delimiter=",", names=True)
    cosmology = TableCosmology(H0=70.4, Om0=0.272)
    snapshot = np.array(SNAPSHOTS)[np.abs(rows["z_true"][:, None] - np.array(SNAPSHOTS)).argmin(axis=1)]
    covered = np.abs(rows["z_true"] - snapshot) < 0.025
    implied = mass_within_r_500c(rows["R500"] / 0.704 / (1 + snapshot), snapshot, cosmology) * 0.704
    ratio = (rows["M500"] / implied)[covered]
    assert covered.sum() > 10
    np.testing.assert_allclose(ratio, 1, atol=1e-3)


def test_a_forgotten_h_in_the_lightcone_is_refused():
    with pytest.raises(Exception, match="'m_500c' is too small by h"):
        import_table(real(LIGHTCONE), "magneticum-lightcone", options=ImportOptions(units={"m_500c": "Msun"}))


def test_planck_clusters_fit_the_schema_with_their_truth_unknown():
    batch, report = import_table(real(PLANCK), "planck-esz")
    assert batch.n_clusters == 120
    assert batch.catalogs["sigma8"].null_count() == 1
    assert batch.clusters["m_wl"].null_count() == 120
    assert batch.clusters["m_gas_profile"].null_count() == 120
    assert int((batch.column("z") < 0.1).sum()) == 25
    assert 0.059 <= batch.column("z").min() < batch.column("z").max() <= 0.546
    assert value(report, "mass_in_r_500c") == pytest.approx(1, abs=0.05)
    assert report.warnings == ()


def test_mcxc_gives_the_counts_of_its_luminosity_limited_neighbourhood():
    batch, report = import_table(real(MCXC), "mcxc", options=ImportOptions(where=("z > 0.01", "z < 0.07")))
    assert (report.n_read, batch.n_clusters) == (1743, 403)
    assert report.unknown_columns == ("m_wl", "t_x", "m_gas", "m_gas_profile", "gas_slope_profile")
    assert "0.1-2.4 keV" in report.l_x
    assert value(report, "mass_in_r_500c") == pytest.approx(1, abs=0.01)
