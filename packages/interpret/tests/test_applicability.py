"""Laws of applicability: catalogs of the training get yes at the stated rate, foreign ones do not, gaps are told."""

import json
import os
import re
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from earnest_common.catalogs import Plan, write_batch
from earnest_common.catalogs.batch import CatalogBatch
from earnest_common.cli.root import main
from earnest_common.errors import InputError
from earnest_common.importers import import_table
from earnest_common.report.section import read_section
from earnest_common.testing import toy_batch
from earnest_interpret.analyses.applicability import apply_to, learn
from earnest_interpret.analyses.applicability.distance import together_p_value
from earnest_interpret.analyses.applicability.quantities import summary_matrix
from earnest_interpret.analyses.applicability.unseen import measure_unseen
from earnest_interpret.answers.applicability import ApplicabilityConfig
from earnest_interpret.sections.applicability import applicability_section
from earnest_interpret.testing import SaturatingEstimator
from scipy.stats import binomtest

ESTIMATOR = SaturatingEstimator(weights={"log10_t_x": 0.4}, per_terse=0.3, per_ln_n=0.19)
TABLES = {
    "magneticum-lightcone": "magneticum_box2hr_lightcone_49clusters.csv",
    "planck-esz": "lovisari2020_planck_esz.csv",
    "mcxc": "mcxc_min.csv",
}


@pytest.fixture(scope="module")
def training():
    return learn(ESTIMATOR, toy_batch(n_catalogs=300, seed=1), rng=np.random.default_rng(1))


def changed(batch: CatalogBatch, *columns: pl.Expr | pl.Series) -> CatalogBatch:
    return CatalogBatch(catalogs=batch.catalogs, clusters=batch.clusters.with_columns(*columns), radii=batch.radii)


def test_catalogs_of_the_training_get_yes_at_the_stated_rate(training):
    found = apply_to(ESTIMATOR, toy_batch(n_catalogs=400, seed=2), training)
    refused = 400 - found.answers.count("yes")
    assert binomtest(refused, 400, 0.05, alternative="greater").pvalue > 0.001
    assert found.answer == "yes"
    assert found.answers.count("no") <= 400 * 4 * 4 / 150


@pytest.mark.parametrize(
    "column", [pl.col("t_x") * 3, pl.col("l_x") * 10, pl.col("m_gas") * 0.2], ids=["t_x", "l_x", "m_gas"]
)
def test_foreign_clusters_are_refused(training, column):
    assert apply_to(ESTIMATOR, changed(toy_batch(n_catalogs=5, seed=3), column), training).answer == "no"


def test_a_summary_shows_what_single_clusters_do_not(training):
    """Temperatures dealt out among the clusters of a catalog: every cluster plausible, the relation lost."""
    batch = toy_batch(n_catalogs=5, seed=3)
    order = np.lexsort((np.random.default_rng(1).random(batch.n_clusters), batch.segment_ids))
    found = apply_to(ESTIMATOR, changed(batch, pl.Series("t_x", batch.column("t_x")[order])), training)
    assert found.answer == "no"
    assert next(one for one in found.comparisons if one.space == "summary").p_values.max() < 0.01


def test_many_catalogs_show_what_a_single_one_does_not(training):
    """Temperatures 8 % too high: less than the spread between catalogs of some 60 clusters, but common to all."""
    batch = toy_batch(n_catalogs=100, seed=3)
    hot = apply_to(ESTIMATOR, changed(batch, pl.col("t_x") * 1.08), training)
    assert apply_to(ESTIMATOR, batch, training).answer == "yes"
    assert hot.answers.count("yes") > 90
    assert hot.answer == "with care"
    assert any("All 100 catalogs together" in reason for reason in hot.reasons)


def test_the_chance_of_many_catalogs_is_one():
    rng = np.random.default_rng(1)
    values, calibration = rng.normal(size=(400, 20)), rng.normal(size=(400, 200))
    found = np.array([together_p_value(a, b) for a, b in zip(values, calibration, strict=True)])
    assert binomtest(int((found < 0.05).sum()), 400, 0.05).pvalue > 0.001
    assert together_p_value(np.exp(values[0]), np.exp(calibration[0])) == found[0]
    assert np.isnan(together_p_value(values[0, :4], calibration[0]))


def test_missing_clusters_count_as_the_formula_says():
    """sigma8 = a + c ln N: without one cluster in ten it is lower by -c ln 0.9, up to rounding the number taken."""
    counting = SaturatingEstimator(per_terse=0.0, per_ln_n=0.2)
    found = measure_unseen(counting, toy_batch(n_catalogs=20, seed=1))
    assert found.missed == pytest.approx(0.2 * np.log(0.9), rel=0.05)
    assert set(found.columns) == {"t_x", "m_gas_profile"}
    assert max(map(abs, found.columns.values())) < 1e-12


def test_other_units_of_the_whole_comparison_do_not_matter():
    """A unit common to training and catalog cancels."""
    batch, other = toy_batch(n_catalogs=300, seed=1), toy_batch(n_catalogs=4, seed=2)
    unit = pl.col("l_x") * 1e3
    answers = [
        apply_to(ESTIMATOR, b, learn(ESTIMATOR, a, rng=np.random.default_rng(1)))
        for a, b in ((batch, other), (changed(batch, unit), changed(other, unit)))
    ]
    for one, same in zip(*(found.comparisons for found in answers), strict=True):
        np.testing.assert_allclose(one.values, same.values, rtol=1e-6)


