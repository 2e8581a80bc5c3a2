"""The base sample beside published simulations: typed facts against their tables, the page against the command."""

import csv
import os
from pathlib import Path

import numpy as np
import pytest
from earnest_common.catalogs import CatalogSet
from earnest_common.importers import ImportOptions, import_catalog_set
from earnest_mocks.base_sample.local_relations import PUBLISHED, local_relations
from earnest_mocks.base_sample.sample import default_base_sample
from earnest_mocks.measured.imported import base_sample_from
from earnest_mocks.report.relations_table import relations_table, text_of

ROOT = Path(__file__).parents[3]
FOLDER = Path(os.environ.get("EARNEST_REAL_TABLES", ROOT.parent / "shared" / "data"))
FILES = {
    "FLAMINGO L1_m8": "mpq/FLAMINGO_L1m8_Tmw_z0_summary.csv",
    "TNG300 + TNG-Cluster": "mpq/TNG300+TNGCluster_Tmw_z0_summary.csv",
}
COLUMNS = {
    "m_gas_slope": "Mg_slope",
    "t_x_slope": "T_slope",
    "l_x_slope": "L_slope",
    "m_gas_scatter": "Mg_sig",
    "t_x_scatter": "T_sig",
    "l_x_scatter": "L_sig",
    "y_x_scatter": "YX_sig",
    "m_gas_t_x": "r_MgT",
    "m_gas_l_x": "r_MgL",
    "l_x_t_x": "r_TL",
}


def real(name):
    path = FOLDER / name
    if not path.is_file():
        pytest.skip(f"{name} is not in {FOLDER}; docs/base-sample.md says where it comes from")
    return path


@pytest.mark.parametrize("name", FILES)
def test_published_numbers_are_those_of_their_tables(name):
    with real(FILES[name]).open() as stream:
        rows = list(csv.DictReader(stream))
    for one in PUBLISHED[name]:
        row = min(rows, key=lambda r: abs(float(r["logM500"]) - one.log10_m))
        assert float(row["logM500"]) == pytest.approx(one.log10_m, abs=0.011)
        for field, column in COLUMNS.items():
            assert getattr(one, field) == pytest.approx(float(row[column]), abs=0.0055), (one.log10_m, field)


def test_real_magneticum_clusters_scatter_as_the_page_says(tmp_path):
    file = real("magneticum_box2hr_lightcone_49clusters.csv")
    import_catalog_set(file, "magneticum-lightcone", tmp_path / "set", options=ImportOptions())
    sample = base_sample_from(CatalogSet.open(tmp_path / "set").read(), z=default_base_sample().z)
    assert sample.n_clusters == 47
    assert sample.relations.t_x.scatter == pytest.approx(0.031, abs=0.001)
    assert sample.relations.m_gas.scatter == pytest.approx(0.030, abs=0.001)
    correlation = np.corrcoef(sample.residuals.T)
    assert (correlation[1, 2], correlation[0, 2]) == pytest.approx((-0.38, 0.41), abs=0.01)
    # The emulated clusters of the same masses scatter about as much in temperature, and more in gas mass.
    ours = default_base_sample()
    massive = ours.log10_m_500c > 14.3
    assert ours.residuals[massive, 1].std() == pytest.approx(0.027, abs=0.005)
    table = relations_table(compare=tmp_path / "set")
    shown = (ROOT / "docs" / "base-sample.md").read_text()
    assert all(line in shown for line in text_of(table).splitlines())


def test_the_page_shows_what_the_command_prints():
    shown = (ROOT / "docs" / "base-sample.md").read_text()
    assert all(line in shown for line in text_of(relations_table()).splitlines())


def test_local_relations_recover_known_ones():
    rng = np.random.default_rng(1)
    x = rng.uniform(13, 16, 40_000)
    covariance = np.array([[0.04, 0.004, 0.006], [0.004, 0.004, -0.002], [0.006, -0.002, 0.01]])
    ln_x = rng.multivariate_normal(np.zeros(3), covariance, len(x))
    observables = np.stack([1.7, 0.6, 1.2] * x[:, None] + ln_x / np.log(10), axis=0)
    (found,) = local_relations(x, observables, np.array([14.5]))
    # 0.2 dex of 3 hold 9,000 clusters in effect.
    assert found.n == pytest.approx(40_000 / 3 * 0.2 * np.sqrt(4 * np.pi), rel=0.05)
    assert (found.l_x_slope, found.t_x_slope, found.m_gas_slope) == pytest.approx((1.7, 0.6, 1.2), abs=0.02)
    assert (found.l_x_scatter, found.t_x_scatter, found.m_gas_scatter) == pytest.approx(
        (0.2, 0.2 * np.sqrt(0.1), 0.1), rel=0.04
    )
    assert found.y_x_scatter == pytest.approx(np.sqrt(0.004 + 0.01 - 0.004), rel=0.04)
    assert found.m_gas_t_x == pytest.approx(-0.002 / np.sqrt(4e-5), abs=0.04)


def test_a_mass_that_the_sample_does_not_reach_is_left_out():
    shown = {row[1] for row in relations_table().rows if row[0] == "emulated base sample"}
    assert min(shown) >= default_base_sample().log10_m_500c[0]
