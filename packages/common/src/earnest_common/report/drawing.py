"""One way to draw for all packages: a calm journal style, and SVG text without dates or random names."""

import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from earnest_common.errors import InputError, MissingExtraError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "BLUE",
    "GREEN",
    "GREY",
    "INK",
    "OCHRE",
    "RUST",
    "draw",
    "draw_canvas",
    "draw_panels",
    "require_matplotlib",
    "require_svg",
]

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
    "legend.fontsize": 10.5,
    "legend.frameon": False,
    "legend.handlelength": 1.4,
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


def require_matplotlib() -> None:
    """Refuse early if figures cannot be drawn.

    Raises
    ------
    MissingExtraError
        With the command that installs what is missing.
    InputError
        If matplotlib cannot be loaded with the settings of the environment.
    """
    try:
        import matplotlib as mpl  # noqa: F401
    except ImportError as error:
        raise MissingExtraError.of("a figure", "earnest-common", "figures") from error
    except ValueError as error:  # of MPLBACKEND or a matplotlibrc
        raise InputError(f"figures cannot be drawn: matplotlib refuses its settings ({error}); mend them") from error


def require_svg(path: Path) -> None:
    """Refuse a name whose suffix promises another kind of file than is drawn.

    Raises
    ------
    InputError
        If the suffix is not ``.svg``.
    """
    if path.suffix.lower() != ".svg":
        found = f"ends in '{path.suffix}'" if path.suffix else "has no suffix"
        raise InputError(
            f"figure {path} {found}, but figures are drawn as SVG; name it {path.with_suffix('.svg').name}, "
            "and convert that file if another kind is needed"
        )


def draw(paint: Callable[["Axes"], object], *, size: tuple[float, float] = (4.4, 3.4)) -> str:
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

    Examples
    --------
    >>> svg = draw(lambda axes: axes.plot([0, 1], [0, 1]))
    >>> svg == draw(lambda axes: axes.plot([0, 1], [0, 1]))
    True
    """
    return draw_canvas(lambda canvas: paint(canvas.add_subplot()), size=size)


def draw_panels(paint: Callable[[Sequence["Axes"]], object], *, panels: int, size: tuple[float, float]) -> str:
    """Return the SVG text of a row of panels; see :func:`draw`."""
    return draw_canvas(lambda canvas: paint(list(canvas.subplots(1, panels, squeeze=False)[0])), size=size)


def draw_canvas(paint: Callable[["Figure"], object], *, size: tuple[float, float]) -> str:
    """Return the SVG text of a whole canvas; see :func:`draw`."""
    require_matplotlib()
    import matplotlib as mpl
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    with mpl.rc_context():
        mpl.rcdefaults()  # figures are the same whatever the user has set, and what is set stays
        mpl.rcParams.update(_STYLE)
        canvas = Figure(figsize=size, layout="constrained")
        FigureCanvasSVG(canvas)
        paint(canvas)
        stream = io.StringIO()
        canvas.savefig(stream, format="svg", metadata={"Date": None, "Creator": None})
    return stream.getvalue()
