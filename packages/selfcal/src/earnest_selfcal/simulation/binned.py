"""Mean and scatter of sigma8 in bins of the number of clusters and a median, straight from simulated surveys."""

import math
from dataclasses import dataclass
from typing import final

import numpy as np
import polars as pl
from earnest_common.arrays import FloatArray
from earnest_common.errors import InputError

from earnest_selfcal.forward.observable import Observable

__all__ = ["Binned", "binned_sigma8", "refuse_few"]

_LEAST = 12  # surveys in a bin, below which a standard deviation says little
_FEWEST = 50  # surveys: one of the four bins that few surveys have then holds a dozen, unless surveys are empty


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Binned:
    """sigma8 in bins; NaN where fewer than a dozen surveys fall.

    Attributes
    ----------
    n_edges
        Edges in the number of clusters, shape (k + 1,).
    x_edges
        Edges in the median log10 observable, h-free, shape (l + 1,).
    count
        Surveys per bin, shape (l, k).
    mean, std
        Of sigma8, shape (l, k).
    """

    n_edges: FloatArray
    x_edges: FloatArray
    count: FloatArray
    mean: FloatArray
    std: FloatArray

    @property
    def scatter(self) -> float:
        """The scatter of sigma8 about its bin's mean, over all surveys in bins that count."""
        used = np.isfinite(self.std)
        return float(np.sqrt(np.average(self.std[used] ** 2, weights=self.count[used])))


def binned_sigma8(surveys: pl.DataFrame, *, observable: Observable = "y_x", n_bins: int | None = None) -> Binned:
    """Return mean and scatter of sigma8 in bins, as in figures 14 and 18 of the paper.

    Parameters
    ----------
    surveys
        sigma8, n_clusters and the medians, one row per survey.
    observable
        Whose median.
    n_bins
        Bins on either axis, between the 0.1 and 99.9 % points; default 40, and fewer for fewer than 32,000 surveys.

    Raises
    ------
    InputError
        If no bin holds enough surveys.

    References
    ----------
    Ntampaka & Vikhlinin (arXiv:2112.05768), figures 14 and 18.
    """
    known = surveys.filter(pl.col("n_clusters") > 0)
    sigma8, n, x = (known.get_column(c).to_numpy() for c in ("sigma8", "n_clusters", f"median_log10_{observable}"))
    if not len(sigma8):
        raise InputError("all surveys are empty: there is nothing to bin; look at volume and selection")
    n_bins = n_bins or min(40, max(2, math.isqrt(len(sigma8) // 20)))
    n_edges, x_edges = (_edges(values.astype(np.float64), n_bins) for values in (n, x))
    # Half-integers, so that every bin holds the same whole numbers of clusters.
    n_edges = np.unique(np.round(n_edges)) - 0.5
    place = (x, n), (x_edges, n_edges)
    count, first, second = (np.histogram2d(*place[0], bins=place[1], weights=w)[0] for w in (None, sigma8, sigma8**2))
    enough = count >= _LEAST
    if not enough.any():
        raise InputError(f"{len(sigma8)} surveys are too few for {n_bins} x {n_bins} bins; simulate more or use fewer")
    mean = np.full(count.shape, np.nan)
    mean[enough] = first[enough] / count[enough]
    variance = second[enough] / count[enough] - mean[enough] ** 2
    std = np.full(count.shape, np.nan)
    std[enough] = np.sqrt(np.maximum(variance, 0) * count[enough] / (count[enough] - 1))
    return Binned(n_edges=n_edges, x_edges=x_edges, count=count, mean=mean, std=std)


def refuse_few(n_surveys: int) -> None:
    """Refuse a number of surveys that cannot be binned, before they are simulated.

    Raises
    ------
    InputError
        If it is below 50.
    """
    if n_surveys < _FEWEST:
        raise InputError(f"n_surveys = {n_surveys} are too few to be binned; simulate at least {_FEWEST}")


def _edges(values: FloatArray, n_bins: int) -> FloatArray:
    low, high = np.quantile(values, [0.001, 0.999])
    return np.linspace(low, max(high, low + 1e-9), n_bins + 1)
