"""Supplementary columns that catalogs lack: which, and catalogs from which training withholds some."""

import itertools
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from earnest_model.data.arrays import Arrays

__all__ = ["NOTHING", "combinations", "lacking", "missing_in_words", "withhold", "without"]

NOTHING = "none"
"""What a catalog with all columns lacks."""
_PARTLY = 0.25
"""Share of withheld columns of which some clusters keep their value."""

BoolArray = npt.NDArray[np.bool_]


def combinations(n: int) -> list[tuple[bool, ...]]:
    """Return which of n columns are missing, in all combinations, none missing first.

    Examples
    --------
    >>> combinations(2)
    [(False, False), (False, True), (True, False), (True, True)]
    """
    return list(itertools.product([False, True], repeat=n))


def lacking(arrays: Arrays) -> BoolArray:
    """Return which supplementary inputs are missing for more than half of a catalog's clusters, shape (n_catalogs, k).

    Examples
    --------
    >>> nan = np.nan
    >>> arrays = Arrays(
    ...     encoder=np.zeros((3, 1), np.float32),
    ...     supplementary=np.array([[0, nan], [0, nan], [nan, 0]], np.float32),
    ...     counts=np.array([2, 1], np.int32),
    ...     labels=np.zeros((2, 1)),
    ... )
    >>> lacking(arrays).tolist()
    [[False, True], [True, False]]
    """
    missing = np.isnan(arrays.supplementary).astype(np.int64)
    sums = np.add.reduceat(missing, arrays.row_splits[:-1], axis=0)  # no catalog is empty
    found: BoolArray = 2 * sums > arrays.counts[:, None]
    return found


def missing_in_words(arrays: Arrays, columns: Sequence[str]) -> list[str]:
    """Return what each catalog lacks, in words; ``"none"`` where it has all.

    Examples
    --------
    >>> nan = np.nan
    >>> arrays = Arrays(
    ...     encoder=np.zeros((3, 1), np.float32),
    ...     supplementary=np.array([[0, nan], [0, 0], [nan, 0]], np.float32),
    ...     counts=np.array([2, 1], np.int32),
    ...     labels=np.zeros((2, 1)),
    ... )
    >>> missing_in_words(arrays, ("l_x", "m_wl"))
    ['m_wl of 1 of 2 clusters', 'l_x']
    """
    numbers = np.add.reduceat(np.isnan(arrays.supplementary).astype(np.int64), arrays.row_splits[:-1], axis=0)
    return [
        ", ".join(
            name if lost == n else f"{name} of {lost} of {n} clusters"
            for name, lost in zip(columns, row, strict=True)
            if lost
        )
        or NOTHING
        for row, n in zip(numbers.tolist(), arrays.counts.tolist(), strict=True)
    ]


def without(arrays: Arrays, missing: Sequence[bool]) -> Arrays:
    """Return the catalogs without some of their supplementary inputs."""
    if not any(missing):
        return arrays
    return replace(arrays, supplementary=np.where(np.asarray(missing), np.float32(np.nan), arrays.supplementary))


def withhold(arrays: Arrays, probability: float, rng: np.random.Generator) -> Arrays:
    """Return the catalogs, of which a share lack some of their supplementary inputs, every combination equally often.

    A quarter of the inputs that are withheld stay for a random part of the clusters, its share drawn evenly from 0 to
    1: a survey may have weak-lensing masses of some clusters alone.

    Parameters
    ----------
    arrays
        Catalogs.
    probability
        That a catalog lacks something.
    rng
        Random numbers.
    """
    n, k = arrays.n_catalogs, arrays.supplementary.shape[1]
    if not k:
        return arrays
    sets = np.array(combinations(k)[1:])
    gone = sets[rng.integers(len(sets), size=n)] & (rng.random(n) < probability)[:, None]
    share = np.where(gone, np.where(rng.random((n, k)) < _PARTLY, rng.random((n, k)), 1.0), 0.0)
    lost = rng.random(arrays.supplementary.shape) < np.repeat(share, arrays.counts, axis=0)
    return replace(arrays, supplementary=np.where(lost, np.float32(np.nan), arrays.supplementary))
