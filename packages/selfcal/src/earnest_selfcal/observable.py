"""The observables whose median is used: Y_X, a tight mass proxy, and L_X, which the survey selects on."""

from dataclasses import replace
from typing import Literal, get_args

import numpy as np
from earnest_common.arrays import FloatArray, FloatLike
from earnest_common.scaling import PowerLaw, ResidualCorrelation, ScalingRelations, log10_y_x_of_paper, y_x_relation

from earnest_selfcal.noise import MeasurementNoise

__all__ = ["OBSERVABLES", "UNITS", "Observable", "l_x_covariance", "log10_of_paper", "relation_of", "shift_of"]

Observable = Literal["y_x", "l_x"]
OBSERVABLES: tuple[Observable, ...] = get_args(Observable)
UNITS: dict[Observable, str] = {"y_x": "solMass/h keV", "l_x": "1e44 erg/s"}
"""Units in which a user states a median; inside, Y_X is h-free."""


def relation_of(
    observable: Observable, relations: ScalingRelations, correlation: ResidualCorrelation, noise: MeasurementNoise
) -> PowerLaw:
    """Return the relation of the observed Y_X [solMass keV], h-free, or L_X [1e44 erg/s] with mass.

    Errors of measurement add to the scatter of Y_X; unlike the scatter of the clusters they have no factor.
    """
    if observable == "l_x":
        return relations.l_x
    law = y_x_relation(relations, correlation)
    offset = noise.offset("t_x") + noise.offset("m_gas")
    scatter = np.sqrt(np.square(law.scatter) + noise.dex("t_x") ** 2 + noise.dex("m_gas") ** 2)
    return replace(law, log10_normalisation=law.log10_normalisation + offset, scatter=scatter)


def l_x_covariance(observable: Observable, relations: ScalingRelations, correlation: ResidualCorrelation) -> FloatLike:
    """Return the covariance [dex^2] of the residuals of log10 l_x and of the log10 observable at fixed mass."""
    if observable == "l_x":
        return relations.l_x.scatter**2
    with_t_x = correlation.l_x_t_x * relations.t_x.scatter
    with_m_gas = correlation.l_x_m_gas * relations.m_gas.scatter
    return relations.l_x.scatter * (with_t_x + with_m_gas)


def shift_of(observable: Observable, design: dict[str, FloatArray]) -> FloatArray:
    """Return log10 of the factor by which normalisations move the observable and nothing else, shape (n,).

    The normalisation of L_X moves the selection as well and is therefore no shift.
    """
    if observable == "l_x":
        return np.zeros(len(design["l_x_normalisation"]))
    return np.log10(design["t_x_normalisation"] * design["m_gas_normalisation"])


def log10_of_paper(observable: Observable, log10_x: FloatLike, h: float) -> FloatLike:
    """Convert log10 Y_X [solMass keV] to the paper's solMass/h keV; L_X [1e44 erg/s] stays as it is."""
    return log10_x if observable == "l_x" else log10_y_x_of_paper(log10_x, h)
