"""Figures of self-calibration as SVG; matplotlib is an optional extra."""

from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from earnest_common.report.drawing import BLUE, GREY, INK, draw
from earnest_common.report.section import Figure
from earnest_common.survey.scaling import log10_y_x_of_paper

from earnest_selfcal.forward.table import ForwardTable
from earnest_selfcal.posterior.evaluation import Evaluation
from earnest_selfcal.posterior.posterior import infer

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["estimates_figure", "plane_figure"]

_BINS = 11
_RARE = 7.0  # cells whose probability is e^-7 of the highest are left empty


def plane_figure(table: ForwardTable, evaluation: Evaluation) -> Figure:
    """Return the posterior mean of sigma8 over (N, median Y_X), with the evaluated catalogs on top."""
    h = table.preset.cosmology.h
    estimates = evaluation.estimates.filter(pl.col("n_clusters") > 0)  # none has no median
    n, y_x = (estimates.get_column(name).to_numpy() for name in ("n_clusters", "median_log10_y_x"))
    counts = np.unique(np.linspace(max(1, n.min() * 0.8), n.max() * 1.15, 24).astype(np.int64))
    medians = np.linspace(y_x.min() - 0.08, y_x.max() + 0.08, 24)
    cells = [[infer(table, int(one), float(y)) for one in counts] for y in medians]
    ln_evidence = np.array([[cell.ln_evidence for cell in row] for row in cells])
    mean = np.array([[cell.mean for cell in row] for row in cells])
    mean[ln_evidence < ln_evidence.max() - _RARE] = np.nan

    def paint(axes: "Axes") -> None:
        bounds = {"vmin": table.sigma8[0], "vmax": table.sigma8[-1], "cmap": "viridis"}
        paper_y = np.asarray(log10_y_x_of_paper(medians, h))
        drawn = axes.pcolormesh(counts, paper_y, mean, shading="nearest", rasterized=True, **bounds)
        truth = estimates.get_column("sigma8").to_numpy()
        style = {"edgecolors": "white", "linewidths": 0.3, **bounds}
        axes.scatter(n, log10_y_x_of_paper(y_x, h), c=truth, s=9, rasterized=True, **style)  # thousands of points
        axes.set(xlabel="number of clusters", ylabel=r"median $\log_{10} Y_X$ [$h^{-1} M_\odot$ keV]")
        axes.figure.colorbar(drawn, ax=axes, label=r"$\sigma_8$")

    return Figure(
        name="selfcal-plane",
        svg=draw(paint),
        alt="Map of the posterior mean of sigma8 over number of clusters and median Y_X, with catalogs as dots",
        caption=(
            "Posterior mean of σ₈ over the number of clusters and their median Y_X (map), and the true σ₈ of "
            f"{len(estimates)} catalogs (dots). Where map and dots agree, the two numbers suffice."
        ),
    )


def estimates_figure(evaluation: Evaluation) -> Figure:
    """Return the mean and scatter of posterior means in bins of the truth, for both estimators."""
    estimates = evaluation.estimates
    truth = estimates.get_column("sigma8").to_numpy()
    edges = np.linspace(truth.min(), truth.max() + 1e-9, _BINS + 1)
    members = [np.flatnonzero((edges[i] <= truth) & (truth < edges[i + 1])) for i in range(_BINS)]
    members = [member for member in members if len(member) > 1]
    centre = np.array([truth[member].mean() for member in members])
    styles = {"n_only": ("N alone", GREY), "n_median_y_x": ("N and median $Y_X$", BLUE)}

    def paint(axes: "Axes") -> None:
        ends = [truth.min(), truth.max()]
        axes.plot(ends, ends, color=INK, lw=0.8)
        for name, (label, colour) in styles.items():
            estimate = estimates.get_column(name).to_numpy()
            mean, std = np.array([[estimate[member].mean(), estimate[member].std()] for member in members]).T
            axes.plot(centre, mean, color=colour, label=label)
            axes.fill_between(centre, mean - std, mean + std, color=colour, alpha=0.25, lw=0)
        axes.set(xlabel=r"true $\sigma_8$", ylabel=r"posterior mean of $\sigma_8$")
        axes.legend(loc="upper left")

    return Figure(
        name="selfcal-estimates",
        svg=draw(paint),
        alt="Posterior means of sigma8 against true values, from the number of clusters alone and with the median Y_X",
        caption=(
            "Inferred against true σ₈, mean and scatter in bins: overall scatter "
            f"{evaluation.scores['n_only'].scatter:.4f} from N alone, "
            f"{evaluation.scores['n_median_y_x'].scatter:.4f} from N and the "
            "median Y_X. Posterior means lean towards the middle of the prior, as they must."
        ),
    )
