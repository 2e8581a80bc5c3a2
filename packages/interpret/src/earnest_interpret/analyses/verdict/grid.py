"""Grids: whether inferred values gather at round numbers, as if the grid of the prior had been learned."""

from dataclasses import dataclass
from typing import Final, final

import numpy as np
from earnest_common.arrays import FloatArray
from scipy.stats import norm

__all__ = ["Clumping", "clumping", "grid_of"]

STEPS: Final = (0.01, 0.02, 0.05)
"""Steps of grids that are looked for where the labels lie on none."""

_FEWEST: Final = 10.0
"""Smallest sum of weights."""


@final
@dataclass(frozen=True, kw_only=True)
class Clumping:
    """How much values gather at multiples of a step.

    Attributes
    ----------
    step
        The step of the grid.
    strength
        Weighted mean of cos(2 pi (value - origin) / step): 0 without clumps, 1 if all lie on the grid.
    p_value
        Chance of it for values without a grid, with all steps that were tried counted.
    """

    step: float
    strength: float
    p_value: float


def grid_of(labels: FloatArray) -> float | None:
    """Return the step of the grid that labels lie on, or None.

    Examples
    --------
    >>> grid_of(np.array([0.70, 0.71, 0.74, 0.70])), grid_of(np.array([0.7, 0.7131, 0.7177]))
    (0.01, None)
    """
    values = np.unique(labels[np.isfinite(labels)].round(6))
    if len(values) < 3:
        return None
    step = float(np.diff(values).min())
    on_grid = np.abs((values - values[0]) / step - np.round((values - values[0]) / step)) < 1e-3
    return round(step, 6) if on_grid.all() and step > 1e-3 else None


def clumping(inferred: FloatArray, labels: FloatArray) -> Clumping | None:
    r"""Return whether inferred values gather on the labels' grid, or at round numbers if the labels lie on none.

    .. math:: V = \frac{\sum_i w_i \cos\left(2\pi(\hat\sigma_{8,i} - o)/d\right)}{\sum_i w_i} , \qquad
              \frac{\sqrt2 \sum_i w_i}{\sqrt{\sum_i w_i^2}} V \sim N(0, 1)

    for values without a grid (the V test of directions). The weights fall as sin^2 to zero at both ends of the labels:
    ends that are no whole number of steps apart, or at which estimates crowd, would look like a grid. Labels on a grid
    let exact answers gather as well, so there the test needs errors of at least the step; else, and where hardly any
    value lies in the range of the labels, it returns None.

    Parameters
    ----------
    inferred, labels
        Inferred and true sigma8, shape (n,).

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> truth = rng.uniform(0.7, 0.9, 400)
    >>> clumping(truth.round(2) + rng.normal(0, 0.001, 400), truth).step
    0.01
    """
    step = grid_of(labels)
    if step is not None and np.std(inferred - labels) < step:
        return None
    origin = labels[np.isfinite(labels)].min() if step is not None else 0.0
    steps = (step,) if step is not None else STEPS
    low, high = np.nanmin(labels), np.nanmax(labels)
    weight = np.sin(np.pi * np.clip((inferred - low) / (high - low), 0, 1)) ** 2
    if weight.sum() < _FEWEST:
        return None
    found = [(float(weight @ np.cos(2 * np.pi * (inferred - origin) / one) / weight.sum()), one) for one in steps]
    strength, best = max(found)
    z = strength * weight.sum() * np.sqrt(2 / np.sum(weight**2))
    p_value = min(1.0, len(steps) * float(norm.sf(z)))
    return Clumping(step=best, strength=strength, p_value=p_value)
