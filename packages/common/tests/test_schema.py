"""Laws of the schema: every broken rule is named, nothing valid is refused."""

import itertools

import polars as pl
import pytest
from earnest_common.catalogs.batch import CatalogBatch
from earnest_common.errors import SchemaError
from earnest_common.schema import CATALOGS, CLUSTERS, PREDICTIONS, RADII_R500C, check, conform, votable_header
from earnest_common.testing import toy_batch

BATCH = toy_batch(n_catalogs=4, seed=2)


def broken(**columns: object) -> pl.DataFrame:
    return BATCH.clusters.with_columns(**columns)


CASES = {
    "missing column": (BATCH.clusters.drop("l_x"), "column 'l_x' [1e44 erg/s] is missing; expected Float64"),
    "wrong type": (broken(z=pl.lit("far")), "column 'z' has type String; expected Float64"),
    "unknown column": (broken(redshift=pl.lit(0.1)), "unknown column(s) redshift"),
    "negative mass": (broken(m_500c=-pl.col("m_500c")), "values are not above 0 (first: row 0 = -"),
    "NaN mass": (broken(m_wl=pl.lit(float("nan"))), "values are not finite (first: row 0 = nan)"),
    "infinite luminosity": (broken(l_x=pl.lit(float("inf"))), "values are not finite"),
    "unknown luminosity": (broken(l_x=pl.lit(None, dtype=pl.Float64)), "values are unknown"),
    "redshift": (broken(z=pl.lit(-0.5)), "values are below 0 (first: row 0 = -0.5)"),
    "key": (broken(cluster_id=pl.lit(0, dtype=pl.Int64)), "key catalog_id, cluster_id is not unique"),
    "profile": (
        broken(m_gas_profile=pl.lit([1.0] * 6 + [-1.0], dtype=pl.Array(pl.Float32, 7))),
        "values are not above 0 (first: row 0 = -1)",
    ),
}


@pytest.mark.parametrize(("frame", "message"), CASES.values(), ids=CASES)
def test_each_broken_rule_is_named(frame: pl.DataFrame, message: str):
    assert any(message in problem for problem in check(frame, CLUSTERS))


def test_all_problems_are_told_at_once():
    frame = BATCH.clusters.drop("t_x").with_columns(m_500c=pl.lit(-1.0), z=pl.lit(float("nan")))
    assert len(check(frame, CLUSTERS)) == 3


def test_word_outside_the_choices():
    assert "not one of train, validation, test" in check(BATCH.catalogs.with_columns(split=pl.lit("hold")), CATALOGS)[0]


def test_valid_tables_have_no_problem():
    assert check(BATCH.clusters, CLUSTERS) == check(BATCH.catalogs, CATALOGS) == BATCH.problems() == []


def test_observed_catalog_without_truth_fits():
    clusters = BATCH.clusters.drop("m_500c", "m_wl", "m_gas_profile", "gas_slope_profile", "donor_id")
    catalogs = BATCH.catalogs.select("catalog_id", "n_clusters", survey=pl.lit("a real survey"))
    batch = CatalogBatch.conformed(catalogs, clusters, subject="observed")
    assert batch.column("m_gas_profile").shape == (batch.n_clusters, len(RADII_R500C))
    assert batch.clusters.get_column("m_500c").null_count() == batch.n_clusters


def test_conform_orders_and_casts():
    frame = pl.DataFrame(
        {"sigma8_lo68": [0], "sigma8": [1], "sigma8_err": [0.1], "catalog_id": [3], "sigma8_hi68": [1]}
    )
    found = conform(frame, PREDICTIONS, subject="x")
    assert found.schema == PREDICTIONS.polars_schema


def test_conform_names_what_cannot_be_cast():
    with pytest.raises(SchemaError, match="wrong type"):
        conform(BATCH.clusters.with_columns(z=pl.lit("far")), CLUSTERS, subject="x")


def test_unsorted_ranks():
    swapped = BATCH.clusters.with_columns(l_x=pl.col("l_x").reverse())
    problems = CatalogBatch(catalogs=BATCH.catalogs, clusters=swapped).problems()
    assert len(problems) == 1
    assert "ranks are not sorted" in problems[0]


def test_tables_that_do_not_belong_together():
    problems = CatalogBatch(catalogs=BATCH.catalogs, clusters=BATCH.clusters[1:]).problems()
    assert "clusters do not follow the catalogs" in problems[0]


def test_every_column_is_in_header_and_docs():
    for table in (CATALOGS, CLUSTERS, PREDICTIONS):
        header, docs = votable_header(table), table.markdown()
        for column in table.columns:
            assert f'<FIELD name="{column.name}"' in header
            assert f"| `{column.name}` |" in docs
            assert column.description in docs


def test_default_radii():
    ratios = {round(b / a, 6) for a, b in itertools.pairwise(RADII_R500C)}
    assert (len(RADII_R500C), RADII_R500C[0], RADII_R500C[-1], len(ratios)) == (7, 0.15, 1.4, 1)


def test_content_descriptors_are_in_the_vocabulary():
    ucd = pytest.importorskip("astropy.io.votable.ucd")
    for column in (c for table in (CATALOGS, CLUSTERS, PREDICTIONS) for c in table.columns if c.ucd):
        assert ucd.check_ucd(column.ucd, check_controlled_vocabulary=True), column.ucd
