"""A new division of a set's catalogs into training, validation and test, as a new set."""

from dataclasses import replace
from os import PathLike
from pathlib import Path

import numpy as np
import polars as pl

from earnest_common.catalogs.batch import CatalogBatch
from earnest_common.catalogs.manifest import Manifest
from earnest_common.catalogs.reader import CatalogSet
from earnest_common.catalogs.writer import CatalogSetWriter, shard_file
from earnest_common.errors import InputError, IntegrityError
from earnest_common.run.files import file_sha256
from earnest_common.run.seeds import Stage, generator
from earnest_common.schema import SPLITS

__all__ = ["draw_split", "split_set"]


def draw_split(n_catalogs: int, *, seed: int, train: float = 0.8, validation: float = 0.1) -> pl.Series:
    """Return the split of every catalog: exact fractions in random order; the rest is the test split.

    Parameters
    ----------
    n_catalogs
        Number of catalogs.
    seed
        Seed of the order.
    train, validation
        Fractions of the catalogs.

    Raises
    ------
    InputError
        If the fractions are negative or exceed one together.

    Examples
    --------
    >>> draw_split(10, seed=1).value_counts().sort("split").rows()
    [('test', 1), ('train', 8), ('validation', 1)]
    """
    if min(train, validation) < 0 or train + validation > 1 + 1e-12:
        raise InputError(f"fractions train {train:g} and validation {validation:g} must lie in [0, 1] together")
    order = generator(seed, Stage.SPLIT).permutation(n_catalogs)
    edges = np.rint(np.array([train, train + validation]) * n_catalogs)
    return pl.Series("split", np.array(SPLITS)[np.searchsorted(edges, order, side="right")])


def split_set(
    source: CatalogSet, out: str | PathLike[str], *, seed: int, train: float = 0.8, validation: float = 0.1
) -> Manifest:
    """Write a copy of a set with a new split; the source is left as it is.

    Parameters
    ----------
    source
        The set.
    out
        Folder of the copy.
    seed
        Seed of the order.
    train, validation
        Fractions of the catalogs; the rest is the test split.

    Raises
    ------
    OutputExistsError
        If ``out`` is taken.
    InputError
        If the fractions cannot be used, or ``out`` was finished by another process.

    Examples
    --------
    >>> from earnest_common.testing import toy_set
    >>> with toy_set(n_catalogs=20, seed=1) as folder:
    ...     manifest = split_set(CatalogSet.open(folder), folder.with_name("again"), seed=2, train=0.5)
    ...     CatalogSet.open(folder.with_name("again")).describe()["splits"]
    {'test': 8, 'train': 10, 'validation': 2}
    """
    out = Path(out)
    old = source.manifest.plan
    split = draw_split(old.n_catalogs, seed=seed, train=train, validation=validation)
    chosen = {"split": {"seed": seed, "train": train, "validation": validation}}
    plan = replace(old, config={**old.config, **chosen}, inputs={**old.inputs, "set": source.manifest.data_hash})
    files = {
        shard_file(source.path, name, s.index): sum_ for s in source.manifest.shards for name, sum_ in s.sha256.items()
    }
    if damaged := [str(file) for file, expected in files.items() if file_sha256(file) != expected]:
        raise IntegrityError(
            f"{', '.join(damaged)}: the checksum differs from the manifest; make or copy the set again"
        )
    writer = CatalogSetWriter.open(out, plan)
    missing = set(writer.missing_shards())
    for shard in source.manifest.shards:
        if shard.index in missing:
            batch = source.shard(shard.index)
            ids = plan.catalog_ids(shard.index)
            catalogs = batch.catalogs.with_columns(split[ids.start : ids.stop])
            writer.write_shard(shard.index, CatalogBatch(catalogs=catalogs, clusters=batch.clusters, radii=batch.radii))
    manifest = writer.finish()
    if manifest is None:
        raise InputError(f"catalog set {out} was finished by another process at the same time")
    return manifest
