"""The figure of calibration: the histogram of ranks, and how far two kinds of coverage stray from their promise."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from earnest_common.report.drawing import BLUE, GREY, RUST, draw_canvas
from earnest_common.report.section import Figure

from earnest_model.evaluation.accuracy import Accuracy
from earnest_model.evaluation.labelled_predictions import LabelledPredictions
from earnest_model.evaluation.ranks import N_BINS, Ranks, ranks
from earnest_model.report.footers import labelled

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["ranks_figure"]

FloatArray = npt.NDArray[np.float64]
_TWO_SIGMA = 1.96
_KOLMOGOROV_95 = 1.358  # largest distance of an empirical distribution of n values, times sqrt(n), 95 % of the time


def ranks_figure(found: LabelledPredictions, quality: Accuracy) -> Figure:
    """Return the histogram of the ranks of the truth, and the excess of their distribution over an even one."""
    told = ranks(found)
    return Figure(
        name="model-ranks",
        svg=draw_canvas(
            labelled(lambda canvas: _paint(canvas.subplots(1, 2), told), quality.synthetic), size=(7.2, 3.2)
        ),
        alt="Histogram of the ranks of true sigma8 in their distributions, and excess of cumulative coverage.",
        caption=(
            f"Left: ranks of the true σ₈ within the inferred distributions of {quality.n_catalogs:,} catalogs, flat if "
            f"these are right (χ² p-value {quality.sbc_p_value:.2g}; band: 95 % of bins). Right: share of ranks below "
            f"a value minus the value, and the same for regions about random points (p-value "
            f"{quality.tarp_p_value:.2g}); 95 % of right models stay inside the band."
        ),
    )


def _paint(axes: Sequence["Axes"], told: Ranks) -> None:
    left, right = axes
    n, even = len(told.pit), 1 / N_BINS
    half = _TWO_SIGMA * np.sqrt(even * (1 - even) / n) / even
    left.axhspan(1 - half, 1 + half, color=GREY, alpha=0.25, lw=0)
    edges = np.linspace(0, 1, N_BINS + 1)
    density = np.histogram(told.pit, bins=edges)[0] / (n * even)
    left.stairs(density, edges, color=BLUE, lw=1.5)
    left.set(xlabel=r"rank of true $\sigma_8$", ylabel="density", xlim=(0, 1), ylim=(0, max(1.6, 1.1 * density.max())))
    right.axhspan(-_KOLMOGOROV_95 / np.sqrt(n), _KOLMOGOROV_95 / np.sqrt(n), color=GREY, alpha=0.25, lw=0)
    promised = np.linspace(0, 1, 201)
    for values, color, label in ((told.pit, BLUE, "ranks (SBC)"), (told.tarp, RUST, "random regions (TARP)")):
        found = np.searchsorted(np.sort(values), promised, side="right") / n
        right.plot(promised, found - promised, color=color, lw=1.3, label=label)
    right.set(xlabel="promised share", ylabel="found minus promised", xlim=(0, 1))
    right.legend(loc="best")
