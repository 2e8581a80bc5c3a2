"""Dependence of any form between two columns of clusters: distance correlation, mutual information, permutations."""

import math
from dataclasses import dataclass
from typing import Final, final

import numpy as np
from earnest_common.arrays import FloatArray, IntArray
from scipy.spatial import cKDTree
from scipy.special import digamma, ndtri
from scipy.stats import rankdata

__all__ = [
    "Dependence",
    "distance_correlation",
    "measure_dependence",
    "mutual_information",
    "p_between_catalogs",
    "p_within_catalogs",
]

N_DISTANCE: Final = 1500
"""Most clusters, drawn at random, of a distance correlation, whose cost grows with their square."""

N_INFORMATION: Final = 3000
"""Most clusters of a mutual information."""

_NEIGHBOURS: Final = 3


@final
@dataclass(frozen=True, kw_only=True)
class Dependence:
    """How much two columns have to do with each other, in whatever form.

    Attributes
    ----------
    distance
        Distance correlation, bias-corrected: 0 only for independent columns.
    information
        Mutual information [nat].
    p_value
        Chance of as strong a relation when a property of clusters is shuffled within catalogs, or a property of
        catalogs between them.
    n_shuffles
        Shuffles between catalogs that the p-value was counted from; 0 for the normal limit of all shuffles within
        catalogs, which may be as small as it likes.
    """

    distance: float
    information: float
    p_value: float
    n_shuffles: int = 0


def measure_dependence(
    x: FloatArray, y: FloatArray, groups: IntArray, *, rng: np.random.Generator, n_permutations: int = 999
) -> Dependence:
    """Return the dependence of x and y; NaN where one of them has a single value.

    Parameters
    ----------
    x, y
        Values per cluster, shape (n,); rows where either is not finite are ignored. If y is the same for all clusters
        of each catalog it is shuffled between catalogs.
    groups
        Catalog of each cluster, shape (n,).
    rng
        Generator of draws and shuffles.
    n_permutations
        Shuffles between catalogs.
    """
    known = np.isfinite(x) & np.isfinite(y)
    x, y, members = x[known], y[known], np.unique(groups[known], return_inverse=True)[1]
    if len(x) < 10 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return Dependence(distance=math.nan, information=math.nan, p_value=math.nan)
    first = np.unique(members, return_index=True)[1]
    few, more = (rng.permutation(len(x))[:n] for n in (N_DISTANCE, N_INFORMATION))
    is_shared = len(first) > 2 and bool((y == y[first][members]).all())
    if is_shared:
        p_value = p_between_catalogs(x[few], y[first], members[few], rng=rng, n_permutations=n_permutations)
    else:
        p_value = p_within_catalogs(x, y, members)
    return Dependence(
        distance=distance_correlation(x[few], y[few]),
        information=mutual_information(x[more], y[more], rng=rng),
        p_value=p_value,
        n_shuffles=n_permutations if is_shared else 0,
    )


def distance_correlation(x: FloatArray, y: FloatArray) -> float:
    """Return the bias-corrected distance correlation, the square root of a possibly negative estimate cut at 0.

    References
    ----------
    Szekely & Rizzo (2014), Annals of Statistics 42, 2382.

    Examples
    --------
    >>> x = np.linspace(-1, 1, 101)
    >>> round(distance_correlation(x, 3 - 2 * x), 6), bool(distance_correlation(x, x**2) > 0.4)
    (1.0, True)
    """
    a, b = _centred_distances(x), _centred_distances(y)
    norm = math.sqrt(float(np.sum(a * a)) * float(np.sum(b * b)))
    return math.sqrt(max(float(np.sum(a * b)) / norm, 0.0)) if norm > 0 else math.nan


def _centred_distances(x: FloatArray) -> FloatArray:
    """Return the U-centred matrix of distances, whose rows sum to zero without its diagonal."""
    distance = np.abs(x[:, None] - x)
    n, rows = len(x), distance.sum(axis=1)
    centred = distance - rows[:, None] / (n - 2) - rows / (n - 2) + rows.sum() / ((n - 1) * (n - 2))
    np.fill_diagonal(centred, 0.0)
    return np.asarray(centred, dtype=np.float64)


