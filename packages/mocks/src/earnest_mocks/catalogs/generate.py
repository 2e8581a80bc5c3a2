"""Mock catalog sets on disk: made shard by shard, in any number of processes, resumable."""

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any, final

import numpy as np
from earnest_common.catalogs import CatalogSetWriter, Manifest, Plan, Shard
from earnest_common.errors import InputError
from earnest_common.run.config import as_mapping
from earnest_common.run.executors import map_shards, shard_slice
from earnest_common.run.files import file_sha256

from earnest_mocks.catalogs.base_relations import other_cosmology
from earnest_mocks.catalogs.config import MocksConfig, resolve_config
from earnest_mocks.catalogs.source import MOST_CLUSTERS, MockSource, make_source, most_expected

__all__ = ["CATALOGS_PER_SHARD", "generate", "generate_from", "mock_plan", "statements", "useful_workers"]

CATALOGS_PER_SHARD = 512
"""About 75,000 clusters of the paper's survey: 8 MB on disk and 40 MB at work. Larger surveys have fewer in a shard."""

_SAME_BREAK = 0.005
"""Dex in mass by which the break may differ without a word."""

_PER_WORKER = 6_000_000
"""Expected clusters, at most, that repay the start of a process: 18,000 catalogs of `paper`, 2,500 of `realistic`."""


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class _ShardMaker:
    """Makes and writes one shard; picklable, so that it runs in any process."""

    source: MockSource
    writer: CatalogSetWriter

    def __call__(self, index: int) -> Shard:
        ids = np.array(self.writer.plan.catalog_ids(index), dtype=np.int64)
        return self.writer.write_shard(index, self.source.batch(ids))


def generate(
    config: MocksConfig | str,
    out: str | PathLike[str],
    *,
    seed: int,
    n_catalogs: int,
    catalogs_per_shard: int | None = None,
    executor: Executor | None = None,
    shard: str | None = None,
    on_done: Callable[[Shard], Any] = lambda _: None,
) -> Manifest | None:
    """Write a set of mock catalogs, or go on with one that was interrupted.

    The data depend on configuration, seed and catalog id alone: number of workers, order and interruptions change no
    byte.

    Parameters
    ----------
    config
        What to make: a preset by name, or a configuration (:func:`earnest_mocks.catalogs.config.resolve_config`).
    out
        Folder of the set; absent, empty, or left unfinished by the same call.
    seed
        Seed of all random numbers.
    n_catalogs
        Number of catalogs, with ids from 0.
    catalogs_per_shard
        Catalogs in a file; default 512, or as many as fit into memory.
    executor
        Where shards are made; ``None`` makes them here.
    shard
        ``"i/N"``: only this part of the shards, for one job of an array.
    on_done
        Called with each finished shard.

    Returns
    -------
    The manifest of the finished set, or ``None`` while shards of other jobs are missing.

    Raises
    ------
    OutputExistsError
        If ``out`` holds anything else.
    InputError
        If the configuration cannot be used; nothing is written then.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     manifest = generate("paper", f"{folder}/mocks", seed=1, n_catalogs=3)
    >>> manifest.plan.n_catalogs
    3
    """
    return generate_from(
        make_source(resolve_config(config) if isinstance(config, str) else config, seed=seed),
        Path(out),
        n_catalogs=n_catalogs,
        catalogs_per_shard=catalogs_per_shard,
        executor=executor,
        shard=shard,
        on_done=on_done,
    )


def generate_from(
    source: MockSource,
    out: Path,
    *,
    n_catalogs: int,
    catalogs_per_shard: int | None = None,
    executor: Executor | None = None,
    shard: str | None = None,
    on_done: Callable[[Shard], Any] = lambda _: None,
) -> Manifest | None:
    """Write catalogs of a source that is already there; see :func:`generate`."""
    plan = mock_plan(source, n_catalogs=n_catalogs, catalogs_per_shard=catalogs_per_shard)
    mine = shard_slice(shard, plan.n_shards)
    writer = CatalogSetWriter.open(out, plan)
    missing = [index for index in writer.missing_shards() if index in mine]
    map_shards(_ShardMaker(source=source, writer=writer), missing, executor, on_done=on_done)
    return writer.finish()


def useful_workers(source: MockSource, *, n_catalogs: int, workers: int) -> int:
    """Return how many of some processes are worth their start; the catalogs are the same with any number."""
    return min(workers, 1 + int(n_catalogs * most_expected(source) / _PER_WORKER))


def statements(source: MockSource) -> list[str]:
    """Return what a reader must know of the base sample before using the mocks: redshift, cosmology, flux limit."""
    lines = [f"base sample moved from {source.base.evolution}"] if source.base.evolution else []
    if other := other_cosmology(source.sample, source.config.cosmology):
        lines.append(f"base sample of another cosmology: {other}")
    selection = source.config.survey.selection
    at_break = float(selection.log10_m_break_of(source.base.relations.l_x))
    if abs(at_break - selection.log10_m_break) > _SAME_BREAK:
        lines.append(
            f"survey.selection.log10_m_break = {selection.log10_m_break:g} is a flux limit, the luminosity that "
            f"survey.selection.l_x gives to that mass; by the base sample's relation it lies at {at_break:.3f}"
        )
    return lines


def mock_plan(source: MockSource, *, n_catalogs: int, catalogs_per_shard: int | None = None) -> Plan:
    """Return the plan of a set of mocks, which says what in it is emulated.

    Raises
    ------
    InputError
        If a shard of this size may be larger than memory.
    """
    fitting = max(1, int(MOST_CLUSTERS / most_expected(source)))
    if catalogs_per_shard is not None and min(catalogs_per_shard, n_catalogs) > fitting:
        raise InputError(
            f"catalogs_per_shard = {catalogs_per_shard} may make shards of more than {MOST_CLUSTERS:,} clusters, which "
            f"are made in memory; give {fitting} or less, or leave it out"
        )
    config = source.config
    inputs = {"base_sample": file_sha256(config.base_sample)} if config.base_sample else {}
    return Plan(
        kind="mock",
        preset=config.preset,
        seed=source.seed,
        n_catalogs=n_catalogs,
        catalogs_per_shard=min(CATALOGS_PER_SHARD, fitting) if catalogs_per_shard is None else catalogs_per_shard,
        config=source.plain_config(),
        cosmology=as_mapping(config.cosmology),
        radii=source.radii,
        synthetic=source.synthetic,
        inputs=inputs,
        base_sample=source.base.to_record(),
    )
