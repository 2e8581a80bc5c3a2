"""The built-in base sample: emulated clusters with the statistics published for the Magneticum simulation.

It is EMULATED: no simulation output is in it. The recipe reproduces the paper's Table 2 exactly after one power-law
fit, and around it the mass-dependent, skewed and correlated scatter that hydrodynamical simulations agree on.
"""

import functools
from dataclasses import dataclass
from typing import final

import numpy as np
from earnest_common.arrays import FloatArray
from earnest_common.run.seeds import Stage, generator
from earnest_common.schema import RADII_R500C
from earnest_common.survey.cosmology import MAGNETICUM
from earnest_common.survey.mass_function import DEFAULT_Z, default_mass_function
from earnest_common.survey.scaling import TABLE_2
from scipy.optimize import least_squares

from earnest_mocks.base_sample.mass_sampling import draw
from earnest_mocks.base_sample.relations import power_law_of, residuals_of
from earnest_mocks.gas.concentration import OuterEmission
from earnest_mocks.gas.geometry import r_500c
from earnest_mocks.gas.luminosity import even_luminosity
from earnest_mocks.gas.profile import GasProfile, enclosed_mass, log_slope

__all__ = ["EMULATED_SEED", "METALLICITY", "N_CLUSTERS", "EmulatedClusters", "emulate", "scatter_covariance"]

N_CLUSTERS = 1165
EMULATED_SEED = 20211210
_LOG10_H = float(np.log10(MAGNETICUM.h))
_LOWEST = 13.58 - _LOG10_H  # log10 solMass; the paper counts above 10^13.58 h^-1 solMass
_HIGHEST = 15.9

METALLICITY = 0.0
"""Metals of the gas in solar units. Table 2 leaves no room for more: at 10^13.8 solMass its luminosity is 0.6 to 0.7 of
what its gas mass and temperature emit with 0.3 solar metals if spread evenly, which is the least that they can."""

# Corners of the scatter model in log10 h^-1 solMass: gas loss makes groups more diverse than clusters, and ties a high
# temperature to a low gas mass. Sources: the paper's figure 16 and Table 2; FLAMINGO and TNG residual statistics
# (Aljamal et al. 2025); group gas fractions of X-ray samples.
_SCATTERED = ("t_x", "m_gas")
_SCATTER_MASSES = (13.6, 14.3)
_CORRELATION_MASSES = (13.6, 14.2)
_SCATTER_LN = {"t_x": (0.075, 0.065), "m_gas": (0.27, 0.065)}
_CORRELATION = (-0.9, -0.3)
_GAS_MASS_SKEW = (-0.45, 0.0)  # groups that lost much gas outnumber those that kept all of it

# Slopes fall from groups to clusters around 10^13.95 h^-1 solMass: (extra slope of groups, dex over which it fades).
_BEND = {"t_x": (0.0, 0.12), "m_gas": (0.25, 0.12)}
_BEND_MASS = 13.95

# How the luminosity beyond the core follows Y_X at fixed mass. Of unchanging shape it would go as m_gas^2, which at
# Table 2's scatter of m_gas is more than its scatter of l_x: gas-rich groups must be less concentrated.
_OUTER_SLOPE_MASSES = (13.9, 14.5)
_OUTER_SLOPE = (0.82, 1.5)
_LEAST_OUTER = (0.042, 0.015)  # log10 of the concentration beyond the core, and dex over which the limit sets in
_MOST_OUTER = (0.5, 0.04)

# Cool cores: where the one-sided tail of the core's emission starts (15 % of clusters), how softly, and its growth.
_TAIL_START = 1.02
_TAIL_WIDTH = 0.1
_TAIL_GROWTH = 0.45  # dex per unit of the latent, before it is matched to Table 2's scatter of l_x

