"""Luminosity of hot gas: the emission of a density profile that holds a given gas mass."""

import numpy as np
from earnest_common.arrays import FloatArray

from earnest_mocks.gas.emissivity import bolometric_emissivity, emission_per_density
from earnest_mocks.gas.profile import GasProfile, emission_integral, enclosed_mass

__all__ = ["bolometric_luminosity", "even_luminosity"]

_CM_PER_KPC = 3.0856775814913673e21
_UNIT = 1e44  # erg/s


def even_luminosity(*, m_gas: FloatArray, t_x: FloatArray, r_500c: FloatArray, metallicity: float) -> FloatArray:
    r"""Return the luminosity of gas that fills the sphere of R_500c evenly [1e44 erg/s], the least that it can have.

    .. math:: L_0 = \frac{4\pi}{3} R_{500c}^3\, \Lambda(T, Z)\, \langle n_p n_e\rangle

    Parameters
    ----------
    m_gas
        Gas masses within R_500c [solMass], shape (n,).
    t_x
        Temperatures [keV], shape (n,).
    r_500c
        Radii [kpc], shape (n,).
    metallicity
        Abundance of metals in solar units.
    """
    volume = 4 * np.pi / 3 * r_500c**3
    emission = emission_per_density(m_gas / volume) * volume * _CM_PER_KPC**3
    return np.asarray(bolometric_emissivity(t_x, metallicity=metallicity) * emission / _UNIT)


def bolometric_luminosity(
    profile: GasProfile,
    *,
    m_gas: FloatArray,
    t_x: FloatArray,
    r_500c: FloatArray,
    metallicity: float,
    beyond: float = 0.0,
) -> FloatArray:
    r"""Return the luminosity of isothermal spheres of gas within R_500c [1e44 erg/s], shape (n,).

    .. math:: L_X = \Lambda(T, Z) \int_{r_\mathrm{in}}^{R_{500c}} 4\pi r^2 n_p n_e\, dr

    Parameters
    ----------
    profile
        Shapes of n density profiles.
    m_gas, t_x, r_500c, metallicity
        As in :func:`even_luminosity`.
    beyond
        Inner radius [R_500c]; 0.15 leaves out the core.

    Examples
    --------
    >>> from earnest_mocks.base_sample.emulator import emulate
    >>> gas = emulate(n_clusters=50)
    >>> l_x, t_x, m_gas = 10**gas.observables.T
    >>> found = bolometric_luminosity(
    ...     gas.profile, m_gas=m_gas, t_x=t_x, r_500c=gas.r_500c, metallicity=gas.metallicity
    ... )
    >>> bool(np.allclose(found, l_x, rtol=1e-6))
    True
    """
    mean = 3 / (4 * np.pi) * enclosed_mass(profile, np.ones(1))[:, 0]
    clumping = 3 * emission_integral(profile, r_min=beyond) / mean**2
    return clumping * even_luminosity(m_gas=m_gas, t_x=t_x, r_500c=r_500c, metallicity=metallicity)
