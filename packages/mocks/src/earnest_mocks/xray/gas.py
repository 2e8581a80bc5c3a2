"""Gas masses and slopes of a fitted emission model, with the errors that its covariance gives them."""

from typing import Any

import numpy as np
from earnest_common.arrays import FloatArray

from earnest_mocks.base_sample.gas_profile import enclosed_mass, log_slope
from earnest_mocks.xray.emissivity import density_per_emission
from earnest_mocks.xray.fit import EmissionFit, profile_of

__all__ = ["gas_of"]

_STEP = 1e-4


def gas_of(fit: EmissionFit, radius: float, radii: tuple[float, ...]) -> dict[str, Any]:
    """Return masses and slopes of a fitted model and their errors, by the names of a ``Reduction``.

    Parameters
    ----------
    fit
        The fitted emission.
    radius
        R_500c [kpc].
    radii
        Where masses and slopes are wanted [R_500c].
    """
    at = np.array(sorted({*radii, 1.0}))
    wanted = np.searchsorted(at, radii)
    # Central differences: all parameters are logarithms or exponents of order one.
    n = len(fit.parameters)
    shift = np.concatenate([np.zeros((1, n)), np.eye(n), -np.eye(n)]) * _STEP
    ln_mass, slope = _derived(fit.parameters + shift, at, radius)
    ln_err, slope_err = (
        np.sqrt(np.einsum("pk,pq,qk->k", gradient, fit.covariance, gradient))
        for gradient in ((value[1 : n + 1] - value[n + 1 :]) / (2 * _STEP) for value in (ln_mass, slope))
    )
    mass = np.exp(ln_mass[0])
    profile, ln_amplitude = profile_of(fit.parameters)
    within = int(np.searchsorted(at, 1.0))
    return {
        "m_gas": float(mass[within]),
        "m_gas_err": float((mass * ln_err)[within]),
        "m_gas_profile": mass[wanted],
        "m_gas_profile_err": (mass * ln_err)[wanted],
        "gas_slope_profile": slope[0][wanted],
        "gas_slope_profile_err": slope_err[wanted],
        "profile": profile,
        "density": float(density_per_emission(np.exp(ln_amplitude))[0]),
    }


def _derived(parameters: FloatArray, at: FloatArray, radius: float) -> tuple[FloatArray, FloatArray]:
    """Return ln of the gas masses [solMass] and the slopes at radii [R_500c] for each row of parameters."""
    profile, ln_amplitude = profile_of(parameters)
    density = density_per_emission(np.exp(ln_amplitude))[:, None]
    return np.log(density * radius**3 * enclosed_mass(profile, at)), log_slope(profile, at)
