"""One way to draw: a calm journal style, and SVG text without dates or random names."""

import io
from collections.abc import Callable
from typing import Any, Final

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure as Canvas

__all__ = ["BLUE", "GREEN", "GREY", "INK", "OCHRE", "RUST", "SINGLE", "SMALL", "by_mass", "density", "draw"]

INK: Final = "#22262b"
GREY: Final = "#868c94"
BLUE: Final = "#2f5f8f"
RUST: Final = "#b0512e"
GREEN: Final = "#3f7d5e"
OCHRE: Final = "#b98a2b"

SINGLE: Final = (4.4, 3.4)
"""Size of a figure that shares a row with one other [inch]."""

SMALL: Final = (3.3, 2.9)
"""Size of a panel among many [inch]."""

_STYLE: Any = {
    "axes.axisbelow": True,
    "axes.edgecolor": INK,
    "axes.grid": True,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.7,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "font.family": "STIXGeneral",
    "font.size": 11.5,
    "grid.color": "#e3e5e8",
    "grid.linewidth": 0.6,
    "legend.fontsize": 10.5,
    "legend.frameon": False,
    "legend.handlelength": 1.4,
    "lines.linewidth": 1.7,
    "mathtext.fontset": "stix",
    "path.simplify": True,
    "savefig.dpi": 180,  # of the layers that are rasterised
    "svg.fonttype": "path",
    "svg.hashsalt": "earnest",
    "text.color": INK,
    "xtick.color": INK,
    "xtick.direction": "out",
    "ytick.color": INK,
    "ytick.direction": "out",
}


def draw(paint: Callable[[Axes], None], *, size: tuple[float, float] = SINGLE) -> str:
    """Return the SVG text of one pair of axes.

    Parameters
    ----------
    paint
        Draws into the axes.
    size
        Width and height [inch].

    Examples
    --------
    >>> svg = draw(lambda axes: axes.plot([0, 1], [0, 1]))
    >>> svg == draw(lambda axes: axes.plot([0, 1], [0, 1]))
    True
    """
    with mpl.rc_context(_STYLE):
        figure = Canvas(figsize=size, layout="constrained")
        FigureCanvasSVG(figure)
        paint(figure.add_subplot())
        stream = io.StringIO()
        figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None})
    return stream.getvalue()


def by_mass(fraction: float) -> tuple[float, float, float, float]:
    """Return the colour of a place between the lowest (0) and the highest mass (1); dark enough for white paper."""
    red, green, blue, alpha = mpl.colormaps["viridis"](0.05 + 0.72 * fraction)
    return (float(red), float(green), float(blue), float(alpha))


def density() -> LinearSegmentedColormap:
    """Return a colour map that grows from transparent to blue, so that it lies on light and dark paper alike."""
    stops = [
        (*mpl.colors.to_rgb("#8fb3d4"), 0.18),
        (*mpl.colors.to_rgb("#3f7cb4"), 0.85),
        (*mpl.colors.to_rgb("#163a5f"), 1.0),
    ]
    return LinearSegmentedColormap.from_list("density", stops)
