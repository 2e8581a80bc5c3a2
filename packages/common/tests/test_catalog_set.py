"""Laws of catalog sets: what is written is read back, damage is noticed, and no order of work changes a byte."""

import json
import subprocess
import sys
import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from earnest_common.catalogs import CatalogSet, CatalogSetWriter, Plan, split_set, write_batch
from earnest_common.catalogs.batch import CatalogBatch, concat
from earnest_common.catalogs.writer import shard_file
from earnest_common.errors import InputError, IntegrityError, OutputExistsError, SchemaError, VersionError
from earnest_common.run.files import file_sha256
from earnest_common.run.records import content_sha256
from earnest_common.schema import CLUSTERS
from earnest_common.testing import toy_batch

PLAN = Plan(kind="mock", preset="toy", seed=1, n_catalogs=25, catalogs_per_shard=10, synthetic="a toy")


@pytest.fixture
def batch() -> CatalogBatch:
    return toy_batch(n_catalogs=25, seed=1)


@pytest.fixture
def path(tmp_path: Path, batch: CatalogBatch) -> Path:
    write_batch(tmp_path / "set", batch, PLAN)
    return tmp_path / "set"


def test_what_is_written_is_read_back(path: Path, batch: CatalogBatch):
    opened = CatalogSet.open(path)
    read = opened.read()
    assert read.catalogs.equals(batch.catalogs)
    assert read.clusters.equals(batch.clusters)
    assert opened.manifest.n_clusters == batch.n_clusters
    assert opened.validate() == []


def test_nothing_but_the_set_is_left(path: Path):
    assert sorted(p.name for p in path.iterdir()) == ["catalogs", "clusters", "manifest.json"]


def test_order_and_interruption_change_no_byte(path: Path, tmp_path: Path, batch: CatalogBatch):
    other = CatalogSetWriter.open(tmp_path / "other", PLAN)
    other.write_shard(2, batch.select(np.arange(20, 25)))
    resumed = CatalogSetWriter.open(tmp_path / "other", PLAN)
    assert resumed.missing_shards() == [0, 1]
    assert resumed.finish() is None
    for index in (1, 0):
        resumed.write_shard(index, batch.select(np.arange(10 * index, 10 * index + 10)))
    manifest = resumed.finish()
    assert manifest is not None
    assert manifest.data_hash == CatalogSet.open(path).manifest.data_hash


def test_a_half_written_shard_is_written_again(tmp_path: Path, batch: CatalogBatch):
    writer = CatalogSetWriter.open(tmp_path / "set", PLAN)
    writer.write_shard(0, batch.select(np.arange(10)))
    file = shard_file(tmp_path / "set", "clusters", 0)
    file.write_bytes(file.read_bytes()[:-100])
    assert 0 in CatalogSetWriter.open(tmp_path / "set", PLAN).missing_shards()


@pytest.mark.parametrize("max_clusters", [1, 100, 700, 10**9])
def test_batches_are_bounded_and_whole(path: Path, batch: CatalogBatch, max_clusters: int):
    parts = list(CatalogSet.open(path).batches(max_clusters=max_clusters))
    assert all(part.n_clusters <= max_clusters or part.n_catalogs == 1 for part in parts)
    assert all(part.problems() == [] for part in parts)
    assert concat(parts).clusters.equals(batch.clusters)


def test_lazy_scan_reads_only_what_is_asked(path: Path, batch: CatalogBatch):
    found = CatalogSet.open(path).scan_clusters().filter(pl.col("catalog_id") == 7).select("l_x").collect()
    assert found.equals(batch.clusters.filter(pl.col("catalog_id") == 7).select("l_x"))


def test_splits_are_exact_and_exclusive(path: Path, tmp_path: Path, batch: CatalogBatch):
    split_set(CatalogSet.open(path), tmp_path / "split", seed=3, train=0.6, validation=0.2)
    opened = CatalogSet.open(tmp_path / "split")
    counts = {name: opened.read(split=name).n_catalogs for name in ("train", "validation", "test")}
    assert counts == {"train": 15, "validation": 5, "test": 5}
    assert opened.read().clusters.equals(batch.clusters)
    assert opened.manifest.plan.inputs["set"] == CatalogSet.open(path).manifest.data_hash


def test_describe_counts(path: Path, batch: CatalogBatch):
    told = CatalogSet.open(path).describe()
    assert told["n_clusters"] == batch.n_clusters
    assert told["clusters"]["l_x"]["max"] == batch.clusters.get_column("l_x").max()
    profile = batch.column("m_gas_profile")
    found = told["clusters"]["m_gas_profile"]
    assert (found["min"], found["max"], found["unit"]) == (profile.min(), profile.max(), "solMass")
    assert set(told["clusters"]) == set(CLUSTERS.names)
    assert sum(told["splits"].values()) == 25
    json.dumps(told)


@pytest.mark.parametrize("table", ["catalogs", "clusters"])
def test_altered_shard(path: Path, table: str):
    file = shard_file(path, table, 1)
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    opened = CatalogSet.open(path)
    assert len(opened.validate()) == 1
    with pytest.raises(IntegrityError, match="was altered"):
        opened.read()


def test_truncated_and_missing_shard(path: Path):
    file = shard_file(path, "clusters", 0)
    file.write_bytes(file.read_bytes()[:-1])
    shard_file(path, "catalogs", 2).unlink()
    with pytest.raises(IntegrityError, match=r"(?s)bytes, not.*is missing"):
        CatalogSet.open(path)


