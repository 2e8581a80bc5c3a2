"""A predictive distribution of sigma8 as a histogram: bounded like the prior, of any shape."""

from dataclasses import dataclass
from typing import final

import numpy as np
import numpy.typing as npt
from earnest_common.errors import InputError

__all__ = ["Histogram", "histogram_for"]

FloatArray = npt.NDArray[np.float64]
_MOST_GRID_VALUES = 100


@final
@dataclass(frozen=True)
class Histogram:
    """Bins in sigma8 between which probability is spread evenly.

    A histogram keeps the prior's bounds, beyond which a Gaussian would promise what cannot be; near them the
    posterior is one-sided, and only a free shape gives intervals that cover.

    Attributes
    ----------
    edges
        Bin edges, increasing, length n_bins + 1.

    Examples
    --------
    >>> histogram = Histogram((0.7, 0.8, 0.9))
    >>> float(histogram.mean(np.array([[0.5, 0.5]]))[0].round(6))
    0.8
    """

    edges: tuple[float, ...]

    @property
    def centres(self) -> FloatArray:
        """Middle of each bin, shape (n_bins,)."""
        edges = np.asarray(self.edges)
        centres: FloatArray = (edges[1:] + edges[:-1]) / 2
        return centres

    def index(self, values: FloatArray, *, name: str = "sigma8") -> npt.NDArray[np.int32]:
        """Return the bin of each label.

        Raises
        ------
        InputError
            If a label lies more than one bin outside.
        """
        edges = np.asarray(self.edges)
        width = edges[1] - edges[0]
        outside = ~((values >= edges[0] - width) & (values <= edges[-1] + width))
        if outside.any():
            raise InputError(
                f"{name}: {int(outside.sum())} of {len(values)} training labels are unknown or lie outside "
                f"{edges[0]:.4g} to {edges[-1]:.4g} (first: {values[outside][0]:.4g}); shuffle the training catalogs "
                "or label all of them"
            )
        return np.clip(np.searchsorted(edges, values, side="right") - 1, 0, len(edges) - 2).astype(np.int32)

    def mean(self, probability: FloatArray) -> FloatArray:
        """Return the mean, shape (n,), from bin probabilities of shape (n, n_bins)."""
        return probability @ self.centres

    def std(self, probability: FloatArray) -> FloatArray:
        """Return the standard deviation, the spread within bins included, shape (n,)."""
        width = np.diff(self.edges)
        square = probability @ (self.centres**2 + width**2 / 12)
        return np.sqrt(np.maximum(square - self.mean(probability) ** 2, 0.0))

    def quantile(self, probability: FloatArray, level: float) -> FloatArray:
        """Return the value below which the given share of the probability lies, shape (n,)."""
        edges = np.asarray(self.edges)
        after = np.cumsum(probability, axis=1)
        after /= after[:, -1:]
        found = np.minimum((after < level).sum(axis=1), probability.shape[1] - 1)
        rows = np.arange(len(probability))
        inside = np.maximum(after[rows, found] - np.where(found > 0, after[rows, found - 1], 0.0), 1e-300)
        before = after[rows, found] - inside
        share = np.clip((level - before) / inside, 0.0, 1.0)
        values: FloatArray = edges[found] + share * np.diff(edges)[found]
        return values

    def cumulative(self, probability: FloatArray, sigma8: FloatArray) -> FloatArray:
        """Return the probability below each value (the probability integral transform), shape (n,)."""
        edges = np.asarray(self.edges)
        after = np.concatenate([np.zeros((len(probability), 1)), np.cumsum(probability, axis=1)], axis=1)
        found = np.clip(np.searchsorted(edges, sigma8, side="right") - 1, 0, len(edges) - 2)
        share = np.clip((sigma8 - edges[found]) / np.diff(edges)[found], 0.0, 1.0)
        rows = np.arange(len(probability))
        below: FloatArray = after[rows, found] + share * (after[rows, found + 1] - after[rows, found])
        return below


def histogram_for(labels: FloatArray, *, n_bins: int, name: str = "sigma8") -> Histogram:
    """Return bins for training labels.

    Labels on an even grid (the paper's 0.70, 0.71, ... 0.92) get one bin around each grid value, so that the mean
    over bins is the mean over grid values. Other labels get ``n_bins`` bins that tile their range.

    Parameters
    ----------
    labels
        Training labels, shape (n,).
    n_bins
        Number of bins for labels that are not on a grid.
    name
        What they are.

    Raises
    ------
    InputError
        If labels are unknown or all equal.

    Examples
    --------
    >>> [round(edge, 3) for edge in histogram_for(np.array([0.70, 0.72, 0.71]), n_bins=30).edges]
    [0.695, 0.705, 0.715, 0.725]
    """
    if not np.isfinite(labels).all():
        unknown = int((~np.isfinite(labels)).sum())
        raise InputError(f"{unknown} of {len(labels)} training catalogs have no {name}; label all of them")
    values = np.unique(labels.round(9))
    if len(values) < 2:
        raise InputError(f"all {len(labels)} training catalogs have {name} = {values[0]:.4g}; vary it")
    low, high = float(labels.min()), float(labels.max())
    steps = (values - values[0]) / np.diff(values).min()
    if (
        len(values) <= _MOST_GRID_VALUES
        and np.allclose(steps, steps.round(), atol=1e-4)
        and steps[-1] <= 2 * len(values)
    ):
        n_bins = round(steps[-1]) + 1
        half = (high - low) / (n_bins - 1) / 2
        low, high = low - half, high + half
    return Histogram(tuple(float(edge) for edge in np.linspace(low, high, n_bins + 1)))
