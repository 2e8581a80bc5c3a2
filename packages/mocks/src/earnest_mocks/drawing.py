"""One way to draw: the report's calm journal style, and SVG text without dates or random names."""

import io
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from earnest_common.errors import MissingExtraError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["BLUE", "GREEN", "GREY", "INK", "OCHRE", "RUST", "draw"]

INK: Final = "#22262b"
GREY: Final = "#868c94"
BLUE: Final = "#2f5f8f"
RUST: Final = "#b0512e"
GREEN: Final = "#3f7d5e"
OCHRE: Final = "#b98a2b"

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
    "legend.fontsize": 10,
    "legend.frameon": False,
    "legend.handlelength": 1.6,
    "lines.linewidth": 1.7,
    "mathtext.fontset": "stix",
    "savefig.facecolor": "none",
    "svg.fonttype": "path",
    "svg.hashsalt": "earnest",
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
}


def draw(paint: Callable[[Sequence["Axes"]], None], *, size: tuple[float, float], panels: int = 1) -> str:
    """Return the SVG text of a row of panels.

    Parameters
    ----------
    paint
        Draws into the panels' axes.
    size
        Width and height [inch].
    panels
        Number of panels.

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
        raise MissingExtraError.of("drawing figures", "earnest-mocks", "figures") from error
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=size, layout="constrained")
        FigureCanvasSVG(figure)
        paint(list(figure.subplots(1, panels, squeeze=False)[0]))
        stream = io.StringIO()
        figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None})
    return stream.getvalue()
