"""Random generators that depend on the seed, the stage and the catalog alone, never on how work is divided."""

from collections.abc import Iterator
from enum import IntEnum
from itertools import pairwise
from typing import cast, final

import numpy as np
import numpy.typing as npt
from numpy.random.bit_generator import ISeedSequence

__all__ = ["Stage", "generator", "generators"]


class Stage(IntEnum):
    """The independent streams of random numbers; a value is never given a new meaning."""

    DESIGN = 0
    POPULATION = 1
    BASE_SAMPLE = 2
    SPLIT = 3
    TRAINING = 4
    SELF_CALIBRATION = 5
    RESAMPLING = 6
    PHOTONS = 7
    NOISE = 8
    SHUFFLING = 9
    WITHHOLDING = 10


def generator(seed: int, stage: Stage, index: int = 0) -> np.random.Generator:
    """Return the generator of one stage and one catalog (or other unit of work).

    Parameters
    ----------
    seed
        The user's seed, not negative.
    stage
        The stream.
    index
        The catalog id, or another number that names the unit of work.

    Examples
    --------
    >>> a, b = (generator(1, Stage.POPULATION, index=7).random() for _ in range(2))
    >>> a == b
    True
    """
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=(int(stage), index))))


def generators(seed: int, stage: Stage, indices: npt.NDArray[np.int64]) -> Iterator[np.random.Generator]:
    """Yield the generators of many units of work: those of :func:`generator`, ten times as fast.

    Parameters
    ----------
    seed, stage
        As for :func:`generator`.
    indices
        Numbers of the units of work, none negative, shape (n,).

    Examples
    --------
    >>> [rng.random() for rng in generators(1, Stage.NOISE, np.array([7]))] == [generator(1, Stage.NOISE, 7).random()]
    True
    """
    if np.any(indices >= 2**32):  # two words of entropy
        yield from (generator(seed, stage, index) for index in indices.tolist())
        return
    for words in _seed_words(seed, stage, indices):
        # NumPy documents that any ISeedSequence will do; its type stubs name the one it ships.
        yield np.random.Generator(np.random.PCG64(cast(np.random.SeedSequence, _Known(words))))


@final
class _Known(ISeedSequence):
    """A seed sequence whose words were computed elsewhere."""

    def __init__(self, words: npt.NDArray[np.uint64]) -> None:
        self._words = words

    def generate_state(self, n_words: int, dtype: npt.DTypeLike = np.uint32) -> npt.NDArray[np.uint64]:
        return self._words


# What follows is NumPy's SeedSequence (O'Neill's seed_seq_fe128), whose results NumPy promises to keep, for many
# indices in one pass: made one by one, the generators were a third of a catalog's cost.
_POOL = 4
_MASK = 2**32 - 1


def _seed_words(seed: int, stage: Stage, indices: npt.NDArray[np.int64]) -> npt.NDArray[np.uint64]:
    """Return the four words of ``SeedSequence(seed, spawn_key=(stage, index))`` for each index, shape (n, 4)."""
    n_words = max(_POOL, -(-seed.bit_length() // 32))
    known = [seed >> 32 * i & _MASK for i in range(n_words)] + [int(stage)]
    entropy = [*(np.full(len(indices), word, dtype=np.uint32) for word in known), indices.astype(np.uint32)]
    hashes = pairwise(_powers(0x43B0D7E5, 0x931E8875))
    pool = [_hashed(word, next(hashes)) for word in entropy[:_POOL]]
    for source in range(_POOL):
        for target in (i for i in range(_POOL) if i != source):
            pool[target] = _mixed(pool[target], _hashed(pool[source], next(hashes)))
    for word in entropy[_POOL:]:
        pool = [_mixed(old, _hashed(word, next(hashes))) for old in pool]
    hashes = pairwise(_powers(0x8B51F9DD, 0x58F38DED))
    halves = [_hashed(pool[i % _POOL], next(hashes)) for i in range(2 * _POOL)]
    return np.stack(halves, axis=1).astype("<u4").view("<u8").astype(np.uint64)


def _powers(start: int, factor: int) -> Iterator[int]:
    while True:
        yield start
        start = start * factor & _MASK


def _hashed(words: npt.NDArray[np.uint32], constants: tuple[int, int]) -> npt.NDArray[np.uint32]:
    words = (words ^ np.uint32(constants[0])) * np.uint32(constants[1])
    return words ^ words >> np.uint32(16)


def _mixed(words: npt.NDArray[np.uint32], others: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
    words = words * np.uint32(0xCA01F9DD) - others * np.uint32(0x4973F715)
    return words ^ words >> np.uint32(16)
