"""Photon lists of emulated clusters: spheres of gas to expected counts, and counts to photons."""

import functools
from dataclasses import dataclass, field, fields, replace
from typing import Any, final

import numpy as np
from earnest_common.arrays import FloatArray
from earnest_common.errors import InputError
from earnest_common.run.seeds import Stage, generator
from earnest_common.survey.cosmology import MAGNETICUM, Cosmology
from earnest_common.survey.mass_function import DEFAULT_Z

from earnest_mocks.base_sample.emulator import EmulatedClusters
from earnest_mocks.gas.emissivity import emission_per_density
from earnest_mocks.gas.geometry import kpc_per_arcmin, r_500c
from earnest_mocks.gas.profile import GasProfile, density, enclosed_mass
from earnest_mocks.gas.quadrature import draw_ordered
from earnest_mocks.xray.counts import counts_per_emission, draw_energies
from earnest_mocks.xray.instrument import Instrument
from earnest_mocks.xray.photon_list import PhotonList
from earnest_mocks.xray.sky import GasHalos, SkyModel, clumps, correlated_groups, joined

__all__ = ["Observation", "emulate_photons", "emulated_sky", "expected_counts", "observe"]

_INNERMOST = 1e-4  # R_500c; a fiftieth of a pixel and less
_N_RADII = 600


@final
@dataclass(frozen=True, kw_only=True)
class Observation:
    """How an emulated cluster is observed.

    Attributes
    ----------
    instrument
        What collects the photons.
    sky
        What surrounds the cluster.
    z
        Redshift of the cluster.
    cosmology
        What turns lengths into angles.
    """

    instrument: Instrument = field(default_factory=Instrument)
    sky: SkyModel = field(default_factory=SkyModel)
    z: float = DEFAULT_Z
    cosmology: Cosmology = MAGNETICUM

    def __post_init__(self) -> None:
        if not self.z > 0:
            raise InputError(f"observation: z = {self.z} must be positive; at no distance a cluster fills the sky")


def emulate_photons(
    clusters: EmulatedClusters, cluster_id: int, *, seed: int, observation: Observation | None = None
) -> PhotonList:
    """Return the EMULATED observation of one cluster of the base sample; seed and cluster alone decide it.

    Parameters
    ----------
    clusters
        The emulated clusters (:func:`earnest_mocks.base_sample.emulator.emulate`).
    cluster_id
        Which of them, from 0 in rising mass.
    seed
        Seed of all random numbers.
    observation
        How it is observed; default the paper's.

    Raises
    ------
    InputError
        If there is no such cluster, or not one of its photons is seen.

    Examples
    --------
    >>> from earnest_mocks.base_sample.emulator import emulate
    >>> short = Observation(instrument=Instrument(exposure=1e3))
    >>> photons = emulate_photons(emulate(n_clusters=20), 3, seed=1, observation=short)
    >>> photons.about["CLUSTER"], bool(0.5 <= photons.energy.min() <= photons.energy.max() < 2.0)
    (3, True)
    """
    observation = observation or Observation()
    rng = generator(seed, Stage.PHOTONS, cluster_id)
    halos = emulated_sky(clusters, cluster_id, observation, rng=rng)
    photons = observe(halos, observation, rng=rng)
    kpc_h = observation.cosmology.h * (1 + observation.z)
    width = observation.instrument.field_of_view * kpc_per_arcmin(observation.z, observation.cosmology)
    about: dict[str, Any] = {
        "SIMUL": "EMULATED",
        "WIDTH": width * kpc_h,
        "DEPTH": 2e3 * observation.sky.depth * observation.cosmology.h,
        "CLUSTER": cluster_id,
        "M500C": 10 ** float(clusters.log10_m_500c[cluster_id]),
        "TX": float(halos.t_x[0]),
        "METALS": halos.metallicity,
        "SEED": seed,
    }
    return replace(photons, about=about).within(observation.instrument, subject=f"cluster {cluster_id}")


