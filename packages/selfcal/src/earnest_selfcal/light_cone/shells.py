"""A deep survey over a light cone: what each redshift shell shows, with evolving relations."""

import functools
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import final

import numpy as np
from earnest_common.arrays import FloatArray
from earnest_common.errors import InputError
from earnest_common.survey.cosmology import MAGNETICUM, Cosmology
from earnest_common.survey.halo import dn_dlog10_m_500c
from earnest_common.survey.presets import Preset, Survey
from earnest_common.survey.scaling import TABLE_2, PowerLaw, ScalingRelations
from earnest_common.survey.selection import Selection

from earnest_selfcal.forward.observable import OBSERVABLES, Observable, relation_of
from earnest_selfcal.forward.table import selected_density
from earnest_selfcal.light_cone.distances import comoving_volume, expansion, flux_to_luminosity
from earnest_selfcal.survey.measurement_errors import noise_of

_HALOS = (6.0, 17.0)  # log10 solMass: any dark halo
__all__ = ["PARAMETERS", "LightCone", "ShellData", "observe", "shell_preset"]

_LN_10 = math.log(10)
_M_STEP, _X_STEP = 0.02, 0.02
_MASSES = (12.5, 15.7)  # three sigma of L_X below the faintest limit

IN_BAND_L_X = PowerLaw(
    # ln L = 47.392 + 1.61 ln M at h = 0.72, z = 0, in erg/s: 0.62e44 erg/s at 10^14.4 solMass.
    log10_normalisation=(47.392 + 1.61 * 14.4 * _LN_10) / _LN_10 - 44,
    slope=1.61,
    log10_pivot=14.4,
    scatter=0.396 / _LN_10,
)
"""L_X in 0.5-2 keV [1e44 erg/s] against m_500c (Vikhlinin et al. 2009, equation 22), which evolves as E^1.85."""

PARAMETERS: dict[str, tuple[float, float, float]] = {
    # name: (reference, step of the derivative, standard deviation of the prior)
    "sigma8": (MAGNETICUM.sigma8, 0.01, math.inf),
    "Om0": (MAGNETICUM.Om0, 0.01, math.inf),
    "ln l_x normalisation": (0.0, 0.05, 0.17),
    "l_x slope": (1.0, 0.03, 0.10),
    "ln l_x scatter": (0.0, 0.05, 0.17),
    "l_x evolution": (1.85, 0.10, 0.42),
    "ln y_x normalisation": (0.0, 0.05, 0.24),
    "y_x slope": (1.0, 0.03, 0.05),
    "y_x evolution": (2 / 3, 0.10, 0.30),
}
"""What is varied. Normalisations and scatters have the spread of the paper's priors; evolutions are powers of E(z)."""


@final
@dataclass(frozen=True, kw_only=True)
class LightCone:
    """An X-ray survey to a flux limit.

    Attributes
    ----------
    flux_limit
        In 0.5-2 keV [erg/s/cm^2].
    area
        Of the sky [deg^2].
    z_edges
        Edges of the redshift shells.
    cosmology
        The reference; flat.
    """

    flux_limit: float = 4e-14
    area: float = 13_000.0
    z_edges: tuple[float, ...] = (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0, 1.3)
    cosmology: Cosmology = field(default=MAGNETICUM)

    def __post_init__(self) -> None:
        steps = np.diff(self.z_edges)
        if not (self.flux_limit > 0 and 0 < self.area <= 41_253):
            raise InputError(
                f"light cone: flux_limit = {self.flux_limit} erg/s/cm^2 must be positive and area = {self.area} deg^2 "
                "at most the whole sky, 41,253 deg^2"
            )
        if len(steps) < 1 or not (self.z_edges[0] > 0 and (steps > 0).all() and self.z_edges[-1] <= 3):
            raise InputError(f"light cone: z_edges = {self.z_edges} must rise from above 0 to at most 3")


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class ShellData:
    """What is seen in each shell, arrays of shape (n_shells,).

    Attributes
    ----------
    n_clusters
        Mean number of clusters.
    median, median_err
        Median log10 observable by name, and its standard error [dex].
    """

    n_clusters: FloatArray
    median: Mapping[Observable, FloatArray]
    median_err: Mapping[Observable, FloatArray]


def observe(cone: LightCone, changes: Mapping[str, float] | None = None) -> ShellData:
    """Return what each shell shows for some parameters.

    Parameters
    ----------
    cone
        The survey.
    changes
        Values of ``PARAMETERS`` that differ from the reference.
    """
    at = {name: reference for name, (reference, _, _) in PARAMETERS.items()} | dict(changes or {})
    cosmology = replace(cone.cosmology, sigma8=at["sigma8"], Om0=at["Om0"])
    shells = [_shell(cone, low, high, cosmology, at) for low, high in zip(cone.z_edges, cone.z_edges[1:], strict=False)]
    return ShellData(
        n_clusters=np.array([n for n, _, _ in shells]),
        median={o: np.array([median[o] for _, median, _ in shells]) for o in OBSERVABLES},
        median_err={o: np.array([error[o] for _, _, error in shells]) for o in OBSERVABLES},
    )


