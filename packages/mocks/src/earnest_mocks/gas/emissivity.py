"""X-ray emissivity of hot, thin gas: free-free with its Gaunt factor, and the lines of a soft band.

No table of a plasma code is needed: the continuum is a formula, the lines are a dozen numbers.
"""

import math

import numpy as np
from earnest_common.arrays import FloatArray
from scipy.special import erf, k0

from earnest_mocks.gas.quadrature import gauss_legendre

__all__ = [
    "bolometric_emissivity",
    "density_per_emission",
    "emission_per_density",
    "emissivity",
    "photon_emissivity",
]

# rho_gas / (m_p sqrt(n_p n_e)). Vikhlinin et al. (2006) print 1.624; their gas fractions (table 3) follow with 1.252.
_PROTONS_PER_ROOT_EMISSION = 1.252
_PROTONS_PER_CM3 = 2.4714e7  # m_p cm^-3 in solMass kpc^-3

_HELIUM = 0.0977  # He/H by number (Anders & Grevesse 1989)
_FREE_FREE = 6.842e-38 * (1 + 4 * _HELIUM)
_KELVIN_PER_KEV = 1.160451812e7
_HERTZ_PER_KEV = 2.417989242e17
_ERG_PER_KEV = 1.602176634e-9

# Lines of gas with 0.3 solar metals between 0.5 and 2 keV: emissivity [1e-24 erg cm^3/s] at each temperature [keV],
# what published cooling functions have above the free-free continuum.
_LINE_T_X = (0.5, 0.7, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0)
_LINES = (7.34, 7.86, 5.70, 2.60, 1.34, 0.84, 0.57, 0.29, 0.12, 0.02)
_LINE_BAND = (0.5, 2.0)
_LINE_WIDTH = 0.15  # keV; the iron L complex and its neighbours as one hump
_LINE_CENTRE = (0.95, 0.15)  # keV at 1 keV, and its growth with temperature as ions lose electrons


def emissivity(energy: FloatArray, t_x: float, *, metallicity: float = 0.3) -> FloatArray:
    r"""Return the spectrum per unit of n_e n_p at the energies in the frame of the gas [erg cm^3 s^-1 keV^-1].

    .. math::
        \epsilon_\nu = 6.842\times10^{-38}\, (1 + 4 X_{He})\, T^{-1/2} e^{-x} g, \quad
        g = \frac{\sqrt 3}{\pi} e^{x/2} K_0(x/2), \quad x = E / kT

    plus the lines as one Gaussian hump; within 0.5-2 keV it is good to 6 % between 0.5 and 15 keV.

    Parameters
    ----------
    energy
        Photon energies in the frame of the gas [keV].
    t_x
        Temperature [keV].
    metallicity
        Abundance of metals in solar units; the lines are proportional to it.

    Examples
    --------
    >>> nodes = np.linspace(0.5, 2.0, 301)
    >>> round(float(np.trapezoid(emissivity(nodes, 3.0, metallicity=0.0), nodes)) / 1e-24, 1)
    4.8
    """
    x = energy / t_x
    # e^-x times the Gaunt factor in one exponential, which stays finite for any x.
    gaunt = math.sqrt(3) / math.pi * np.exp(-x / 2) * k0(x / 2)
    free_free = _FREE_FREE / math.sqrt(t_x * _KELVIN_PER_KEV) * gaunt * _HERTZ_PER_KEV
    return np.asarray(free_free + metallicity / 0.3 * _lines(energy, t_x))


def _lines(energy: FloatArray, t_x: float) -> FloatArray:
    """Return the lines of 0.3 solar metals [erg cm^3 s^-1 keV^-1]."""
    strength = 1e-24 * np.interp(math.log(t_x), np.log(_LINE_T_X), _LINES) * (t_x < _LINE_T_X[-1])
    centre = _LINE_CENTRE[0] * t_x ** _LINE_CENTRE[1]
    low, high = (math.erf((edge - centre) / (math.sqrt(2) * _LINE_WIDTH)) for edge in _LINE_BAND)
    hump = np.exp(-0.5 * ((energy - centre) / _LINE_WIDTH) ** 2) / (math.sqrt(2 * math.pi) * _LINE_WIDTH)
    return np.asarray(strength * hump / ((high - low) / 2))


def bolometric_emissivity(t_x: FloatArray, *, metallicity: float) -> FloatArray:
    r"""Return the emission at all energies per unit of n_e n_p [erg cm^3 s^-1], the integral of :func:`emissivity`.

    .. math::
        \int\epsilon_\nu\, d\nu = 6.842\times10^{-38}\, (1 + 4 X_{He})\, T^{1/2}\, \frac{2\sqrt 3}{\pi} \frac{k_B}{h}

    plus the lines of the soft band alone: with metals, cool gas emits more than this.

    Parameters
    ----------
    t_x
        Temperatures [keV], any shape.
    metallicity
        Abundance of metals in solar units.

    Examples
    --------
    >>> bool(np.isclose(bolometric_emissivity(np.array(3.0), metallicity=0.0) / 1e-24, 13.0, rtol=0.02))
    True
    """
    free_free = _FREE_FREE / np.sqrt(t_x * _KELVIN_PER_KEV) * t_x * _HERTZ_PER_KEV * 2 * math.sqrt(3) / math.pi
    centre = _LINE_CENTRE[0] * t_x ** _LINE_CENTRE[1]
    low, high = (erf((edge - centre) / (math.sqrt(2) * _LINE_WIDTH)) for edge in _LINE_BAND)
    strength = 1e-24 * np.interp(np.log(t_x), np.log(_LINE_T_X), _LINES) * (t_x < _LINE_T_X[-1])
    return np.asarray(free_free + metallicity / 0.3 * strength * 2 / (high - low))


def photon_emissivity(t_x: float, e_min: float, e_max: float, *, metallicity: float = 0.3) -> float:
    """Return the photons per unit of n_e n_p [cm^3 s^-1] between two energies in the frame of the gas [keV]."""
    nodes, weights = gauss_legendre(48)
    energy = e_min + (e_max - e_min) * (1 + nodes) / 2
    spectrum = emissivity(energy, t_x, metallicity=metallicity) / (energy * _ERG_PER_KEV)
    return float((e_max - e_min) / 2 * np.sum(weights * spectrum))


def emission_per_density(density: FloatArray) -> FloatArray:
    r"""Return n_p n_e [cm^-6] of gas of a density [solMass kpc^-3]: :math:`(\rho / 1.252\, m_p)^2`."""
    return np.asarray((density / (_PROTONS_PER_ROOT_EMISSION * _PROTONS_PER_CM3)) ** 2)


def density_per_emission(emission: FloatArray) -> FloatArray:
    r"""Return the density [solMass kpc^-3] of gas with n_p n_e [cm^-6]: :math:`1.252\, m_p \sqrt{n_p n_e}`."""
    return np.asarray(_PROTONS_PER_ROOT_EMISSION * _PROTONS_PER_CM3 * np.sqrt(emission))
