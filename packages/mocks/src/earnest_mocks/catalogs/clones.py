"""Clones: how often donors are used again, and whether a cluster's profile gives its donor away."""

from dataclasses import asdict, dataclass
from typing import Any, final

import numpy as np
import polars as pl
from earnest_common.arrays import FloatArray, IntArray
from earnest_common.catalogs import CatalogSet
from earnest_common.catalogs.batch import CatalogBatch
from earnest_common.errors import InputError
from earnest_common.schema import SPLITS
from scipy.spatial import cKDTree

__all__ = ["CloneReport", "Neighbours", "clone_report", "neighbours_of", "profile_shapes"]

_CATALOGS_COMPARED = 300
_QUERIES = 2000


@final
@dataclass(frozen=True, kw_only=True)
class CloneReport:
    """How clones stand out in a set of mocks; distances are rms differences per coordinate in units of the spread.

    Attributes
    ----------
    n_clusters, n_donors
        Clusters of the set, and donors that lent to at least one of them.
    largest_reuse, mean_reuse
        Clusters made from the most used donor, and from a donor on average.
    largest_reuse_in_a_catalog
        The most clusters of one catalog that share a donor.
    overlap
        For validation and test: the share of clusters whose donor also lent to a training cluster.
    clone_distance
        Median distance in profile shape between a cluster and the nearest clone of its donor in other catalogs.
    stranger_distance
        The same to the nearest cluster of another donor.
    noise_distance
        Expected distance of two measurements of one cluster with the set's errors.
    recognised
        Share of clusters whose nearest neighbour in other catalogs has the same donor: 1 means that the profile names
        the donor.
    chance
        The same if neighbours were drawn at random.
    """

    n_clusters: int
    n_donors: int
    largest_reuse: int
    mean_reuse: float
    largest_reuse_in_a_catalog: int
    overlap: dict[str, float]
    clone_distance: float
    stranger_distance: float
    noise_distance: float
    recognised: float
    chance: float

    def to_dict(self) -> dict[str, Any]:
        """Return the report for JSON."""
        return asdict(self)


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Neighbours:
    """Nearest neighbours in profile shape of some clusters among the clusters of other catalogs.

    Attributes
    ----------
    clone, stranger
        Distance to the nearest cluster of the same and of another donor, shape (n,); infinite if there is none.
    noise
        Expected distance of two measurements of one cluster.
    chance
        Probability that two clusters share a donor.
    """

    clone: FloatArray
    stranger: FloatArray
    noise: float
    chance: float

    @property
    def recognised(self) -> float:
        """Share of clusters whose nearest neighbour has the same donor."""
        return float(np.mean(self.clone < self.stranger))


def clone_report(opened: CatalogSet) -> tuple[CloneReport, Neighbours]:
    """Return how often donors of a set are used again and how well their clones can be recognised.

    Raises
    ------
    InputError
        If the clusters have no donors or there are fewer than two catalogs.
    """
    catalogs = opened.scan_catalogs().select("catalog_id", "split")
    uses = (
        opened.scan_clusters("catalog_id", "donor_id")
        .drop_nulls("donor_id")
        .join(catalogs, on="catalog_id")
        .group_by("catalog_id", "split", "donor_id")
        .len()
        .collect()
    )
    if not uses.height:
        raise InputError(f"{opened.path}: no cluster has a donor_id, so nothing is known about clones")
    by_donor = uses.group_by("donor_id").agg(pl.col("len").sum())
    near = neighbours_of(opened.read(limit=_CATALOGS_COMPARED), _noise_of(opened))
    report = CloneReport(
        n_clusters=int(uses["len"].sum()),
        n_donors=by_donor.height,
        largest_reuse=int(by_donor["len"].max()),  # type: ignore[arg-type]  # a column of integers
        mean_reuse=float(by_donor["len"].mean()),  # type: ignore[arg-type]
        largest_reuse_in_a_catalog=int(uses["len"].max()),  # type: ignore[arg-type]
        overlap=_overlap(uses),
        clone_distance=float(np.median(near.clone)),
        stranger_distance=float(np.median(near.stranger)),
        noise_distance=near.noise,
        recognised=near.recognised,
        chance=near.chance,
    )
    return report, near


