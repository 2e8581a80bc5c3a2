"""Errors of the measurement: what a survey reports of gas masses, density slopes and temperatures.

Without them every mock cluster that borrowed from a donor carries exactly its profile's shape, which no sky would show
and which a network can learn to recognise.
"""

from dataclasses import dataclass
from typing import Any, final

import numpy as np
import numpy.typing as npt
import polars as pl
from earnest_common.arrays import FloatArray, IntArray
from earnest_common.errors import InputError
from earnest_common.run.seeds import Stage, generators

__all__ = ["MeasurementErrors", "add_measurement_errors"]


@final
@dataclass(frozen=True, kw_only=True)
class MeasurementErrors:
    """Sizes of the statistical errors; the luminosity, from a few thousand photons at least, has none.

    Attributes
    ----------
    m_gas_profile
        Fractional error of each enclosed gas mass, of ``m_gas`` too. The paper's mock observations have at most 2.5 %
        for the total gas mass (section 2.1.2); its catalogs pass them on through the donors alone.
    gas_slope_profile
        Error of each slope d ln rho / d ln r.
    t_x
        Fractional error of the temperature.
    """

    m_gas_profile: float = 0.0
    gas_slope_profile: float = 0.0
    t_x: float = 0.0

    def __post_init__(self) -> None:
        problems = [f"{name} = {value}" for name, value in vars(self).items() if not 0 <= value < 1]
        if problems:
            raise InputError(f"noise: {', '.join(problems)} must lie between 0 and 1; 0 is a perfect measurement")

    @property
    def any(self) -> bool:
        """Whether anything is measured with an error."""
        return max(self.m_gas_profile, self.gas_slope_profile, self.t_x) > 0


def add_measurement_errors(
    clusters: pl.DataFrame,
    noise: MeasurementErrors,
    *,
    radii: tuple[float, ...],
    seed: int,
    counts: IntArray,
    catalog_id: IntArray,
) -> pl.DataFrame:
    r"""Return the clusters table with errors of measurement, the same for a catalog in any company.

    Enclosed masses are sums over shells, so the errors are put on the shells: lognormal, independent, unbiased, and of
    the sizes that give every enclosed mass the same fractional error f:

    .. math:: \sigma(\Delta M_k) = f \sqrt{M_k^2 - M_{k-1}^2}

    The measured profile therefore rises outwards however large the errors, ``m_gas`` stays between its neighbours, and
    the errors of two enclosed masses are correlated by their ratio, as they are for real sums. Errors of slopes are
    independent of each other and of the masses; a measured slope of a flat core may come out above zero.

    Parameters
    ----------
    clusters
        The true values, catalog after catalog.
    noise
        Sizes of the errors.
    radii
        Radii of the profiles [R_500c].
    seed, catalog_id, counts
        Seed of the set; id and number of clusters of each catalog, shape (n_catalogs,).
    """
    if not noise.any:
        return clusters
    normal = _normal(2 * len(radii) + 2, seed=seed, catalog_id=catalog_id, counts=counts)
    width = len(radii)
    mass, m_gas = _masses(clusters, normal[: width + 1], noise.m_gas_profile, radii=radii)
    slope = _profile(clusters, "gas_slope_profile") + noise.gas_slope_profile * normal[width + 1 : -1].T
    t_x = clusters.get_column("t_x").to_numpy() * _factor(np.array(noise.t_x), normal[-1])
    return clusters.with_columns(
        t_x=pl.Series(t_x), m_gas=pl.Series(m_gas), m_gas_profile=_array(mass), gas_slope_profile=_array(slope)
    )


def _normal(n: int, *, seed: int, catalog_id: IntArray, counts: IntArray) -> FloatArray:
    """Return standard normal numbers, n for each cluster, shape (n, n_clusters)."""
    parts = [
        rng.standard_normal((n, count))
        for rng, count in zip(generators(seed, Stage.NOISE, catalog_id), counts.tolist(), strict=True)
    ]
    return np.concatenate([np.empty((n, 0)), *parts], axis=1)


def _masses(
    clusters: pl.DataFrame, normal: FloatArray, error: float, *, radii: tuple[float, ...]
) -> tuple[FloatArray, FloatArray]:
    """Return measured enclosed masses, shape (n, n_radii), and the measured mass within R_500c, shape (n,)."""
    place = int(np.searchsorted(radii, 1.0))  # R_500c is one more radius, in its place among the others
    m_gas = clusters.get_column("m_gas").to_numpy()
    enclosed = np.insert(_profile(clusters, "m_gas_profile"), place, m_gas, axis=1)
    shells = np.diff(enclosed, axis=1, prepend=0.0)
    # (M_k^2 - M_{k-1}^2) / (M_k - M_{k-1})^2, without the difference of large numbers.
    ratio = (2 * enclosed - shells) / np.maximum(shells, np.finfo(np.float32).tiny)
    noisy = np.cumsum(shells * _factor(error * np.sqrt(ratio), normal.T), axis=1)
    return np.delete(noisy, place, axis=1), noisy[:, place]


def _factor(error: FloatArray, normal: FloatArray) -> FloatArray:
    """Return lognormal factors of mean 1 and standard deviation ``error``."""
    variance = np.log1p(error**2)
    factor: FloatArray = np.exp(np.sqrt(variance) * normal - variance / 2)
    return factor


def _profile(clusters: pl.DataFrame, name: str) -> FloatArray:
    values: npt.NDArray[Any] = clusters.get_column(name).to_numpy()
    return values.astype(np.float64)


def _array(values: FloatArray) -> pl.Series:
    return pl.Series(values=values.astype(np.float32), dtype=pl.Array(pl.Float32, values.shape[1]))