def test_missing_columns_are_told(training):
    found = apply_to(
        ESTIMATOR, changed(toy_batch(n_catalogs=3, seed=2), pl.lit(None, pl.Float64).alias("t_x")), training
    )
    assert (found.answer, found.missing, found.sigma8.size) == ("no", ("t_x",), 0)
    assert {one.space for one in found.comparisons} == {"inputs", "summary"}
    assert "reads the temperature" in found.reasons[0]
    assert applicability_section(found, name="x").figures


def test_a_lone_cluster_and_a_small_training_set(lonely, training):
    found = apply_to(ESTIMATOR, lonely.select([0]), training)
    assert "too few clusters" in " ".join(found.reasons)
    assert np.isnan(summary_matrix(lonely, ("l_x", "t_x"))).all()
    with pytest.raises(InputError, match="a comparison takes 100"):
        learn(ESTIMATOR, lonely, rng=np.random.default_rng(1))


def test_another_redshift_is_refused(training):
    batch = toy_batch(n_catalogs=3, seed=2)
    assert apply_to(ESTIMATOR, changed(batch, pl.lit(0.3).alias("z")), training).answer == "no"
    near = apply_to(ESTIMATOR, changed(batch, pl.lit(0.09).alias("z")), training)
    assert near.answer == "with care"
    trained = float(np.max(training.fitted.column("z")))
    assert near.reasons[0].startswith(f"The typical redshift lies {0.09 - trained:.3f} outside")


def test_a_redshift_that_does_not_matter_is_not_mentioned(training):
    """0.066 against 0.0663: the catalogs of a survey's rounded redshift."""
    z = float(np.max(training.fitted.column("z"))) + 0.0003
    found = apply_to(ESTIMATOR, changed(toy_batch(n_catalogs=3, seed=2), pl.lit(z).alias("z")), training)
    assert not any("redshift" in reason for reason in found.reasons)


def test_columns_have_their_units_and_profiles_their_radii(training):
    batch = toy_batch(n_catalogs=3, seed=2)
    profile = pl.Series("m_gas_profile", 3 * batch.column("m_gas_profile"), dtype=pl.Array(pl.Float32, 7))
    reads = SaturatingEstimator(weights={"log10_m_gas_profile_5": 1.0})
    learned = learn(reads, toy_batch(n_catalogs=300, seed=1), rng=np.random.default_rng(1))
    found = apply_to(reads, changed(batch, profile), learned)
    told = found.to_dict()["columns"]
    assert {name: told[name]["unit"] for name in ("m_gas", "t_x", "z")} == {"m_gas": "solMass", "t_x": "keV", "z": ""}
    assert (told["m_gas"]["log10"], told["z"]["log10"]) == (True, False)
    table = next(t for t in applicability_section(found, name="x").tables if t.name == "applicability-ranges")
    assert "log₁₀ gas mass profile at 0.66 R₅₀₀ [M☉]" in [row[0] for row in table.rows]
    assert not any(re.search(r"radius \d", text) for text in (*found.reasons, *(str(row) for row in table.rows)))
    assert any("R₅₀₀ by +" in reason for reason in found.reasons)


@pytest.mark.skipif("EARNEST_REAL_TABLES" not in os.environ, reason="EARNEST_REAL_TABLES names no folder of tables")
@pytest.mark.parametrize("name", TABLES)
def test_real_tables(training, name):
    path = Path(os.environ["EARNEST_REAL_TABLES"]) / TABLES[name]
    if not path.is_file():
        pytest.skip(f"{path} is not there")
    found = apply_to(ESTIMATOR, import_table(path, name)[0], training)
    assert found.answer == "no"
    assert "m_gas_profile" in found.missing


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("factor", [1.0, 5.0])
def test_the_command(monkeypatch, bundle, tmp_path: Path, capsys, factor):
    plan = Plan(kind="mock", preset="toy", seed=3, n_catalogs=150, catalogs_per_shard=150, synthetic="toy clusters")
    write_batch(tmp_path / "set", toy_batch(n_catalogs=150, seed=3), plan)
    clusters = toy_batch(n_catalogs=1, seed=8).clusters.with_columns(pl.col("t_x") * factor)
    clusters.write_parquet(tmp_path / "table.parquet")
    words = ["applicability", tmp_path / "table.parquet", "--model", bundle, "--training", tmp_path / "set"]
    words += ["--json", "--section", tmp_path / "s.json"]
    monkeypatch.setattr(sys, "argv", ["earnest", "interpret", *map(str, words)])
    with pytest.raises(SystemExit) as caught:
        main()
    told = json.loads(capsys.readouterr().out)
    assert caught.value.code == (1 if factor > 1 else 0)
    assert told["answer"] == ("no" if factor > 1 else told["answer"])
    section = read_section(tmp_path / "s.json")
    assert section.summary["answer"] == told["answer"]
    unseen = next(table for table in section.tables if table.name == "applicability-unseen")
    assert unseen.rows[0][0] == "temperature 10 % too high"
    assert told["synthetic"] == section.provenance["synthetic"] == "in training: toy clusters"
    assert told["unseen"]["missed"] < 0


@pytest.mark.parametrize(
    "field", [{"max_training": -24716}, {"max_training": 99}, {"max_catalogs": 0}, {"max_rows": 0}]
)
def test_a_configuration_that_compares_nothing_is_refused(field):
    with pytest.raises(InputError, match=rf"{next(iter(field))} = {next(iter(field.values()))} must be at least"):
        ApplicabilityConfig(**field)
