"""What an instrument counts of the emission of hot gas: photons and their energies."""

import math

import numpy as np
from earnest_common.arrays import FloatArray
from earnest_common.survey.cosmology import Cosmology

from earnest_mocks.gas.emissivity import emissivity, photon_emissivity
from earnest_mocks.gas.geometry import comoving_distance
from earnest_mocks.gas.quadrature import draw_ordered
from earnest_mocks.xray.instrument import Instrument

__all__ = ["counts_per_emission", "draw_energies"]

_CM_PER_KPC = 3.0856775814913673e21


def counts_per_emission(
    instrument: Instrument, *, t_x: float, z: float, cosmology: Cosmology, metallicity: float = 0.3
) -> float:
    r"""Return the expected counts per unit of emission :math:`\int n_p n_e\,dV` [cm^-6 kpc^3].

    .. math:: C = \frac{A\,t\,(1+z)}{4\pi D_L^2} \Lambda_N(T, (1+z)E_1, (1+z)E_2)

    Parameters
    ----------
    instrument
        Area, exposure and band.
    t_x
        Temperature [keV].
    z, cosmology
        Redshift, and what gives the distance.
    metallicity
        Abundance of metals in solar units.
    """
    luminosity_distance = comoving_distance(z, cosmology) * (1 + z) * 1e3 * _CM_PER_KPC
    rate = photon_emissivity(t_x, instrument.e_min * (1 + z), instrument.e_max * (1 + z), metallicity=metallicity)
    exposure = instrument.area * instrument.exposure * (1 + z)
    return exposure * rate * _CM_PER_KPC**3 / (4 * math.pi * luminosity_distance**2)


def draw_energies(
    n: int, instrument: Instrument, *, t_x: float, z: float, metallicity: float = 0.3, rng: np.random.Generator
) -> FloatArray:
    """Return observed energies [keV] of n photons in the instrument's band.

    Parameters
    ----------
    n
        Number of photons.
    instrument
        The band.
    t_x, z, metallicity
        Temperature [keV], redshift and metals of the gas.
    rng
        Source of randomness.
    """
    energy = np.linspace(instrument.e_min, instrument.e_max, 512)
    spectrum = emissivity(energy * (1 + z), t_x, metallicity=metallicity) / energy
    share = np.concatenate(([0.0], np.cumsum(spectrum[1:] + spectrum[:-1])))
    return rng.permuted(draw_ordered(n, share, energy, rng=rng))