# Mean profile against log10 m [solMass]: fits of the Vikhlinin form to X-ray samples (Comparat et al. 2020 model), with
# less steepening outside of groups and smaller cores of clusters, whose luminosities Table 2 makes low for their gas.
_PROFILE_MASSES = (13.8, 14.2, 14.6, 15.0)
_MEAN_PROFILE = {
    "core_radius": (0.04, 0.035, 0.06, 0.08),
    "scale_radius": (0.70, 0.68, 0.66, 0.76),
    "alpha": (0.0, 0.23, 0.82, 0.94),
    "epsilon": (1.3, 1.7, 2.3, 2.8),
}
_FIRST_GUESS = (0.15, 0.135, 0.0)
_UNMATCHED = 1e-18


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
        Strength of the core, standard normal; above 1.0 a cool core, far below 0 a flat, disturbed one; shape (n,).
    profile
        Gas density profiles.
    r_500c
        Radii that the profiles refer to [kpc], shape (n,).
    metallicity
        Metals of the gas in solar units.
    gas_fraction_profile
        M_gas(<r) / M_gas(<R_500c) at ``RADII_R500C``, shape (n, 7).
    gas_slope_profile
        d ln rho_gas / d ln r there, shape (n, 7).
    """

    log10_m_500c: FloatArray
    observables: FloatArray
    core_latent: FloatArray
    profile: GasProfile
    r_500c: FloatArray
    metallicity: float
    gas_fraction_profile: FloatArray
    gas_slope_profile: FloatArray


def emulate(*, n_clusters: int = N_CLUSTERS, seed: int = EMULATED_SEED) -> EmulatedClusters:
    """Return emulated clusters that give the paper's Table 2 exactly after one power-law fit.

    The scatter of the luminosities of less than some 200 clusters may be another, for few of them have cool cores.

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
    normal = rng.standard_normal((n_clusters, 7))
    t_x, m_gas = _temperature_and_gas_mass(log10_m, normal[:, :2])
    latent = normal[:, 2]
    radius = np.array([r_500c(10**m, DEFAULT_Z, MAGNETICUM) for m in log10_m])
    even = even_luminosity(m_gas=10**m_gas, t_x=10**t_x, r_500c=radius, metallicity=METALLICITY)
    profile, l_x = _as_luminous_as_table_2(
        log10_m, _shapes(log10_m, latent, normal[:, 3:]), tail=_tail(latent), log10_y_x=t_x + m_gas, even=np.log10(even)
    )
    radii = np.array(RADII_R500C)
    return EmulatedClusters(
        log10_m_500c=log10_m,
        observables=np.stack([l_x, t_x, m_gas], axis=1),
        core_latent=latent,
        profile=profile,
        r_500c=radius,
        metallicity=METALLICITY,
        gas_fraction_profile=enclosed_mass(profile, radii) / enclosed_mass(profile, np.ones(1)),
        gas_slope_profile=log_slope(profile, radii),
    )


def scatter_covariance(log10_m: FloatArray) -> FloatArray:
    """Return the covariance of the residuals of t_x and m_gas at each mass, unskewed [dex^2], shape (n, 2, 2)."""
    x = log10_m + _LOG10_H
    corners = (np.log(_SCATTER_LN[name]) for name in _SCATTERED)
    sigma = np.stack([np.exp(np.interp(x, _SCATTER_MASSES, ends)) for ends in corners], axis=1)
    correlation = np.broadcast_to(np.eye(2), (len(x), 2, 2)).copy()
    correlation[:, 0, 1] = correlation[:, 1, 0] = np.interp(x, _CORRELATION_MASSES, _CORRELATION)
    covariance: FloatArray = correlation * (sigma[:, :, None] * sigma[:, None, :]) / np.log(10) ** 2
    return covariance


def _masses(n_clusters: int, rng: np.random.Generator) -> FloatArray:
    nodes = np.linspace(_LOWEST, _HIGHEST, 241)[None, :]
    spectrum = default_mass_function().dn_dlog10_m(nodes, MAGNETICUM.sigma8)
    uniform = (np.arange(n_clusters) + rng.random(n_clusters)) / n_clusters
    return draw(nodes, spectrum, np.zeros(n_clusters, dtype=np.int64), uniform)