def emulated_sky(
    clusters: EmulatedClusters, cluster_id: int, observation: Observation, *, rng: np.random.Generator
) -> GasHalos:
    """Return everything that shines in the field of one cluster; the cluster itself comes first."""
    if not 0 <= cluster_id < len(clusters.log10_m_500c):
        n = len(clusters.log10_m_500c)
        raise InputError(
            f"there is no cluster {cluster_id} in the base sample; its {n} clusters count from 0 to {n - 1}"
        )
    one = slice(cluster_id, cluster_id + 1)
    z, cosmology, sky = observation.z, observation.cosmology, observation.sky
    radius = r_500c(10 ** float(clusters.log10_m_500c[cluster_id]), z, cosmology)
    _, t_x, m_gas = (float(value) for value in 10 ** clusters.observables[cluster_id])
    itself = GasHalos(
        profile=GasProfile(**{f.name: getattr(clusters.profile, f.name)[one] for f in fields(GasProfile)}),
        r_500c=np.array([radius]),
        m_gas=np.array([m_gas]),
        t_x=np.array([t_x]),
        edge=np.array([sky.edge]),
        x=np.zeros(1),
        y=np.zeros(1),
        metallicity=clusters.metallicity,
    )
    parts = [itself]
    if sky.substructure:
        parts.append(clumps(sky, r_500c=radius, m_gas=m_gas, t_x=t_x, rng=rng))
    if sky.correlated:
        half_width = observation.instrument.field_of_view / 2 * kpc_per_arcmin(z, cosmology)
        groups = correlated_groups(sky, inner=2 * radius, half_width=half_width, z=z, cosmology=cosmology, rng=rng)
        parts.append(groups)
    return joined(parts)


def expected_counts(halos: GasHalos, observation: Observation) -> FloatArray:
    r"""Return the mean number of photons from each halo, shape (n,).

    .. math:: N = C(T) \int_0^{r_{edge}} 4\pi r^2 n_p n_e\, dr
    """
    _, cumulative = _cumulative_emission(halos)
    z, cosmology = observation.z, observation.cosmology
    count = functools.partial(
        counts_per_emission, observation.instrument, z=z, cosmology=cosmology, metallicity=halos.metallicity
    )
    scale = [count(t_x=float(t_x)) for t_x in halos.t_x]
    central = halos.m_gas / enclosed_mass(halos.profile, np.ones(1))[:, 0] / halos.r_500c**3
    return np.array(scale) * emission_per_density(central) * halos.r_500c**3 * cumulative[:, -1]


def observe(halos: GasHalos, observation: Observation, *, rng: np.random.Generator) -> PhotonList:
    """Return the photons that an instrument collects from spheres of gas, those outside its field included.

    Parameters
    ----------
    halos
        What shines, all of it at the redshift of the observation.
    observation
        What collects.
    rng
        Source of randomness.
    """
    instrument, z = observation.instrument, observation.z
    ln_r, cumulative = _cumulative_emission(halos)
    counts = rng.poisson(expected_counts(halos, observation))
    arcmin = 1 / kpc_per_arcmin(z, observation.cosmology)
    energy, x, y = [np.empty(0)], [np.empty(0)], [np.empty(0)]
    for i in np.flatnonzero(counts):
        n = int(counts[i])
        r = np.exp(draw_ordered(n, cumulative[i], ln_r[i], rng=rng)) * halos.r_500c[i]
        # An isotropic direction: its component along the sight is uniform.
        across = r * np.sqrt(1 - rng.random(n) ** 2)
        angle = 2 * np.pi * rng.random(n)
        x.append((halos.x[i] + across * np.cos(angle)) * arcmin)
        y.append((halos.y[i] + across * np.sin(angle)) * arcmin)
        t_x = float(halos.t_x[i])
        energy.append(draw_energies(n, instrument, t_x=t_x, z=z, metallicity=halos.metallicity, rng=rng))
    return PhotonList(
        energy=np.concatenate(energy),
        x=np.concatenate(x),
        y=np.concatenate(y),
        z=z,
        area=instrument.area,
        exposure=instrument.exposure,
    )


def _cumulative_emission(halos: GasHalos) -> tuple[FloatArray, FloatArray]:
    r"""Return ln r [R_500c] and :math:`\int_0^r 4\pi r'^2 \rho^2\, dr'` of each halo, both of shape (n, k)."""
    share = np.linspace(0, 1, _N_RADII)
    ln_r = np.log(_INNERMOST) + share * (np.log(halos.edge) - np.log(_INNERMOST))[:, None]
    r = np.exp(ln_r)
    rising = 4 * np.pi * r**3 * np.concatenate([density(_one(halos, i), r[i]) for i in range(halos.n_halos)]) ** 2
    steps = (rising[:, 1:] + rising[:, :-1]) / 2 * np.diff(ln_r, axis=1)
    # Inside the first radius the emission is a power law, which cusps make steep.
    growth = np.log(rising[:, 1] / rising[:, 0]) / (ln_r[:, 1] - ln_r[:, 0])
    inside = rising[:, :1] / growth[:, None]
    return ln_r, np.concatenate([inside, inside + np.cumsum(steps, axis=1)], axis=1)


def _one(halos: GasHalos, i: int) -> GasProfile:
    return GasProfile(**{f.name: getattr(halos.profile, f.name)[i : i + 1] for f in fields(GasProfile)})
