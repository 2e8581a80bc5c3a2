"""Which rows of a convolutional network change when one cluster is left out: index arrays alone, no tensors.

A catalog without its cluster r begins like the whole catalog and ends like the catalog without its first cluster
("headless"), since everything behind r moves up by one. After each level (a convolution over four rows, then pooling
of pairs) its rows are therefore those of the whole before some place, those of the headless from another place on,
and at most four of its own in between:

    begin' = (begin - 2) // 2,   end' = (end + 2) // 2,   starting from begin = end = r,

because row j of the next level reads rows 2 j - 1 ... 2 j + 3.
"""

from dataclasses import dataclass
from typing import final

import numpy as np
import numpy.typing as npt

__all__ = ["OWN_ROWS", "READ", "RemovalPlan", "plan_removals"]

IntArray = npt.NDArray[np.int64]

OWN_ROWS = 4
"""Most rows of a level that only one reduced catalog has."""

READ = 5
"""Rows that one row of the next level reads."""


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class RemovalPlan:
    """Where the rows of each level come from; row 0 of every level stands for the zeros around a catalog.

    Attributes
    ----------
    windows
        For each level, the rows of the level before (first: clusters, counted from 1) that its rows 1, 2, ... read,
        shape (n_rows, 5).
    first, last
        First and last row of the sequence that rows 0, 1, ... of the last level belong to, for the rows of whole and
        headless catalogs, shape (n_shared + 1,).
    before, behind
        Last row in front of a reduced catalog's own rows and first one behind them; 0 for none, shape (n_removals,).
    own
        Its own rows, 0 where there are fewer than four, shape (n_removals, 4).
    """

    windows: tuple[IntArray, ...]
    first: IntArray
    last: IntArray
    before: IntArray
    behind: IntArray
    own: IntArray


def plan_removals(counts: IntArray, catalog: IntArray, place: IntArray, *, levels: int) -> RemovalPlan:
    """Return the plan for leaving out some clusters, one at a time.

    Parameters
    ----------
    counts
        Clusters of each catalog, shape (n_catalogs,).
    catalog, place
        Catalog and position therein of each cluster to leave out, shape (n_removals,).
    levels
        Convolutions of the network.

    Examples
    --------
    >>> plan = plan_removals(np.array([4]), np.array([0]), np.array([1]), levels=1)
    >>> plan.windows[0].tolist()  # the whole catalog's two rows, the headless one's single row, one without cluster 1
    [[0, 1, 2, 3, 4], [2, 3, 4, 0, 0], [0, 2, 3, 4, 0], [0, 1, 3, 4, 0]]
    """
    level = _clusters(counts, catalog, place)
    windows = []
    for _ in range(levels):
        above = level.next()
        sequence, position = above.stored()
        windows.append(level.rows(sequence[:, None], 2 * position[:, None] + np.arange(-1, READ - 1)))
        level = above
    return _finish(level, tuple(windows))


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class _Level:
    """Rows of one level, for the sequences: whole catalogs, headless ones, and those without one cluster.

    A sequence of ``length`` rows stores those from ``begin`` to ``end``, the first of them as row ``start``; earlier
    ones are those of sequence ``whole``, later ones those of sequence ``headless``. The first ``n_shared`` store all.
    """

    n_shared: int
    whole: IntArray
    headless: IntArray
    length: IntArray
    begin: IntArray
    end: IntArray
    start: IntArray

    def next(self) -> "_Level":
        """Return the level that convolution and pooling make of this one."""
        length = self.length // 2
        begin = np.maximum((self.begin - 2) // 2, 0)
        end = np.minimum(np.where(self.end > 0, (self.end + 2) // 2, 0), length)
        begin[: self.n_shared], end[: self.n_shared] = 0, length[: self.n_shared]
        start = 1 + np.concatenate(([0], np.cumsum(end - begin)[:-1]))
        return _Level(
            n_shared=self.n_shared,
            whole=self.whole,
            headless=self.headless,
            length=length,
            begin=begin,
            end=end,
            start=start,
        )

    def stored(self) -> tuple[IntArray, IntArray]:
        """Return sequence and position of each stored row, in order."""
        kept = self.end - self.begin
        sequence = np.repeat(np.arange(len(kept)), kept)
        return sequence, np.arange(len(sequence)) + 1 - (self.start - self.begin)[sequence]

    def rows(self, sequence: IntArray, position: IntArray) -> IntArray:
        """Return the row at each position of each sequence, 0 outside of it."""
        begin, end = self.begin[sequence], self.end[sequence]
        row = (self.start - self.begin)[sequence] + position
        row = np.where(position < begin, self.start[self.whole[sequence]] + position, row)
        row = np.where(position >= end, self.start[self.headless[sequence]] + position, row)
        return np.where((position >= 0) & (position < self.length[sequence]), row, 0)


def _clusters(counts: IntArray, catalog: IntArray, place: IntArray) -> _Level:
    """Return the level of the input, whose rows are the clusters themselves, counted from 1."""
    n = len(counts)
    each, none = np.arange(n), np.zeros(n, dtype=np.int64)
    start = 1 + np.concatenate(([0], np.cumsum(counts)[:-1])).astype(np.int64)
    return _Level(
        n_shared=2 * n,
        whole=np.concatenate([each, each, catalog]),
        headless=np.concatenate([n + each, n + each, n + catalog]),
        length=np.concatenate([counts, np.maximum(counts - 1, 0), counts[catalog] - 1]),
        begin=np.concatenate([none, none, place]),
        end=np.concatenate([counts, np.maximum(counts - 1, 0), place]),
        start=np.concatenate([start, start + 1, start[catalog]]),
    )


def _finish(level: _Level, windows: tuple[IntArray, ...]) -> RemovalPlan:
    shared, removals = slice(level.n_shared), np.arange(level.n_shared, len(level.length))
    begin, end = level.begin[removals], level.end[removals]
    repeats = level.length[shared]
    own = begin[:, None] + np.arange(OWN_ROWS)
    return RemovalPlan(
        windows=windows,
        first=np.concatenate(([0], np.repeat(level.start[shared], repeats))),
        last=np.concatenate(([0], np.repeat(level.start[shared] + repeats - 1, repeats))),
        before=level.rows(removals, begin - 1),
        behind=level.rows(removals, end),
        own=np.where(own < end[:, None], level.rows(removals[:, None], own), 0),
    )
