"""Reading a catalog set: lazily, in bounded batches, never trusting a shard whose checksum differs."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import Any, final

import numpy as np
import polars as pl

from earnest_common.catalogs.batch import CatalogBatch, concat
from earnest_common.catalogs.manifest import Manifest, Shard, read_manifest
from earnest_common.catalogs.parquet import read_table, with_unknown
from earnest_common.catalogs.writer import shard_file
from earnest_common.errors import EarnestError, InputError, IntegrityError, SchemaError
from earnest_common.notebook import html_table, plural
from earnest_common.schema import CATALOGS, CLUSTERS, SPLITS, Table, check, completed

__all__ = ["CatalogSet", "Catalogs", "open_catalogs"]

_MOST_LISTED = 20
_TABLES = {"catalogs": CATALOGS, "clusters": CLUSTERS}


@final
@dataclass(frozen=True)
class CatalogSet:
    """A finished catalog set on disk.

    Attributes
    ----------
    path
        Folder of the set.
    manifest
        What it holds and how it was made.
    skip_empty
        Whether :meth:`batches` and :meth:`read` pass over catalogs without clusters; see :meth:`without_empty`.
    """

    path: Path
    manifest: Manifest
    skip_empty: bool = False

    def __repr__(self) -> str:
        """Return one line: where the set is, its size, preset, seed and the begin of its hash."""
        plan = self.manifest.plan
        size = f"{plural(plan.n_catalogs, 'catalog')}, {plural(self.manifest.n_clusters, 'cluster')}"
        return (
            f"CatalogSet({str(self.path)!r}: {size}, {plan.kind}, preset {plan.preset}, "
            f"seed {plan.seed}, data {self.manifest.data_hash[:8]})"
        )

    def _repr_html_(self) -> str:
        plan = self.manifest.plan
        rows = {"path": str(self.path), "catalogs": plan.n_catalogs, "clusters": self.manifest.n_clusters}
        rows |= {name: getattr(plan, name) for name in ("kind", "preset", "seed", "synthetic")}
        return html_table("CatalogSet", {**rows, "data hash": self.manifest.data_hash[:8]})

    @classmethod
    def open(cls, path: str | PathLike[str]) -> "CatalogSet":
        """Return the set in a folder; data are read later.

        Raises
        ------
        InputError
            If there is no finished set.
        VersionError, IntegrityError
            If it is of a newer format or damaged.

        Examples
        --------
        >>> from earnest_common.testing import toy_set
        >>> with toy_set(n_catalogs=20, seed=1) as folder:
        ...     print(CatalogSet.open(folder).read(split="test"))
        CatalogBatch(1 catalog, 72 clusters, split test, survey toy)
        """
        folder = Path(path)
        catalog_set = cls(folder, read_manifest(folder))
        if damaged := [text for shard in catalog_set.manifest.shards for text in catalog_set._size_problems(shard)]:
            raise IntegrityError("\n  - ".join([f"catalog set {folder} is damaged; make or copy it again", *damaged]))
        return catalog_set

    def without_empty(self, *, split: str | None = None) -> "tuple[CatalogSet, str | None]":
        """Return the set without its catalogs that have no clusters, and a sentence that counts and lists them, if any.

        A network sees nothing of an empty catalog, although N = 0 is evidence too, which ``earnest selfcal`` uses.

        Parameters
        ----------
        split
            Only catalogs of this split are counted.
        """
        catalogs = self.scan_catalogs().filter(pl.col("split") == split) if split else self.scan_catalogs()
        n_all = catalogs.select(pl.len()).collect().item()
        empty = catalogs.filter(pl.col("n_clusters") == 0).collect().get_column("catalog_id")
        if empty.is_empty():
            return self, None
        shown = ", ".join(map(str, empty.head(_MOST_LISTED))) + (", ..." if len(empty) > _MOST_LISTED else "")
        note = (
            f"{len(empty)} of {n_all} catalogs have no clusters and are set aside (catalog_id {shown}); "
            "N = 0 is evidence too: earnest selfcal uses it"
        )
        return replace(self, skip_empty=True), note

    def scan_catalogs(self) -> pl.LazyFrame:
        """Return the catalogs table as a lazy frame; its files are read and checked now.

        Raises
        ------
        IntegrityError, SchemaError
            If a file was altered, or breaks a rule of the schema.
        """
        return pl.concat([self._read_catalogs(shard) for shard in self.manifest.shards]).lazy()

    def scan_clusters(self, *columns: str) -> pl.LazyFrame:
        """Return the clusters table, or some columns of it, as a lazy frame; its files are read and checked now.

        Raises
        ------
        IntegrityError, SchemaError
            If a file was altered, or breaks a rule of the schema.
        """
        names = columns or CLUSTERS.names
        return pl.concat([self._read_shard(shard).clusters.select(names) for shard in self.manifest.shards]).lazy()

    def batches(self, *, split: str | None = None, max_clusters: int = 200_000) -> Iterator[CatalogBatch]:
        """Yield the catalogs in order, in batches of bounded size.

        Parameters
        ----------
        split
            Only catalogs of this split.
        max_clusters
            Largest number of clusters in a batch; a larger single catalog comes alone.

        Raises
        ------
        IntegrityError, SchemaError
            If a shard was altered, or breaks a rule of the schema.
        """
        _check_split(split)
        for shard in self.manifest.shards:
            batch = self._read_shard(shard)
            if split is not None:
                batch = batch.select((batch.catalogs.get_column("split") == split).fill_null(value=False).to_numpy())
            if self.skip_empty:
                batch = batch.select(batch.catalogs.get_column("n_clusters").to_numpy() > 0)
            yield from _bounded(batch, max_clusters)

    def read(self, *, split: str | None = None, limit: int | None = None) -> CatalogBatch:
        """Return the catalogs in memory.

        Parameters
        ----------
        split
            Only catalogs of this split.
        limit
            At most this many catalogs.

        Raises
        ------
        InputError
            If no catalog is left.
        """
        found: list[CatalogBatch] = []
        count = 0
        for batch in self.batches(split=split):
            room = batch.n_catalogs if limit is None else limit - count
            found.append(batch.select(np.arange(min(room, batch.n_catalogs))))
            count += found[-1].n_catalogs
            if limit is not None and count >= limit:
                break
        if not count:
            raise InputError(f"catalog set {self.path} has no catalogs" + (f" of split '{split}'" if split else ""))
        return concat(found)

    def shard(self, index: int) -> CatalogBatch:
        """Return one shard in memory, checked."""
        return self._read_shard(self.manifest.shards[index])

    def validate(self) -> list[str]:
        """Return one sentence for each thing that is wrong with the files or the data."""
        problems: list[str] = []
        for shard in self.manifest.shards:
            try:
                self._read_shard(shard)
            except SchemaError as error:
                problems += [f"shard {shard.index}: {text}" for text in error.problems]
            except EarnestError as error:
                problems.append(str(error))
        return problems

    def describe(self) -> dict[str, Any]:
        """Return what the set holds: sizes, origin, splits, and the range of every known column."""
        plan = self.manifest.plan
        catalogs = self.scan_catalogs().collect()
        splits = catalogs.get_column("split").value_counts().drop_nulls()
        return {
            "path": str(self.path),
            "kind": plan.kind,
            "preset": plan.preset,
            "seed": plan.seed,
            "synthetic": plan.synthetic,
            "n_catalogs": catalogs.height,
            "n_clusters": self.manifest.n_clusters,
            "n_shards": len(self.manifest.shards),
            "format_version": self.manifest.format_version,
            "schema_version": self.manifest.schema_version,
            "data_hash": self.manifest.data_hash,
            "cosmology": dict(plan.cosmology),
            "radii": list(plan.radii),
            "splits": dict(splits.sort("split").iter_rows()),
            "catalogs": _ranges(catalogs.lazy(), CATALOGS),
            "clusters": _ranges(self.scan_clusters(), CLUSTERS),
            "versions": dict(plan.versions),
        }

    def _read_shard(self, shard: Shard) -> CatalogBatch:
        """Return a shard after every check: nothing else hands out clusters."""
        batch = CatalogBatch(
            catalogs=self._read_catalogs(shard),
            clusters=self._read_table(shard, "clusters"),
            radii=tuple(self.manifest.plan.radii),
        )
        problems = [f"clusters: {text}" for text in check(batch.clusters, CLUSTERS)] or batch.join_problems()
        if not problems and batch.n_clusters != shard.n_clusters:
            problems = [f"clusters: there are {batch.n_clusters}, the manifest has {shard.n_clusters}"]
        if problems:
            raise self._broken(shard, problems)
        return batch

    def _read_catalogs(self, shard: Shard) -> pl.DataFrame:
        """Return the catalogs of a shard after every check: nothing else hands out catalogs."""
        catalogs = self._read_table(shard, "catalogs")
        ids = self.manifest.plan.catalog_ids(shard.index)
        problems = [f"catalogs: {text}" for text in check(catalogs, CATALOGS)]
        if not problems and not np.array_equal(catalogs.get_column("catalog_id"), ids):
            problems = [f"catalog ids differ from the plan's {ids.start} to {ids.stop - 1}"]
        if problems:
            raise self._broken(shard, problems)
        return catalogs

    def _read_table(self, shard: Shard, name: str) -> pl.DataFrame:
        file = shard_file(self.path, name, shard.index)
        rows = completed(read_table(file, sha256=shard.sha256[name]), _TABLES[name])
        return with_unknown(rows, _TABLES[name])

    def _broken(self, shard: Shard, problems: list[str]) -> SchemaError:
        return SchemaError(
            f"shard {shard.index} of catalog set {self.path}; correct the rows and make it again", problems
        )

    def _size_problems(self, shard: Shard) -> list[str]:
        problems = []
        for name, expected in shard.n_bytes.items():
            file = shard_file(self.path, name, shard.index)
            found = file.stat().st_size if file.is_file() else None
            if found != expected:
                problems.append(f"{file} {'is missing' if found is None else f'has {found} bytes, not {expected}'}")
        return problems


Catalogs = CatalogBatch | CatalogSet | str | PathLike[str]
"""What a function takes that asks for catalogs: in memory, on disk, or the folder of a set."""


def open_catalogs(catalogs: Catalogs) -> CatalogBatch | CatalogSet:
    """Return catalogs as they are, or the set in a folder.

    Raises
    ------
    InputError, VersionError, IntegrityError
        If there is no set in the folder that can be used.
    """
    return CatalogSet.open(catalogs) if isinstance(catalogs, str | PathLike) else catalogs


def _check_split(split: str | None) -> None:
    if split is not None and split not in SPLITS:
        raise InputError(f"unknown split '{split}'; allowed are {', '.join(SPLITS)}")


def _bounded(batch: CatalogBatch, max_clusters: int) -> Iterator[CatalogBatch]:
    if not batch.n_catalogs:
        return
    splits = batch.row_splits
    first = 0
    while first < batch.n_catalogs:
        last = int(np.searchsorted(splits, splits[first] + max_clusters, side="right")) - 1
        last = min(max(last, first + 1), batch.n_catalogs)
        yield batch if (first, last) == (0, batch.n_catalogs) else batch.select(np.arange(first, last))
        first = last


def _ranges(frame: pl.LazyFrame, table: Table) -> dict[str, dict[str, float | int | str | None]]:
    """Return unit, minimum, median, maximum and number of unknown values of every numeric column.

    Those of a profile are over all of its radii; its unknown values are clusters without a profile.
    """
    columns = {c: pl.col(c.name) for c in table.columns if c.dtype.is_numeric()}
    columns |= {c: pl.col(c.name).arr.explode() for c in table.columns if isinstance(c.dtype, pl.Array)}
    wanted = [
        expression.alias(f"{c.name}/{what}")
        for c, values in columns.items()
        for what, expression in (
            ("min", values.min()),
            ("median", values.median()),
            ("max", values.max()),
            ("unknown", pl.col(c.name).null_count()),
        )
    ]
    row = frame.select(wanted).collect().row(0, named=True)
    return {
        c.name: {"unit": c.unit} | {what: row[f"{c.name}/{what}"] for what in ("min", "median", "max", "unknown")}
        for c in columns
    }