def _temperature_and_gas_mass(log10_m: FloatArray, normal: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return log10 of t_x and m_gas with the relations and scatters of Table 2, each of shape (n,)."""
    x = log10_m + _LOG10_H
    # Gas mass first, so that its skew is not shared.
    covariance = scatter_covariance(log10_m)[:, ::-1, ::-1]
    skew = np.interp(x, _SCATTER_MASSES, _GAS_MASS_SKEW)
    skewed = normal.copy()
    skewed[:, 0] = (normal[:, 0] + skew * (normal[:, 0] ** 2 - 1)) / np.sqrt(1 + 2 * skew**2)
    drawn = np.einsum("nij,nj->ni", np.linalg.cholesky(covariance), skewed)[:, ::-1] + _bend(x)
    free = residuals_of(log10_m, drawn)
    laws = [getattr(TABLE_2, name) for name in _SCATTERED]
    t_x, m_gas = (
        law.log10_mean(log10_m) + law.scatter * one / np.sqrt(np.mean(one**2))
        for law, one in zip(laws, free.T, strict=True)
    )
    return t_x, m_gas


def _bend(x: FloatArray) -> FloatArray:
    """Return how far the mean relations of groups fall below the clusters' power laws [dex], shape (n, 2)."""
    bends = [_BEND[name] for name in _SCATTERED]
    # The integral of a slope that fades as a logistic step.
    return np.stack([-g * w * np.logaddexp(0.0, (_BEND_MASS - x) / w) for g, w in bends], axis=1)


def _tail(latent: FloatArray) -> FloatArray:
    """Return the extra log10 emission of cool cores [dex]."""
    return _TAIL_GROWTH * _TAIL_WIDTH * np.logaddexp(0.0, (latent - _TAIL_START) / _TAIL_WIDTH)


def _shapes(log10_m: FloatArray, latent: FloatArray, normal: FloatArray) -> GasProfile:
    """Return profiles whose core follows the latent, before their outer slopes are known."""
    mean = {name: np.interp(log10_m, _PROFILE_MASSES, values) for name, values in _MEAN_PROFILE.items()}
    cusp = mean["alpha"] + 0.9 * latent
    return GasProfile(
        core_radius=mean["core_radius"] * np.exp(-0.35 * latent + 0.3 * normal[:, 0]),
        scale_radius=mean["scale_radius"] * np.exp(0.3 * normal[:, 1]),
        # Smoothly never below zero: disturbed clusters have flat cores. Cusps steeper than 2 emit without end.
        alpha=np.minimum((cusp + np.sqrt(cusp**2 + 0.1)) / 2, 2.0),
        beta=np.zeros(len(latent)),
        epsilon=np.clip(mean["epsilon"] + 0.7 * normal[:, 2], 0.0, 5.0),
        second_amplitude=np.zeros(len(latent)),
        second_core_radius=np.full(len(latent), 0.03),
        second_beta=np.ones(len(latent)),
    )


def _as_luminous_as_table_2(
    log10_m: FloatArray, shapes: GasProfile, *, tail: FloatArray, log10_y_x: FloatArray, even: FloatArray
) -> tuple[GasProfile, FloatArray]:
    """Return profiles whose own emission follows Table 2, and log10 of that luminosity, shape (n,).

    Beyond the core the luminosity follows Y_X with little scatter, the core adds its own. Three numbers are free, the
    concentration at the pivot, its trend with mass and the growth of the cool cores' tail; they give Table 2's
    intercept, slope and scatter.

    Parameters
    ----------
    log10_m
        Masses, shape (n,).
    shapes
        Profiles without outer slope.
    tail
        log10 of the extra emission of cool cores, shape (n,).
    log10_y_x
        log10 of t_x m_gas, shape (n,).
    even
        log10 of the luminosity of evenly spread gas, shape (n,).
    """
    x = log10_m - TABLE_2.l_x.log10_pivot
    y_x = residuals_of(log10_m, log10_y_x[:, None])[:, 0]
    emission = OuterEmission(shapes, tail)
    slope = np.interp(log10_m + _LOG10_H, _OUTER_SLOPE_MASSES, _OUTER_SLOPE)

    def luminous(free: FloatArray) -> tuple[GasProfile, FloatArray]:
        concentration = _within_limits(free[0] + free[1] * x - (2 - slope) * y_x)
        profile, concentration = emission.with_concentration(concentration, growth=float(np.exp(free[2])))
        return profile, even + concentration

    def off(free: FloatArray) -> FloatArray:
        found = power_law_of(log10_m, luminous(free)[1])
        law = TABLE_2.l_x
        return np.array(
            [found.log10_normalisation - law.log10_normalisation, found.slope - law.slope, found.scatter - law.scatter]
        )

    exactly = functools.partial(least_squares, xtol=1e-15, ftol=1e-15, gtol=1e-15)
    found = exactly(off, _FIRST_GUESS)
    if (
        found.cost > _UNMATCHED
    ):  # so few clusters that their cores cannot give the scatter: intercept and slope at least
        growth = found.x[2:]
        found = exactly(lambda two: off(np.concatenate([two, growth]))[:2], found.x[:2])
        return luminous(np.concatenate([found.x, growth]))
    return luminous(found.x)


def _within_limits(concentration: FloatArray) -> FloatArray:
    """Return log10 concentrations that never leave what falling densities can have, smoothly."""
    (least, low_width), (most, high_width) = _LEAST_OUTER, _MOST_OUTER
    above = least + low_width * np.logaddexp(0.0, (concentration - least) / low_width)
    return np.asarray(most - high_width * np.logaddexp(0.0, (most - above) / high_width))
