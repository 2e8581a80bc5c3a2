"""The built-in base sample: emulated clusters with the statistics published for the Magneticum simulation.

It is EMULATED: no simulation output is in it. The recipe reproduces the paper's Table 2 exactly after one power-law
fit, and around it the mass-dependent, skewed and correlated scatter that hydrodynamical simulations agree on.
"""

from dataclasses import dataclass
from typing import final

import numpy as np
from earnest_common.arrays import FloatArray
from earnest_common.run.seeds import Stage, generator
from earnest_common.schema import RADII_R500C
from earnest_common.survey.cosmology import MAGNETICUM
from earnest_common.survey.mass_function import default_mass_function
from earnest_common.survey.scaling import TABLE_2

from earnest_mocks.base_sample.gas_profile import GasProfile, emission_integral, enclosed_mass, log_slope
from earnest_mocks.base_sample.mass_sampling import draw
from earnest_mocks.base_sample.relations import OBSERVABLES, mean_observables, residuals_of

__all__ = ["EMULATED_SEED", "N_CLUSTERS", "EmulatedClusters", "emulate", "scatter_covariance"]

N_CLUSTERS = 1165
EMULATED_SEED = 20211210
_LOG10_H = float(np.log10(MAGNETICUM.h))
_LOWEST = 13.58 - _LOG10_H  # log10 solMass; the paper counts above 10^13.58 h^-1 solMass
_HIGHEST = 15.9

# Corners of the scatter model in log10 h^-1 solMass: gas loss makes groups more diverse than clusters, and ties a high
# temperature to a low gas mass. Sources: the paper's figure 16 and Table 2; FLAMINGO and TNG residual statistics
# (Aljamal et al. 2025); group gas fractions of X-ray samples.
_SCATTER_MASSES = (13.6, 14.3)
_CORRELATION_MASSES = (13.6, 14.2)
_SCATTER_LN = {"l_x": (0.30, 0.30), "t_x": (0.075, 0.065), "m_gas": (0.28, 0.065)}
_CORRELATION = {("t_x", "m_gas"): (-0.9, -0.3), ("l_x", "m_gas"): (0.75, 0.45), ("l_x", "t_x"): (-0.5, 0.2)}
_GAS_MASS_SKEW = (-0.20, 0.0)  # groups that lost much gas outnumber those that kept all of it

# Slopes fall from groups to clusters around 10^13.95 h^-1 solMass: (extra slope of groups, dex over which it fades).
_BEND = {"l_x": (0.0, 0.12), "t_x": (0.0, 0.12), "m_gas": (0.25, 0.12)}
_BEND_MASS = 13.95

# Cool cores: the share of the core latent in l_x, where the one-sided tail starts (12 % of clusters) and its growth.
_CORE_IN_L_X = 0.4
_TAIL_START = 1.2
_TAIL_GROWTH = 0.55  # dex per unit of the latent

# Mean profile against log10 m [solMass]: fits of the Vikhlinin form to X-ray samples (Comparat et al. 2020 model).
_PROFILE_MASSES = (13.8, 14.2, 14.6, 15.0)
_MEAN_PROFILE = {
    "core_radius": (0.04, 0.04, 0.08, 0.10),
    "scale_radius": (0.54, 0.57, 0.66, 0.76),
    "alpha": (0.0, 0.23, 0.82, 0.94),
    "beta": (0.35, 0.37, 0.42, 0.47),
    "epsilon": (2.0, 2.3, 2.7, 3.2),
}


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class EmulatedClusters:
    """Emulated clusters in rising mass.

    Attributes
    ----------
    log10_m_500c
        log10 of the mass [solMass], shape (n,).
    observables
        log10 of l_x [1e44 erg/s], t_x [keV] and m_gas [solMass], shape (n, 3).
    core_latent
        Strength of the core, standard normal; above 1.2 a cool core, far below 0 a flat, disturbed one; shape (n,).
    profile
        Gas density profiles.
    gas_fraction_profile
        M_gas(<r) / M_gas(<R_500c) at ``RADII_R500C``, shape (n, 7).
    gas_slope_profile
        d ln rho_gas / d ln r there, shape (n, 7).
    """

    log10_m_500c: FloatArray
    observables: FloatArray
    core_latent: FloatArray
    profile: GasProfile
    gas_fraction_profile: FloatArray
    gas_slope_profile: FloatArray


def emulate(*, n_clusters: int = N_CLUSTERS, seed: int = EMULATED_SEED) -> EmulatedClusters:
    """Return emulated clusters that give the paper's Table 2 exactly after one power-law fit.

    Parameters
    ----------
    n_clusters
        Number of clusters above 10^13.58 h^-1 solMass, spread over the mass function by stratified quantiles.
    seed
        Seed of all random numbers.

    Examples
    --------
    >>> from earnest_mocks.base_sample.relations import fit_relations
    >>> clusters = emulate(n_clusters=50)
    >>> fit_relations(clusters.log10_m_500c, clusters.observables).t_x.slope.__round__(6)
    0.61
    """
    rng = generator(seed, Stage.BASE_SAMPLE)
    log10_m = _masses(n_clusters, rng)
    normal = rng.standard_normal((n_clusters, 8))
    shape, latent = _residual_shape(log10_m, normal[:, :4])
    residuals, stretch = _as_table_2(log10_m, shape)
    tail = _tail(latent) * stretch[OBSERVABLES.index("l_x")]
    profile = _profiles(log10_m, latent, normal[:, 4:], tail)
    radii = np.array(RADII_R500C)
    return EmulatedClusters(
        log10_m_500c=log10_m,
        observables=mean_observables(TABLE_2, log10_m) + residuals,
        core_latent=latent,
        profile=profile,
        gas_fraction_profile=enclosed_mass(profile, radii) / enclosed_mass(profile, np.ones(1)),
        gas_slope_profile=log_slope(profile, radii),
    )


