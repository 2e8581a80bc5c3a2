"""The peak of the detected clusters, and sigma8 from its height and place: equations (5) and (6) of the paper.

Where a survey turns from flux- to volume-limited the number of detected clusters peaks. With the mass function known,

    N_peak = n(sigma8, M_peak),    M_peak = m_Y(Y_X,peak)  or  m_L(L_X,peak)

are two equations for sigma8 and M_peak. ``sharp_peak`` solves them as they stand; ``solve_peak`` with the scatter of
the observable, which lowers and moves the peak.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import final

import numpy as np
from earnest_common.arrays import FloatArray
from earnest_common.errors import InputError
from earnest_common.survey.presets import Preset
from earnest_common.survey.scaling import PowerLaw, with_factors

from earnest_selfcal.forward.observable import Observable, relation_of
from earnest_selfcal.forward.population import MassFunction, log10_m_edges
from earnest_selfcal.forward.table import selected_density
from earnest_selfcal.survey.measurement_errors import noise_of

__all__ = ["Peak", "Solution", "peak_of", "sharp_peak", "solve_peak"]

_M_STEP, _X_STEP = 0.01, 0.02
_KERNEL = 0.05  # dex: observed clusters are smoothed too before they have a peak, and a cut in L_X leaves a kink there
_SIGMA8_BOUNDS = (0.57, 1.09)


@final
@dataclass(frozen=True, kw_only=True)
class Peak:
    """The highest point of dN/dlog10 X, smoothed by 0.05 dex.

    Attributes
    ----------
    log10_x
        Where: log10 Y_X [solMass keV], h-free, or log10 L_X [1e44 erg/s].
    per_dex
        How high: detected clusters per decade of the observable.
    n_clusters
        All detected clusters.
    median_err
        Standard error of the median of the observable [dex], which tells the place of the peak best.
    """

    log10_x: float
    per_dex: float
    n_clusters: float
    median_err: float


@final
@dataclass(frozen=True, kw_only=True)
class Solution:
    """What solves the equations.

    Attributes
    ----------
    sigma8
        sigma8.
    log10_m_peak
        log10 of the mass [solMass], h-free, at which the survey becomes volume-limited.
    """

    sigma8: float
    log10_m_peak: float


def peak_of(
    preset: Preset,
    solution: Solution,
    *,
    observable: Observable,
    factors: Mapping[str, float] | None = None,
    mass_function: MassFunction,
) -> Peak:
    """Return the peak that a survey shows.

    Parameters
    ----------
    preset
        The survey; its own break is replaced by the solution's.
    solution
        sigma8 and the mass of the break.
    observable
        ``y_x`` or ``l_x``.
    factors
        Factors of the scaling relations; default 1.
    mass_function
        Number density of clusters.
    """
    relations = with_factors(preset.relations, factors or {})
    preset = _with_break(preset, relations.l_x, solution.log10_m_peak)
    edges = log10_m_edges(preset.survey, _M_STEP)
    log10_m = (edges[1:] + edges[:-1]) / 2
    counts = preset.survey.volume * _M_STEP * mass_function.dn_dlog10_m(log10_m, solution.sigma8)
    log10_x = _grid(relation_of(observable, relations, preset.correlation, noise_of(preset)), edges)
    density = counts @ selected_density(preset, relations, log10_m=log10_m, log10_x=log10_x, observable=observable)
    n_clusters = float(density.sum() * _X_STEP)
    kernel = np.exp(-0.5 * (_X_STEP * np.arange(-13, 14) / _KERNEL) ** 2)
    density = np.convolve(density, kernel / kernel.sum(), mode="same")
    cumulative = np.cumsum(density) / density.sum()
    at_median = float(np.interp(0.5, cumulative, density)) / n_clusters
    place, height = _vertex(log10_x, density)
    return Peak(
        log10_x=place,
        per_dex=height,
        n_clusters=n_clusters,
        median_err=float(1 / (2 * at_median * np.sqrt(n_clusters))),
    )


def sharp_peak(
    per_dex: float, log10_x: float, *, law: PowerLaw, volume: float, mass_function: MassFunction
) -> Solution:
    """Solve equations (5) or (6) as they stand, for an observable without scatter.

    Parameters
    ----------
    per_dex
        Height of the peak: clusters per decade of the observable.
    log10_x
        Its place, in the units of the relation.
    law
        Relation of the observable with mass.
    volume
        Comoving volume [Mpc^3].
    mass_function
        Number density of clusters.

    Raises
    ------
    InputError
        If no sigma8 from 0.57 to 1.09 gives the height.

    References
    ----------
    Ntampaka & Vikhlinin (arXiv:2112.05768), equations 5 and 6.
    """
    from scipy.optimize import brentq

    log10_m = float(law.log10_mass(log10_x))
    target = np.log(per_dex * float(law.slope) / volume) if per_dex > 0 else -np.inf

    def excess(sigma8: float) -> float:
        return float(np.log(mass_function.dn_dlog10_m(log10_m, sigma8)) - target)

    low, high = _SIGMA8_BOUNDS
    if not np.isfinite(target) or excess(low) * excess(high) > 0:
        found = f"{per_dex:.4g} clusters per dex at 10^{log10_m:.3g} solMass"
        heights = [volume * float(mass_function.dn_dlog10_m(log10_m, s)) / float(law.slope) for s in (low, high)]
        raise InputError(
            f"a peak of {found} fits no sigma8 from {low} to {high}, which give {heights[0]:.4g} to {heights[1]:.4g}; "
            "check the volume, the unit of the observable, and that the height is per decade of it"
        )
    return Solution(sigma8=float(brentq(excess, low, high, xtol=1e-7)), log10_m_peak=log10_m)


def solve_peak(
    preset: Preset,
    *,
    per_dex: float,
    log10_x: float,
    observable: Observable,
    factors: Mapping[str, float] | None = None,
    mass_function: MassFunction,
) -> Solution:
    """Solve for sigma8 and the mass of the break with scatter, correlated residuals and smoothing as in the survey.

    Parameters
    ----------
    preset
        The survey; its break is what is solved for.
    per_dex, log10_x
        Height and place of the observed peak, as in :class:`Peak`.
    observable
        ``y_x`` or ``l_x``.
    factors
        Assumed factors of the scaling relations; default 1.
    mass_function
        Number density of clusters.

    Raises
    ------
    InputError
        If no sigma8 and break give this peak.
    """
    if not per_dex > 0:
        raise InputError(f"a peak of {per_dex} clusters per dex is none; give a positive number")
    relations = with_factors(preset.relations, factors or {})
    law = relation_of(observable, relations, preset.correlation, noise_of(preset))
    start = np.array([preset.cosmology.sigma8, float(law.log10_mass(log10_x))])
    target = np.array([np.log(per_dex), log10_x])

    def difference(point: FloatArray) -> FloatArray:
        at = Solution(sigma8=float(point[0]), log10_m_peak=float(point[1]))
        peak = peak_of(preset, at, observable=observable, factors=factors, mass_function=mass_function)
        return np.asarray(np.array([np.log(peak.per_dex), peak.log10_x]) - target)

    point = _newton(difference, start)
    if point is None:
        raise InputError(
            f"a peak of {per_dex:.4g} clusters per dex at log10 {observable} = {log10_x:.4g} fits no sigma8 from "
            f"{_SIGMA8_BOUNDS[0]} to {_SIGMA8_BOUNDS[1]} with a break above the survey's lowest mass; "
            "check the volume and the unit of the observable"
        )
    return Solution(sigma8=float(point[0]), log10_m_peak=float(point[1]))


def _newton(difference: Callable[[FloatArray], FloatArray], start: FloatArray) -> FloatArray | None:
    """Return the root of two smooth functions of (sigma8, log10 m), or None if it is not found inside the bounds."""
    point, steps = start, np.array([0.004, 0.02])
    for _ in range(25):
        try:
            value = difference(point)
            columns = [(difference(point + h) - difference(point - h)) / (2 * h.sum()) for h in np.diag(steps)]
            move = np.linalg.solve(np.transpose(columns), -value)
        except (InputError, np.linalg.LinAlgError):
            return None
        point = point + np.clip(move, [-0.08, -0.2], [0.08, 0.2])
        point[0] = np.clip(point[0], _SIGMA8_BOUNDS[0], _SIGMA8_BOUNDS[1])
        if np.all(np.abs(move) < 1e-5):
            return np.asarray(point)
    return None


def _with_break(preset: Preset, l_x: PowerLaw, log10_m_break: float) -> Preset:
    """Return the preset with the flux limit at which clusters of a mass become visible everywhere."""
    selection = preset.survey.selection
    moved = float(selection.l_x.log10_mass(l_x.log10_mean(log10_m_break)))
    return replace(preset, survey=replace(preset.survey, selection=replace(selection, log10_m_break=moved)))


def _grid(law: PowerLaw, edges: FloatArray) -> FloatArray:
    low, high = law.log10_mean(edges[[0, -1]]) + 4 * float(law.scatter) * np.array([-1, 1])
    # Whole multiples of the step: the grid must not slide along with the parameters that are varied.
    return np.arange(np.floor(low / _X_STEP), np.ceil(high / _X_STEP) + 1) * _X_STEP


def _vertex(log10_x: FloatArray, density: FloatArray) -> tuple[float, float]:
    """Return place and height of the parabola through the logarithms around the highest point."""
    top = int(np.clip(np.argmax(density), 3, len(density) - 4))
    near = slice(top - 3, top + 4)
    offset = log10_x[near] - log10_x[top]
    a, b, c = np.polyfit(offset, np.log(density[near]), 2)
    place = float(np.clip(-b / (2 * a), offset[0], offset[-1]))
    return float(log10_x[top] + place), float(np.exp(a * place**2 + b * place + c))
