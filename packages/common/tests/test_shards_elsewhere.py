"""Shards and predictions open in astropy, with units, for every kind of set, and come back to earnest as they were."""

import warnings
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from earnest_common.catalogs import CatalogSet, Plan, write_batch
from earnest_common.catalogs.batch import CatalogBatch
from earnest_common.catalogs.parquet import write_table
from earnest_common.importers import import_catalog_set
from earnest_common.schema import CATALOGS, CLUSTERS, PREDICTIONS, Table
from earnest_common.testing import toy_batch
from polars.testing import assert_frame_equal

MAPPING = """
name = "Böhringer"
title = "made up"
kind = "observed"
l_x = "bolometric"
[reader]
kind = "csv"
[columns]
cluster_id = { source = "ID" }
z = { source = "z" }
l_x = { source = "l_x", unit = "1e44 erg/s" }
"""


def mocks(*, gaps: float = 0.0, empty: bool = False) -> CatalogBatch:
    """Return toy catalogs with a share of the nullable values unknown, or with a second one without clusters."""
    batch = toy_batch(n_catalogs=4, seed=3, mean_n_clusters=15)
    rng = np.random.default_rng(5)

    def holes(frame: pl.DataFrame, table: Table) -> pl.DataFrame:
        return frame.with_columns(
            pl.when(pl.Series(rng.random(frame.height) >= gaps)).then(pl.col(column.name)).alias(column.name)
            for column in table.columns
            if column.nullable
        )

    catalogs, clusters = holes(batch.catalogs, CATALOGS), holes(batch.clusters, CLUSTERS)
    if empty:
        clusters = clusters.filter(pl.col("catalog_id") != 1)
        catalogs = catalogs.with_columns(
            n_clusters=pl.when(pl.col("catalog_id") == 1).then(0).otherwise("n_clusters").cast(pl.Int64)
        )
    return CatalogBatch.conformed(catalogs, clusters, subject="mocks")


def imported(folder: Path) -> Path:
    (folder / "mine.toml").write_text(MAPPING, encoding="utf-8")
    (folder / "t.csv").write_text("ID,z,l_x\n4611686018427387905,0.1,1.8\n4611686018427387907,0.2,4.4\n")
    import_catalog_set(folder / "t.csv", folder / "mine.toml", folder / "imported")
    return folder / "imported"


KINDS = {
    "mocks": {},
    "some values unknown": {"gaps": 0.4},
    "nothing but what must be known": {"gaps": 1.1},
    "an empty catalog": {"gaps": 0.2, "empty": True},
}


def written(kind: str, folder: Path) -> CatalogSet:
    if kind == "imported":
        return CatalogSet.open(imported(folder))
    batch = mocks(**KINDS[kind])
    plan = Plan(kind="mock", preset="toy", seed=3, n_catalogs=4, config={}, cosmology={}, radii=batch.radii)
    write_batch(folder / "set", batch, plan)
    opened = CatalogSet.open(folder / "set")
    assert_frame_equal(opened.read().clusters, batch.clusters, check_exact=True)
    assert_frame_equal(opened.read().catalogs, batch.catalogs, check_exact=True)
    for name, frame in (("catalogs", batch.catalogs), ("clusters", batch.clusters)):
        assert opened.describe()[name].keys() <= set(frame.columns)
    return opened


def assert_same_in_astropy(file: Path, frame: pl.DataFrame, table: Table) -> None:
    """Check values, units and gaps of a Parquet file as astropy reads it."""
    pytest.importorskip("pyarrow")
    astropy = pytest.importorskip("astropy")
    units = pytest.importorskip("astropy.units")
    if int(astropy.__version__.split(".")[0]) < 8 and pl.String in frame.dtypes:
        pytest.skip(f"astropy {astropy.__version__} opens no Parquet file with text and a VOTable header; 8 does")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the erg, and of text whose length it counts itself
        read = astropy.table.Table.read(file, format="parquet.votable")
    for column in table.columns:
        assert read[column.name].unit == (units.Unit(column.unit) if column.unit else None)
        assert read[column.name].description == column.description
        expected = frame[column.name]
        if column.dtype == pl.String:
            assert read[column.name].tolist() == expected.fill_null("").to_list()
        elif column.width:
            nan = pl.lit([float("nan")] * column.width, dtype=column.dtype)
            got = np.asarray(read[column.name]).reshape(frame.height, column.width)
            np.testing.assert_array_equal(got, expected.fill_null(nan).to_numpy().reshape(got.shape))
        elif expected.null_count():
            np.testing.assert_array_equal(
                np.ma.filled(np.ma.asarray(read[column.name]).astype(float), np.nan), expected.cast(float).to_numpy()
            )
        else:
            assert read[column.name].tolist() == expected.to_list()


@pytest.mark.parametrize("kind", [*KINDS, "imported"])
@pytest.mark.parametrize("table", [CATALOGS, CLUSTERS], ids=["catalogs", "clusters"])
def test_shards_of_every_kind_open_with_units(kind: str, table: Table, tmp_path: Path):
    pytest.importorskip("astropy.table")
    opened = written(kind, tmp_path)
    frame = opened.read().catalogs if table is CATALOGS else opened.read().clusters
    assert_same_in_astropy(opened.path / table.name / "00000.parquet", frame, table)


def test_predictions_open_with_units(tmp_path: Path):
    pytest.importorskip("astropy.table")
    numbers = {c.name: [0.7, 0.8] for c in PREDICTIONS.columns} | {"catalog_id": [2**62 + 1, 5]}
    frame = pl.DataFrame(numbers)
    write_table(tmp_path / "p.parquet", frame, PREDICTIONS)
    assert_same_in_astropy(tmp_path / "p.parquet", frame, PREDICTIONS)
