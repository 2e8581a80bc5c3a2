"""Where training catalogs come from: a live source or a catalog set, always a little ahead of the optimiser.

What round number r holds depends on the seed and r alone, so that an interrupted training goes on exactly.
"""

import dataclasses
import functools
import itertools
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, TypeVar, final

import numpy as np
import numpy.typing as npt
import polars as pl
from earnest_common.catalogs import CatalogSet
from earnest_common.catalogs.batch import CatalogBatch, concat
from earnest_common.errors import InputError
from earnest_common.protocols import CatalogSource
from earnest_common.run.seeds import Stage, generator

from earnest_model.data.arrays import Arrays, join
from earnest_model.data.label_checks import refuse_outside_prior

__all__ = [
    "CLUSTERS_AT_A_TIME",
    "AbstractFeed",
    "FixedFeed",
    "LiveFeed",
    "Load",
    "MemberFeed",
    "SetFeed",
    "Sizes",
    "ahead",
]

T = TypeVar("T")
IntArray = npt.NDArray[np.int64]
ToArrays = Callable[[CatalogBatch], Arrays]

_FIRST_TRAINING_ID = 2**32
"""Live catalogs have ids far from those of any set: a set of the same seed is never trained on by accident."""
_FIRST_VALIDATION_ID = 2**40
_SMALLEST_SAMPLE = 1024
_ROUNDS_OF_MEMBER = 2**15
"""Members of an ensemble begin so many rounds apart: a million steps, and room for 1,000 members."""
CLUSTERS_AT_A_TIME = 200_000
"""Live catalogs are drawn in parts: while they are made, each cluster takes some 2 kB."""
_PERIOD = 10
"""Sources may give a catalog its split by the last digit of its id; a probe finds out."""


class Sizes(Protocol):
    """What a recipe says of its catalogs, see :class:`earnest_model.config.FastRecipe`."""

    @property
    def chunk_catalogs(self) -> int:
        """Fresh catalogs that are drawn at a time."""

    @property
    def passes(self) -> int:
        """Rounds in which each of them is used."""

    @property
    def n_validation(self) -> int:
        """Validation catalogs drawn from a live source."""

    @property
    def memory_clusters(self) -> int:
        """Clusters of a set that are held in memory."""


class AbstractFeed(ABC):
    """A supply of training catalogs in rounds, and of validation catalogs."""

    @property
    @abstractmethod
    def radii(self) -> tuple[float, ...]:
        """Radii of the gas profiles in units of R_500c."""

    @property
    def n_training(self) -> int | None:
        """Number of training catalogs, the same in every round; ``None`` where fresh ones never end."""
        return None

    @abstractmethod
    def identity(self) -> dict[str, Any]:
        """Return what determines the catalogs, ready for JSON."""

    @abstractmethod
    def sample(self) -> CatalogBatch:
        """Return training catalogs on which scalings are measured."""

    @abstractmethod
    def validation(self) -> Iterator[CatalogBatch]:
        """Yield catalogs that are never trained on, in parts of bounded size."""

    @property
    @abstractmethod
    def load(self) -> "Load":
        """What has to be held in memory, before anything is."""

    @abstractmethod
    def rounds(self, first: int, to_arrays: ToArrays) -> Iterator[Arrays]:
        """Yield shuffled training catalogs without end, from round number ``first`` on."""


@final
@dataclass(frozen=True, kw_only=True)
class Load:
    """Numbers of clusters, expected where catalogs are not drawn yet.

    Attributes
    ----------
    sample, validation
        In the catalogs on which scalings are measured, and in those for validation.
    round
        In one round of training.
    per_catalog
        In one catalog.
    """

    sample: int
    validation: int
    round: int
    per_catalog: float


