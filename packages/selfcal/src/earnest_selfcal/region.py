"""Where the forward model may be used: what a survey shows over its whole prior, and refusals outside of it."""

import math

import numpy as np
from earnest_common.arrays import FloatArray
from earnest_common.scaling import log10_y_x_of_paper, y_x_relation
from numpy.typing import NDArray

from earnest_selfcal.forward import ForwardTable
from earnest_selfcal.median import median_cdf
from earnest_selfcal.posterior import ln_poisson

__all__ = ["refusal"]

_TAIL = 1e-4


def refusal(table: ForwardTable, n_clusters: int, median_log10_y_x: float | None = None) -> str | None:
    """Return why data lie outside the modelled region, or None if they lie inside.

    Data are outside if they are in a tail of 1e-4 of what the survey shows over its whole prior: N by itself, then
    the median Y_X among surveys of that N.

    Parameters
    ----------
    table, n_clusters, median_log10_y_x
        As for :func:`earnest_selfcal.posterior.infer`.
    """
    if n_clusters < 1:
        return f"n_clusters = {n_clusters}: an empty catalog has no median and cannot be calibrated; give at least 1"
    low, high = np.searchsorted(table.share_up_to_n, [_TAIL, 1 - _TAIL])
    if not low <= n_clusters <= high:
        return (
            f"n_clusters = {n_clusters} is outside preset '{table.preset.name}', whose surveys hold {low} to {high} "
            "clusters; check volume, flux limit and preset"
        )
    if median_log10_y_x is None:
        return None
    if not math.isfinite(median_log10_y_x):
        return f"median log10 Y_X = {median_log10_y_x} is not a number; t_x and m_gas must be known and positive"
    inside = _is_inside(table, n_clusters, median_log10_y_x)
    return None if inside else _y_x_message(table, n_clusters, median_log10_y_x)


def _is_inside(table: ForwardTable, n: int, log10_y_x: float) -> bool:
    likely, weight = _weights(table, n)
    cdf = table.distribution_at(log10_y_x)[0][likely]
    # A median falls on either side of F = 1/2 equally often: this bounds both tails without beta functions.
    bound = 0.5 * float(weight @ (cdf > 0.5))
    if _TAIL < bound < 0.5 - _TAIL:
        return True
    return _TAIL < float(weight @ median_cdf(n, cdf)) < 1 - _TAIL


def _weights(table: ForwardTable, n: int) -> tuple[NDArray[np.bool_], FloatArray]:
    """Return the points of the table that may show n clusters, and their probabilities."""
    ln_weight = ln_poisson(n, table.expected_n)
    weight = np.exp(ln_weight - ln_weight.max())
    likely = weight > 1e-6
    return likely, weight[likely] / weight[likely].sum()


def _y_x_message(table: ForwardTable, n: int, log10_y_x: float) -> str:
    """Say what the value would mean as a mass, and what is expected, in the paper's units."""
    h = table.preset.cosmology.h
    likely, weight = _weights(table, n)
    grid = np.linspace(table.log10_y_x[0] - 0.4, table.log10_y_x[-1] + 0.4, 60)
    below = [float(weight @ median_cdf(n, table.distribution_at(y)[0][likely])) for y in grid]
    inside = np.interp([_TAIL, 1 - _TAIL], below, grid)
    relation = y_x_relation(table.preset.relations, table.preset.correlation)
    mass, *expected_mass = (math.log10(h) + float(relation.log10_mass(y)) for y in (log10_y_x, *inside))
    value, *expected = (float(log10_y_x_of_paper(y, h)) for y in (log10_y_x, *inside))
    return (
        f"median log10 Y_X = {value:.6g} [solMass/h keV] is outside preset '{table.preset.name}': it implies clusters "
        f"of 10^{mass:.4g} solMass/h. With {n} clusters {expected[0]:.2f} to {expected[1]:.2f} is expected, "
        f"masses of 10^{expected_mass[0]:.1f} to 10^{expected_mass[1]:.1f} solMass/h. Give log10 of gas mass "
        "[solMass/h] times temperature [keV]"
    )
