"""Distances and sizes of a cluster at a redshift."""

import math

import numpy as np
from earnest_common.survey.cosmology import Cosmology

from earnest_mocks.gas.quadrature import gauss_legendre

__all__ = ["angular_diameter_distance", "comoving_distance", "critical_density", "kpc_per_arcmin", "r_500c"]

_HUBBLE_LENGTH = 299_792.458  # c / (km/s/Mpc) [Mpc] for H0 = 1
_RHO_CRIT_0 = 277.53662724  # critical density today [h^2 solMass kpc^-3], from 3 (100 km/s/Mpc)^2 / (8 pi G)


def critical_density(z: float, cosmology: Cosmology) -> float:
    """Return the critical density of a flat universe [solMass kpc^-3]."""
    return _RHO_CRIT_0 * cosmology.h**2 * (cosmology.Om0 * (1 + z) ** 3 + 1 - cosmology.Om0)


def r_500c(m_500c: float, z: float, cosmology: Cosmology) -> float:
    """Return the radius [kpc, physical] of a mass m_500c [solMass].

    Examples
    --------
    >>> from earnest_common.survey.cosmology import MAGNETICUM
    >>> round(r_500c(1e14, 0.0663, MAGNETICUM))
    690
    """
    return float((m_500c / (4 * math.pi / 3 * 500 * critical_density(z, cosmology))) ** (1 / 3))


def comoving_distance(z: float, cosmology: Cosmology) -> float:
    r"""Return :math:`c \int_0^z dz' / H(z')` [Mpc] of a flat universe."""
    nodes, weights = gauss_legendre(32)
    at = z * (1 + nodes) / 2
    e = np.sqrt(cosmology.Om0 * (1 + at) ** 3 + 1 - cosmology.Om0)
    return float(_HUBBLE_LENGTH / cosmology.H0 * z / 2 * np.sum(weights / e))


def angular_diameter_distance(z: float, cosmology: Cosmology) -> float:
    """Return the angular-diameter distance [Mpc]."""
    return comoving_distance(z, cosmology) / (1 + z)


def kpc_per_arcmin(z: float, cosmology: Cosmology) -> float:
    """Return the physical length [kpc] that one arcminute spans at a redshift.

    Examples
    --------
    >>> from earnest_common.survey.cosmology import MAGNETICUM
    >>> round(kpc_per_arcmin(0.0663, MAGNETICUM) / 60, 2)
    1.27
    """
    return 1e3 * angular_diameter_distance(z, cosmology) * math.pi / (180 * 60)
