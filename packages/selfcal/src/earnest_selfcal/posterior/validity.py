"""Where the forward model may be used: what a survey shows over its whole prior, and refusals outside of it."""

import math

import numpy as np
from earnest_common.arrays import FloatArray
from numpy.typing import NDArray

from earnest_selfcal.forward.counts import ln_poisson, no_number_of_clusters
from earnest_selfcal.forward.median import median_cdf
from earnest_selfcal.forward.observable import UNITS, Observable, log10_of_paper, relation_of
from earnest_selfcal.forward.table import ForwardTable

__all__ = ["reason_outside"]

_TAIL = 1e-4
_NAMES: dict[Observable, str] = {"y_x": "Y_X", "l_x": "L_X"}
_NEEDS: dict[Observable, str] = {
    "y_x": "t_x and m_gas must be known and positive",
    "l_x": "l_x must be known and positive",
}
_REMEDY: dict[Observable, str] = {
    "y_x": "Give log10 of gas mass [solMass/h] times temperature [keV]",
    "l_x": "Give log10 of the luminosity that the survey selects on, in 1e44 erg/s (bolometric in the presets)",
}


def reason_outside(table: ForwardTable, n_clusters: int, median_log10_x: float | None = None) -> str | None:
    """Return why data lie outside the modelled region, or None if they lie inside.

    Data are outside if they are in a tail of 1e-4 of what the survey shows over its whole prior: N by itself, then
    the median among surveys of that N.

    Parameters
    ----------
    table, n_clusters, median_log10_x
        As for :func:`earnest_selfcal.posterior.posterior.infer`.
    """
    if reason := no_number_of_clusters(n_clusters, median_log10_x):
        return reason
    if not (table.share_up_to(n_clusters) >= _TAIL and table.share_up_to(n_clusters - 1) < 1 - _TAIL):
        low, high = table.number_at(_TAIL), table.number_at(1 - _TAIL)
        return (
            f"n_clusters = {n_clusters} is outside preset '{table.preset.name}', whose surveys hold {low} to {high} "
            "clusters; check volume, flux limit and preset"
        )
    if median_log10_x is None:
        return None
    if not math.isfinite(median_log10_x):
        return f"median log10 {_NAMES[table.observable]} = {median_log10_x} is not a number; {_NEEDS[table.observable]}"
    inside = _is_inside(table, n_clusters, median_log10_x)
    return None if inside else _message(table, n_clusters, median_log10_x)


def _is_inside(table: ForwardTable, n: int, log10_x: float) -> bool:
    likely, weight = _weights(table, n)
    cdf = table.distribution_at(log10_x)[0][likely]
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


def _message(table: ForwardTable, n: int, log10_x: float) -> str:
    """Say what the value would mean as a mass, and what is expected, in the units that users state."""
    preset, observable = table.preset, table.observable
    likely, weight = _weights(table, n)
    grid = np.linspace(table.log10_x[0] - 0.4, table.log10_x[-1] + 0.4, 160)
    below = [float(weight @ median_cdf(n, table.distribution_at(x)[0][likely])) for x in grid]
    inside = np.interp([_TAIL, 1 - _TAIL], below, grid)
    law = relation_of(observable, preset.relations, preset.correlation, table.noise)
    h = preset.cosmology.h
    mass, *expected_mass = (math.log10(h) + float(law.log10_mass(x)) for x in (log10_x, *inside))
    value, *expected = (float(log10_of_paper(observable, x, h)) for x in (log10_x, *inside))
    h_free = (
        ("", "") if observable == "l_x" else (f", h-free {log10_x:.6g}", " (h-free {:.2f} to {:.2f})".format(*inside))
    )
    return (
        f"median log10 {_NAMES[observable]} = {value:.6g} [{UNITS[observable]}]{h_free[0]} is outside preset "
        f"'{preset.name}': it implies clusters of 10^{mass:.4g} solMass/h. With {n} clusters "
        f"{expected[0]:.2f} to {expected[1]:.2f}{h_free[1]} is "
        f"expected, masses of 10^{expected_mass[0]:.1f} to 10^{expected_mass[1]:.1f} solMass/h. {_REMEDY[observable]}"
    )