def scatter_covariance(log10_m: FloatArray) -> FloatArray:
    """Return the covariance of the Gaussian core of the residuals at each mass [dex^2], shape (n, 3, 3).

    The order is l_x, t_x, m_gas. Every matrix is positive definite.
    """
    x = log10_m + _LOG10_H
    sigma = np.stack([np.exp(np.interp(x, _SCATTER_MASSES, np.log(_SCATTER_LN[name]))) for name in OBSERVABLES], axis=1)
    correlation = np.broadcast_to(np.eye(3), (len(x), 3, 3)).copy()
    for (a, b), corners in _CORRELATION.items():
        i, j = OBSERVABLES.index(a), OBSERVABLES.index(b)
        correlation[:, i, j] = correlation[:, j, i] = np.interp(x, _CORRELATION_MASSES, corners)
    covariance: FloatArray = correlation * (sigma[:, :, None] * sigma[:, None, :]) / np.log(10) ** 2
    return covariance


def _masses(n_clusters: int, rng: np.random.Generator) -> FloatArray:
    nodes = np.linspace(_LOWEST, _HIGHEST, 241)[None, :]
    spectrum = default_mass_function().dn_dlog10_m(nodes, MAGNETICUM.sigma8)
    uniform = (np.arange(n_clusters) + rng.random(n_clusters)) / n_clusters
    return draw(nodes, spectrum, np.zeros(n_clusters, dtype=np.int64), uniform)


def _residual_shape(log10_m: FloatArray, normal: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return residuals [dex] before they are matched to Table 2, shape (n, 3), and the core latent, shape (n,)."""
    x = log10_m + _LOG10_H
    # Gas mass and temperature first, so that the third direction is what l_x does not share with them.
    order = [OBSERVABLES.index(name) for name in ("m_gas", "t_x", "l_x")]
    covariance = scatter_covariance(log10_m)[:, order][:, :, order]
    skew = np.interp(x, _SCATTER_MASSES, _GAS_MASS_SKEW)
    skewed = normal[:, :3].copy()
    skewed[:, 0] = (normal[:, 0] + skew * (normal[:, 0] ** 2 - 1)) / np.sqrt(1 + 2 * skew**2)
    latent = _CORE_IN_L_X * normal[:, 2] + np.sqrt(1 - _CORE_IN_L_X**2) * normal[:, 3]
    shape = np.empty((len(x), 3))
    shape[:, order] = np.einsum("nij,nj->ni", np.linalg.cholesky(covariance), skewed)
    shape[:, OBSERVABLES.index("l_x")] += _tail(latent)
    return shape + _bend(x), latent


def _tail(latent: FloatArray) -> FloatArray:
    """Return the extra log10 l_x of cool cores [dex]."""
    return _TAIL_GROWTH * np.maximum(latent - _TAIL_START, 0.0)


def _bend(x: FloatArray) -> FloatArray:
    """Return how far the mean relations of groups fall below the clusters' power laws [dex], shape (n, 3)."""
    bends = [_BEND[name] for name in OBSERVABLES]
    # The integral of a slope that fades as a logistic step.
    return np.stack([-g * w * np.logaddexp(0.0, (_BEND_MASS - x) / w) for g, w in bends], axis=1)


def _as_table_2(log10_m: FloatArray, shape: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return residuals without mean or trend and with the scatter of Table 2, (n, 3), and the stretch applied, (3,)."""
    free = residuals_of(log10_m, shape)
    target = np.array([getattr(TABLE_2, name).scatter for name in OBSERVABLES])
    stretch = target / np.sqrt(np.mean(free**2, axis=0))
    return free * stretch, stretch


def _profiles(log10_m: FloatArray, latent: FloatArray, normal: FloatArray, tail: FloatArray) -> GasProfile:
    """Return profiles whose core follows the latent, and whose second component emits the tail of l_x."""
    mean = {name: np.interp(log10_m, _PROFILE_MASSES, values) for name, values in _MEAN_PROFILE.items()}
    cusp = mean["alpha"] + 0.6 * latent
    profile = GasProfile(
        core_radius=mean["core_radius"] * np.exp(-0.35 * latent + 0.3 * normal[:, 0]),
        scale_radius=mean["scale_radius"] * np.exp(0.3 * normal[:, 1]),
        alpha=(cusp + np.sqrt(cusp**2 + 0.1)) / 2,  # smoothly never below zero: disturbed clusters have flat cores
        beta=mean["beta"] + 0.042 * normal[:, 2],
        epsilon=np.clip(mean["epsilon"] + 0.7 * normal[:, 3], 0.0, 5.0),
        second_amplitude=np.zeros(len(latent)),
        second_core_radius=np.full(len(latent), 0.03),
        second_beta=np.ones(len(latent)),
    )
    # For second_beta = 1 the integral of r^2 rho_2^2 is pi/16 r_c2^3 rho_2^2.
    excess = (10**tail - 1) * emission_integral(profile)
    amplitude = excess / (np.pi / 16 * profile.second_core_radius**3)
    return GasProfile(**{**vars(profile), "second_amplitude": amplitude})
