"""Gas masses, slopes and luminosity of a fitted emission model, with the errors that its covariance gives them."""

from typing import Any

import numpy as np
from earnest_common.arrays import FloatArray

from earnest_mocks.gas.emissivity import density_per_emission
from earnest_mocks.gas.luminosity import bolometric_luminosity
from earnest_mocks.gas.profile import enclosed_mass, log_slope
from earnest_mocks.xray.fit import EmissionFit, profile_of
from earnest_mocks.xray.frame import ClusterFrame

__all__ = ["gas_of"]

_STEP = 1e-4


def gas_of(fit: EmissionFit, frame: ClusterFrame, radii: tuple[float, ...]) -> dict[str, Any]:
    """Return masses, slopes and luminosity of a fitted model and their errors, by the names of a ``Reduction``.

    Parameters
    ----------
    fit
        The fitted emission.
    frame
        The cluster: its R_500c, temperature and metals.
    radii
        Where masses and slopes are wanted [R_500c].
    """
    at = np.array(sorted({*radii, 1.0}))
    wanted = np.searchsorted(at, radii)
    # Central differences: all parameters are logarithms or exponents of order one.
    n = len(fit.parameters)
    shift = np.concatenate([np.zeros((1, n)), np.eye(n), -np.eye(n)]) * _STEP
    within = int(np.searchsorted(at, 1.0))
    ln_mass, slope, ln_l_x = _derived(fit.parameters + shift, at, within, frame)
    ln_err, slope_err, l_x_err = (
        np.sqrt(np.einsum("pk,pq,qk->k", gradient, fit.covariance, gradient))
        for gradient in ((value[1 : n + 1] - value[n + 1 :]) / (2 * _STEP) for value in (ln_mass, slope, ln_l_x))
    )
    mass = np.exp(ln_mass[0])
    profile, ln_amplitude = profile_of(fit.parameters)
    l_x = float(np.exp(ln_l_x[0, 0]))
    return {
        "m_gas": float(mass[within]),
        "m_gas_err": float((mass * ln_err)[within]),
        "l_x": l_x,
        "l_x_err": l_x * float(l_x_err[0]),
        "m_gas_profile": mass[wanted],
        "m_gas_profile_err": (mass * ln_err)[wanted],
        "gas_slope_profile": slope[0][wanted],
        "gas_slope_profile_err": slope_err[wanted],
        "profile": profile,
        "density": float(density_per_emission(np.exp(ln_amplitude))[0]),
    }


def _derived(
    parameters: FloatArray, at: FloatArray, within: int, frame: ClusterFrame
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return ln of the gas masses [solMass], slopes at radii [R_500c] and ln l_x for each row of parameters."""
    profile, ln_amplitude = profile_of(parameters)
    density = density_per_emission(np.exp(ln_amplitude))[:, None]
    mass, radius = density * frame.r_500c**3 * enclosed_mass(profile, at), np.array(frame.r_500c)
    l_x = bolometric_luminosity(
        profile, m_gas=mass[:, within], t_x=np.array(frame.t_x), r_500c=radius, metallicity=frame.metallicity
    )
    return np.log(mass), log_slope(profile, at), np.log(l_x)[:, None]
