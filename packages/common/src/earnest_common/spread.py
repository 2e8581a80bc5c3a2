"""Spreads of samples, and what is compared with them, where a sample may hold one value many times."""

import math

import numpy as np

from earnest_common.arrays import FloatArray

__all__ = ["SAME_SIGMA8", "is_single", "rounded", "scatter_error", "skill", "spread"]

_ROUNDING = 1e-6
"""Values this close, relative to the largest of them, count as one: sums of equal numbers differ by rounding."""

SAME_SIGMA8 = (
    "all catalogs have the same true sigma8, so that no spread of it is there to be explained, followed or divided"
)
"""Why skill, slopes, thirds and tests of ranks are null."""


def is_single(values: FloatArray) -> bool:
    """Return whether all values are one and the same, up to rounding; also of no values.

    Examples
    --------
    >>> is_single(np.full(3, 0.809)), is_single(np.array([0.80, 0.81]))
    (True, False)
    """
    if not len(values):
        return True
    return bool(np.ptp(values) <= _ROUNDING * np.abs(values).max())


def spread(values: FloatArray, *, ddof: int = 0) -> float:
    """Return the standard deviation, which is exactly 0 where all values are the same.

    Parameters
    ----------
    values
        Shape (n,).
    ddof
        As of :func:`numpy.std`; 0 too if there are no more values than this.

    Examples
    --------
    >>> spread(np.full(120, 0.809)), spread(np.array([1.0, 3.0]))
    (0.0, 1.0)
    """
    return 0.0 if is_single(values) or len(values) <= ddof else float(np.std(values, ddof=ddof))


def scatter_error(error: FloatArray) -> float:
    r"""Return the standard error of a scatter from the fourth moment of the errors.

    .. math:: \Delta s = s \sqrt{(\kappa - 1) / 4 n}

    with the kurtosis :math:`\kappa`; 0 where all errors are the same.

    Examples
    --------
    >>> scatter_error(np.zeros(5)), scatter_error(np.array([1.0, -1.0, 0.0, 0.0])) > 0
    (0.0, True)
    """
    scatter = spread(error)
    if scatter == 0:
        return 0.0
    kurtosis = float((((error - error.mean()) / scatter) ** 4).mean())
    return scatter * math.sqrt(max(kurtosis - 1, 0) / (4 * len(error)))


def skill(scatter: float, prior_scatter: float) -> float:
    """Return the share of the prior's variance that an estimate explains; NaN where the prior has none.

    Examples
    --------
    >>> skill(0.5, 1.0), skill(0.1, 0.0)
    (0.75, nan)
    """
    return 1 - (scatter / prior_scatter) ** 2 if prior_scatter > 0 else math.nan


def rounded(value: float, digits: int = 4) -> float | None:
    """Return a number for a table, ``None`` where it is not finite.

    Examples
    --------
    >>> rounded(0.123456), rounded(math.nan)
    (0.1235, None)
    """
    return round(value, digits) if math.isfinite(value) else None
