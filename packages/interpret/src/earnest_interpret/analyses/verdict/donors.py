"""Clones: whether sigma8 is inferred better where the donors of residuals and profiles are those of training."""

from dataclasses import dataclass
from typing import final

import numpy as np
from earnest_common.arrays import FloatArray
from earnest_common.catalogs.batch import CatalogBatch
from scipy.spatial import cKDTree

__all__ = ["KnownDonors", "clone_share", "compare_donors"]


@final
@dataclass(frozen=True, kw_only=True)
class KnownDonors:
    """Accuracy with donors that the model met in training, and with others.

    Attributes
    ----------
    known, unknown
        Scatter of the inferred sigma8 about its own mean error.
    bias_known, bias_unknown
        Mean errors; a few hundred donors have a mean of their own, so that these may differ for a sound model.
    n_known, n_unknown
        Catalogs.
    p_value
        Chance of a ratio unknown / known as large when catalogs are shuffled between the two.
    """

    known: float
    unknown: float
    bias_known: float
    bias_unknown: float
    n_known: int
    n_unknown: int
    p_value: float

    @property
    def loss(self) -> float:
        """How much larger the scatter is with unknown donors, as a fraction."""
        return self.unknown / self.known - 1


def compare_donors(
    known: FloatArray, unknown: FloatArray, *, rng: np.random.Generator, n_permutations: int = 9_999
) -> KnownDonors:
    """Return whether the scatter of errors is larger with unknown donors: one-sided, by shuffling catalogs.

    Only the spread counts, not the mean: a network that has memorised its donors corrects each cluster, and loses
    that correction with other donors. What else explains the errors is left in them on purpose: without it the scatter
    of sound models differs by some 10 % between one list of a hundred donors and another, which shuffling counts as
    loss.

    Parameters
    ----------
    known, unknown
        Inferred minus true sigma8 of catalogs with donors of training and with others, shapes (n,) and (m,).
    rng
        Generator of the permutations.
    n_permutations
        Number of shuffles.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> compare_donors(rng.normal(0, 0.01, 300), rng.normal(0.01, 0.02, 300), rng=rng, n_permutations=999).p_value
    0.001
    """
    errors = np.concatenate([known - known.mean(), unknown - unknown.mean()])
    n, squares = len(known), errors**2
    observed = _ratio(squares[None, :], n)[0]
    count, block = 0, max(1, 2_000_000 // len(errors))
    for first in range(0, n_permutations, block):
        size = min(block, n_permutations - first)
        count += int(np.sum(_ratio(rng.permuted(np.broadcast_to(squares, (size, len(errors))), axis=1), n) >= observed))
    return KnownDonors(
        known=float(known.std(ddof=1)),
        unknown=float(unknown.std(ddof=1)),
        bias_known=float(known.mean()),
        bias_unknown=float(unknown.mean()),
        n_known=n,
        n_unknown=len(unknown),
        p_value=(1 + count) / (1 + n_permutations),
    )


def _ratio(squares: FloatArray, n: int) -> FloatArray:
    return np.asarray(squares[:, n:].mean(axis=1) / squares[:, :n].mean(axis=1), dtype=np.float64)


def clone_share(batch: CatalogBatch, *, rng: np.random.Generator, max_clusters: int = 4_000) -> float:
    """Return the share of clusters whose most similar gas profile comes from the same donor; NaN where unknown.

    It measures how easily clones could be recognised, whatever the model.

    Examples
    --------
    >>> from earnest_common.testing import toy_batch
    >>> 0 <= clone_share(toy_batch(n_catalogs=5, seed=1), rng=np.random.default_rng(1)) <= 1
    True
    """
    fraction = np.log(batch.column("m_gas_profile") / batch.column("m_gas")[:, None])
    shape = np.hstack([fraction, batch.column("gas_slope_profile")])
    donor = batch.clusters.get_column("donor_id").fill_null(-1).to_numpy()  # whole: ids may have 64 bits
    usable = np.flatnonzero(np.isfinite(shape).all(axis=1) & (donor >= 0))
    if len(usable) < 10:
        return float("nan")
    chosen = usable if len(usable) <= max_clusters else rng.choice(usable, max_clusters, replace=False)
    scaled = shape[chosen] / np.maximum(shape[chosen].std(axis=0), 1e-6)
    _, nearest = cKDTree(scaled).query(scaled, k=2)
    own = np.arange(len(chosen))
    other = np.where(nearest[:, 0] == own, nearest[:, 1], nearest[:, 0])
    return float(np.mean(donor[chosen] == donor[chosen][other]))