@pytest.mark.parametrize("field", ["format_version", "schema_version"])
def test_newer_format(path: Path, field: str):
    manifest = path / "manifest.json"
    record = {**json.loads(manifest.read_text()), field: 99}
    manifest.write_text(json.dumps({**record, "sha256": content_sha256(record)}))
    with pytest.raises(VersionError, match=f"{field} is 99, this release reads up to"):
        CatalogSet.open(path)


def test_newer_schema_inside_a_shard(path: Path):
    file = shard_file(path, "clusters", 0)
    frame = pl.read_parquet(file)
    frame.write_parquet(file, metadata={"earnest.schema_version": "7"})
    from earnest_common.catalogs.parquet import read_table

    with pytest.raises(VersionError, match="schema_version is 7"):
        read_table(file, sha256=file_sha256(file))


def test_damaged_manifest(path: Path):
    (path / "manifest.json").write_text('{"format_version": 1')
    with pytest.raises(IntegrityError, match="is not JSON"):
        CatalogSet.open(path)


def test_not_a_set_and_unfinished_set(tmp_path: Path):
    with pytest.raises(InputError, match="is not a catalog set"):
        CatalogSet.open(tmp_path)
    CatalogSetWriter.open(tmp_path / "set", PLAN)
    with pytest.raises(InputError, match="is unfinished"):
        CatalogSet.open(tmp_path / "set")


def test_outputs_are_never_overwritten(path: Path, tmp_path: Path):
    with pytest.raises(OutputExistsError, match="is complete"):
        CatalogSetWriter.open(path, PLAN)
    CatalogSetWriter.open(tmp_path / "other", PLAN)
    with pytest.raises(OutputExistsError, match="seed is 1, not 2"):
        CatalogSetWriter.open(tmp_path / "other", replace(PLAN, seed=2))
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "thesis.tex").touch()
    with pytest.raises(OutputExistsError, match="is not overwritten"):
        CatalogSetWriter.open(tmp_path / "folder", PLAN)


def test_full_disk_leaves_no_shard(tmp_path: Path, batch: CatalogBatch, monkeypatch: pytest.MonkeyPatch):
    writer = CatalogSetWriter.open(tmp_path / "set", PLAN)

    def full(self: pl.DataFrame, file: Path, **_: object) -> None:
        Path(file).write_bytes(b"PAR1 half")
        raise OSError(28, "No space left on device", str(file))

    monkeypatch.setattr(pl.DataFrame, "write_parquet", full)
    with pytest.raises(OSError, match="No space left"):
        writer.write_shard(0, batch.select(np.arange(10)))
    assert not list((tmp_path / "set").glob("*/*.parquet"))
    assert not list((tmp_path / "set").glob("**/.*.part"))
    monkeypatch.undo()
    writer.write_shard(0, batch.select(np.arange(10)))
    assert writer.missing_shards() == [1, 2]


def test_a_shard_must_hold_what_was_planned(tmp_path: Path, batch: CatalogBatch):
    writer = CatalogSetWriter.open(tmp_path / "set", PLAN)
    with pytest.raises(SchemaError, match=r"catalog ids \[1, 2, 3\]\.\.\., the plan has 0 to 9"):
        writer.write_shard(0, batch.select(np.arange(1, 11)))
    with pytest.raises(SchemaError, match="profiles at radii"):
        writer.write_shard(0, replace(batch.select(np.arange(10)), radii=(0.1,) * 7))


def test_astropy_reads_units_of_a_written_shard(path: Path, batch: CatalogBatch):
    table = pytest.importorskip("astropy.table").Table
    read = table.read(shard_file(path, "clusters", 0), format="parquet.votable")
    assert str(read["m_500c"].unit) == "solMass"
    assert read["l_x"].unit.to("erg / s") == pytest.approx(1e44)
    assert read["m_gas_profile"].shape[1] == len(batch.radii)
    assert "weak-lensing" in read["m_wl"].description


@pytest.mark.parametrize("module", ["pandas", "pyarrow"])
def test_what_astropy_opens_a_shard_with_is_in_its_extra(path: Path, module: str):
    code = (
        f"import sys; sys.modules['{module}'] = None\nfrom astropy.table import Table\n"
        "Table.read(sys.argv[1], format='parquet.votable')"
    )
    command = [sys.executable, "-c", code, str(shard_file(path, "clusters", 0))]
    needed = subprocess.run(command, capture_output=True, timeout=60, check=False).returncode != 0
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())["project"]
    declared = {line.partition(">=")[0] for line in project["optional-dependencies"]["astropy"]}
    assert module in declared or not needed


def test_files_without_a_later_nullable_column_are_read_with_it_unknown(tmp_path: Path):
    write_batch(
        tmp_path / "set", toy_batch(n_catalogs=3, seed=1), Plan(kind="mock", preset="toy", seed=1, n_catalogs=3)
    )
    manifest = CatalogSet.open(tmp_path / "set").manifest
    file = shard_file(tmp_path / "set", "clusters", 0)
    kept = {name: text for name, text in pl.read_parquet_metadata(file).items() if name.startswith("earnest")}
    pl.read_parquet(file).drop("y_500").write_parquet(file, metadata=kept)
    (shard,) = manifest.shards
    sums, sizes = {"clusters": file_sha256(file)}, {"clusters": file.stat().st_size}
    older = replace(shard, sha256={**shard.sha256, **sums}, n_bytes={**shard.n_bytes, **sizes})
    (tmp_path / "set" / "manifest.json").write_text(replace(manifest, shards=(older,)).to_json())
    opened = CatalogSet.open(tmp_path / "set")
    assert opened.validate() == []
    assert opened.read().clusters["y_500"].null_count() == opened.read().n_clusters
    assert "y_500" in opened.scan_clusters().collect().columns