def _shell(
    cone: LightCone, low: float, high: float, cosmology: Cosmology, at: Mapping[str, float]
) -> tuple[float, dict[Observable, float], dict[Observable, float]]:
    """Return the number of clusters and, by observable, the median and its error."""
    z = (low + high) / 2
    preset = shell_preset(cone, z, cosmology, at)
    solid_angle = cone.area * math.radians(1) ** 2
    volume = comoving_volume(low, high, solid_angle=solid_angle, cosmology=cosmology)
    log10_m = _log10_m()
    counts = volume * _M_STEP * _mass_function(cosmology, z)
    number, median, error = 0.0, {}, {}
    for observable in OBSERVABLES:
        law = relation_of(observable, preset.relations, preset.correlation, noise_of(preset))
        ends = law.log10_mean(np.array(_MASSES)) + 5 * float(law.scatter) * np.array([-1, 1])
        if observable == "l_x":  # a node half a step below the cut, as the trapezoids of a jump need it
            limit = float(preset.survey.selection.l_x.log10_mean(preset.survey.selection.log10_m_min))
            ends = np.array([limit - _X_STEP / 2, max(ends[1], limit + 1.0)])
        log10_x = np.arange(ends[0], ends[1], _X_STEP)
        density = counts @ selected_density(
            preset, preset.relations, log10_m=log10_m, log10_x=log10_x, observable=observable
        )
        number = float(density.sum() * _X_STEP)
        if number < 1:
            raise InputError(
                f"light cone: the shell from z = {low} to {high} holds {number:.2g} clusters, whose median means "
                f"nothing; merge shells or go deeper than flux_limit = {cone.flux_limit:g} erg/s/cm^2"
            )
        below = (np.cumsum(density) - density / 2) * _X_STEP / number
        median[observable] = float(np.interp(0.5, below, log10_x))
        at_median = float(np.interp(median[observable], log10_x, density)) / number
        error[observable] = 1 / (2 * at_median * math.sqrt(number))
    return number, median, error


def _log10_m() -> FloatArray:
    return np.arange(*_MASSES, _M_STEP) + _M_STEP / 2


@functools.lru_cache(maxsize=256)  # most parameters leave the mass function alone, and it takes all the time
def _mass_function(cosmology: Cosmology, z: float) -> FloatArray:
    return dn_dlog10_m_500c(_log10_m(), cosmology=cosmology, z=z)


def shell_preset(cone: LightCone, z: float, cosmology: Cosmology, at: Mapping[str, float]) -> Preset:
    """Return the survey of one shell: a sharp limit in luminosity, relations as they are at that redshift."""
    log10_e = float(np.log10(expansion(z, cosmology)))
    l_x = replace(
        IN_BAND_L_X,
        log10_normalisation=IN_BAND_L_X.log10_normalisation
        - 0.39 / _LN_10 * math.log(cosmology.h / 0.72)
        + at["ln l_x normalisation"] / _LN_10
        + at["l_x evolution"] * log10_e,
        slope=IN_BAND_L_X.slope * at["l_x slope"],
        scatter=IN_BAND_L_X.scatter * math.exp(at["ln l_x scatter"]),
    )
    m_gas = replace(
        TABLE_2.m_gas,
        log10_normalisation=TABLE_2.m_gas.log10_normalisation
        + at["ln y_x normalisation"] / _LN_10
        + at["y_x evolution"] * log10_e,
        slope=TABLE_2.m_gas.slope + (TABLE_2.m_gas.slope + TABLE_2.t_x.slope) * (at["y_x slope"] - 1),
    )
    limit = float(l_x.log10_mass(np.log10(flux_to_luminosity(cone.flux_limit, z, cosmology))))
    if not _HALOS[0] < limit < _HALOS[1]:
        raise InputError(
            f"light cone: the shell at z = {z:g} shows halos from 10^{limit:.1f} solMass by flux_limit = "
            f"{cone.flux_limit:g} erg/s/cm^2; allowed are limits between 10^{_HALOS[0]:g} and 10^{_HALOS[1]:g} solMass"
        )
    selection = Selection(log10_m_break=limit, log10_m_min=limit - 1e-6, l_x=l_x)
    return Preset(
        name="light cone",
        survey=Survey(volume=1.0, z=z, selection=selection, cut="flux"),
        cosmology=cosmology,
        relations=ScalingRelations(l_x=l_x, t_x=TABLE_2.t_x, m_gas=m_gas),
    )
