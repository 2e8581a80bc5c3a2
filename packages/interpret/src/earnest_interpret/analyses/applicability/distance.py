"""Distance from a distribution, and how often catalogs of that distribution lie as far away."""

from dataclasses import dataclass
from typing import Final, final

import numpy as np
from earnest_common.arrays import FloatArray
from scipy.stats import mannwhitneyu

__all__ = ["MIN_TOGETHER", "TOGETHER", "Cloud", "conformal_p_value", "together_p_value"]

MIN_TOGETHER: Final = 5
"""Fewest catalogs that are compared with the training as a whole."""

TOGETHER: Final = 0.001
"""Largest chance, in any space, at which many catalogs count as different; those that do have far smaller ones."""


@final
@dataclass(frozen=True, kw_only=True)
class Cloud:
    """Centre and extent of points.

    Attributes
    ----------
    centre
        Means, shape (k,).
    whitening
        Matrix that makes the points uncorrelated with unit variance, shape (k, r); directions without extent are
        measured with a hundredth of the largest, so that leaving them counts.
    """

    centre: FloatArray
    whitening: FloatArray

    @classmethod
    def of(cls, points: FloatArray) -> "Cloud":
        """Return the cloud of points of shape (n, k).

        Examples
        --------
        >>> points = np.random.default_rng(1).normal(5, 3, (4000, 2))
        >>> round(float(Cloud.of(points).distance2(points).mean()), 1)
        2.0
        """
        spread = np.maximum(points.std(axis=0), 1e-9)
        scaled = (points - points.mean(axis=0)) / spread
        values, vectors = np.linalg.eigh(np.atleast_2d(scaled.T @ scaled / len(scaled)))
        scale = np.sqrt(np.maximum(values, 1e-4 * values[-1])) if len(values) else values
        return cls(centre=points.mean(axis=0), whitening=vectors / spread[:, None] / scale)

    def distance2(self, points: FloatArray) -> FloatArray:
        """Return the squared Mahalanobis distance of each point, shape (n,)."""
        return np.asarray(np.sum(((points - self.centre) @ self.whitening) ** 2, axis=1), dtype=np.float64)


def conformal_p_value(value: float, calibration: FloatArray) -> float:
    """Return the chance that a catalog of the training lies as far away: (1 + #{calibration >= value}) / (1 + n).

    It holds for any distribution as long as the calibration catalogs did not shape the distance.

    Examples
    --------
    >>> conformal_p_value(9.0, np.arange(99.0)), conformal_p_value(1e9, np.arange(99.0))
    (0.91, 0.01)
    """
    return float((1 + np.sum(calibration >= value)) / (1 + len(calibration)))


def together_p_value(values: FloatArray, calibration: FloatArray) -> float:
    """Return the chance that as many catalogs of the training lie as far away by their ranks; NaN for very few.

    What no single catalog shows, because it is smaller than the differences between catalogs, may show in many.

    References
    ----------
    Mann & Whitney (1947), Annals of Mathematical Statistics 18, 50; one-sided.

    Examples
    --------
    >>> near = np.linspace(0, 1, 200)
    >>> together_p_value(near + 0.2, near) < 1e-6 < 0.4 < together_p_value(near, near)
    True
    """
    if len(values) < MIN_TOGETHER or not np.isfinite(values).all():
        return float("nan")
    return float(mannwhitneyu(values, calibration, alternative="greater").pvalue)
