"""The edge of a survey: a cut in true mass, which no survey can make.

A model and its catalogs do not show whether the model uses the cut: its inputs are observables alone, and whatever it
infers for these catalogs would be right if surveys selected by mass. So the flaw of the catalogs is reported.
"""

from dataclasses import dataclass
from typing import Final, final

import numpy as np
from earnest_common.arrays import FloatArray

__all__ = ["Edge", "edge", "excess_of_lightest"]

_STEP: Final = 0.02
_NEAR: Final = 0.05
_BEYOND: Final = (0.1, 0.3)
_FEWEST: Final = 30
_LIGHTEST: Final = 0.05


@final
@dataclass(frozen=True, kw_only=True)
class Edge:
    """The lowest masses of a sample, how they are selected, and how much they move sigma8.

    Attributes
    ----------
    log10_m
        The lowest log10 mass, in the unit of the masses given.
    sharpness
        Clusters within 0.02 dex of the lowest mass per clusters in the next 0.02 dex: about 1 at a sharp cut, about 0
        where numbers fall off gently; NaN in a small sample.
    influence
        Mean absolute leave-one-out within 0.05 dex of the edge relative to that 0.1 to 0.3 dex above; NaN where too
        few clusters lie at the edge.
    excess
        How much brighter than their relation the lightest 5 % of clusters are, in units of the scatter of log10 l_x: a
        limit in flux makes them so (0.3 to 0.8 in the preset ``realistic``), a cut in true mass not; NaN if unknown.
    """

    log10_m: float
    sharpness: float
    influence: float
    excess: float


def edge(log10_m: FloatArray, delta: FloatArray, *, excess: float = float("nan")) -> Edge | None:
    """Return what happens at the lowest masses; None without masses.

    Parameters
    ----------
    log10_m
        Log masses, NaN where unknown, shape (n,).
    delta
        Leave-one-out changes of sigma8, shape (n,).
    excess
        What :func:`excess_of_lightest` returns.

    Examples
    --------
    >>> m = np.linspace(14, 15, 5001)
    >>> found = edge(m, np.ones_like(m))
    >>> round(found.sharpness, 1), found.influence
    (1.0, 1.0)
    """
    known = np.isfinite(log10_m) & np.isfinite(delta)
    if not known.any():
        return None
    height, size = log10_m[known] - log10_m[known].min(), np.abs(delta[known])
    near, beyond = size[height < _NEAR], size[(height >= _BEYOND[0]) & (height < _BEYOND[1])]
    enough = min(len(near), len(beyond)) >= _FEWEST and beyond.mean() > 0
    return Edge(
        log10_m=float(log10_m[known].min()),
        sharpness=_sharpness(height),
        influence=float(near.mean() / beyond.mean()) if enough else float("nan"),
        excess=excess,
    )


def excess_of_lightest(log10_m: FloatArray, residual: FloatArray) -> float:
    """Return the mean residual of the lightest 5 % of clusters in units of the standard deviation of all.

    Mocks borrow residuals from a list, and few of its clusters are as light as the lightest: give it catalogs with as
    many donors as there are.

    Parameters
    ----------
    log10_m
        Log masses, shape (n,).
    residual
        How far log10 l_x lies above its relation [dex], shape (n,).

    Examples
    --------
    >>> m = np.linspace(14, 15, 1001)
    >>> round(excess_of_lightest(m, np.where(m < 14.05, 0.2, -0.2)), 1)
    2.2
    """
    spread = float(np.std(residual))
    return float(residual[log10_m <= np.quantile(log10_m, _LIGHTEST)].mean() / spread) if spread > 0 else 0.0


def _sharpness(height: FloatArray) -> float:
    """Return the ratio of the first two bins; a few stray clusters far below all others are no edge."""
    first, second = (int(np.sum((height >= a) & (height < a + _STEP))) for a in (0.0, _STEP))
    if second >= _FEWEST:
        return first / second
    return 0.0 if height.size >= 100 * _FEWEST else float("nan")
