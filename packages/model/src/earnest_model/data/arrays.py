"""Catalogs as flat arrays of clusters: no padding, catalogs are told apart by their numbers of clusters."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import final

import numpy as np
import numpy.typing as npt
from earnest_common.errors import InputError

__all__ = ["Arrays", "Float32Array", "FloatArray", "join"]

FloatArray = npt.NDArray[np.float64]
Float32Array = npt.NDArray[np.float32]


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Arrays:
    """Scaled inputs of some catalogs, flat over clusters.

    Attributes
    ----------
    encoder
        Encoder inputs, shape (n_clusters, n_features).
    supplementary
        Supplementary inputs, shape (n_clusters, n_supplementary); NaN where missing.
    counts
        Clusters per catalog, shape (n_catalogs,).
    labels
        sigma8 and what else is inferred, shape (n_catalogs, n_labels); NaN where unknown.
    log_mass
        ln M_500c of each cluster where training anchors the terse value to it, shape (n_clusters, 1); else (0, 1).
    """

    encoder: Float32Array
    supplementary: Float32Array
    counts: npt.NDArray[np.int32]
    labels: FloatArray
    log_mass: Float32Array = field(default_factory=lambda: np.zeros((0, 1), np.float32))

    @property
    def inputs(self) -> tuple[Float32Array, Float32Array, npt.NDArray[np.int32]]:
        """What a network is called with: encoder and supplementary inputs, and clusters per catalog."""
        return self.encoder, self.supplementary, self.counts

    @property
    def sigma8(self) -> FloatArray:
        """The first label, shape (n_catalogs,)."""
        return self.labels[:, 0]

    @property
    def n_catalogs(self) -> int:
        """The number of catalogs."""
        return len(self.counts)

    @property
    def row_splits(self) -> npt.NDArray[np.int64]:
        """Where each catalog's clusters begin and end, shape (n_catalogs + 1,)."""
        return np.concatenate(([0], np.cumsum(self.counts))).astype(np.int64)

    def batches(self, n_catalogs: int) -> Iterator["Arrays"]:
        """Yield all catalogs in batches of nearly equal size, about ``n_catalogs`` each."""
        n_batches = max(1, round(self.n_catalogs / n_catalogs))
        at = np.linspace(0, self.n_catalogs, n_batches + 1).astype(np.int64)
        splits = self.row_splits
        for start, stop in itertools.pairwise(at.tolist()):
            rows = slice(splits[start], splits[stop])
            yield Arrays(
                encoder=self.encoder[rows],
                supplementary=self.supplementary[rows],
                counts=self.counts[start:stop],
                labels=self.labels[start:stop],
                log_mass=self.log_mass[rows],
            )

    def take(self, order: npt.NDArray[np.int64]) -> "Arrays":
        """Return the catalogs in another order."""
        counts = self.counts[order]
        begin = np.concatenate(([0], np.cumsum(counts)[:-1]))
        rows = np.repeat(self.row_splits[order] - begin, counts) + np.arange(counts.sum())
        return Arrays(
            encoder=self.encoder[rows],
            supplementary=self.supplementary[rows],
            counts=counts,
            labels=self.labels[order],
            log_mass=self.log_mass[rows] if len(self.log_mass) else self.log_mass,
        )


def join(parts: list[Arrays]) -> Arrays:
    """Return the catalogs of all parts, in order.

    Raises
    ------
    InputError
        If there is none.
    """
    if not parts:
        raise InputError("there are no catalogs to train on or to validate with")
    if len(parts) == 1:
        return parts[0]
    return Arrays(
        encoder=np.concatenate([part.encoder for part in parts]),
        supplementary=np.concatenate([part.supplementary for part in parts]),
        counts=np.concatenate([part.counts for part in parts]),
        labels=np.concatenate([part.labels for part in parts]),
        log_mass=np.concatenate([part.log_mass for part in parts]),
    )
