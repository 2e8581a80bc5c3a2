"""Leave-group-out: how the inferred sigma8 moves when all clusters of a mass bin, or a random share, are taken away."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import final

import numpy as np
import numpy.typing as npt
import polars as pl
from earnest_common.arrays import FloatArray, IntArray
from earnest_common.catalogs.batch import CatalogBatch
from earnest_common.run.seeds import Stage, generator

from earnest_interpret.analyses.leave_one_out.removal import BENCHMARKS
from earnest_interpret.responses.responses import Responses
from earnest_interpret.sample import MassAxis

__all__ = ["FRACTIONS", "GroupRemoval", "leave_group_out", "leave_groups_out", "without"]

FRACTIONS = (0.1, 0.25, 0.5)
"""Random shares of a catalog that are taken away."""

MASS_EDGES = (-np.inf, *BENCHMARKS, np.inf)
"""Edges of mass bins, log10 [solMass]: the benchmark masses of leave-one-out."""

BoolArray = npt.NDArray[np.bool_]


def without(batch: CatalogBatch, removed: BoolArray) -> CatalogBatch:
    """Return the catalogs without some clusters; ranks count from 0 again.

    Parameters
    ----------
    batch
        The catalogs.
    removed
        Which clusters go, shape (n_clusters,).

    Examples
    --------
    >>> from earnest_common.testing import toy_batch
    >>> batch = toy_batch(n_catalogs=2, seed=1)
    >>> without(batch, batch.column("rank") == 0).n_clusters == batch.n_clusters - 2
    True
    """
    kept = ~removed
    counts = np.bincount(batch.segment_ids[kept], minlength=batch.n_catalogs)
    rank = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    return CatalogBatch(
        catalogs=batch.catalogs.with_columns(pl.Series("n_clusters", counts, dtype=pl.Int64)),
        clusters=batch.clusters.filter(pl.Series(kept)).with_columns(pl.Series("rank", rank, dtype=pl.Int64)),
        radii=batch.radii,
    )


def leave_group_out(responses: Responses, removed: BoolArray) -> FloatArray:
    """Return sigma8 without some clusters minus sigma8 with all, per catalog.

    A catalog is used if it loses a cluster and keeps at least as many as the smallest catalog of the batch,
    which the estimator can read; the others are NaN.

    Parameters
    ----------
    responses
        What the model answers to the catalogs.
    removed
        Which clusters go, shape (n_clusters,).

    Returns
    -------
    numpy.ndarray
        Change of sigma8, shape (n_catalogs,).
    """
    batch = responses.batch
    sizes = np.diff(batch.row_splits)
    lost = np.bincount(batch.segment_ids[removed], minlength=batch.n_catalogs)
    used = (lost > 0) & (sizes - lost >= max(int(sizes.min(initial=1)), 1))
    delta = np.full(batch.n_catalogs, np.nan)
    if used.any():
        reduced = without(batch.select(used), removed[used[batch.segment_ids]])
        delta[used] = replace(responses, batch=reduced).sigma8 - responses.sigma8[used]
    return delta


@final
@dataclass(frozen=True, kw_only=True)
class GroupRemoval:
    """What taking one group away does.

    Attributes
    ----------
    kind
        ``mass`` or ``random``.
    low, high
        Edges of the mass bin, log10 [solMass], or the share that goes, twice.
    n_catalogs
        Catalogs that could be used.
    removed
        Mean number of clusters taken from each.
    median, low68, high68
        Quantiles of the change of sigma8 over catalogs.
    """

    kind: str
    low: float
    high: float
    n_catalogs: int
    removed: float
    median: float
    low68: float
    high68: float


def leave_groups_out(
    responses: Responses,
    axis: MassAxis | None,
    *,
    edges: Sequence[float] = MASS_EDGES,
    fractions: Sequence[float] = FRACTIONS,
    seed: int = 1,
) -> tuple[GroupRemoval, ...]:
    """Return what taking each mass bin and each random share away does; groups that no catalog can lose are left out.

    Parameters
    ----------
    responses
        What the model answers to the catalogs.
    axis
        Masses of the clusters; without them only random shares go.
    edges
        Edges of mass bins, log10 [solMass].
    fractions
        Random shares.
    seed
        Seed of the random choice.
    """
    batch = responses.batch
    groups: list[tuple[str, float, float, BoolArray]] = []
    if axis is not None:
        place = np.digitize(axis.log10_m, edges) - 1
        groups += [("mass", low, high, place == k) for k, (low, high) in enumerate(itertools.pairwise(edges))]
    rank = _random_rank(batch, seed)
    sizes = np.diff(batch.row_splits)[batch.segment_ids]
    groups += [("random", share, share, rank < np.round(share * sizes)) for share in fractions]
    found = []
    for kind, low, high, removed in groups:
        delta = leave_group_out(responses, removed)
        known = np.isfinite(delta)
        if known.any():
            lost = np.bincount(batch.segment_ids[removed], minlength=batch.n_catalogs)[known]
            found.append(_removal(kind, (low, high), float(lost.mean()), delta[known]))
    return tuple(found)


def _random_rank(batch: CatalogBatch, seed: int) -> IntArray:
    """Return the place of each cluster in a random order of its catalog, shape (n_clusters,)."""
    key = generator(seed, Stage.RESAMPLING, index=3).random(batch.n_clusters)
    order = np.lexsort((key, batch.segment_ids))
    rank = np.empty(batch.n_clusters, dtype=np.int64)
    rank[order] = np.arange(batch.n_clusters) - batch.row_splits[batch.segment_ids]
    return rank


def _removal(kind: str, edges: tuple[float, float], removed: float, delta: FloatArray) -> GroupRemoval:
    low, median, high = np.quantile(delta, [0.16, 0.5, 0.84]).tolist()
    return GroupRemoval(
        kind=kind,
        low=float(edges[0]),
        high=float(edges[1]),
        n_catalogs=len(delta),
        removed=removed,
        median=median,
        low68=low,
        high68=high,
    )
