"""Laws of the one door for rows: what breaks the schema is refused by every way of reading, whatever its checksums."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from earnest_common.catalogs import CatalogSet, Plan, write_batch
from earnest_common.catalogs.parquet import write_table
from earnest_common.catalogs.writer import shard_file
from earnest_common.errors import IntegrityError, SchemaError
from earnest_common.schema import CATALOGS, CLUSTERS, check
from earnest_common.testing import toy_batch

READERS: dict[str, Callable[[CatalogSet], object]] = {
    "read": lambda opened: opened.read(),
    "batches": lambda opened: list(opened.batches()),
    "shard": lambda opened: opened.shard(0),
    "clusters": lambda opened: opened.scan_clusters().collect(),
    "some clusters": lambda opened: opened.scan_clusters("catalog_id").collect(),
    "describe": lambda opened: opened.describe(),
}


def _second(name: str, value: object) -> pl.Expr:
    """Return a column with another value in its second row."""
    return pl.when(pl.int_range(pl.len()) == 1).then(pl.lit(value)).otherwise(pl.col(name)).alias(name)


BAD_CLUSTERS = {
    **{f"m_500c = {x}": _second("m_500c", x) for x in (float("nan"), float("inf"), -1e14, 0.0, 1e300)},
    **{f"{name} too large": _second(name, 1e300) for name in ("l_x", "t_x", "m_gas", "m_wl", "y_500", "z")},
    **{f"{name} sentinel": _second(name, -99.0) for name in ("l_x", "t_x", "m_gas", "m_wl", "z")},
    "t_x = 9999": _second("t_x", 9999.0),
    "l_x unknown": _second("l_x", None),
    "no catalog": _second("catalog_id", None),
    "unknown catalog": _second("catalog_id", 77),
    "negative id": _second("cluster_id", -1),
    "twice": pl.lit(0).alias("cluster_id"),
    "ranks": pl.lit(3).alias("rank"),
    "profile": pl.lit([1e14] * 6 + [float("nan")], dtype=pl.Array(pl.Float32, 7)).alias("m_gas_profile"),
}
BAD_CATALOGS = {
    **{f"sigma8 = {x}": _second("sigma8", x) for x in (-1.0, 0.0, 1e300, float("nan"), float("inf"))},
    "split": _second("split", "trian"),
    "no id": _second("catalog_id", None),
    "same id": pl.lit(0).alias("catalog_id"),
    "other ids": (pl.col("catalog_id") + 1).alias("catalog_id"),
    "negative number": _second("n_clusters", -5),
    "endless number": _second("n_clusters", 2**62),
    "other numbers": _second("n_clusters", 1),
    "no survey": _second("survey", None),
    "factor": _second("l_x_scatter", -99.0),
}


def _forged(path: Path, table: str, change: pl.Expr | None = None, *, without: str | None = None) -> CatalogSet:
    """Write a set whose rows break a rule and whose checksums are right."""
    batch = toy_batch(n_catalogs=3, seed=1)
    write_batch(path, batch, Plan(kind="mock", preset="toy", seed=1, n_catalogs=3))
    frame = getattr(batch, table)
    frame = frame.with_columns(change.cast(frame.schema[change.meta.output_name()])) if change is not None else frame
    schema = {"catalogs": CATALOGS, "clusters": CLUSTERS}[table]
    if without:
        frame = frame.drop(without)
        schema = replace(schema, columns=tuple(c for c in schema.columns if c.name != without))
    file = shard_file(path, table, 0)
    checksum = write_table(file, frame, schema)
    manifest = CatalogSet(path, _manifest(path)).manifest
    (shard,) = manifest.shards
    forged = replace(
        shard, sha256={**shard.sha256, table: checksum}, n_bytes={**shard.n_bytes, table: file.stat().st_size}
    )
    (path / "manifest.json").write_text(replace(manifest, shards=(forged,)).to_json())
    return CatalogSet.open(path)


def _manifest(path: Path):
    from earnest_common.catalogs.manifest import read_manifest

    return read_manifest(path)


@pytest.mark.parametrize("bad", BAD_CLUSTERS)
def test_bad_clusters_are_refused_by_every_reader(tmp_path: Path, bad: str):
    opened = _forged(tmp_path / "set", "clusters", BAD_CLUSTERS[bad])
    assert opened.validate()
    for read in READERS.values():
        with pytest.raises(SchemaError, match="shard 0 of catalog set"):
            read(opened)


@pytest.mark.parametrize("bad", BAD_CATALOGS)
def test_bad_catalogs_are_refused_by_every_reader(tmp_path: Path, bad: str):
    opened = _forged(tmp_path / "set", "catalogs", BAD_CATALOGS[bad])
    assert opened.validate()
    for read in READERS.values():
        with pytest.raises(SchemaError, match="shard 0 of catalog set"):
            read(opened)
    if bad != "other numbers":  # which only the clusters contradict
        with pytest.raises(SchemaError):
            opened.scan_catalogs()


@pytest.mark.parametrize(("table", "column"), [("clusters", "catalog_id"), ("clusters", "l_x"), ("catalogs", "survey")])
def test_missing_columns_are_refused(tmp_path: Path, table: str, column: str):
    opened = _forged(tmp_path / "set", table, without=column)
    for read in READERS.values():
        with pytest.raises(SchemaError, match=f"column '{column}'.* is missing"):
            read(opened)


def test_a_flipped_bit_is_refused_by_every_reader(tmp_path: Path):
    write_batch(
        tmp_path / "set", toy_batch(n_catalogs=3, seed=1), Plan(kind="mock", preset="toy", seed=1, n_catalogs=3)
    )
    opened, file = CatalogSet.open(tmp_path / "set"), shard_file(tmp_path / "set", "clusters", 0)
    data = bytearray(file.read_bytes())
    data[len(data) // 3] ^= 64
    file.write_bytes(data)
    for read in READERS.values():
        with pytest.raises(IntegrityError, match="was altered"):
            read(opened)


@pytest.mark.parametrize("seed", range(20))
def test_the_quick_check_finds_what_a_slow_one_finds(seed: int):
    """Every value in turn is replaced by a bad one; a plain loop over the rows is the oracle."""
    rng, frame = np.random.default_rng(seed), toy_batch(n_catalogs=2, seed=seed).clusters
    name = rng.choice(["z", "m_500c", "l_x", "t_x", "m_gas", "y_500"])
    column, value = CLUSTERS.column(name), rng.choice([np.nan, np.inf, -np.inf, -1.0, 0.0, 1e-3, 21.0, 1e20])
    changed = frame.with_columns(_at(name, int(rng.integers(frame.height)), float(value)))
    fine = all(
        x is None
        or (
            np.isfinite(x)
            and (column.above is None or x > column.above)
            and (column.lower is None or x >= column.lower)
            and (column.upper is None or x <= column.upper)
        )
        for x in changed.get_column(name)
    )
    assert (check(changed, CLUSTERS) == []) == fine


def _at(name: str, row: int, value: float) -> pl.Expr:
    return pl.when(pl.int_range(pl.len()) == row).then(pl.lit(value)).otherwise(pl.col(name)).alias(name)
