"""The emulated sky around a cluster: the cluster itself, clumps inside it, and groups along the line of sight.

It stands in for a simulation's gas and is EMULATED throughout: recipes with published abundances, no simulation output.
What it leaves out: gas outside of haloes, departures from spherical symmetry, and temperature gradients.
"""

import math
from dataclasses import dataclass, fields
from typing import final

import numpy as np
from earnest_common.arrays import FloatArray
from earnest_common.errors import InputError
from earnest_common.survey.cosmology import Cosmology
from earnest_common.survey.mass_function import default_mass_function
from earnest_common.survey.scaling import TABLE_2

from earnest_mocks.base_sample.emulator import METALLICITY
from earnest_mocks.gas.geometry import r_500c
from earnest_mocks.gas.profile import GasProfile

__all__ = ["GasHalos", "SkyModel", "clumps", "correlated_groups", "joined"]

_MOST_HALOS = 1_000_000  # in one field, far above what any cluster has; each is a sphere of gas to observe
_FEWER_GROUPS = "; lower sky.depth, sky.correlation_length or instrument.field_of_view"
_COOLEST = 0.2  # keV; cooler gas has hardly any photons above 0.5 keV


@final
@dataclass(frozen=True, kw_only=True)
class SkyModel:
    """What surrounds an emulated cluster.

    Attributes
    ----------
    edge
        Radius at which the gas of a halo ends [R_500c]: the accretion shock.
    substructure
        Whether the cluster has clumps.
    clump_abundance, clump_slope, clump_masses
        dN/d ln mu = abundance mu^-slope of subhaloes with mu = m / m_500c in this range within two R_500c.
    clump_gas
        Share of its gas that a subhalo keeps.
    correlated
        Whether there are groups along the line of sight.
    depth
        They reach this far in front of and behind the cluster [Mpc, comoving].
    correlation_length, correlation_slope
        xi(r) = (r / length)^-slope of groups around clusters; length in Mpc, comoving.
    group_log10_m_min
        log10 of the smallest group [solMass].

    References
    ----------
    Subhaloes: Gao et al. (2004), arXiv:astro-ph/0404589. Groups around clusters: Lilje & Efstathiou (1988), 8.8 h^-1
    Mpc and a slope of 2.2, and the mass function of :mod:`earnest_common.survey.mass_function`.
    """

    edge: float = 5.0
    substructure: bool = True
    clump_abundance: float = 0.035
    clump_slope: float = 0.9
    clump_masses: tuple[float, float] = (1e-3, 0.15)
    clump_gas: float = 0.3
    correlated: bool = True
    depth: float = 50.0
    correlation_length: float = 12.5
    correlation_slope: float = 2.2
    group_log10_m_min: float = 12.5

    def __post_init__(self) -> None:
        if not self.edge > 2:
            raise InputError(f"sky: edge = {self.edge} R_500c must lie beyond 2 R_500c")
        if not 0 < self.clump_masses[0] < self.clump_masses[1] < 1:
            raise InputError(f"sky: clump_masses = {self.clump_masses} must rise between 0 and 1")
        if not 0 < self.correlation_slope < 3:
            raise InputError(f"sky: correlation_slope = {self.correlation_slope} must lie between 0 and 3")


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class GasHalos:
    """Spheres of isothermal gas at one redshift, each field of shape (n,).

    Attributes
    ----------
    profile
        Shape of the gas density.
    r_500c
        Radius that the profile refers to [kpc].
    m_gas
        Gas mass within it [solMass].
    t_x
        Temperature [keV].
    edge
        Where the gas ends [R_500c].
    x, y
        Position on the sky relative to the cluster [kpc].
    metallicity
        Metals of the gas of all of them in solar units, one number.
    """

    profile: GasProfile
    r_500c: FloatArray
    m_gas: FloatArray
    t_x: FloatArray
    edge: FloatArray
    x: FloatArray
    y: FloatArray
    metallicity: float = METALLICITY

    @property
    def n_halos(self) -> int:
        """The number of haloes."""
        return len(self.r_500c)


def joined(parts: list[GasHalos]) -> GasHalos:
    """Return the haloes of several groups as one; their metallicity is that of the first."""
    names = [f.name for f in fields(GasHalos) if f.name not in ("profile", "metallicity")]
    shape = {f.name: np.concatenate([getattr(p.profile, f.name) for p in parts]) for f in fields(GasProfile)}
    return GasHalos(
        profile=GasProfile(**shape),
        metallicity=parts[0].metallicity,
        **{name: np.concatenate([getattr(p, name) for p in parts]) for name in names},
    )


def clumps(model: SkyModel, *, r_500c: float, m_gas: float, t_x: float, rng: np.random.Generator) -> GasHalos:
    """Return the clumps of a cluster: stripped subhaloes between 0.1 and 2 R_500c.

    A clump of mass mu m_500c has the size mu^(1/3) R_500c and the temperature mu^(2/3) t_x, and keeps a share of its
    gas. Distances are uniform: within them the mass of a cluster grows in proportion to radius.

    Parameters
    ----------
    model
        The recipe.
    r_500c, m_gas, t_x
        Radius [kpc], gas mass [solMass] and temperature [keV] of the cluster.
    rng
        Source of randomness.

    Raises
    ------
    InputError
        If the recipe asks for more than a million clumps.
    """
    low, high = (edge**-model.clump_slope for edge in model.clump_masses)
    expected = model.clump_abundance / model.clump_slope * (low - high)
    n = _drawn_number(expected, "clumps; lower sky.clump_abundance, or raise the least of sky.clump_masses", rng)
    mu = (low + (high - low) * rng.random(n)) ** (-1 / model.clump_slope)
    distance = r_500c * rng.uniform(0.1, 2.0, n)
    across, angle = distance * _sine(n, rng), 2 * np.pi * rng.random(n)
    return GasHalos(
        profile=_compact(n),
        r_500c=r_500c * mu ** (1 / 3),
        m_gas=model.clump_gas * mu * m_gas,
        t_x=np.maximum(t_x * mu ** (2 / 3), _COOLEST),
        edge=np.ones(n),  # the rest is stripped
        x=across * np.cos(angle),
        y=across * np.sin(angle),
    )


