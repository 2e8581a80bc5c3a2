"""Gas density profiles of the Vikhlinin et al. (2006) family, whole samples at a time.

Radii are in units of R_500c and densities in units of the main component's amplitude.
"""

from dataclasses import dataclass, fields
from itertools import pairwise
from typing import final

import numpy as np
from earnest_common.arrays import FloatArray
from scipy.integrate import simpson
from scipy.interpolate import CubicSpline

__all__ = ["GasProfile", "density", "density_from_slope", "emission_integral", "enclosed_mass", "log_slope"]

_SCALE_SHARPNESS = 3.0
"""The exponent gamma of Vikhlinin et al. (2006), fixed there for all clusters."""

_INNERMOST = 1e-5
"""Where integrals begin; the gas inside is below 10^-10 of the total for any inner slope up to 4."""


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class GasProfile:
    r"""Parameters of n clusters, each of shape (n,).

    .. math::
        \rho^2 = \frac{(r/r_c)^{-\alpha}}{(1 + r^2/r_c^2)^{3\beta - \alpha/2}\,(1 + r^3/r_s^3)^{\epsilon/3}}
                 + \frac{\rho_2^2}{(1 + r^2/r_{c2}^2)^{3\beta_2}}

    Attributes
    ----------
    core_radius, scale_radius, second_core_radius
        r_c, r_s and r_c2 [R_500c].
    alpha, beta, epsilon, second_beta
        Exponents: inner cusp, outer slope, steepening beyond the scale radius, second component.
    second_amplitude
        rho_2^2, the squared density of the central component, 0 where there is none.

    References
    ----------
    Vikhlinin et al. (2006), equation 3, arXiv:astro-ph/0507092.
    """

    core_radius: FloatArray
    scale_radius: FloatArray
    alpha: FloatArray
    beta: FloatArray
    epsilon: FloatArray
    second_amplitude: FloatArray
    second_core_radius: FloatArray
    second_beta: FloatArray

    def column(self) -> "GasProfile":
        """Return the same parameters with shape (n, 1), to be evaluated at many radii."""
        return GasProfile(**{f.name: np.asarray(getattr(self, f.name))[:, None] for f in fields(self)})


def density(profile: GasProfile, r: FloatArray) -> FloatArray:
    """Return rho at the radii [R_500c], shape (n, k) for k radii."""
    p = profile.column()
    return np.sqrt(_main_squared(p, r) + _second_squared(p, r))


def log_slope(profile: GasProfile, r: FloatArray) -> FloatArray:
    r"""Return the analytic slope d ln rho / d ln r at the radii, shape (n, k).

    Each component of :math:`\rho^2` contributes with its share of the squared density.
    """
    p = profile.column()
    u, w, v = (r / p.core_radius) ** 2, (r / p.scale_radius) ** _SCALE_SHARPNESS, (r / p.second_core_radius) ** 2
    main_slope = -p.alpha / 2 + (p.alpha / 2 - 3 * p.beta) * u / (1 + u) - (p.epsilon / 2) * w / (1 + w)
    second_slope = -3 * p.second_beta * v / (1 + v)
    main, second = _main_squared(p, r), _second_squared(p, r)
    return (main * main_slope + second * second_slope) / (main + second)


def enclosed_mass(profile: GasProfile, r: FloatArray) -> FloatArray:
    r"""Return the gas mass :math:`\int_0^r 4\pi r'^2 \rho\, dr'` at increasing radii, shape (n, k)."""
    edges = np.concatenate(([_INNERMOST], r))
    parts = [_integral(profile, a, b, power=1) for a, b in pairwise(edges)]
    return 4 * np.pi * np.cumsum(np.stack(parts, axis=1), axis=1)


def emission_integral(profile: GasProfile, *, r_min: float = 0.0, r_max: float = 1.0) -> FloatArray:
    r"""Return :math:`\int_{r_{min}}^{r_{max}} r^2 \rho^2\, dr` of both components, shape (n,)."""
    return _integral(profile, max(r_min, _INNERMOST), r_max, power=2)


def _integral(profile: GasProfile, a: float, b: float, *, power: int) -> FloatArray:
    r"""Return :math:`\int_a^b r^2 \rho^{power}\, dr` by Gauss-Legendre quadrature in ln r, 16 nodes per factor of e."""
    pieces = np.linspace(np.log(a), np.log(b), int(np.ceil(np.log(b / a))) + 1)
    nodes, weights = np.polynomial.legendre.leggauss(16)
    half = np.diff(pieces)[:, None] / 2
    ln_r = (pieces[:-1, None] + half * (1 + nodes)).ravel()
    r = np.exp(ln_r)
    integrand = r**3 * density(profile, r) ** power
    total: FloatArray = np.sum(integrand * (half * weights).ravel(), axis=1)
    return total


def _main_squared(p: GasProfile, r: FloatArray) -> FloatArray:
    x = r / p.core_radius
    return (
        x**-p.alpha
        * (1 + x**2) ** (p.alpha / 2 - 3 * p.beta)
        * (1 + (r / p.scale_radius) ** _SCALE_SHARPNESS) ** (-p.epsilon / _SCALE_SHARPNESS)
    )


def _second_squared(p: GasProfile, r: FloatArray) -> FloatArray:
    return p.second_amplitude * (1 + (r / p.second_core_radius) ** 2) ** (-3 * p.second_beta)


def density_from_slope(r: FloatArray, enclosed: FloatArray, slope: FloatArray) -> FloatArray:
    r"""Return densities from enclosed masses and slopes known at a few radii only.

    The slope is splined in ln r and integrated to the shape of the density; the mass between the first and the last
    radius then fixes its amplitude:

    .. math:: \rho(r) = K \exp\!\int\!\gamma\, d\ln r, \quad M(r_k) - M(r_1) = 4\pi K \int_{r_1}^{r_k} r^2 \rho/K\, dr

    Parameters
    ----------
    r
        Increasing radii, shape (k,).
    enclosed
        Mass within them, shape (n, k).
    slope
        d ln rho / d ln r at them, shape (n, k).

    Returns
    -------
    Densities at the radii, shape (n, k), in the units of ``enclosed`` over those of r cubed.
    """
    ln_r = np.log(r)
    ln_shape = CubicSpline(ln_r, slope, axis=1).antiderivative()
    fine = np.linspace(ln_r[0], ln_r[-1], 64 * (len(r) - 1) + 1)
    mass = simpson(4 * np.pi * np.exp(3 * fine + ln_shape(fine)), x=fine, axis=1)
    amplitude = (enclosed[:, -1] - enclosed[:, 0]) / mass
    result: FloatArray = amplitude[:, None] * np.exp(ln_shape(ln_r))
    return result