@final
class LiveFeed(AbstractFeed):
    """Fresh catalogs of a live source.

    Round r trains on the chunks r - passes + 1 to r, so that each catalog is used ``passes`` times. Where the source
    assigns splits, only its training catalogs are trained on and only its validation catalogs looked at.

    Parameters
    ----------
    source
        The source; which catalogs it makes depends on its own seed and on the ids.
    recipe
        Sizes of chunks and of the validation sample.
    seed
        Seed of the order.
    """

    def __init__(self, source: CatalogSource, recipe: Sizes, *, seed: int) -> None:
        self._source, self._recipe, self._seed = source, recipe, seed
        probe = source.batch(_FIRST_VALIDATION_ID // _PERIOD * _PERIOD - 3 * _PERIOD + np.arange(3 * _PERIOD))
        self._digits = _digits_by_split(probe)
        self._per_catalog = max(1.0, probe.n_clusters / probe.n_catalogs)

    @property
    def radii(self) -> tuple[float, ...]:
        """Radii of the gas profiles in units of R_500c."""
        return tuple(self._source.radii)

    def identity(self) -> dict[str, Any]:
        """Return what determines the catalogs, ready for JSON."""
        return {"live": dict(self._source.provenance())}

    @property
    def load(self) -> Load:
        """What has to be held in memory; numbers of clusters are those of some catalogs."""
        catalogs = {
            "sample": max(self._recipe.chunk_catalogs, _SMALLEST_SAMPLE),
            "validation": self._recipe.n_validation,
            "round": self._recipe.chunk_catalogs * self._recipe.passes,
        }
        clusters = {name: int(n * self._per_catalog) for name, n in catalogs.items()}
        return Load(per_catalog=self._per_catalog, **clusters)

    def sample(self) -> CatalogBatch:
        """Return the first training catalogs, at least so many that their labels span the prior."""
        return self.first(max(self._recipe.chunk_catalogs, _SMALLEST_SAMPLE))

    def first(self, n: int) -> CatalogBatch:
        """Return the first ``n`` training catalogs."""
        return concat(list(self._draw("train", first=_FIRST_TRAINING_ID, start=0, n=n)))

    def validation(self) -> Iterator[CatalogBatch]:
        """Yield catalogs with ids that training never draws."""
        return self._draw("validation", first=_FIRST_VALIDATION_ID, start=0, n=self._recipe.n_validation)

    def rounds(self, first: int, to_arrays: ToArrays) -> Iterator[Arrays]:
        """Yield shuffled training catalogs without end, from round number ``first`` on."""
        passes = self._recipe.passes
        window: deque[Arrays] = deque(maxlen=passes)
        window.extend(self._chunk(chunk, to_arrays) for chunk in range(max(0, first - passes + 1), first))
        for number in itertools.count(first):
            window.append(self._chunk(number, to_arrays))
            yield _shuffled(join(list(window)), self._seed, number)

    def _chunk(self, number: int, to_arrays: ToArrays) -> Arrays:
        size = self._recipe.chunk_catalogs
        parts = self._draw("train", first=_FIRST_TRAINING_ID, start=number * size, n=size)
        return join([to_arrays(part) for part in parts if part.n_catalogs])

    def _draw(self, split: str, *, first: int, start: int, n: int) -> Iterator[CatalogBatch]:
        """Yield the catalogs number ``start`` to ``start + n`` of a split, without those of other splits."""
        digits = self._digits[split]
        step = max(1, int(CLUSTERS_AT_A_TIME / self._per_catalog))
        for begin in range(start, start + n, step):
            number = np.arange(begin, min(begin + step, start + n), dtype=np.int64)
            tens, place = np.divmod(number, len(digits))
            batch = self._source.batch((first // _PERIOD + tens) * _PERIOD + digits[place])
            yield batch.select((batch.catalogs.get_column("split") == split).fill_null(value=True).to_numpy())


@final
class FixedFeed(AbstractFeed):
    """The first catalogs of a live source, over and over.

    Parameters
    ----------
    live
        The fresh catalogs.
    n
        How many of them are trained on.
    seed
        Seed of the order.
    """

    def __init__(self, live: LiveFeed, *, n: int, seed: int) -> None:
        self._live, self._n, self._seed = live, n, seed

    @property
    def radii(self) -> tuple[float, ...]:
        """Radii of the gas profiles in units of R_500c."""
        return self._live.radii

    @property
    def n_training(self) -> int:
        """Number of training catalogs."""
        return self.sample().n_catalogs

    def identity(self) -> dict[str, Any]:
        """Return what determines the catalogs, ready for JSON."""
        return {**self._live.identity(), "first": self._n}

    def sample(self) -> CatalogBatch:
        """Return all training catalogs."""
        return self._catalogs

    @functools.cached_property
    def _catalogs(self) -> CatalogBatch:
        return self._live.first(self._n)

    def validation(self) -> Iterator[CatalogBatch]:
        """Yield catalogs with ids that training never draws."""
        return self._live.validation()

    @property
    def load(self) -> Load:
        """What has to be held in memory: all catalogs, all the time."""
        load = self._live.load
        everything = int(self._n * load.per_catalog)
        return dataclasses.replace(load, sample=everything, round=everything)

    def rounds(self, first: int, to_arrays: ToArrays) -> Iterator[Arrays]:
        """Yield all training catalogs in another order each time, without end."""
        everything = to_arrays(self.sample())
        for number in itertools.count(first):
            yield _shuffled(everything, self._seed, number)


@final
class MemberFeed(AbstractFeed):
    """Training catalogs of one member of an ensemble: others, or in another order, than those of other members.

    All members share the catalogs on which scalings are measured and those for validation.

    Parameters
    ----------
    feed
        The catalogs of the first member.
    number
        Which member this is, from 0.
    """

    def __init__(self, feed: AbstractFeed, number: int) -> None:
        self._feed, self._number = feed, number

    @property
    def radii(self) -> tuple[float, ...]:
        """Radii of the gas profiles in units of R_500c."""
        return self._feed.radii

    @property
    def n_training(self) -> int | None:
        """Number of training catalogs, ``None`` where fresh ones never end."""
        return self._feed.n_training

    def identity(self) -> dict[str, Any]:
        """Return what determines the catalogs, ready for JSON."""
        return {**self._feed.identity(), "member": self._number}

    def sample(self) -> CatalogBatch:
        """Return training catalogs on which scalings are measured."""
        return self._feed.sample()

    def validation(self) -> Iterator[CatalogBatch]:
        """Yield catalogs that no member is trained on."""
        return self._feed.validation()

    @property
    def load(self) -> Load:
        """What has to be held in memory."""
        return self._feed.load

    def rounds(self, first: int, to_arrays: ToArrays) -> Iterator[Arrays]:
        """Yield shuffled training catalogs without end, from round number ``first`` of this member on."""
        return self._feed.rounds(first + self._number * _ROUNDS_OF_MEMBER, to_arrays)


def _digits_by_split(probe: CatalogBatch) -> dict[str, IntArray]:
    """Return the last digits of the ids that a source gives to each split; all digits where there is no pattern."""
    digits = np.arange(probe.n_catalogs) % _PERIOD
    splits = probe.catalogs.get_column("split").fill_null("").to_numpy()
    uses = {}
    for split in ("train", "validation"):
        always = [d for d in range(_PERIOD) if (splits[digits == d] == split).all()]
        uses[split] = np.array(always or list(range(_PERIOD)), dtype=np.int64)
    return uses


@final
class SetFeed(AbstractFeed):
    """The catalogs of a set, by its splits.

    A set that fits in memory is read once and a round is one pass over it. A larger one is read in groups of shards,
    in an order that changes with every pass, and a round is one group.

    Parameters
    ----------
    catalog_set
        A set with the splits train and validation.
    recipe
        How many clusters are held in memory.
    seed
        Seed of the order.
    """

    def __init__(self, catalog_set: CatalogSet, recipe: Sizes, *, seed: int) -> None:
        self._set, _ = catalog_set.without_empty()
        self._recipe, self._seed = recipe, seed
        self._in_memory = catalog_set.manifest.n_clusters <= recipe.memory_clusters
        found = set(catalog_set.scan_catalogs().select("split").unique().collect().get_column("split").to_list())
        if missing := {"train", "validation"} - found:
            raise InputError(
                f"catalog set {catalog_set.path} has no catalogs of split {' and '.join(sorted(missing))}; divide it "
                "with: earnest catalogs split"
            )
        refuse_outside_prior(catalog_set)

    @property
    def radii(self) -> tuple[float, ...]:
        """Radii of the gas profiles in units of R_500c."""
        return tuple(self._set.manifest.plan.radii)

    @property
    def n_training(self) -> int:
        """Number of training catalogs."""
        return self._count("train")

    def _count(self, split: str) -> int:
        chosen = self._set.scan_catalogs().filter((pl.col("split") == split) & (pl.col("n_clusters") > 0))
        return int(chosen.select(pl.len()).collect().item())

    def identity(self) -> dict[str, Any]:
        """Return what determines the catalogs, ready for JSON."""
        plan = self._set.manifest.plan
        told: dict[str, Any] = {"preset": plan.preset, "seed": plan.seed, "synthetic": plan.synthetic}
        if own := plan.inputs.get("base_sample"):
            told["inputs"] = {"base_sample": own}
        return {"set": {"data_hash": self._set.manifest.data_hash, **told}}

    def sample(self) -> CatalogBatch:
        """Return all training catalogs, or the first group of a large set."""
        return self._set.read(split="train") if self._in_memory else self._group(0)

    def validation(self) -> Iterator[CatalogBatch]:
        """Yield validation catalogs, of a large set no more than the recipe asks for."""
        left = self._n_validation
        for batch in self._set.batches(split="validation"):
            yield batch.select(np.arange(min(left, batch.n_catalogs)))
            left -= min(left, batch.n_catalogs)
            if not left:
                return

    @property
    def load(self) -> Load:
        """What has to be held in memory; all splits are taken to have catalogs of the same size."""
        manifest = self._set.manifest
        per_catalog = manifest.n_clusters / manifest.plan.n_catalogs
        training = int(self.n_training * per_catalog)
        held = training if self._in_memory else min(training, self._recipe.memory_clusters)
        validation = int(self._n_validation * per_catalog)
        return Load(sample=held, validation=validation, round=held, per_catalog=per_catalog)

    @property
    def _n_validation(self) -> int:
        there = self._count("validation")
        return there if self._in_memory else min(there, self._recipe.n_validation)

    def rounds(self, first: int, to_arrays: ToArrays) -> Iterator[Arrays]:
        """Yield shuffled training catalogs without end, from round number ``first`` on."""
        everything = join([to_arrays(b) for b in self._set.batches(split="train")]) if self._in_memory else None
        for number in itertools.count(first):
            arrays = to_arrays(self._group(number)) if everything is None else everything
            yield _shuffled(arrays, self._seed, number)

    def _group(self, number: int) -> CatalogBatch:
        """Return the training catalogs of one group of shards; every pass groups the shards anew."""
        manifest = self._set.manifest
        n_groups = min(-(-manifest.n_clusters // self._recipe.memory_clusters), len(manifest.shards))
        one_pass, place = divmod(number, n_groups)
        order = generator(self._seed, Stage.TRAINING, 2 * one_pass + 3).permutation(len(manifest.shards))
        shards = [self._set.shard(int(index)) for index in np.array_split(order, n_groups)[place]]
        usable = [
            (s.catalogs["split"] == "train").fill_null(value=False) & (s.catalogs["n_clusters"] > 0) for s in shards
        ]
        return concat([shard.select(chosen.to_numpy()) for shard, chosen in zip(shards, usable, strict=True)])


def _shuffled(arrays: Arrays, seed: int, number: int) -> Arrays:
    return arrays.take(generator(seed, Stage.TRAINING, 2 * number + 2).permutation(arrays.n_catalogs))


def ahead(items: Iterator[T]) -> Iterator[T]:
    """Yield the items of an iterator while a thread, as numerical code lets it, already makes the next one."""
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="feed") as pool:
        take = partial(next, items)
        coming = pool.submit(take)
        while True:
            try:
                item = coming.result()
            except StopIteration:
                return
            coming = pool.submit(take)
            yield item