def correlated_groups(
    model: SkyModel, *, inner: float, half_width: float, z: float, cosmology: Cosmology, rng: np.random.Generator
) -> GasHalos:
    """Return the groups within the depth of the field, more of them near the cluster.

    Parameters
    ----------
    model
        The recipe.
    inner
        No group lies nearer to the cluster than this [kpc].
    half_width
        Groups lie within this distance of the middle of the sky, along both axes [kpc].
    z, cosmology
        Redshift, and what turns masses into radii.
    rng
        Source of randomness.

    Raises
    ------
    InputError
        If the field is so large or deep that it holds more than a million groups.
    """
    density, log10_m_of = _group_masses(model, cosmology)
    comoving = (1 + z) / 1e3  # Mpc per kpc
    half = half_width * comoving
    n_mean = _drawn_number(density * (2 * half) ** 2 * 2 * model.depth, f"groups{_FEWER_GROUPS}", rng)
    position = rng.uniform(-1, 1, (n_mean, 3)) * np.array([half, half, model.depth])
    near = _correlated_positions(model, density=density, inner=inner * comoving, rng=rng)
    position = np.concatenate([position, near])
    inside = (np.abs(position[:, :2]) < half).all(axis=1) & (np.abs(position[:, 2]) < model.depth)
    position = position[inside & (np.sum(position**2, axis=1) > (inner * comoving) ** 2)]
    n = len(position)
    log10_m = log10_m_of(rng.random(n))
    m_gas = 10 ** (TABLE_2.m_gas.log10_mean(log10_m) + TABLE_2.m_gas.scatter * rng.standard_normal(n))
    t_x = 10 ** (TABLE_2.t_x.log10_mean(log10_m) + TABLE_2.t_x.scatter * rng.standard_normal(n))
    return GasHalos(
        profile=_compact(n),
        r_500c=np.array([r_500c(10.0**one, z, cosmology) for one in log10_m]),
        m_gas=np.asarray(m_gas),
        t_x=np.maximum(t_x, _COOLEST),
        edge=np.full(n, 2.0),
        x=position[:, 0] / comoving,
        y=position[:, 1] / comoving,
    )


def _group_masses(model: SkyModel, cosmology: Cosmology) -> tuple[float, "_InverseCdf"]:
    """Return the mean number of groups [Mpc^-3, comoving] and the map from uniform numbers to log10 masses."""
    nodes = np.linspace(model.group_log10_m_min, 15.0, 251)
    spectrum = np.asarray(default_mass_function().dn_dlog10_m(nodes[None, :], cosmology.sigma8)).ravel()
    share = np.concatenate(([0.0], np.cumsum((spectrum[1:] + spectrum[:-1]) / 2 * np.diff(nodes))))
    return float(share[-1]), _InverseCdf(share / share[-1], nodes)


@final
class _InverseCdf:
    """A tabulated inverse of a cumulative distribution."""

    def __init__(self, share: FloatArray, nodes: FloatArray) -> None:
        self._share, self._nodes = share, nodes

    def __call__(self, uniform: FloatArray) -> FloatArray:
        return np.asarray(np.interp(uniform, self._share, self._nodes))


def _correlated_positions(model: SkyModel, *, density: float, inner: float, rng: np.random.Generator) -> FloatArray:
    """Return the positions [Mpc, comoving] of the groups in excess of the mean: Poisson with density n xi(r)."""
    rest = 3 - model.correlation_slope
    low, high = inner**rest, model.depth**rest
    volume = 4 * math.pi / rest * model.correlation_length**model.correlation_slope * (high - low)
    n = _drawn_number(density * volume, f"groups around the cluster{_FEWER_GROUPS}", rng)
    r = (low + (high - low) * rng.random(n)) ** (1 / rest)
    sine, angle = _sine(n, rng), 2 * np.pi * rng.random(n)
    cosine = np.sqrt(1 - sine**2) * np.where(rng.random(n) < 0.5, -1.0, 1.0)
    return np.asarray(r[:, None] * np.column_stack([sine * np.cos(angle), sine * np.sin(angle), cosine]))


def _drawn_number(expected: float, what: str, rng: np.random.Generator) -> int:
    """Return a Poisson number of haloes, if memory can hold what is expected."""
    if not expected <= _MOST_HALOS:
        raise InputError(f"sky: at most {_MOST_HALOS:,} haloes can be observed, found {expected:.3g} {what}")
    return int(rng.poisson(expected))


def _sine(n: int, rng: np.random.Generator) -> FloatArray:
    """Return the sines of the angles between isotropic directions and the line of sight."""
    return np.asarray(np.sqrt(1 - rng.random(n) ** 2))


def _compact(n: int) -> GasProfile:
    """Return n times the profile of a clump or small group."""
    shape = {"core_radius": 0.1, "scale_radius": 1.0, "alpha": 0.5, "beta": 0.5, "epsilon": 2.0}
    second = {"second_amplitude": 0.0, "second_core_radius": 0.03, "second_beta": 1.0}
    return GasProfile(**{name: np.full(n, value) for name, value in (shape | second).items()})
