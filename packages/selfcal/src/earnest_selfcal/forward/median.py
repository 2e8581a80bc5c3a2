"""The distribution of the median of N independent values, from their common distribution function F."""

import numpy as np
from earnest_common.arrays import FloatArray
from scipy.special import betainc, betaln, xlog1py, xlogy

__all__ = ["ln_median_density", "median_cdf"]


def ln_median_density(n: int, cdf: FloatArray, pdf: FloatArray) -> FloatArray:
    """Return the ln density of the median of n values at points where F and f are known.

    F(median) ~ Beta(a, a); exact with a = (n + 1)/2 for odd n. For even n the median is the mean of the two middle
    values, and a = n/2 + 1 + 1/n gives F its exact variance, n / (4 (n + 1)(n + 2)).

    Examples
    --------
    >>> ln_median_density(1, np.array([0.3]), np.array([2.0])).round(3)  # one value is its own median: ln f
    array([0.693])
    """
    a = _shape(n)
    with np.errstate(divide="ignore"):
        return np.asarray(xlogy(a - 1, cdf) + xlog1py(a - 1, -cdf) + np.log(pdf) - betaln(a, a))


def median_cdf(n: int, cdf: FloatArray) -> FloatArray:
    """Return the probability that the median of n values lies below points where F is known."""
    a = _shape(n)
    return np.asarray(betainc(a, a, np.clip(cdf, 0.0, 1.0)))


def _shape(n: int) -> float:
    return (n + 1) / 2 if n % 2 else n / 2 + 1 + 1 / n
