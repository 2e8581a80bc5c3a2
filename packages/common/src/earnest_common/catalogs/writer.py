"""Writing a catalog set: shard by shard, in any order, by any process, resumable."""

import dataclasses
import shutil
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import final

import numpy as np

from earnest_common.catalogs.batch import CatalogBatch
from earnest_common.catalogs.manifest import (
    MANIFEST_NAME,
    PLAN_NAME,
    Manifest,
    Plan,
    Shard,
    plan_to_json,
    read_manifest,
    read_plan,
)
from earnest_common.catalogs.parquet import write_table
from earnest_common.errors import EarnestError, InputError, OutputExistsError, SchemaError
from earnest_common.run.files import file_sha256, refuse_existing, sweep_folder, write_atomic
from earnest_common.run.parts import vacant
from earnest_common.run.provenance import versions
from earnest_common.run.records import RecordFormat
from earnest_common.schema import CATALOGS, CLUSTERS

__all__ = ["CatalogSetWriter", "shard_file", "write_batch"]

_TABLES = {"catalogs": CATALOGS, "clusters": CLUSTERS}
_RECEIPTS = "receipts"
_RECEIPT = RecordFormat(name="earnest-receipt", version=2, what="receipt", remedy="run the command again")


def shard_file(folder: Path, table: str, index: int) -> Path:
    """Return the Parquet file of one table of one shard."""
    return folder / table / f"{index:05d}.parquet"


@final
@dataclass(frozen=True)
class CatalogSetWriter:
    """A catalog set in the making; picklable, so that workers can share it.

    While the set is unfinished its folder holds ``plan.json`` and a receipt for each finished shard; when all are
    there, :meth:`finish` replaces them by ``manifest.json``. A killed run is taken up by opening the same plan again.

    Attributes
    ----------
    path
        Folder of the set.
    plan
        What it will hold.
    """

    path: Path
    plan: Plan

    @classmethod
    def open(cls, path: Path, plan: Plan) -> "CatalogSetWriter":
        """Begin a set, or take up an unfinished one of the same plan.

        Raises
        ------
        OutputExistsError
            If ``path`` holds a finished set, a set of another plan, or anything else.
        """
        plan = dataclasses.replace(plan, versions=versions())
        if (path / PLAN_NAME).exists():
            if differences := read_plan(path / PLAN_NAME).differences(plan):
                what = "; ".join(differences)
                raise OutputExistsError(f"{path} holds an unfinished set of another plan ({what}); choose another name")
        elif (path / MANIFEST_NAME).exists():
            raise OutputExistsError(
                f"catalog set {path} exists and is complete; choose another name or remove it first"
            )
        elif not vacant(path):
            refuse_existing(path)
        path.mkdir(parents=True, exist_ok=True)
        if not (path / PLAN_NAME).exists():
            write_atomic(path / PLAN_NAME, plan_to_json(plan))
        for folder in (*_TABLES, _RECEIPTS):
            (path / folder).mkdir(exist_ok=True)
        return cls(path, plan)

    def missing_shards(self) -> list[int]:
        """Return the shards that are not yet written, or not whole."""
        if (self.path / MANIFEST_NAME).exists():  # killed while it was cleaned, which `finish` does
            return []
        return [index for index in range(self.plan.n_shards) if self._receipt(index) is None]

    def write_shard(self, index: int, batch: CatalogBatch) -> Shard:
        """Write the two files of a shard, then its receipt.

        Raises
        ------
        SchemaError
            If the batch breaks the schema or holds other catalogs than planned.
        """
        if problems := self._problems(index, batch):
            raise SchemaError(f"shard {index} of {self.path}", problems)
        facts = {"preset": self.plan.preset, "synthetic": self.plan.synthetic or "no"}
        frames = {"catalogs": batch.catalogs, "clusters": batch.clusters}
        files = {name: shard_file(self.path, name, index) for name in _TABLES}
        sums = {name: write_table(files[name], frames[name], _TABLES[name], parameters=facts) for name in _TABLES}
        sizes = {name: file.stat().st_size for name, file in files.items()}
        shard = Shard(index=index, n_catalogs=batch.n_catalogs, n_clusters=batch.n_clusters, sha256=sums, n_bytes=sizes)
        write_atomic(self._receipt_file(index), _RECEIPT.text({"shard": dataclasses.asdict(shard)}))
        return shard

    def finish(self) -> Manifest | None:
        """Write the manifest if every shard is there and return it; return ``None`` while some are missing.

        Several processes may call this at once: each writes the same manifest.
        """
        if (self.path / MANIFEST_NAME).exists():
            manifest = read_manifest(self.path)
        else:
            shards = [self._receipt(index) for index in range(self.plan.n_shards)]
            if any(shard is None for shard in shards):
                return None
            manifest = Manifest(plan=self.plan, shards=tuple(shard for shard in shards if shard is not None))
            write_atomic(self.path / MANIFEST_NAME, manifest.to_json())
        shutil.rmtree(self.path / _RECEIPTS, ignore_errors=True)
        sweep_folder(self.path)
        (self.path / PLAN_NAME).unlink(missing_ok=True)  # the last of all: without it the set is complete
        return manifest

    def _problems(self, index: int, batch: CatalogBatch) -> list[str]:
        if batch.radii != tuple(self.plan.radii):
            return [f"profiles at radii {batch.radii}, the plan has {self.plan.radii}"]
        ids = batch.catalogs.get_column("catalog_id").to_list()
        expected = self.plan.catalog_ids(index)
        if ids != list(expected):
            return [f"catalog ids {ids[:3]}..., the plan has {expected.start} to {expected.stop - 1}"]
        return batch.problems()

    def _receipt_file(self, index: int) -> Path:
        return self.path / _RECEIPTS / f"{index:05d}.json"

    def _receipt(self, index: int) -> Shard | None:
        """Return a shard's receipt if it and both files are whole."""
        try:
            shard = Shard(**_RECEIPT.read(self._receipt_file(index))["shard"])
            whole = all(file_sha256(shard_file(self.path, name, index)) == shard.sha256[name] for name in _TABLES)
        except (EarnestError, OSError, TypeError, KeyError):
            return None
        return shard if whole else None


def write_batch(path: str | PathLike[str], batch: CatalogBatch, plan: Plan) -> Manifest:
    """Write catalogs that are already in memory as a finished set.

    Parameters
    ----------
    path
        Folder of the set.
    batch
        The catalogs, with ids from 0.
    plan
        What they are.

    Raises
    ------
    OutputExistsError
        If ``path`` is taken.
    SchemaError
        If the batch breaks the schema.

    Examples
    --------
    >>> import tempfile
    >>> from earnest_common.testing import toy_batch
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     plan = Plan(kind="observed", preset="mine", seed=None, n_catalogs=2)
    ...     manifest = write_batch(f"{folder}/mine", toy_batch(n_catalogs=2, seed=1), plan)
    >>> manifest.n_clusters
    162
    """
    path = Path(path)
    writer = CatalogSetWriter.open(path, plan)
    for index in writer.missing_shards():
        ids = plan.catalog_ids(index)
        writer.write_shard(index, batch.select(np.arange(ids.start, ids.stop)))
    manifest = writer.finish()
    if manifest is None:
        raise InputError(f"catalog set {path} was finished by another process at the same time")
    return manifest
