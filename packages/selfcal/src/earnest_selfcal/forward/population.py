"""What the two routes share: the mass grid, the design over nuisance factors, and the covariance of residuals."""

import functools
import math
from typing import Protocol

import numpy as np
from earnest_common.arrays import FloatArray, FloatLike
from earnest_common.survey.cosmology import Cosmology
from earnest_common.survey.mass_function import (
    LOG10_M_RANGE,
    SIGMA8_GRID,
    MassFunctionTable,
    default_mass_function,
    tabulate_mass_function,
)
from earnest_common.survey.presets import Preset, Survey
from earnest_common.survey.priors import Priors
from earnest_common.survey.scaling import FACTORS

__all__ = ["MassFunction", "log10_m_edges", "mass_function_for", "nuisance_design"]

_HIGHEST_LOG10_M = 15.7  # fewer than 1e-3 clusters above it in the whole volume at the largest sigma8
_BELOW_FLUX_CUT = 1.1  # dex in mass: four sigma of l_x below the faintest equivalent mass at the corner of the priors


class MassFunction(Protocol):
    """Anything with the number density of clusters, such as ``MassFunctionTable`` of earnest_common."""

    def dn_dlog10_m(self, log10_m: FloatLike, sigma8: FloatLike) -> FloatArray:
        """Return dn/dlog10 m [Mpc^-3 dex^-1] for log10 m [solMass], h-free, broadcasting."""


def log10_m_edges(survey: Survey, step: float) -> FloatArray:
    """Return the edges of mass cells that hold every detectable cluster, one edge exactly at the cut."""
    cut = survey.selection.log10_m_min
    low = cut - 5 * survey.selection.smoothing if survey.cut == "mass" else cut - _BELOW_FLUX_CUT
    below, above = math.ceil((cut - low) / step - 1e-9), math.ceil((_HIGHEST_LOG10_M - cut) / step)
    return np.asarray(cut + step * np.arange(-below, above + 1))


def mass_function_for(preset: Preset) -> MassFunction:
    """Return the mass function over everything that a survey can show (some 3 s if it is not the shipped table)."""
    edges, prior = log10_m_edges(preset.survey, 0.05), preset.priors.sigma8
    shipped = default_mass_function()
    inside = LOG10_M_RANGE[0] <= edges[0] and SIGMA8_GRID[0] <= prior.low and prior.high <= SIGMA8_GRID[-1]
    if inside and (shipped.cosmology, shipped.z, shipped.model) == (
        preset.cosmology,
        preset.survey.z,
        preset.mass_function,
    ):
        return shipped
    low, high = min(SIGMA8_GRID[0], prior.low), max(SIGMA8_GRID[-1], prior.high)
    lowest = math.floor(10 * min(LOG10_M_RANGE[0], edges[0])) / 10
    return _tabulated(preset.cosmology, preset.survey.z, preset.mass_function, (low, high), lowest)


@functools.lru_cache(maxsize=16)  # both observables of one survey need the same table
def _tabulated(
    cosmology: Cosmology, z: float, model: str, sigma8_range: tuple[float, float], lowest_log10_m: float
) -> MassFunctionTable:
    low, high = sigma8_range
    nodes = tuple(np.linspace(low, high, math.ceil((high - low) / 0.04) + 1).tolist())
    masses = (lowest_log10_m, LOG10_M_RANGE[1])
    return tabulate_mass_function(cosmology, z, sigma8_grid=nodes, log10_m_range=masses, model=model)


def nuisance_design(priors: Priors, n: int) -> dict[str, FloatArray]:
    """Return n evenly spread sets of factors (Sobol points, no random numbers), one array of shape (n,) per factor.

    Examples
    --------
    >>> design = nuisance_design(Priors(), 64)
    >>> float(design["l_x_slope"].mean().round(6))
    1.0
    """
    from scipy.stats import qmc  # importing scipy.stats takes half a second

    points = qmc.Sobol(len(FACTORS), scramble=False).random(n) + 0.5 / n
    return {name: priors.of(name).quantile(points[:, i]) for i, name in enumerate(FACTORS)}
