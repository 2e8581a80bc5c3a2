"""A small line at the foot of a figure that says what is emulated in it."""

import textwrap
from collections.abc import Callable
from typing import TYPE_CHECKING

from earnest_common.report.drawing import GREY

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

__all__ = ["labelled"]

_SIZE = 6.0  # pt
_LETTERS_PER_INCH = 25


def labelled(paint: Callable[["Canvas"], object], synthetic: str | None) -> Callable[["Canvas"], None]:
    """Return what paints a canvas and, if something is emulated, says so at its foot.

    Parameters
    ----------
    paint
        Draws into the canvas.
    synthetic
        What is emulated, in words.
    """

    def paint_and_label(canvas: "Canvas") -> None:
        paint(canvas)
        if synthetic:
            lines = textwrap.wrap(synthetic, int(canvas.get_figwidth() * _LETTERS_PER_INCH))
            canvas.supxlabel("\n".join(lines), x=0.99, ha="right", fontsize=_SIZE, color=GREY)

    return paint_and_label