def mutual_information(x: FloatArray, y: FloatArray, *, rng: np.random.Generator) -> float:
    """Return the mutual information [nat] from distances to nearest neighbours.

    Both columns are mapped to normal scores, which changes nothing; ties are broken at random, which changes nothing
    either, since the random order is independent of the other column.

    References
    ----------
    Kraskov, Stoegbauer & Grassberger (arXiv:cond-mat/0305641), their first estimator.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> x = rng.normal(size=3000)
    >>> y = 0.8 * x + 0.6 * rng.normal(size=3000)
    >>> round(mutual_information(x, y, rng=rng), 1)  # exactly -ln(1 - 0.8**2) / 2 = 0.51
    0.5
    """
    n = len(x)
    scores = np.stack([_normal_scores(column, rng) for column in (x, y)], axis=1)
    reach = cKDTree(scores).query(scores, k=_NEIGHBOURS + 1, p=np.inf)[0][:, -1]
    counts = [_inside(column, reach) for column in scores.T]
    found = digamma(_NEIGHBOURS) + digamma(n) - np.mean(digamma(counts[0] + 1) + digamma(counts[1] + 1))
    return max(float(found), 0.0)


def _normal_scores(x: FloatArray, rng: np.random.Generator) -> FloatArray:
    order = np.lexsort((rng.random(len(x)), x))
    scores = np.empty(len(x))
    scores[order] = ndtri((np.arange(len(x)) + 0.5) / len(x))
    return scores


def _inside(x: FloatArray, reach: FloatArray) -> IntArray:
    """Return how many others lie nearer than the reach of each."""
    ordered = np.sort(x)
    found = np.searchsorted(ordered, x + reach, side="left") - np.searchsorted(ordered, x - reach, side="right") - 1
    return np.asarray(np.maximum(found, 0), dtype=np.int64)


def p_within_catalogs(x: FloatArray, y: FloatArray, groups: IntArray) -> float:
    """Return the chance of as large a rank correlation when clusters are shuffled within their catalogs.

    Mean and variance of the summed product of ranks over all such shuffles are exact; with hundreds of clusters its
    distribution is normal.

    Parameters
    ----------
    x, y
        Values per cluster, shape (n,).
    groups
        Catalog of each cluster, 0..n_catalogs-1, shape (n,).
    """
    rx, ry = rankdata(x), rankdata(y)
    counts = np.bincount(groups)
    dx, dy = (r - (np.bincount(groups, weights=r) / counts)[groups] for r in (rx, ry))
    products = np.bincount(groups, weights=dx**2) * np.bincount(groups, weights=dy**2)
    variance = float(np.sum(products[counts > 1] / (counts[counts > 1] - 1)))
    if variance <= 0:
        return math.nan
    return math.erfc(abs(float(dx @ dy)) / math.sqrt(2 * variance))


def p_between_catalogs(
    x: FloatArray, labels: FloatArray, groups: IntArray, *, rng: np.random.Generator, n_permutations: int = 999
) -> float:
    """Return the chance of as large a distance covariance when labels are shuffled between catalogs.

    The distances of clusters are summed over pairs of catalogs once, so that a shuffle costs a matrix of catalogs.

    Parameters
    ----------
    x
        Values per cluster, shape (n,).
    labels
        Label of each catalog, shape (n_catalogs,).
    groups
        Catalog of each cluster, 0..n_catalogs-1, shape (n,).
    rng
        Generator of the shuffles.
    n_permutations
        Number of shuffles.
    """
    n = len(labels)
    member = np.zeros((n, len(x)))
    member[groups, np.arange(len(x))] = 1.0
    summed = member @ _centred_distances(x) @ member.T
    apart = np.abs(labels[:, None] - labels)
    observed = float(np.sum(summed * apart))
    reached = 0
    for _ in range(n_permutations):
        order = rng.permutation(n)
        reached += float(np.sum(summed * apart[np.ix_(order, order)])) >= observed * (1 - 1e-12)
    return (1 + reached) / (1 + n_permutations)
