"""Power-law scaling relations between mass and X-ray observables."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import final

import numpy as np

from earnest_common.arrays import FloatArray, FloatLike
from earnest_common.errors import InputError
from earnest_common.survey.cosmology import MAGNETICUM

__all__ = [
    "FACTORS",
    "TABLE_2",
    "PowerLaw",
    "ResidualCorrelation",
    "ScalingRelations",
    "log10_y_x_of_paper",
    "with_factors",
    "y_x_relation",
]

FACTORS = (
    "l_x_normalisation",
    "t_x_normalisation",
    "m_gas_normalisation",
    "l_x_slope",
    "l_x_scatter",
    "t_x_scatter",
    "m_gas_scatter",
    "t_x_calibration",
)
"""The numbers that a catalog varies, each a factor relative to the reference relation (1 = reference).

The calibration multiplies all temperatures that a survey measures, as the normalisation multiplies all that clusters
have; no catalog tells the two apart, but their priors differ."""


@final
@dataclass(frozen=True, kw_only=True)
class PowerLaw:
    """log10 X = log10_normalisation + slope (log10 m - log10_pivot), with lognormal scatter.

    All fields may be arrays that broadcast against the masses: one power law then stands for many catalogs.

    Attributes
    ----------
    log10_normalisation
        log10 of X at the pivot.
    slope
        d log10 X / d log10 m.
    log10_pivot
        log10 of the pivot mass [solMass], h-free.
    scatter
        Standard deviation of log10 X at fixed mass [dex].
    """

    log10_normalisation: FloatLike
    slope: FloatLike
    log10_pivot: float
    scatter: FloatLike

    def log10_mean(self, log10_m: FloatLike) -> FloatLike:
        """Return the mean log10 X of clusters of mass log10 m [solMass], h-free."""
        return self.log10_normalisation + self.slope * (log10_m - self.log10_pivot)

    def log10_mass(self, log10_x: FloatLike) -> FloatLike:
        """Return the log10 m [solMass], h-free, at which the mean relation gives log10 X.

        Examples
        --------
        >>> round(TABLE_2.t_x.log10_mass(TABLE_2.t_x.log10_mean(14.1)), 9)
        14.1
        """
        return self.log10_pivot + (log10_x - self.log10_normalisation) / self.slope


@final
@dataclass(frozen=True, kw_only=True)
class ScalingRelations:
    """The three relations of a survey.

    Attributes
    ----------
    l_x
        Bolometric luminosity within R_500c [1e44 erg/s].
    t_x
        Mass-weighted temperature [keV].
    m_gas
        Gas mass within R_500c [solMass], h-free.
    """

    l_x: PowerLaw
    t_x: PowerLaw
    m_gas: PowerLaw


@final
@dataclass(frozen=True, kw_only=True)
class ResidualCorrelation:
    """Correlation of the residuals of log10 X at fixed mass.

    The paper borrows residuals from simulated clusters and prints no matrix. Its figure 16 (17.9 % in mass from
    M_gas, 7.3 % from Y_X) with the scatter of table 2 asks for a t_x-m_gas correlation near -1; the defaults are a
    positive definite choice close to it, with hotter clusters poorer in gas and luminous ones richer.
    """

    t_x_m_gas: float = -0.9
    l_x_m_gas: float = 0.6
    l_x_t_x: float = -0.4

    def __post_init__(self) -> None:
        if np.linalg.eigvalsh(self.matrix).min() < 0:
            raise InputError(f"residual correlations {self} are impossible: their matrix has a negative eigenvalue")

    @property
    def matrix(self) -> FloatArray:
        """The correlation matrix of (l_x, t_x, m_gas), shape (3, 3)."""
        lt, lm, tm = self.l_x_t_x, self.l_x_m_gas, self.t_x_m_gas
        return np.array([[1.0, lt, lm], [lt, 1.0, tm], [lm, tm, 1.0]])


def _table_2() -> ScalingRelations:
    """Convert the paper's table 2: intercepts at log10(M h / solMass) = 0, gas mass in solMass/h."""
    log10_h = math.log10(MAGNETICUM.h)
    pivot_h = 14.4

    def power_law(slope: float, intercept: float, scatter: float) -> PowerLaw:
        return PowerLaw(
            log10_normalisation=slope * pivot_h + intercept,
            slope=slope,
            log10_pivot=pivot_h - log10_h,
            scatter=scatter,
        )

    m_gas_h = power_law(1.16, -3.32, 0.10)
    return ScalingRelations(
        l_x=power_law(1.74, -24.81, 0.13),
        t_x=power_law(0.61, -8.25, 0.03),
        m_gas=replace(m_gas_h, log10_normalisation=m_gas_h.log10_normalisation - log10_h),
    )


