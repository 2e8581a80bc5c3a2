"""Whether predictive distributions mean what they say: ranks of the truth, and coverage of random regions."""

from dataclasses import dataclass
from typing import final

import numpy as np
import numpy.typing as npt
from earnest_common.run.seeds import Stage, generator
from scipy.special import gammaincc

from earnest_model.evaluation.labelled_predictions import Cumulative, LabelledPredictions

__all__ = ["N_BINS", "Ranks", "nearer", "on_grid", "ranks", "uniformity"]

FloatArray = npt.NDArray[np.float64]

N_BINS = 20
"""Bins of the rank histogram, and so of its test."""
_MOST_GRID_VALUES = 100


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Ranks:
    r"""Two numbers per catalog that are uniform in [0, 1] if the predictive distributions are right.

    Attributes
    ----------
    pit
        Probability below the truth, :math:`F(\sigma_8)`: the rank of simulation-based calibration in the limit of many
        draws. Too narrow distributions give a U, too wide ones a hill, biased ones a slope; shape (n,).
    tarp
        Probability nearer to a random reference r than the truth is, :math:`F(r + d) - F(r - d)` with
        :math:`d = |\sigma_8 - r|`. In one dimension its regions are intervals about any point, while those of the rank
        all begin at the lower end. It sees wrong widths wherever they are, and hardly a bias.

    References
    ----------
    Talts et al. 2018 (arXiv:1804.06788); Lemos et al. 2023 (arXiv:2302.03026).
    """

    pit: FloatArray
    tarp: FloatArray


def ranks(found: LabelledPredictions, *, seed: int = 0) -> Ranks:
    """Return the ranks of the truth.

    True values on a grid are first spread evenly over their cells: a histogram with one bin per grid value spreads
    its probability in the same way, and the rank of a discrete truth is uniform only if ties are broken at random.

    Parameters
    ----------
    found
        Estimates with known truth.
    seed
        Seed of the spread and of the references.
    """
    rng = generator(seed, Stage.RESAMPLING, index=1)
    step = on_grid(found.true)
    half = (step or 0.0) / 2
    true = found.true + rng.uniform(-half, half, len(found.true))
    reference = rng.uniform(found.true.min() - half, found.true.max() + half, len(true))
    return Ranks(pit=np.clip(found.cumulative(true), 0, 1), tarp=nearer(found.cumulative, true, reference))


def nearer(cumulative: Cumulative, true: FloatArray, reference: FloatArray) -> FloatArray:
    """Return the probability of values that are nearer to a reference than the truth is, shape (n,)."""
    distance = np.abs(true - reference)
    share: FloatArray = np.clip(cumulative(reference + distance) - cumulative(reference - distance), 0, 1)
    return share


def on_grid(values: FloatArray) -> float | None:
    """Return the step of the even grid on which all values lie, ``None`` if they do not.

    Examples
    --------
    >>> round(on_grid(np.array([0.70, 0.72, 0.71, 0.70, 0.71, 0.72])), 6)
    0.01
    >>> on_grid(np.random.default_rng(1).uniform(0.7, 0.92, 500)) is None
    True
    """
    unique = np.unique(values.round(9))
    if not 2 <= len(unique) <= min(_MOST_GRID_VALUES, len(values) / 2):
        return None
    step = float(np.diff(unique).min())
    places = (unique - unique[0]) / step
    return step if np.allclose(places, places.round(), atol=1e-4) else None


def uniformity(values: FloatArray, *, n_bins: int = N_BINS) -> float:
    r"""Return the p-value of :math:`\chi^2` of a histogram of values that should be uniform in [0, 1].

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> uniformity(rng.random(5000)) > 0.01, uniformity(rng.beta(1.2, 1.2, 5000)) < 1e-4
    (True, True)
    """
    counts = np.histogram(values, bins=n_bins, range=(0, 1))[0]
    expected = len(values) / n_bins
    chi_squared = float(((counts - expected) ** 2).sum() / expected)
    return float(gammaincc((n_bins - 1) / 2, chi_squared / 2))
