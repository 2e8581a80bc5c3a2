"""Clones: whether sigma8 is inferred better where the lenders of residuals and profiles are those of training."""

from dataclasses import dataclass
from typing import Final, final

import numpy as np
from earnest_common.arrays import FloatArray
from earnest_common.batch import CatalogBatch
from earnest_common.priors import Priors
from scipy.spatial import cKDTree

__all__ = ["KnownDonors", "circumstances", "clone_share", "compare_donors"]

_PER_TERM: Final = 8
"""Fewest catalogs per linear, and per quadratic, term of what is taken off their errors."""


@final
@dataclass(frozen=True, kw_only=True)
class KnownDonors:
    """Accuracy with donors that the model met in training, and with others.

    Attributes
    ----------
    known, unknown
        Scatter of the inferred sigma8 about its own mean error.
    known_left, unknown_left
        The same after what follows from the circumstances of each catalog is taken off: what its clusters' look does.
    bias_known, bias_unknown
        Mean errors; a few hundred donors have a mean of their own, so that these may differ for a sound model.
    n_known, n_unknown
        Catalogs.
    p_value
        Chance of a ratio unknown_left / known_left as large when catalogs are shuffled between the two.
    """

    known: float
    unknown: float
    known_left: float
    unknown_left: float
    bias_known: float
    bias_unknown: float
    n_known: int
    n_unknown: int
    p_value: float

    @property
    def loss(self) -> float:
        """How much larger the scatter left is with unknown donors, as a fraction."""
        return self.unknown_left / self.known_left - 1


def compare_donors(
    known: FloatArray,
    unknown: FloatArray,
    *,
    about: tuple[FloatArray, FloatArray] | None = None,
    rng: np.random.Generator,
    n_permutations: int = 9_999,
) -> KnownDonors:
    """Return whether the scatter of errors is larger with unknown donors: one-sided, by shuffling catalogs.

    Only the spread counts, not the mean: a network that knows its donors by sight corrects each cluster, and loses
    that correction with strangers. Most of an error has other reasons, so what a quadratic function of the
    circumstances explains is taken off first, by a fit of its own on each side: a few hundred donors have mean
    residuals of their own, to which a sound model is tuned as well.

    Parameters
    ----------
    known, unknown
        Inferred minus true sigma8 of catalogs with donors of training and with others, shapes (n,) and (m,).
    about
        Their :func:`circumstances`, shapes (n, k) and (m, k).
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
    n, errors = len(known), np.concatenate([known - known.mean(), unknown - unknown.mean()])
    if about is not None:
        errors = np.concatenate([_left(known, about[0]), _left(unknown, about[1])])
    squares = errors**2
    observed = _ratio(squares[None, :], n)[0]
    count, block = 0, max(1, 2_000_000 // len(errors))
    for first in range(0, n_permutations, block):
        size = min(block, n_permutations - first)
        count += int(np.sum(_ratio(rng.permuted(np.broadcast_to(squares, (size, len(errors))), axis=1), n) >= observed))
    return KnownDonors(
        known=float(known.std(ddof=1)),
        unknown=float(unknown.std(ddof=1)),
        known_left=float(errors[:n].std(ddof=1)),
        unknown_left=float(errors[n:].std(ddof=1)),
        bias_known=float(known.mean()),
        bias_unknown=float(unknown.mean()),
        n_known=n,
        n_unknown=len(unknown),
        p_value=(1 + count) / (1 + n_permutations),
    )


def _ratio(squares: FloatArray, n: int) -> FloatArray:
    return np.asarray(squares[:, n:].mean(axis=1) / squares[:, :n].mean(axis=1), dtype=np.float64)


def _left(errors: FloatArray, about: FloatArray) -> FloatArray:
    """Return what a quadratic function leaves; few catalogs take a linear one, fewer still only their mean.

    It is scaled for the freedom of the fit, so that its spread does not depend on how many catalogs there are.
    """
    spread = about.std(axis=0)
    x = (about - about.mean(axis=0))[:, spread > 0] / spread[spread > 0]
    second = np.hstack([x**2, x[:, :1] * x[:, 1:]])
    terms = [np.ones((len(x), 1)), *(part for part in (x, second) if len(x) >= _PER_TERM * part.shape[1])]
    design = np.hstack(terms)
    solution, _, rank, _ = np.linalg.lstsq(design, errors, rcond=None)
    left: FloatArray = (errors - design @ solution) * np.sqrt(len(x) / (len(x) - rank))
    return left


def circumstances(batch: CatalogBatch) -> FloatArray:
    """Return what moves the estimate from a catalog whatever its donors, sigma8 first, shape (n_catalogs, k).

    That is its labels, the logarithm of its number of clusters, the means of their log mass and its square, and of
    their lensing errors with their squares and trend with mass. What is unknown anywhere is left out.

    Examples
    --------
    >>> from earnest_common.testing import toy_batch
    >>> circumstances(toy_batch(n_catalogs=5, seed=1)).shape
    (5, 15)
    """
    segment, n = batch.segment_ids, np.maximum(np.diff(batch.row_splits), 1)
    log10_m = np.log10(batch.column("m_500c"))
    lensing = np.log(batch.column("m_wl") / batch.column("m_500c"))
    means = [
        np.bincount(segment, weights=value, minlength=len(n)) / n
        for value in (log10_m, log10_m**2, lensing, lensing**2, lensing * log10_m)
    ]
    labels = [batch.label(name).astype(np.float64) for name in Priors.names()]
    columns = np.stack([*labels, np.log(n), *means], axis=1)
    return columns[:, np.isfinite(columns).all(axis=0)]


def clone_share(batch: CatalogBatch, *, rng: np.random.Generator, max_clusters: int = 4_000) -> float:
    """Return the share of clusters whose most similar gas profile comes from the same donor; NaN where unknown.

    It says how easily clones could be recognised, whatever the model.

    Examples
    --------
    >>> from earnest_common.testing import toy_batch
    >>> 0 <= clone_share(toy_batch(n_catalogs=5, seed=1), rng=np.random.default_rng(1)) <= 1
    True
    """
    fraction = np.log(batch.column("m_gas_profile") / batch.column("m_gas")[:, None])
    shape = np.hstack([fraction, batch.column("gas_slope_profile")])
    donor = batch.clusters.get_column("donor_id").cast(float).to_numpy()
    usable = np.flatnonzero(np.isfinite(shape).all(axis=1) & np.isfinite(donor))
    if len(usable) < 10:
        return float("nan")
    chosen = usable if len(usable) <= max_clusters else rng.choice(usable, max_clusters, replace=False)
    scaled = shape[chosen] / np.maximum(shape[chosen].std(axis=0), 1e-6)
    _, nearest = cKDTree(scaled).query(scaled, k=2)
    own = np.arange(len(chosen))
    other = np.where(nearest[:, 0] == own, nearest[:, 1], nearest[:, 0])
    return float(np.mean(donor[chosen] == donor[chosen][other]))
