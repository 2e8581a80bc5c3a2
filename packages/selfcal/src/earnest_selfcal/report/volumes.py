"""Figures of sigma8 over the number of clusters and the median Y_X, from simulated surveys (14 and 18 of the paper)."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from earnest_common.arrays import FloatArray
from earnest_common.report.drawing import INK, draw_canvas
from earnest_common.report.section import Figure

from earnest_selfcal.simulation.binned import Binned, binned_sigma8
from earnest_selfcal.simulation.volumes import VolumeResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

__all__ = ["binned_figure", "volumes_figure"]

_N_LABEL, _Y_LABEL = "number of clusters", r"median $\log_{10} Y_X$ [$h^{-1} M_\odot$ keV]"


def binned_figure(surveys: pl.DataFrame, *, h: float) -> Figure:
    """Return the binned mean of sigma8, and sigma8 itself in two small regions.

    Parameters
    ----------
    surveys
        sigma8, n_clusters and median_log10_y_x, one row per survey.
    h
        Hubble constant in units of 100 km/s/Mpc, for the paper's unit.

    References
    ----------
    Ntampaka & Vikhlinin (arXiv:2112.05768), figure 14.
    """
    binned = binned_sigma8(surveys)
    log10_h = np.log10(h)
    regions = {name: _region(surveys, at) for name, at in (("A", 0.25), ("B", 0.75))}

    def paint(canvas: "Canvas") -> None:
        top, bottom = np.ravel(canvas.subfigures(2, 1, squeeze=False, height_ratios=(1, 1.9)))
        for axes, (name, (values, _)) in zip(top.subplots(1, 2, sharex=True), regions.items(), strict=True):
            axes.hist(values, bins=np.arange(0.695, 0.926, 0.01), color="#c9d6e3", ec="#2f5f8f", lw=0.5)
            axes.set(title=rf"{name}: {values.mean():.3f} $\pm$ {values.std():.3f}", xlabel=r"$\sigma_8$", yticks=[])
        axes = bottom.subplots()
        _paint_map(axes, binned, binned.mean, log10_h=log10_h, label=r"mean $\sigma_8$")
        for name, (_, (n, x)) in regions.items():
            axes.text(n, x + log10_h, name, ha="center", va="center", color="white", weight="bold")

    (a, _), (b, _) = regions["A"], regions["B"]
    return Figure(
        name="selfcal-binned",
        svg=draw_canvas(paint, size=(4.8, 5.6)),
        alt="Map of the mean sigma8 in bins of number of clusters and median Y_X, with histograms in two regions",
        caption=(
            f"Mean σ₈ of {len(surveys):,} simulated surveys in bins of the number of clusters and the median Y_X; top: "
            f"σ₈ of the surveys within two small regions, {a.mean():.3f} ± {a.std():.3f} (A) and {b.mean():.3f} ± "
            f"{b.std():.3f} (B). About a bin's mean σ₈ scatters by {binned.scatter:.4f} over all bins."
        ),
    )


def volumes_figure(results: Sequence[VolumeResult], *, h: float) -> Figure:
    """Return binned mean (top) and scatter (bottom) of sigma8, one column per volume.

    Parameters
    ----------
    results
        One for each volume.
    h
        Hubble constant in units of 100 km/s/Mpc, for the paper's unit.

    References
    ----------
    Ntampaka & Vikhlinin (arXiv:2112.05768), figure 18.
    """
    log10_h = np.log10(h)

    def paint(canvas: "Canvas") -> None:
        grid = canvas.subplots(2, len(results), squeeze=False, sharex="col", sharey=True)
        for column, result in zip(grid.T, results, strict=True):
            binned = result.binned
            _paint_map(column[0], binned, binned.mean, log10_h=log10_h, label=r"mean $\sigma_8$")
            _paint_map(column[1], binned, binned.std, log10_h=log10_h, label=r"std $\sigma_8$", low=0.0, high=0.06)
            column[0].set(title=f"{100 * result.fraction:.0f} % of the box", xlabel="")

    words = "; ".join(f"{100 * r.fraction:.0f} %: {r.binned.scatter:.4f}" for r in results)
    return Figure(
        name="selfcal-volumes",
        svg=draw_canvas(paint, size=(4.3 * len(results), 5.8)),
        alt="Maps of mean and standard deviation of sigma8 over number of clusters and median Y_X for several volumes",
        caption=(
            "Mean (top) and standard deviation (bottom) of σ₈ in bins of the number of clusters and the median Y_X. "
            f"Scatter about the bins' means, all surveys together: {words}."
        ),
    )


def _region(surveys: pl.DataFrame, share: float) -> tuple[FloatArray, tuple[float, float]]:
    """Return sigma8 of the surveys near a typical one that is low or high in N, and where that is."""
    n = surveys.get_column("n_clusters").to_numpy().astype(np.float64)
    x = surveys.get_column("median_log10_y_x").to_numpy()
    at_n = float(np.quantile(n, share))
    in_n = np.abs(n - at_n) <= max(2.0, 0.03 * at_n)
    at_x = float(np.nanmedian(x[in_n]))
    inside = in_n & (np.abs(x - at_x) < 0.01)
    return surveys.get_column("sigma8").to_numpy()[inside], (at_n, at_x)


def _paint_map(
    axes: "Axes",
    binned: Binned,
    values: FloatArray,
    *,
    log10_h: float,
    label: str,
    low: float = 0.70,
    high: float = 0.92,
) -> None:
    style: Any = {"cmap": "viridis", "vmin": low, "vmax": high, "rasterized": True}
    drawn = axes.pcolormesh(binned.n_edges, binned.x_edges + log10_h, values, **style)
    axes.set(xlabel=_N_LABEL, ylabel=_Y_LABEL)
    axes.tick_params(colors=INK)
    axes.figure.colorbar(drawn, ax=axes, label=label)
