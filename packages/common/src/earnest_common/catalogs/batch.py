"""Catalogs in memory: the two tables of some catalogs, checked to belong together."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import numpy.typing as npt
import polars as pl

from earnest_common.errors import SchemaError
from earnest_common.notebook import html_table, plural
from earnest_common.schema import CATALOGS, CLUSTERS, RADII_R500C, check, conform

__all__ = ["CatalogBatch", "concat"]

IntArray = npt.NDArray[np.int64]


@final
@dataclass(frozen=True, kw_only=True)
class CatalogBatch:
    """Some catalogs and their clusters.

    Attributes
    ----------
    catalogs
        One row per catalog (schema ``CATALOGS``).
    clusters
        One row per cluster (schema ``CLUSTERS``), in the order of ``catalogs`` and by rank within each.
    radii
        Radii of the gas profiles in units of R_500c.

    Examples
    --------
    >>> from earnest_common.testing import toy_batch
    >>> batch = toy_batch(n_catalogs=3, seed=1)
    >>> int(batch.row_splits[-1]) == batch.n_clusters
    True
    >>> batch
    CatalogBatch(3 catalogs, 209 clusters, split train+validation, survey toy)
    """

    catalogs: pl.DataFrame
    clusters: pl.DataFrame
    radii: tuple[float, ...] = RADII_R500C

    def __repr__(self) -> str:
        """Return one line: how many catalogs and clusters, of which split and survey."""
        parts = [plural(self.n_catalogs, "catalog"), plural(self.n_clusters, "cluster")]
        parts += [f"{name} {self._values(name)}" for name in ("split", "survey")]
        return f"CatalogBatch({', '.join(parts)})"

    def _repr_html_(self) -> str:
        rows: dict[str, Any] = {"catalogs": self.n_catalogs, "clusters": self.n_clusters}
        rows |= {name: self._values(name) for name in ("split", "survey")}
        return html_table("CatalogBatch", {**rows, "radii [R_500c]": self.radii})

    def _values(self, name: str) -> str:
        """Return the values of a column of text, in words."""
        known = self.catalogs.get_column(name).unique().sort().to_list()
        return "+".join("unknown" if value is None else str(value) for value in known) or "unknown"

    @property
    def n_catalogs(self) -> int:
        """The number of catalogs."""
        return self.catalogs.height

    @property
    def n_clusters(self) -> int:
        """The number of clusters in all catalogs."""
        return self.clusters.height

    @property
    def row_splits(self) -> IntArray:
        """Where each catalog's clusters begin and end, shape (n_catalogs + 1,)."""
        counts = self.catalogs.get_column("n_clusters").to_numpy()
        return np.concatenate(([0], np.cumsum(counts))).astype(np.int64)

    @property
    def segment_ids(self) -> IntArray:
        """The position of each cluster's catalog in ``catalogs``, shape (n_clusters,)."""
        counts = self.catalogs.get_column("n_clusters").to_numpy()
        return np.repeat(np.arange(self.n_catalogs, dtype=np.int64), counts)

    def column(self, name: str) -> npt.NDArray[Any]:
        """Return one column of the clusters, shape (n_clusters,) or (n_clusters, n_radii); unknown values are NaN."""
        return _to_numpy(self.clusters.get_column(name), self.n_clusters)

    def label(self, name: str) -> npt.NDArray[Any]:
        """Return one column of the catalogs, shape (n_catalogs,); unknown values are NaN."""
        return _to_numpy(self.catalogs.get_column(name), self.n_catalogs)

    def select(self, index: npt.ArrayLike) -> "CatalogBatch":
        """Return the chosen catalogs in the given order.

        Parameters
        ----------
        index
            Positions in ``catalogs``, or a boolean mask of length n_catalogs.
        """
        chosen = np.asarray(index)
        chosen = np.flatnonzero(chosen) if chosen.dtype == bool else chosen.astype(np.int64)
        splits = self.row_splits
        counts = np.diff(splits)[chosen]
        offsets = np.repeat(splits[chosen] - np.concatenate(([0], np.cumsum(counts)[:-1])), counts)
        rows = offsets + np.arange(counts.sum())
        return CatalogBatch(catalogs=self.catalogs[chosen], clusters=self.clusters[rows], radii=self.radii)

    def problems(self) -> list[str]:
        """Return one sentence for each broken rule of the tables or of what joins them."""
        found = [f"catalogs: {text}" for text in check(self.catalogs, CATALOGS)]
        found += [f"clusters: {text}" for text in check(self.clusters, CLUSTERS)]
        return found or self.join_problems()

    def join_problems(self) -> list[str]:
        """Return what is wrong between two tables that each keep their rules: the order of clusters and their ranks."""
        return _join_problems(self.catalogs, self.clusters)

    @classmethod
    def conformed(
        cls, catalogs: pl.DataFrame, clusters: pl.DataFrame, *, radii: Sequence[float] = RADII_R500C, subject: str
    ) -> "CatalogBatch":
        """Return a batch from tables that may lack nullable columns or differ in number types.

        Raises
        ------
        SchemaError
            If a rule of the schema is broken; the message lists all of them.
        """
        batch = cls(
            catalogs=conform(catalogs, CATALOGS, subject=f"{subject}, catalogs"),
            clusters=conform(clusters, CLUSTERS, subject=f"{subject}, clusters"),
            radii=tuple(radii),
        )
        if problems := batch.problems():
            raise SchemaError(subject, problems)
        return batch


