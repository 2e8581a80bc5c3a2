"""The observables whose median is used: Y_X, a tight mass proxy, and L_X, which the survey selects on."""

from dataclasses import dataclass, replace
from typing import Literal, final, get_args

import numpy as np
from earnest_common.arrays import FloatArray, FloatLike
from earnest_common.survey.presets import Preset
from earnest_common.survey.scaling import (
    PowerLaw,
    ResidualCorrelation,
    ScalingRelations,
    log10_y_x_of_paper,
    y_x_relation,
)

from earnest_selfcal.survey.measurement_errors import MeasurementErrors

__all__ = ["OBSERVABLES", "UNITS", "LocalLaw", "Observable", "local_law", "log10_of_paper", "relation_of", "shift_of"]

Observable = Literal["y_x", "l_x"]
OBSERVABLES: tuple[Observable, ...] = get_args(Observable)
UNITS: dict[Observable, str] = {"y_x": "solMass/h keV", "l_x": "1e44 erg/s"}
"""Units in which a user states a median; inside, Y_X is h-free."""


def relation_of(
    observable: Observable, relations: ScalingRelations, correlation: ResidualCorrelation, noise: MeasurementErrors
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


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class LocalLaw:
    """Distribution of log10 of the observable, and of log10 l_x, at given masses, both Gaussian.

    Attributes
    ----------
    mean, scatter
        Of log10 of the observable.
    l_x_mean, l_x_scatter
        Of log10 l_x.
    covariance
        Of the two [dex^2].
    """

    mean: FloatArray
    scatter: FloatArray
    l_x_mean: FloatArray
    l_x_scatter: FloatArray
    covariance: FloatArray


def local_law(
    observable: Observable,
    preset: Preset,
    relations: ScalingRelations,
    noise: MeasurementErrors,
    *,
    log10_m: FloatArray,
) -> LocalLaw:
    r"""Return how the observed Y_X [solMass keV], h-free, or L_X [1e44 erg/s] is distributed at each mass.

    With residuals in units of the scatter s of each relation, of mean mu and covariance C at that mass, the observable
    that sums log10 of the observables j has

    .. math:: \langle x \rangle = \sum_j (\bar x_j + s_j \mu_j), \qquad \sigma^2 = \sum_{jk} s_j s_k C_{jk} .

    Parameters
    ----------
    observable
        ``y_x`` or ``l_x``.
    preset
        The residuals: its ``moments``, or else its ``correlation`` at all masses.
    relations
        Relations of the universe; fields are numbers or arrays that broadcast against the masses.
    noise
        Errors of measurement, which add to the scatter of Y_X.
    log10_m
        log10 of m_500c [solMass], shape (n_m,).
    """
    mean, covariance = np.zeros((1, 3)), preset.correlation.matrix[None]
    if preset.moments is not None:
        mean, covariance = preset.moments.at(log10_m)
    laws = (relations.l_x, relations.t_x, relations.m_gas)
    used = (0,) if observable == "l_x" else (1, 2)
    means = [np.asarray(law.log10_mean(log10_m) + law.scatter * mean[:, i]) for i, law in enumerate(laws)]

    def summed(first: tuple[int, ...], second: tuple[int, ...]) -> FloatArray:
        return np.asarray(sum(laws[i].scatter * laws[j].scatter * covariance[:, i, j] for i in first for j in second))

    offset, variance = 0.0, summed(used, used)
    if observable == "y_x":
        offset = noise.offset("t_x") + noise.offset("m_gas")
        variance = variance + noise.dex("t_x") ** 2 + noise.dex("m_gas") ** 2
    return LocalLaw(
        mean=np.asarray(sum(means[i] for i in used) + offset),
        scatter=np.sqrt(np.maximum(variance, 0.0)),
        l_x_mean=means[0],
        l_x_scatter=np.sqrt(np.maximum(summed((0,), (0,)), 0.0)),
        covariance=summed((0,), used),
    )


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
