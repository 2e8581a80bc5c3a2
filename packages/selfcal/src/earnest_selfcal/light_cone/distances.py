"""Distances and volumes of a flat universe of matter and a cosmological constant."""

import numpy as np
from earnest_common.arrays import FloatArray, FloatLike
from earnest_common.survey.cosmology import Cosmology

__all__ = ["comoving_distance", "comoving_volume", "expansion", "flux_to_luminosity"]

_LIGHT_SPEED = 299_792.458  # km/s
_CM_PER_MPC = 3.0856775814913673e24
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(40)  # good to 1e-10 below z = 3


def expansion(z: FloatLike, cosmology: Cosmology) -> FloatArray:
    """Return E(z) = H(z) / H0."""
    return np.asarray(np.sqrt(cosmology.Om0 * (1 + np.asarray(z)) ** 3 + 1 - cosmology.Om0))


def comoving_distance(z: FloatLike, cosmology: Cosmology) -> FloatArray:
    """Return the comoving distance [Mpc], h-free.

    Examples
    --------
    >>> from earnest_common.survey.cosmology import MAGNETICUM
    >>> round(float(comoving_distance(0.0663, MAGNETICUM)), 1)
    278.5
    """
    half = np.asarray(z, dtype=np.float64)[..., None] / 2
    inverse = 1 / expansion(half * (_NODES + 1), cosmology)
    return np.asarray(_LIGHT_SPEED / cosmology.H0 * (half * inverse * _WEIGHTS).sum(axis=-1))


def comoving_volume(low: float, high: float, *, solid_angle: float, cosmology: Cosmology) -> float:
    """Return the comoving volume [Mpc^3] between two redshifts in a solid angle [sr]."""
    near, far = comoving_distance(np.array([low, high]), cosmology)
    return float(solid_angle / 3 * (far**3 - near**3))


def flux_to_luminosity(flux: FloatLike, z: FloatLike, cosmology: Cosmology) -> FloatArray:
    """Return L = 4 pi d_L^2 F [1e44 erg/s] of a flux [erg/s/cm^2], without K-correction."""
    distance = comoving_distance(z, cosmology) * (1 + np.asarray(z)) * _CM_PER_MPC
    return np.asarray(4 * np.pi * distance**2 * flux / 1e44)
