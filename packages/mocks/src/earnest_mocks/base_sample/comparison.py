"""Imported clusters beside the base sample: how far and how widely they lie about its scaling relations."""

from dataclasses import dataclass
from typing import final

import numpy as np
from earnest_common.arrays import FloatArray
from earnest_common.catalogs import CatalogSet
from earnest_common.errors import InputError
from earnest_common.survey.cosmology import Cosmology

from earnest_mocks.base_sample.evolution import self_similar_shift
from earnest_mocks.base_sample.relations import OBSERVABLES, mean_observables, residuals_of
from earnest_mocks.base_sample.sample import BaseSample

__all__ = ["Comparison", "Offset", "compare_with"]

_FEWEST_FOR_SLOPE = 10


@final
@dataclass(frozen=True, kw_only=True)
class Offset:
    """How clusters lie about one relation [dex].

    Attributes
    ----------
    n
        Clusters with a value.
    mean, mean_err, median
        Their offset from the relation.
    scatter, scatter_err
        Standard deviation about their own mean offset.
    robust_scatter
        Half the distance from the 16th to the 84th percentile.
    slope
        Slope of their own power law; NaN for fewer than ten clusters.
    """

    n: int
    mean: float
    mean_err: float
    median: float
    scatter: float
    scatter_err: float
    robust_scatter: float
    slope: float


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Comparison:
    """Imported clusters at the redshift of the mocks.

    Attributes
    ----------
    name
        Source of the clusters.
    z
        Their redshifts, shape (n,).
    log10_m_500c
        log10 masses [solMass], shape (n,).
    observables
        log10 of l_x, t_x and m_gas after the change of redshift, NaN where unknown, shape (n, 3).
    offsets
        By observable; those without values are absent.
    """

    name: str
    z: FloatArray
    log10_m_500c: FloatArray
    observables: FloatArray
    offsets: dict[str, Offset]


def compare_with(opened: CatalogSet, sample: BaseSample, cosmology: Cosmology) -> Comparison:
    """Return how imported clusters lie about the relations of a base sample.

    Luminosities and temperatures are first brought to the base sample's redshift with self-similar evolution.

    Parameters
    ----------
    opened
        A set of imported clusters with masses.
    sample
        The base sample.
    cosmology
        Gives E(z).

    Raises
    ------
    InputError
        If no cluster has a mass and an observable.
    """
    batch = opened.read()
    log10_m = np.log10(batch.column("m_500c").astype(np.float64))
    values = np.log10(np.stack([batch.column(name).astype(np.float64) for name in OBSERVABLES], axis=1))
    usable = np.isfinite(log10_m) & np.isfinite(values).any(axis=1)
    if not usable.any():
        raise InputError(
            f"{opened.path} has no cluster with a mass m_500c and an observable; there is nothing to compare"
        )
    z = batch.column("z")[usable]
    log10_m = log10_m[usable]
    shifted = values[usable] + self_similar_shift(z, to_z=sample.z, Om0=cosmology.Om0)
    residuals = shifted - mean_observables(sample.relations, log10_m)
    known = {name: np.isfinite(residuals[:, i]) for i, name in enumerate(OBSERVABLES)}
    return Comparison(
        name=opened.manifest.plan.preset,
        z=z,
        log10_m_500c=log10_m,
        observables=shifted,
        offsets={
            name: _offset(log10_m[known[name]], residuals[known[name], i], shifted[known[name], i])
            for i, name in enumerate(OBSERVABLES)
            if known[name].any()
        },
    )


def _offset(log10_m: FloatArray, residual: FloatArray, log10_x: FloatArray) -> Offset:
    n = len(residual)
    scatter = float(residual.std(ddof=1)) if n > 1 else float("nan")
    low, high = np.percentile(residual, [15.87, 84.13])
    slope = float("nan")
    if n >= _FEWEST_FOR_SLOPE and np.ptp(log10_m) > 0:
        line = log10_x - residuals_of(log10_m, log10_x[:, None])[:, 0]
        slope = float((line[log10_m.argmax()] - line[log10_m.argmin()]) / np.ptp(log10_m))
    return Offset(
        n=n,
        mean=float(residual.mean()),
        mean_err=scatter / np.sqrt(n),
        median=float(np.median(residual)),
        scatter=scatter,
        scatter_err=scatter / np.sqrt(2 * max(n - 1, 1)),
        robust_scatter=float(high - low) / 2,
        slope=slope,
    )
