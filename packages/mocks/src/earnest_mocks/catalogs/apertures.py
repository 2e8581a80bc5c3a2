"""Gas profiles at the radii that an observer has: R_500c is inferred, and a simulation's shapes are not exact.

At r over the true R_500c the mean shape of the gas is a ruler of mass that no sky offers.
"""

from dataclasses import dataclass
from typing import Any, final

import numpy as np
import numpy.typing as npt
import polars as pl
from earnest_common.arrays import FloatArray, IntArray
from earnest_common.survey.scaling import ScalingRelations
from scipy.interpolate import CubicSpline

from earnest_mocks.catalogs.config import Aperture

__all__ = ["Seen", "log_aperture", "seen_through"]

_ITERATIONS = 6
"""Each brings the radius from Y_X a factor of four nearer to where it stays."""


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Seen:
    """Clusters as observed through their apertures, before errors of measurement.

    Attributes
    ----------
    clusters
        The clusters table; its profiles are at the radii over the observer's R_500c, its ``m_gas`` within that.
    beyond
        Gas mass within the true R_500c over that within the observer's, shape (n,).
    """

    clusters: pl.DataFrame
    beyond: FloatArray

    def with_true_gas_mass(self, measured: pl.DataFrame) -> pl.DataFrame:
        """Return the measured table with ``m_gas`` within the true R_500c, to which the scaling relations belong."""
        return measured.with_columns(m_gas=pl.Series(measured.get_column("m_gas").to_numpy() * self.beyond))


def seen_through(
    clusters: pl.DataFrame,
    aperture: Aperture,
    *,
    radii: tuple[float, ...],
    relations: ScalingRelations,
    ln_stretch: FloatArray,
) -> Seen:
    r"""Return clusters whose profiles are stretched and measured at the radii of an aperture.

    With M(<r) the gas mass of the donor's shape, q the stretch and s the observer's R_500c over the true one,

    .. math:: M_\mathrm{seen}(<r) = M_\mathrm{gas} \frac{M(< q s r)}{M(< q R_{500c})}, \quad
        \gamma_\mathrm{seen}(r) = \gamma(q s r),

    so that a stretch changes no gas mass within the true R_500c. Beyond the first and the last radius the gas mass goes
    on as a power law and the slope as a straight line in ln r.

    Parameters
    ----------
    clusters
        The true values.
    aperture
        What gives the observer's R_500c.
    radii
        Radii of the profiles [R_500c].
    relations
        The reference relations, with which an observer turns Y_X into a mass.
    ln_stretch
        ln q of each cluster, shape (n,).
    """
    m_gas = clusters.get_column("m_gas").to_numpy()
    ln_r = np.log(radii)
    mass = _Along(ln_r, np.log(_profile(clusters, "m_gas_profile") / m_gas[:, None]))
    slope = _Along(ln_r, _profile(clusters, "gas_slope_profile"))
    at_r_500c = mass(ln_stretch)
    shift = log_aperture(clusters, aperture, relations=relations, ln_within=lambda x: mass(ln_stretch + x) - at_r_500c)
    within = np.exp(mass(ln_stretch + shift) - at_r_500c)
    where = [ln_stretch + shift + x for x in ln_r]
    masses = np.stack([m_gas * np.exp(mass(x) - at_r_500c) for x in where], axis=1)
    slopes = np.stack([slope(x) for x in where], axis=1)
    seen = clusters.with_columns(
        m_gas=pl.Series(m_gas * within), m_gas_profile=_array(masses), gas_slope_profile=_array(slopes)
    )
    return Seen(clusters=seen, beyond=1 / within)


def log_aperture(
    clusters: pl.DataFrame,
    aperture: Aperture,
    *,
    relations: ScalingRelations,
    ln_within: Any,  # noqa: ANN401 - a function of an array
) -> FloatArray:
    r"""Return ln(R_500c of the observer / true R_500c) of each cluster, shape (n,).

    From Y_X it is the radius at which the Y_X within it belongs to the mass within it,

    .. math:: \ln s = \tfrac13 \ln \frac{M(Y_X(< s R_{500c}))}{M_{500c}},

    with M(Y_X) the mean of the reference relation.

    Parameters
    ----------
    clusters
        Masses, gas masses within the true R_500c, temperatures.
    aperture
        What gives the radius.
    relations
        The reference relations.
    ln_within
        Function of ln s that gives ln of the gas mass within s R_500c over that within R_500c.
    """
    log10_m = np.log10(clusters.get_column("m_500c").to_numpy())
    if aperture == "true":
        return np.zeros(len(log10_m))
    if aperture == "m_wl":
        return np.asarray(np.log(10) / 3 * (np.log10(clusters.get_column("m_wl").to_numpy()) - log10_m))
    t_x, gas = relations.t_x, relations.m_gas
    log10_y_x = np.log10(clusters.get_column("m_gas").to_numpy() * clusters.get_column("t_x").to_numpy())
    mean = t_x.log10_mean(gas.log10_pivot) + gas.log10_normalisation
    shift = np.zeros(len(log10_m))
    for _ in range(_ITERATIONS):
        seen = log10_y_x + ln_within(shift) / np.log(10)
        inferred = gas.log10_pivot + (seen - mean) / (t_x.slope + gas.slope)
        shift = np.log(10) / 3 * (inferred - log10_m)
    return shift


@final
class _Along:
    """Values along the profiles of n clusters, splined in ln r and straight beyond both ends."""

    def __init__(self, ln_r: FloatArray, values: FloatArray) -> None:
        spline = CubicSpline(ln_r, values, axis=1)
        self._ln_r, self._coefficients = ln_r, np.moveaxis(spline.c, -1, 2)
        self._ends = np.stack([values[:, 0], values[:, -1]])
        self._end_slopes = np.stack([spline(ln_r[0], 1), spline(ln_r[-1], 1)])

    def __call__(self, at: FloatArray) -> FloatArray:
        """Return one value of each cluster, at ln r of shape (n,)."""
        ln_r, rows = self._ln_r, np.arange(len(at))
        cell: IntArray = np.clip(np.searchsorted(ln_r, at, side="right") - 1, 0, len(ln_r) - 2)
        step = at - ln_r[cell]
        found = np.zeros(len(at))
        for coefficient in self._coefficients:
            found = found * step + coefficient[cell, rows]
        for side, outside in ((0, at < ln_r[0]), (1, at > ln_r[-1])):
            straight = self._ends[side] + self._end_slopes[side] * (at - ln_r[-side])
            found = np.where(outside, straight, found)
        return found


def _profile(clusters: pl.DataFrame, name: str) -> FloatArray:
    values: npt.NDArray[Any] = clusters.get_column(name).to_numpy()
    return values.astype(np.float64)


def _array(values: FloatArray) -> pl.Series:
    return pl.Series(values=values.astype(np.float32), dtype=pl.Array(pl.Float32, values.shape[1]))
