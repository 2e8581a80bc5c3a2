"""One pair of axes, or several, as SVG text; matplotlib is an optional extra."""

import io
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from earnest_common.errors import MissingExtraError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

__all__ = ["BLUE", "GREY", "INK", "OCHRE", "draw", "draw_many", "require_matplotlib"]

INK, BLUE, GREY, OCHRE = "#22262b", "#2f5f8f", "#868c94", "#b5762a"
_STYLE: Any = {
    "axes.facecolor": "none",
    "axes.linewidth": 0.7,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "figure.facecolor": "none",
    "font.family": "STIXGeneral",
    "font.size": 11.5,
    "legend.frameon": False,
    "mathtext.fontset": "stix",
    "savefig.facecolor": "none",
    "svg.fonttype": "path",
    "svg.hashsalt": "earnest",
}


def require_matplotlib() -> None:
    """Refuse early if figures cannot be drawn.

    Raises
    ------
    MissingExtraError
        With the command that installs what is missing.
    """
    try:
        import matplotlib as mpl  # noqa: F401
    except ImportError as error:
        raise MissingExtraError.of("a figure", "earnest-selfcal", "figures") from error


def draw(paint: Callable[["Axes"], None]) -> str:
    """Return the SVG text of one pair of axes, the same for the same data."""
    return draw_many(lambda canvas: paint(canvas.add_subplot()))


def draw_many(paint: Callable[["Canvas"], None], *, size: tuple[float, float] = (4.4, 3.4)) -> str:
    """Return the SVG text of a canvas of some size [inches], the same for the same data."""
    import matplotlib as mpl
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure as Canvas

    with mpl.rc_context(_STYLE):
        canvas = Canvas(figsize=size, layout="constrained")
        FigureCanvasSVG(canvas)
        paint(canvas)
        stream = io.StringIO()
        canvas.savefig(stream, format="svg", metadata={"Date": None, "Creator": None})
    return stream.getvalue()
