"""One way to draw: the report's calm journal style, and SVG text without dates or random names."""

import io
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from earnest_common.errors import MissingExtraError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["BLUE", "GREY", "INK", "RUST", "draw"]

INK: Final = "#22262b"
GREY: Final = "#868c94"
BLUE: Final = "#2f5f8f"
RUST: Final = "#b0512e"

_STYLE: Any = {
    "axes.axisbelow": True,
    "axes.edgecolor": INK,
    "axes.facecolor": "none",
    "axes.grid": True,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.7,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "figure.facecolor": "none",
    "font.family": "STIXGeneral",
    "font.size": 11.5,
    "grid.color": "#e3e5e8",
    "grid.linewidth": 0.6,
    "legend.fontsize": 10.5,
    "legend.frameon": False,
    "legend.handlelength": 1.6,
    "lines.linewidth": 1.7,
    "mathtext.fontset": "stix",
    "savefig.dpi": 180,  # of the layers that are rasterised
    "savefig.facecolor": "none",
    "svg.fonttype": "path",
    "svg.hashsalt": "earnest",
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
}


def draw(paint: Callable[["Axes"], None], *, size: tuple[float, float] = (4.4, 3.9)) -> str:
    """Return the SVG text of one pair of axes.

    Parameters
    ----------
    paint
        Draws into the axes.
    size
        Width and height [inch].

    Raises
    ------
    MissingExtraError
        If matplotlib is not installed.
    """
    try:
        import matplotlib as mpl
        from matplotlib.backends.backend_svg import FigureCanvasSVG
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtraError.of("drawing figures", "earnest-model", "figures") from error
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=size, layout="constrained")
        FigureCanvasSVG(figure)
        paint(figure.add_subplot())
        stream = io.StringIO()
        figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None})
    return stream.getvalue()
