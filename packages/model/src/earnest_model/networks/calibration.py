"""Intervals that cover what they say: a conformal factor on their width, fitted on validation catalogs."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

import numpy as np
import numpy.typing as npt

from earnest_model.networks.distribution import Histogram

__all__ = ["Calibration", "fit_calibration"]

FloatArray = npt.NDArray[np.float64]


@final
@dataclass(frozen=True, kw_only=True)
class Calibration:
    """Factors on the distance between the median and the ends of the central 68 % and 95 % intervals.

    Attributes
    ----------
    factor_68, factor_95
        Above 1 where the network is too sure of itself.
    n_catalogs
        Number of validation catalogs they were fitted on; 0 if not fitted.
    """

    factor_68: float = 1.0
    factor_95: float = 1.0
    n_catalogs: int = 0

    @classmethod
    def of(cls, record: Mapping[str, float]) -> "Calibration":
        """Return the calibration stored in a bundle."""
        return cls(
            factor_68=float(record["factor_68"]),
            factor_95=float(record["factor_95"]),
            n_catalogs=int(record["n_catalogs"]),
        )

    def as_dict(self) -> dict[str, float]:
        """Return the numbers by name."""
        return dataclasses.asdict(self)

    def interval(
        self, histogram: Histogram, probability: FloatArray, *, level: float = 0.68
    ) -> tuple[FloatArray, FloatArray]:
        """Return the ends of the central interval of level 0.68 or 0.95, each of shape (n,)."""
        factor = {0.68: self.factor_68, 0.95: self.factor_95}[level]
        low, median, high = _central(histogram, probability, level)
        floor, ceiling = histogram.edges[0], histogram.edges[-1]
        return (
            np.maximum(median - factor * (median - low), floor),
            np.minimum(median + factor * (high - median), ceiling),
        )


def fit_calibration(histogram: Histogram, probability: FloatArray, sigma8: FloatArray) -> Calibration:
    r"""Return the factors with which the intervals cover validation catalogs (split conformal prediction).

    The score of a catalog is the factor that would just reach its true value; the factor for level L is the
    :math:`\lceil (n + 1) L \rceil`-th smallest of n scores, which covers a new catalog with probability at least L.

    Parameters
    ----------
    histogram, probability
        Predictive distributions of validation catalogs, shape (n, n_bins).
    sigma8
        Their true values, shape (n,).

    References
    ----------
    Romano, Patterson, Candes 2019 (arXiv:1905.03222), in its multiplicative form.
    """
    factors = {}
    for level in (0.68, 0.95):
        low, median, high = _central(histogram, probability, level)
        below = (median - sigma8) / np.maximum(median - low, 1e-12)
        above = (sigma8 - median) / np.maximum(high - median, 1e-12)
        scores = np.sort(np.maximum(below, above))
        position = min(int(np.ceil((len(scores) + 1) * level)), len(scores)) - 1
        factors[level] = float(max(scores[position], 1e-3))
    return Calibration(factor_68=factors[0.68], factor_95=factors[0.95], n_catalogs=len(sigma8))


def _central(histogram: Histogram, probability: FloatArray, level: float) -> tuple[FloatArray, FloatArray, FloatArray]:
    tail = (1 - level) / 2
    low, median, high = (histogram.quantile(probability, q) for q in (tail, 0.5, 1 - tail))
    return low, median, high
