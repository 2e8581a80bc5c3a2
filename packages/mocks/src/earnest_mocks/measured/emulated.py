"""The base sample seen in X-rays: every cluster observed and reduced, and its measured profiles in its place."""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from typing import final

import numpy as np
from earnest_common.arrays import FloatArray
from earnest_common.errors import InputError
from earnest_common.run.config import as_mapping
from earnest_common.run.executors import map_shards

from earnest_mocks.base_sample.emulator import EmulatedClusters, emulate
from earnest_mocks.base_sample.sample import BaseSample, emulated_base_sample
from earnest_mocks.xray.photons import Observation, emulate_photons
from earnest_mocks.xray.reduction import ReductionConfig, reduce_photons

__all__ = ["MeasuredProfiles", "observed_base_sample", "reduce_base_sample", "with_measured_profiles"]


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class MeasuredProfiles:
    """Gas profiles of n clusters as an X-ray observer finds them.

    Attributes
    ----------
    gas_fraction_profile
        M_gas(<r) / M_gas(<R_500c), both measured, shape (n, n_radii).
    gas_slope_profile
        d ln rho_gas / d ln r, shape (n, n_radii).
    m_gas, m_gas_err
        Gas mass within R_500c and its statistical error [solMass], shape (n,).
    masked
        Share of the area within R_500c that is masked, shape (n,).
    reduced_deviance
        Deviance of the fit over its degrees of freedom, shape (n,).
    radii
        The radii [R_500c].
    seed
        Seed of the observations.
    observation, reduction
        How they were made.
    """

    gas_fraction_profile: FloatArray
    gas_slope_profile: FloatArray
    m_gas: FloatArray
    m_gas_err: FloatArray
    masked: FloatArray
    reduced_deviance: FloatArray
    radii: tuple[float, ...]
    seed: int
    observation: Observation
    reduction: ReductionConfig


def observed_base_sample(
    *, seed: int = 1, executor: Executor | None = None, on_done: Callable[[object], object] = lambda _: None
) -> BaseSample:
    """Return the built-in base sample, computed afresh: every emulated cluster observed in X-rays and reduced.

    Four minutes on one core.

    Parameters
    ----------
    seed
        Seed of the observations; 1 gives the sample that ships with the package.
    executor
        Where the work is done; ``None`` does it here.
    on_done
        Called after each cluster.
    """
    measured = reduce_base_sample(emulate(), seed=seed, executor=executor, on_done=on_done)
    return with_measured_profiles(emulated_base_sample(), measured)


def reduce_base_sample(
    clusters: EmulatedClusters,
    *,
    seed: int,
    cluster_ids: Sequence[int] | None = None,
    observation: Observation | None = None,
    reduction: ReductionConfig | None = None,
    executor: Executor | None = None,
    on_done: Callable[[object], object] = lambda _: None,
) -> MeasuredProfiles:
    """Return the profiles of emulated clusters as measured from one mock observation of each.

    A cluster's result depends on the seed and on its place in the sample alone. A sixth of a second per cluster.

    Parameters
    ----------
    clusters
        The emulated clusters.
    seed
        Seed of the observations.
    cluster_ids
        Places of the wanted clusters; default all.
    observation, reduction
        How to observe and to reduce; default the paper's.
    executor
        Where the work is done; ``None`` does it here.
    on_done
        Called after each cluster.

    Examples
    --------
    >>> from earnest_mocks.base_sample.emulator import emulate
    >>> clusters = emulate(n_clusters=5)
    >>> measured = reduce_base_sample(clusters, seed=1)
    >>> bool(np.abs(np.log(measured.m_gas) / np.log(10) - clusters.observables[:, 2]).max() < 0.05)
    True
    """
    observation, reduction = observation or Observation(), reduction or ReductionConfig()
    wanted = range(len(clusters.log10_m_500c)) if cluster_ids is None else cluster_ids
    observer = _Observer(clusters=clusters, seed=seed, observation=observation, reduction=reduction)
    rows = map_shards(observer, wanted, executor, on_done=on_done)
    values = np.array([row.scalars for row in rows])
    return MeasuredProfiles(
        gas_fraction_profile=np.stack([row.mass for row in rows]) / values[:, :1],
        gas_slope_profile=np.stack([row.slope for row in rows]),
        m_gas=values[:, 0],
        m_gas_err=values[:, 1],
        masked=values[:, 2],
        reduced_deviance=values[:, 3],
        radii=reduction.radii,
        seed=seed,
        observation=observation,
        reduction=reduction,
    )


def with_measured_profiles(sample: BaseSample, measured: MeasuredProfiles) -> BaseSample:
    """Return a base sample with measured gas profiles; masses and observables stay as they are.

    Raises
    ------
    InputError
        If the two differ in number of clusters or in radii.
    """
    if len(measured.m_gas) != sample.n_clusters or measured.radii != sample.radii:
        raise InputError(
            f"measured profiles of {len(measured.m_gas)} clusters at {measured.radii} do not fit a base sample of "
            f"{sample.n_clusters} clusters at {sample.radii}; reduce the clusters of that sample"
        )
    origin = {
        "seed": measured.seed,
        "observation": as_mapping(measured.observation),
        "reduction": as_mapping(measured.reduction),
    }
    return replace(
        sample,
        gas_fraction_profile=measured.gas_fraction_profile.astype(np.float32).astype(np.float64),
        gas_slope_profile=measured.gas_slope_profile.astype(np.float32).astype(np.float64),
        source={**sample.source, "profiles": "measured from EMULATED X-ray observations", "xray": origin},
    )


@final
@dataclass(frozen=True, kw_only=True)
class _Row:
    """What one cluster gave: mass and slope profile, and m_gas, its error, masked share and reduced deviance."""

    mass: FloatArray
    slope: FloatArray
    scalars: tuple[float, float, float, float]


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class _Observer:
    """Observes and reduces one cluster; picklable, so that it runs in any process."""

    clusters: EmulatedClusters
    seed: int
    observation: Observation
    reduction: ReductionConfig

    def __call__(self, cluster_id: int) -> _Row:
        photons = emulate_photons(self.clusters, cluster_id, seed=self.seed, observation=self.observation)
        subject = f"cluster {cluster_id}"
        found = reduce_photons(photons, config=self.reduction, trust_units=True, subject=subject)
        deviance = found.fit.deviance / max(found.fit.degrees_of_freedom, 1)
        return _Row(
            mass=found.m_gas_profile,
            slope=found.gas_slope_profile,
            scalars=(found.m_gas, found.m_gas_err, found.masked, deviance),
        )
