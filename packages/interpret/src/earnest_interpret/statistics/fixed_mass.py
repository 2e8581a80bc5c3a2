"""Permutation test, by catalog, of whether a number of single clusters depends on the catalog's label at fixed mass."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias, final

import numpy as np
from earnest_common.arrays import FloatArray, IntArray

__all__ = ["PartialCorrelation", "correlation_at_fixed_mass", "mass_basis", "partial_correlation"]

_Statistic: TypeAlias = Callable[[FloatArray], FloatArray]

_CHUNK = 1_000_000
"""Most random numbers held at a time."""


def mass_basis(log10_m: FloatArray, *, n_knots: int = 16) -> FloatArray:
    """Return a flexible basis for functions of mass: piecewise-linear hats on quantiles, denser at the ends.

    The few heaviest clusters are in catalogs of high sigma8, so a poor fit there would look like dependence on it.

    Parameters
    ----------
    log10_m
        Log masses, shape (n,).
    n_knots
        Most knots used; fewer when masses repeat.

    Returns
    -------
    numpy.ndarray
        Hat functions that sum to one in every row, shape (n, n_knots).

    Examples
    --------
    >>> basis = mass_basis(np.linspace(14, 15, 50))
    >>> basis.shape, bool(np.allclose(basis.sum(axis=1), 1))
    ((50, 16), True)
    """
    levels = (1 - np.cos(np.linspace(0, np.pi, n_knots))) / 2
    knots = np.unique(np.quantile(log10_m, levels))
    return np.stack([np.interp(log10_m, knots, hat) for hat in np.eye(len(knots))], axis=-1)


def correlation_at_fixed_mass(x: FloatArray, y: FloatArray, log10_m: FloatArray) -> float:
    """Return the Pearson correlation of what a flexible function of mass leaves of x and of y.

    Parameters
    ----------
    x, y
        Values per cluster, shape (n,); rows where one of the three is not finite are ignored.
    log10_m
        log10 of the true mass, shape (n,).

    Returns
    -------
    float
        NaN for fewer than 50 clusters, or where nothing is left.
    """
    known = np.isfinite(x) & np.isfinite(y) & np.isfinite(log10_m)
    if known.sum() < 50:
        return float("nan")
    q = _orthonormal(mass_basis(log10_m[known]))
    left = [column[known] - q @ (q.T @ column[known]) for column in (x - np.nanmean(x), y - np.nanmean(y))]
    norms = [float(np.linalg.norm(rest)) for rest in left]
    spread = [float(np.linalg.norm(column[known] - column[known].mean())) for column in (x, y)]
    if min(norm - 1e-6 * whole for norm, whole in zip(norms, spread, strict=True)) <= 0:
        return float("nan")
    return float(left[0] @ left[1] / (norms[0] * norms[1]))


@final
@dataclass(frozen=True, kw_only=True)
class PartialCorrelation:
    """Correlation with a catalog's label after a function of mass is taken from both, and its chance.

    Attributes
    ----------
    value
        Weighted partial correlation, each catalog weighing the same.
    p_value
        Chance of an absolute value as large when labels are shuffled between catalogs.
    n_catalogs, n_permutations
        What the test rests on; the smallest possible p-value is 1 / (n_permutations + 1).
    """

    value: float
    p_value: float
    n_catalogs: int
    n_permutations: int


def partial_correlation(
    y: FloatArray,
    labels: FloatArray,
    basis: FloatArray,
    groups: IntArray,
    *,
    rng: np.random.Generator,
    n_permutations: int = 9_999,
) -> PartialCorrelation:
    r"""Return the correlation of a cluster's number with its catalog's label at fixed mass, and a permutation p-value.

    With weights w_i = 1 / n_c and the residuals of both sides after projection on the basis,

    .. math:: r = \sum_i w_i \, \tilde y_i \tilde s_{c(i)} \,/\, \sqrt{\sum w \tilde y^2 \sum w \tilde s^2} .

    Labels are shuffled between catalogs, never between clusters: the clusters of a catalog share its scaling
    relations, so that shuffling clusters would call every catalog-wide offset significant. Equal weight of catalogs
    keeps the test fair although catalogs of high sigma8 hold more clusters.

    Parameters
    ----------
    y
        One number per cluster, for instance the terse value, shape (n,).
    labels
        Label of each catalog, shape (n_catalogs,).
    basis
        Functions of mass to hold fixed, shape (n, k).
    groups
        Catalog of each cluster, 0..n_catalogs-1, shape (n,).
    rng
        Generator of the permutations.
    n_permutations
        Number of shuffles.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> groups, mass = np.repeat(np.arange(40), 20), rng.normal(14.3, 0.2, 800)
    >>> labels = rng.uniform(0.7, 0.9, 40)
    >>> partial_correlation(mass + labels[groups], labels, mass_basis(mass), groups, rng=rng).p_value
    0.0001
    """
    n_catalogs = len(labels)
    weight = 1 / np.bincount(groups, minlength=n_catalogs)[groups]
    q = _orthonormal(basis * np.sqrt(weight)[:, None])
    scaled = y * np.sqrt(weight)
    residual = scaled - q @ (q.T @ scaled)
    sums = np.bincount(groups, weights=residual * np.sqrt(weight), minlength=n_catalogs)
    projection = np.stack([np.bincount(groups, weights=c * np.sqrt(weight), minlength=n_catalogs) for c in q.T])
    centred = labels - labels.mean()
    norm = float(np.linalg.norm(residual))

    def statistic(shuffled: FloatArray) -> FloatArray:
        left = np.sum(shuffled**2, axis=-1) - np.sum((shuffled @ projection.T) ** 2, axis=-1)
        with np.errstate(divide="ignore", invalid="ignore"):  # labels that the basis explains leave nothing
            return np.asarray(shuffled @ sums / (norm * np.sqrt(np.maximum(left, 0))), dtype=np.float64)

    observed = float(statistic(centred[None, :])[0])
    extreme = _count_extreme(statistic, centred, abs(observed), rng, n_permutations)
    return PartialCorrelation(
        value=observed,
        p_value=(1 + extreme) / (1 + n_permutations),
        n_catalogs=n_catalogs,
        n_permutations=n_permutations,
    )


def _orthonormal(columns: FloatArray) -> FloatArray:
    """Return orthonormal columns of the same span; hats that hold no cluster span nothing."""
    values, vectors = np.linalg.eigh(columns.T @ columns)
    kept = values > 1e-10 * values[-1]
    return np.asarray(columns @ (vectors[:, kept] / np.sqrt(values[kept])), dtype=np.float64)


def _count_extreme(
    statistic: _Statistic, labels: FloatArray, threshold: float, rng: np.random.Generator, n_permutations: int
) -> int:
    """Return how many shuffles reach the threshold, within rounding."""
    count, done, block = 0, 0, max(1, _CHUNK // len(labels))
    while done < n_permutations:
        size = min(block, n_permutations - done)
        shuffled = rng.permuted(np.broadcast_to(labels, (size, len(labels))), axis=1)
        count += int(np.sum(np.abs(statistic(shuffled)) >= threshold * (1 - 1e-9)))
        done += size
    return count
