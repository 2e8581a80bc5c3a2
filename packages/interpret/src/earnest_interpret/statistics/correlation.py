"""Statistics on plain arrays: running quantiles, and correlations with errors over catalogs."""

from dataclasses import dataclass
from typing import final

import numpy as np
from earnest_common.arrays import FloatArray, IntArray
from earnest_common.spread import is_single
from scipy.stats import rankdata

__all__ = [
    "Correlation",
    "RunningQuantiles",
    "correlate",
    "running_quantiles",
]


QUANTILES = (0.025, 0.16, 0.5, 0.84, 0.975)
"""Median, 68 % and 95 % bands."""


@final
@dataclass(frozen=True, kw_only=True)
class RunningQuantiles:
    """Quantiles of y in a window that moves along x.

    Attributes
    ----------
    centres
        Centres of the windows, shape (n_windows,).
    counts
        Points in each window, shape (n_windows,).
    levels
        The quantiles, shape (n_levels,).
    values
        Quantiles of y, shape (n_levels, n_windows).
    """

    centres: FloatArray
    counts: IntArray
    levels: tuple[float, ...]
    values: FloatArray

    def level(self, quantile: float) -> FloatArray:
        """Return one quantile against the centres, shape (n_windows,)."""
        chosen: FloatArray = self.values[self.levels.index(quantile)]
        return chosen


def running_quantiles(
    x: FloatArray,
    y: FloatArray,
    *,
    step: float = 0.05,
    width: float = 0.1,
    min_count: int = 20,
    levels: tuple[float, ...] = QUANTILES,
) -> RunningQuantiles:
    """Return the quantiles of y in windows of x; windows with few points are left out.

    Parameters
    ----------
    x, y
        Points, shape (n,); rows where either is not finite are ignored.
    step
        Distance between centres, which are multiples of it.
    width
        Full width of a window.
    min_count
        Fewest points that a window needs to be reported.
    levels
        Quantiles between 0 and 1.

    Examples
    --------
    >>> x = np.linspace(0, 1, 2001)
    >>> run = running_quantiles(x, 3 * x, step=0.25, width=0.1)
    >>> run.centres[1:-1], run.level(0.5)[1:-1].round(2)
    (array([0.25, 0.5 , 0.75]), array([0.75, 1.5 , 2.25]))
    """
    known = np.isfinite(x) & np.isfinite(y)
    order = np.argsort(x[known], kind="stable")
    xs, ys = x[known][order], y[known][order]
    if xs.size == 0:
        return RunningQuantiles(
            centres=np.empty(0), counts=np.empty(0, dtype=np.int64), levels=levels, values=np.empty((len(levels), 0))
        )
    centres = step * np.arange(np.floor(xs[0] / step), np.ceil(xs[-1] / step) + 1)
    starts = np.searchsorted(xs, centres - width / 2)
    ends = np.searchsorted(xs, centres + width / 2)
    kept = ends - starts >= min_count
    values = [np.quantile(ys[a:b], levels) for a, b in zip(starts[kept], ends[kept], strict=True)]
    return RunningQuantiles(
        centres=centres[kept],
        counts=(ends - starts)[kept].astype(np.int64),
        levels=levels,
        values=np.array(values, dtype=np.float64).reshape(-1, len(levels)).T,
    )


@final
@dataclass(frozen=True, kw_only=True)
class Correlation:
    """Pearson and Spearman correlation of two columns of clusters.

    ``pearson_err`` comes from a bootstrap over catalogs, because the clusters of one catalog share its parameters;
    it is NaN for fewer than three catalogs.
    """

    n: int
    pearson: float
    pearson_err: float
    spearman: float


def correlate(
    x: FloatArray, y: FloatArray, groups: IntArray, *, rng: np.random.Generator, n_bootstrap: int = 400
) -> Correlation:
    """Return the correlation of x with y, its error from resampling whole catalogs.

    Parameters
    ----------
    x, y
        Values per cluster, shape (n,); rows where either is not finite are ignored.
    groups
        Catalog of each cluster, shape (n,).
    rng
        Generator of the bootstrap.
    n_bootstrap
        Number of resamples.

    Examples
    --------
    >>> x = np.arange(6.0)
    >>> result = correlate(x, -x, np.repeat([0, 1, 2], 2), rng=np.random.default_rng(1))
    >>> round(result.pearson, 6), round(result.spearman, 6)
    (-1.0, -1.0)
    """
    known = np.isfinite(x) & np.isfinite(y)
    x, y, groups = x[known], y[known], groups[known]
    if is_single(x) or is_single(y):
        return Correlation(n=int(known.sum()), pearson=np.nan, pearson_err=np.nan, spearman=np.nan)
    moments = _moments(x - x.mean(), y - y.mean(), groups)
    spearman = _pearson(_moments(rankdata(x) - (x.size + 1) / 2, rankdata(y) - (y.size + 1) / 2, groups).sum(axis=0))
    return Correlation(
        n=int(x.size),
        pearson=float(_pearson(moments.sum(axis=0))),
        pearson_err=_bootstrap_error(moments, rng, n_bootstrap),
        spearman=float(spearman),
    )


def _moments(x: FloatArray, y: FloatArray, groups: IntArray) -> FloatArray:
    """Return per catalog the sums of 1, x, y, xx, yy, xy, shape (n_catalogs, 6)."""
    _, inverse = np.unique(groups, return_inverse=True)
    terms = (np.ones_like(x), x, y, x * x, y * y, x * y)
    return np.stack([np.bincount(inverse, weights=term) for term in terms], axis=-1)


def _pearson(moments: FloatArray) -> FloatArray:
    n, sx, sy, sxx, syy, sxy = np.moveaxis(moments, -1, 0)
    variance = np.maximum(sxx - sx * sx / n, 0) * np.maximum(syy - sy * sy / n, 0)
    with np.errstate(divide="ignore", invalid="ignore"):  # a resample may hold a single value
        return np.asarray((sxy - sx * sy / n) / np.sqrt(variance), dtype=np.float64)


def _bootstrap_error(moments: FloatArray, rng: np.random.Generator, n_bootstrap: int) -> float:
    n_catalogs = len(moments)
    if n_catalogs < 3:
        return float("nan")
    weights = rng.multinomial(n_catalogs, np.full(n_catalogs, 1 / n_catalogs), size=n_bootstrap)
    values = _pearson(weights @ moments)
    return float(np.std(values[np.isfinite(values)], ddof=1)) if np.isfinite(values).sum() > 1 else float("nan")