def neighbours_of(batch: CatalogBatch, noise: dict[str, float]) -> Neighbours:
    """Return the nearest neighbours of clusters of every second catalog among those of the others.

    Only catalogs of one split are compared, for others may have other donors.

    Raises
    ------
    InputError
        If there are fewer than two such catalogs with clusters.
    """
    batch = _largest_split(batch)
    odd = (batch.segment_ids % 2).astype(bool)
    if not odd.any() or odd.all():
        raise InputError(f"clones are sought between catalogs; found {batch.n_catalogs} with clusters in one split")
    shapes = profile_shapes(batch)
    spread = shapes.std(axis=0)
    scaled = shapes / np.where(spread > 0, spread, 1.0) / np.sqrt(shapes.shape[1])
    donor = batch.column("donor_id")
    queries = np.flatnonzero(odd)
    queries = queries[:: -(-len(queries) // _QUERIES)]
    clone, stranger = _nearest(scaled[~odd], donor[~odd], scaled[queries], donor[queries])
    shares = np.unique(donor[~odd], return_counts=True)[1] / (~odd).sum()
    relative = _shape_errors(batch, noise) / np.where(spread > 0, spread, 1.0)
    return Neighbours(
        clone=clone,
        stranger=stranger,
        noise=float(np.sqrt(2 * np.mean(relative**2))),
        chance=float(np.sum(shares**2)),
    )


def profile_shapes(batch: CatalogBatch) -> FloatArray:
    """Return what a clone keeps of its donor: ln of the shells' shares of the gas, and the slopes, shape (n, 2k).

    Shells, not enclosed masses: their errors are independent.
    """
    mass = batch.column("m_gas_profile").astype(np.float64)
    share = np.diff(mass, axis=1, prepend=0.0) / batch.column("m_gas")[:, None]
    return np.concatenate([np.log(share), batch.column("gas_slope_profile").astype(np.float64)], axis=1)


def _shape_errors(batch: CatalogBatch, noise: dict[str, float]) -> FloatArray:
    """Return the rms error of each coordinate of the shapes, shape (2k,); see ``measurement_errors.measured``."""
    mass = batch.column("m_gas_profile").astype(np.float64)
    shells = np.diff(mass, axis=1, prepend=0.0)
    of_shells = noise.get("m_gas_profile", 0.0) * np.sqrt(np.mean((2 * mass - shells) / shells, axis=0))
    return np.concatenate([of_shells, np.full(mass.shape[1], noise.get("gas_slope_profile", 0.0))])


def _nearest(
    known: FloatArray, known_donor: IntArray, wanted: FloatArray, wanted_donor: IntArray
) -> tuple[FloatArray, FloatArray]:
    """Return the distances to the nearest cluster of the same and of another donor."""
    clone, stranger = np.full(len(wanted), np.inf), np.full(len(wanted), np.inf)
    order = np.argsort(known_donor, kind="stable")
    donors, begin = np.unique(known_donor[order], return_index=True)
    members = dict(zip(donors.tolist(), np.split(order, begin[1:]), strict=True))
    longest = max(len(rows) for rows in members.values())
    # Beyond as many neighbours as the most used donor has clones there is always a stranger.
    distance, index = cKDTree(known).query(wanted, k=min(longest + 1, len(known)))
    for i, (point, donor) in enumerate(zip(wanted, wanted_donor.tolist(), strict=True)):
        if donor in members:
            clone[i] = np.sqrt(np.min(np.sum((known[members[donor]] - point) ** 2, axis=1)))
        others = np.flatnonzero(known_donor[np.atleast_1d(index[i])] != donor)
        if len(others):
            stranger[i] = np.atleast_1d(distance[i])[others[0]]
    return clone, stranger


def _largest_split(batch: CatalogBatch) -> CatalogBatch:
    split = batch.catalogs.get_column("split")
    if split.null_count():
        return batch
    largest = split.value_counts(sort=True)["split"][0]
    return batch.select((split == largest).to_numpy())


def _overlap(uses: pl.DataFrame) -> dict[str, float]:
    trained = uses.filter(pl.col("split") == SPLITS[0])["donor_id"].unique()
    shares = {}
    for name in SPLITS[1:]:
        here = uses.filter(pl.col("split") == name)
        if here.height:
            known = here.filter(pl.col("donor_id").is_in(trained.implode()))
            shares[name] = float(known["len"].sum()) / float(here["len"].sum())
    return shares


def _noise_of(opened: CatalogSet) -> dict[str, float]:
    found: dict[str, float] = opened.manifest.plan.config.get("noise", {})
    return found