def concat(batches: Sequence[CatalogBatch]) -> CatalogBatch:
    """Return one batch with the catalogs of all, in order.

    Raises
    ------
    SchemaError
        If the batches have profiles at different radii.
    """
    radii = {batch.radii for batch in batches}
    if len(radii) != 1:
        raise SchemaError("batches", [f"profiles at different radii: {sorted(radii)}"])
    return CatalogBatch(
        catalogs=pl.concat([batch.catalogs for batch in batches]),
        clusters=pl.concat([batch.clusters for batch in batches]),
        radii=batches[0].radii,
    )


def _to_numpy(values: pl.Series, n_rows: int) -> npt.NDArray[Any]:
    if isinstance(values.dtype, pl.Array):
        width = values.dtype.size
        inner = values.dtype.inner
        filled = values.fill_null(pl.lit([float("nan")] * width, dtype=pl.Array(inner, width)))
        return filled.to_numpy().reshape(n_rows, width)
    return values.to_numpy()


def _join_problems(catalogs: pl.DataFrame, clusters: pl.DataFrame) -> list[str]:
    expected = np.repeat(catalogs.get_column("catalog_id").to_numpy(), catalogs.get_column("n_clusters").to_numpy())
    found = clusters.get_column("catalog_id").to_numpy()
    if not np.array_equal(expected, found):
        return [
            f"clusters do not follow the catalogs: n_clusters adds up to {len(expected)}, there are {len(found)} "
            "clusters, and both tables must list the catalogs in the same order"
        ]
    first = np.concatenate(([True], found[1:] != found[:-1])) if len(found) else np.zeros(0, dtype=bool)
    start = np.maximum.accumulate(np.where(first, np.arange(len(found)), 0))
    rank = clusters.get_column("rank").to_numpy()
    l_x = clusters.get_column("l_x").to_numpy()
    unsorted = (rank != np.arange(len(found)) - start) | (np.diff(l_x, prepend=np.inf) > 0) & ~first
    if unsorted.any():
        row = int(np.argmax(unsorted))
        return [
            f"ranks are not sorted: {int(unsorted.sum())} of {len(found)} clusters are out of order (first: row {row} "
            f"of catalog {found[row]}, rank {rank[row]}); rank must count 0, 1, 2, ... in falling l_x"
        ]
    return []
