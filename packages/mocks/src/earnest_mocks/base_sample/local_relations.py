"""Slopes, scatter and correlations of scaling relations at given masses, beside those published for simulations."""

from dataclasses import dataclass
from typing import final

import numpy as np
from earnest_common.arrays import FloatArray

__all__ = ["PUBLISHED", "LocalRelation", "local_relations", "rows_of"]

_NAMES = ("l_x", "t_x", "m_gas", "y_x")
_WIDTH = 0.2
"""Width of the Gaussian kernel in log10 m [dex]."""


@final
@dataclass(frozen=True, kw_only=True)
class LocalRelation:
    """Relations of clusters around one mass; scatters in natural logarithms, unknown values NaN.

    Attributes
    ----------
    log10_m
        The mass [solMass].
    n
        Clusters that count, by their weights; 0 for published numbers.
    m_gas_slope, t_x_slope, l_x_slope
        d ln X / d ln m.
    m_gas_scatter, t_x_scatter, l_x_scatter, y_x_scatter
        Standard deviation of ln X at fixed mass.
    m_gas_t_x, m_gas_l_x, l_x_t_x
        Correlation of the residuals.
    """

    log10_m: float
    n: float = 0.0
    m_gas_slope: float
    t_x_slope: float
    l_x_slope: float
    m_gas_scatter: float
    t_x_scatter: float
    l_x_scatter: float
    y_x_scatter: float
    m_gas_t_x: float
    m_gas_l_x: float
    l_x_t_x: float


def _published(*rows: tuple[float, ...]) -> tuple[LocalRelation, ...]:
    return tuple(
        LocalRelation(
            log10_m=x,
            m_gas_slope=slopes[0],
            t_x_slope=slopes[1],
            l_x_slope=slopes[2],
            m_gas_scatter=rest[0],
            t_x_scatter=rest[1],
            l_x_scatter=rest[2],
            y_x_scatter=rest[3],
            m_gas_t_x=rest[4],
            m_gas_l_x=rest[5],
            l_x_t_x=rest[6],
        )
        for x, *values in rows
        for slopes, rest in [(values[:3], values[3:])]
    )


PUBLISHED = {
    "FLAMINGO L1_m8": _published(
        (13.73, 1.56, 0.52, 2.09, 0.155, 0.071, 0.301, 0.179, -0.14, 0.85, -0.15),
        (13.94, 1.42, 0.51, 1.89, 0.129, 0.065, 0.269, 0.143, -0.23, 0.89, -0.28),
        (14.14, 1.30, 0.53, 1.70, 0.101, 0.061, 0.237, 0.118, -0.21, 0.89, -0.26),
        (14.35, 1.21, 0.55, 1.55, 0.078, 0.057, 0.212, 0.105, -0.09, 0.84, -0.12),
        (14.56, 1.15, 0.56, 1.42, 0.062, 0.056, 0.201, 0.105, +0.06, 0.77, +0.05),
        (14.87, 1.10, 0.58, 1.27, 0.048, 0.061, 0.199, 0.111, +0.23, 0.67, +0.26),
    ),
    "TNG300 + TNG-Cluster": _published(
        (13.75, 1.41, 0.52, 2.29, 0.121, 0.058, 0.309, 0.172, -0.03, 0.71, +0.00),
        (13.97, 1.26, 0.54, 2.08, 0.100, 0.053, 0.318, 0.147, -0.07, 0.69, +0.06),
        (14.19, 1.14, 0.56, 1.95, 0.076, 0.053, 0.451, 0.128, +0.04, 0.60, +0.21),
        (14.40, 1.07, 0.59, 1.70, 0.059, 0.058, 0.595, 0.131, +0.25, 0.60, +0.29),
    ),
}
"""Facts from Aljamal et al. 2025 (github.com/ealjamal/MPQScaling): z = 0, t_x mass-weighted, l_x in 0.5-2 keV."""


def local_relations(log10_m: FloatArray, observables: FloatArray, at: FloatArray) -> tuple[LocalRelation, ...]:
    """Return the relations around each mass, from straight lines fitted with Gaussian weights of 0.2 dex.

    Parameters
    ----------
    log10_m
        log10 masses [solMass], shape (n,).
    observables
        log10 of l_x, t_x and m_gas, shape (n, 3).
    at
        Where to look, shape (k,).

    References
    ----------
    Farahi, Anbajagane & Evrard 2022 (kernel-localised linear regression, arXiv:2202.09903).

    Examples
    --------
    >>> x = np.linspace(13.5, 15, 200)
    >>> (found,) = local_relations(x, np.stack([1.7 * x, 0.6 * x, 1.2 * x], axis=1), np.array([14.2]))
    >>> round(found.m_gas_slope, 9)
    1.2
    """
    values = np.column_stack([observables, observables[:, 1] + observables[:, 2]]) * np.log(10)
    return tuple(_local(log10_m, values, one) for one in at.tolist())


def rows_of(relations: tuple[LocalRelation, ...], name: str) -> tuple[tuple[str | float, ...], ...]:
    """Return rows of a table: the sample's name, then the fields in their order, rounded."""
    digits = {"log10_m": 2, "n": 0}
    return tuple(
        (name, *(round(value, digits.get(field, 3)) for field, value in vars(one).items())) for one in relations
    )


def _local(log10_m: FloatArray, values: FloatArray, at: float) -> LocalRelation:
    weight = np.exp(-0.5 * ((log10_m - at) / _WIDTH) ** 2)
    weight /= weight.sum()
    x = (log10_m - weight @ log10_m) * np.log(10)
    y = values - weight @ values
    slope = (weight * x) @ y / (weight @ x**2)
    residual = y - x[:, None] * slope
    covariance = (residual * weight[:, None]).T @ residual
    sigma = np.sqrt(np.diag(covariance))
    correlation = covariance / np.maximum(np.outer(sigma, sigma), 1e-300)
    l_x, t_x, m_gas, y_x = range(len(_NAMES))
    return LocalRelation(
        log10_m=at,
        n=float(1 / np.sum(weight**2)),
        m_gas_slope=float(slope[m_gas]),
        t_x_slope=float(slope[t_x]),
        l_x_slope=float(slope[l_x]),
        m_gas_scatter=float(sigma[m_gas]),
        t_x_scatter=float(sigma[t_x]),
        l_x_scatter=float(sigma[l_x]),
        y_x_scatter=float(sigma[y_x]),
        m_gas_t_x=float(correlation[m_gas, t_x]),
        m_gas_l_x=float(correlation[m_gas, l_x]),
        l_x_t_x=float(correlation[l_x, t_x]),
    )
