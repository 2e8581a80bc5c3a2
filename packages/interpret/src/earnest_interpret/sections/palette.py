"""Sizes of the report's figures, and colour maps that are read on light and dark paper alike."""

from typing import Final

import matplotlib as mpl
from matplotlib.colors import LinearSegmentedColormap, to_rgb

__all__ = ["SINGLE", "SMALL", "by_mass", "density", "saliency_colours"]

SINGLE: Final = (4.4, 3.4)
"""Size of a figure that shares a row with one other [inch]."""

SMALL: Final = (3.3, 2.9)
"""Size of a panel among many [inch]."""


def by_mass(fraction: float) -> tuple[float, float, float, float]:
    """Return the colour of a place between the lowest (0) and the highest mass (1); dark enough for white paper."""
    red, green, blue, alpha = mpl.colormaps["viridis"](0.05 + 0.72 * fraction)
    return (float(red), float(green), float(blue), float(alpha))


def density() -> LinearSegmentedColormap:
    """Return a colour map that grows from transparent to blue."""
    stops = [(*to_rgb("#8fb3d4"), 0.18), (*to_rgb("#3f7cb4"), 0.85), (*to_rgb("#163a5f"), 1.0)]
    return LinearSegmentedColormap.from_list("density", stops)


def saliency_colours() -> LinearSegmentedColormap:
    """Return a colour map from dark blue (low) to amber (high saliency), clear of the paper, inverted or not."""
    return LinearSegmentedColormap.from_list("saliency", ["#10243f", "#27527f", "#5c86a5", "#b79a6b", "#e3a33a"])
