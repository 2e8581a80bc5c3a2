"""What the two routes share: the mass grid, the design over nuisance factors, and the covariance of residuals."""

import math
from typing import Protocol

import numpy as np
from earnest_common.arrays import FloatArray, FloatLike
from earnest_common.priors import Priors
from earnest_common.scaling import FACTORS, ResidualCorrelation, ScalingRelations
from earnest_common.survey import Survey

__all__ = ["MassFunction", "l_x_with_y_x_covariance", "log10_m_edges", "nuisance_design"]

_HIGHEST_LOG10_M = 15.7  # fewer than 1e-3 clusters above it in the whole volume at the largest sigma8
_LOWEST_LOG10_M_FLUX = 12.5  # four sigma of l_x below the faintest equivalent mass at the corner of the priors


class MassFunction(Protocol):
    """Anything with the number density of clusters, such as ``earnest_common.mass_function.MassFunctionTable``."""

    def dn_dlog10_m(self, log10_m: FloatLike, sigma8: FloatLike) -> FloatArray:
        """Return dn/dlog10 m [Mpc^-3 dex^-1] for log10 m [solMass], h-free, broadcasting."""


def log10_m_edges(survey: Survey, step: float) -> FloatArray:
    """Return the edges of mass cells that hold every detectable cluster, one edge exactly at the cut."""
    cut = survey.selection.log10_m_min
    low = cut - 5 * survey.selection.smoothing if survey.cut == "mass" else min(cut, _LOWEST_LOG10_M_FLUX)
    below, above = math.ceil((cut - low) / step - 1e-9), math.ceil((_HIGHEST_LOG10_M - cut) / step)
    return np.asarray(cut + step * np.arange(-below, above + 1))


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


def l_x_with_y_x_covariance(relations: ScalingRelations, correlation: ResidualCorrelation) -> FloatLike:
    """Return the covariance [dex^2] of the residuals of log10 l_x and log10 Y_X at fixed mass."""
    with_t_x = correlation.l_x_t_x * relations.t_x.scatter
    with_m_gas = correlation.l_x_m_gas * relations.m_gas.scatter
    return relations.l_x.scatter * (with_t_x + with_m_gas)