TABLE_2 = _table_2()
"""The relations fitted to the simulation, h-free.

The intercepts that the paper prints belong to log10 M = 0 (at its pivot they would be absurd); slopes are varied about
the pivot of table 1, 10^14.4 solMass/h, for a slope 30 % steeper about log10 M = 0 would move l_x by seven decades.
"""


def with_factors(relations: ScalingRelations, factors: Mapping[str, FloatLike]) -> ScalingRelations:
    """Return the relations with normalisation, slope and scatter multiplied by factors.

    Parameters
    ----------
    relations
        The reference relations.
    factors
        Any of ``FACTORS`` (others default to 1); numbers, or arrays that broadcast against the masses.

    Raises
    ------
    InputError
        If a name is not one of ``FACTORS``.

    Examples
    --------
    >>> steep = with_factors(TABLE_2, {"l_x_slope": 1.3}).l_x
    >>> bool(steep.log10_mean(steep.log10_pivot) == TABLE_2.l_x.log10_normalisation)
    True
    """
    if unknown := sorted(set(factors) - set(FACTORS)):
        raise InputError(f"unknown factor {', '.join(unknown)}; known are {', '.join(FACTORS)}")

    def one(name: str, relation: PowerLaw) -> PowerLaw:
        return replace(
            relation,
            log10_normalisation=relation.log10_normalisation
            + np.log10(factors.get(f"{name}_normalisation", 1.0))
            + np.log10(factors.get(f"{name}_calibration", 1.0)),
            slope=relation.slope * factors.get(f"{name}_slope", 1.0),
            scatter=relation.scatter * factors.get(f"{name}_scatter", 1.0),
        )

    return ScalingRelations(
        l_x=one("l_x", relations.l_x), t_x=one("t_x", relations.t_x), m_gas=one("m_gas", relations.m_gas)
    )


def y_x_relation(relations: ScalingRelations, correlation: ResidualCorrelation) -> PowerLaw:
    """Return the relation of Y_X = m_gas t_x [solMass keV], h-free.

    The scatter follows from sigma^2 = sigma_t^2 + sigma_m^2 + 2 rho sigma_t sigma_m.

    Raises
    ------
    InputError
        If the two relations have different pivots.

    References
    ----------
    Kravtsov, Vikhlinin & Nagai 2006 (arXiv:astro-ph/0603205).

    Examples
    --------
    >>> y_x = y_x_relation(TABLE_2, ResidualCorrelation())
    >>> round(float(y_x.slope), 2), round(float(y_x.scatter), 3)
    (1.77, 0.074)
    """
    t_x, m_gas = relations.t_x, relations.m_gas
    if t_x.log10_pivot != m_gas.log10_pivot:
        raise InputError(f"Y_X needs one pivot, found {t_x.log10_pivot} for t_x and {m_gas.log10_pivot} for m_gas")
    covariance = 2 * correlation.t_x_m_gas * t_x.scatter * m_gas.scatter
    return PowerLaw(
        log10_normalisation=t_x.log10_normalisation + m_gas.log10_normalisation,
        slope=t_x.slope + m_gas.slope,
        log10_pivot=t_x.log10_pivot,
        scatter=np.sqrt(t_x.scatter**2 + m_gas.scatter**2 + covariance),
    )


def log10_y_x_of_paper(log10_y_x: FloatLike, h: float) -> FloatLike:
    """Convert log10 Y_X [solMass keV], h-free, to the paper's solMass/h keV."""
    return log10_y_x + math.log10(h)
