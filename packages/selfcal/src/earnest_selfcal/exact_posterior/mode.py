"""Where a posterior peaks and how wide it is there."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from earnest_common.arrays import FloatArray
from numpy.typing import NDArray

__all__ = ["Peak", "find_peak", "root_of"]

_FLATTEST = 1e-10  # smallest variance of a direction relative to the largest, in units of the parameters' own
_FIRST_STEP = 0.03  # of the prior's width, for finite differences
_STEP = 0.7  # standard deviations, for finite differences
_DAMPING = (0.0, 1.0, 10.0, 100.0, 1e3, 1e4, 1e5, 1e6)
_SHORTER = (1.0, 0.4, 0.1)
_REFINEMENTS = 3  # how often the differences are taken ten times closer where no step rises
_ENOUGH = 0.01  # a rise of ln posterior by less ends the search
_PROMISE = 0.1
_SOFT = 0.05  # of the prior's width: how softly the search is held inside the prior
_OUTSIDE = 0.15  # of the prior's width: how far it may look outside


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Peak:
    """A Gaussian that resembles the posterior.

    Attributes
    ----------
    centre
        Shape (d,); a little outside the prior where the likelihood rises towards its edge.
    covariance
        Shape (d, d).
    """

    centre: FloatArray
    covariance: FloatArray


def find_peak(
    ln_likelihood: Callable[[FloatArray], FloatArray], bounds: FloatArray, *, max_iterations: int = 25
) -> Peak:
    """Climb to the peak by damped Newton steps with finite differences.

    The flat prior is replaced by a Gaussian of its width with soft walls, so that a parameter without data keeps a
    finite width and the target is smooth everywhere.

    Parameters
    ----------
    ln_likelihood
        Takes points of shape (n, d), returns shape (n,).
    bounds
        Lowest and highest coordinates, shape (2, d).
    max_iterations
        Steps at most.

    Examples
    --------
    >>> peak = find_peak(lambda x: -50 * ((x - 0.3) ** 2).sum(axis=1), np.array([[0.0], [1.0]]))
    >>> float(peak.centre[0].round(2)), float(peak.covariance[0, 0].round(3))
    (0.32, 0.009)
    """
    low, high = bounds
    width = high - low
    middle, prior_precision = (low + high) / 2, 12 / width**2

    def target(x: FloatArray) -> FloatArray:
        beyond = np.maximum(np.maximum(low - x, x - high), 0.0) / (_SOFT * width)
        penalty = ((x - middle) ** 2 * prior_precision + beyond**2).sum(axis=1)
        return np.asarray(ln_likelihood(x) - 0.5 * penalty)

    at, root, refined = middle, np.diag(_FIRST_STEP * width), 0
    for _ in range(max_iterations):
        here, gradient, precision = _local_gaussian(target, at, root, prior_precision)
        at, rise = _best_step(target, at, gradient, precision=precision, bounds=bounds, here=here)
        refined = 0 if rise > _ENOUGH else refined + 1
        root = _STEP * 0.1**refined * root_of(np.linalg.inv(precision))
        if refined > _REFINEMENTS or (refined and _settled(gradient, precision)):
            break
    root = _STEP * root_of(np.linalg.inv(precision))
    _, _, precision = _local_gaussian(target, at, root, prior_precision)
    return Peak(centre=at, covariance=np.asarray(np.linalg.inv(precision)))


def root_of(covariance: NDArray[np.floating[Any]]) -> FloatArray:
    """Return the lower Cholesky factor of a covariance, lifted where rounding has made a direction's variance negative.

    Examples
    --------
    >>> flat = np.array([[1.0, 1.0], [1.0, 1.0 - 1e-15]])
    >>> root = root_of(flat)
    >>> bool(np.allclose(root @ root.T, flat, atol=1e-8))
    True
    """
    try:
        return np.asarray(np.linalg.cholesky(covariance), dtype=np.float64)
    except np.linalg.LinAlgError:
        scale = np.sqrt(np.abs(np.diag(covariance)))
        values, vectors = np.linalg.eigh(covariance / np.outer(scale, scale))
        lifted = (vectors * np.maximum(values, _FLATTEST * values[-1])) @ vectors.T
        return np.asarray(scale[:, None] * np.linalg.cholesky(lifted), dtype=np.float64)


def _settled(gradient: FloatArray, precision: FloatArray) -> bool:
    """Return whether the parabola promises no further rise worth a step."""
    return bool(0.5 * gradient @ np.linalg.solve(precision, gradient) < _PROMISE)


def _best_step(
    target: Callable[[FloatArray], FloatArray],
    at: FloatArray,
    gradient: FloatArray,
    *,
    precision: FloatArray,
    bounds: FloatArray,
    here: float,
) -> tuple[FloatArray, float]:
    """Return the best of several damped Newton steps and how much it rises; or no step if none does."""
    low, high = bounds
    floor, margin = np.diag(12 / (high - low) ** 2), _OUTSIDE * (high - low)
    steps = [np.linalg.solve(precision + damping * floor, gradient) for damping in _DAMPING]
    trials = np.array([np.clip(at + part * step, low - margin, high + margin) for step in steps for part in _SHORTER])
    values = target(trials)
    best = int(np.argmax(values))
    return (trials[best], float(values[best] - here)) if values[best] > here else (at, 0.0)


def _local_gaussian(
    target: Callable[[FloatArray], FloatArray], at: FloatArray, root: FloatArray, prior_precision: FloatArray
) -> tuple[float, FloatArray, FloatArray]:
    """Return value, gradient and precision of the target from differences along the columns of a matrix."""
    d = len(at)
    pairs = [(i, j) for i in range(d) for j in range(i + 1, d)]
    offsets = [np.zeros(d), *root.T, *-root.T, *(root[:, i] + root[:, j] for i, j in pairs)]
    values = target(at + np.array(offsets))
    here, up, down, both = values[0], values[1 : d + 1], values[d + 1 : 2 * d + 1], values[2 * d + 1 :]
    curvature = np.diag(up + down - 2 * here)
    for (i, j), value in zip(pairs, both, strict=True):
        curvature[i, j] = curvature[j, i] = value - up[i] - up[j] + here
    inverse_root = np.linalg.inv(root)
    gradient = inverse_root.T @ ((up - down) / 2)
    precision = -inverse_root.T @ curvature @ inverse_root
    return float(here), gradient, _at_least(precision, prior_precision)


def _at_least(precision: FloatArray, floor: FloatArray) -> FloatArray:
    """Return the precision with every direction's value raised to the prior's, where it is lower or negative."""
    scale = 1 / np.sqrt(floor)
    values, vectors = np.linalg.eigh(precision * np.outer(scale, scale))
    raised = (vectors * np.maximum(values, 1.0)) @ vectors.T
    return np.asarray(raised / np.outer(scale, scale))
