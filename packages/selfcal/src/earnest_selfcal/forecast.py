"""What a deep survey over a light cone could tell: Fisher forecast in redshift shells, with evolving relations."""

import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, final

import numpy as np
from earnest_common.arrays import FloatArray
from earnest_common.cosmology import MAGNETICUM, Cosmology
from earnest_common.errors import InputError
from earnest_common.halo import dn_dlog10_m_500c
from earnest_common.scaling import TABLE_2, PowerLaw, ScalingRelations
from earnest_common.selection import Selection
from earnest_common.survey import Preset, Survey

from earnest_selfcal.distances import comoving_volume, expansion, flux_to_luminosity
from earnest_selfcal.forward import selected_density
from earnest_selfcal.noise import noise_of
from earnest_selfcal.observable import OBSERVABLES, Observable, relation_of

__all__ = ["PARAMETERS", "Forecast", "LightCone", "ShellData", "assumptions", "forecast", "observe"]

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

GROUPS: dict[str, tuple[str, ...]] = {
    "Om0": ("Om0",),
    "L_X normalisation": ("ln l_x normalisation",),
    "L_X slope": ("l_x slope",),
    "L_X scatter": ("ln l_x scatter",),
    "L_X evolution": ("l_x evolution",),
    "Y_X normalisation": ("ln y_x normalisation",),
    "Y_X slope": ("y_x slope",),
    "Y_X evolution": ("y_x evolution",),
}


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


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Forecast:
    """Errors of sigma8 and what they come from.

    Attributes
    ----------
    z, n_clusters
        Middle and number of clusters of each shell, shape (n_shells,).
    covariance
        By data, of all parameters in the order of ``PARAMETERS``.
    sigma8_err
        By data: N, N with the median L_X, N with the median Y_X of each shell; Om0 free.
    sigma8_err_om0_known
        The same with Om0 known.
    sigma8_err_without
        By data and group: the error if that group of parameters were known.
    statistical
        By data: the error if everything else were known.
    """

    z: FloatArray
    n_clusters: FloatArray
    covariance: Mapping[str, FloatArray]
    sigma8_err: Mapping[str, float]
    sigma8_err_om0_known: Mapping[str, float]
    sigma8_err_without: Mapping[str, Mapping[str, float]]
    statistical: Mapping[str, float]

    def dominant(self, data: str) -> str:
        """Return the group whose knowledge would help most, Om0 aside."""
        without = {name: error for name, error in self.sigma8_err_without[data].items() if name != "Om0"}
        return min(without, key=lambda name: without[name])

    def numbers(self) -> dict[str, Any]:
        """Return everything as names and numbers."""
        return {
            "n_clusters": float(self.n_clusters.sum()),
            "sigma8_err": dict(self.sigma8_err),
            "sigma8_err_om0_known": dict(self.sigma8_err_om0_known),
            "sigma8_err_statistical": dict(self.statistical),
            "sigma8_err_if_known": {data: dict(groups) for data, groups in self.sigma8_err_without.items()},
            "dominant": {data: self.dominant(data) for data in self.sigma8_err},
            "shells": {"z": self.z.tolist(), "n_clusters": self.n_clusters.round(1).tolist()},
        }


def forecast(cone: LightCone) -> Forecast:
    """Return the Fisher forecast of a survey (some ten seconds, nearly all of them the mass function).

    Parameters
    ----------
    cone
        The survey.

    Raises
    ------
    InputError
        If a shell holds fewer than one cluster, whose median means nothing.
    """
    centre = observe(cone)
    pairs = {
        name: (observe(cone, {name: at + step}), observe(cone, {name: at - step}), 2 * step)
        for name, (at, step, _) in PARAMETERS.items()
    }
    counts = np.array([(up.n_clusters - down.n_clusters) / width for up, down, width in pairs.values()])
    fisher = {"N": counts / centre.n_clusters @ counts.T}
    for observable in OBSERVABLES:
        slope = np.array([(up.median[observable] - down.median[observable]) / w for up, down, w in pairs.values()])
        fisher[f"N and {observable}"] = fisher["N"] + slope / centre.median_err[observable] ** 2 @ slope.T
    return Forecast(
        z=(np.array(cone.z_edges[1:]) + np.array(cone.z_edges[:-1])) / 2,
        n_clusters=centre.n_clusters,
        covariance={data: _covariance(matrix, ()) for data, matrix in fisher.items()},
        sigma8_err={data: _sigma8_err(matrix, ()) for data, matrix in fisher.items()},
        sigma8_err_om0_known={data: _sigma8_err(matrix, ("Om0",)) for data, matrix in fisher.items()},
        sigma8_err_without={
            data: {group: _sigma8_err(matrix, names) for group, names in GROUPS.items()}
            for data, matrix in fisher.items()
        },
        statistical={data: _sigma8_err(matrix, tuple(PARAMETERS)[1:]) for data, matrix in fisher.items()},
    )


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


def assumptions(cone: LightCone) -> tuple[str, ...]:
    """Return what the forecast rests on, one sentence each."""
    return (
        f"{cone.area:g} deg^2 complete to {cone.flux_limit:.3g} erg/s/cm^2 in 0.5-2 keV from z = {cone.z_edges[0]} to "
        f"{cone.z_edges[-1]}, with perfect redshifts, no contamination, no K-correction, and a mass function "
        "that holds for groups.",
        "L_X (0.5-2 keV) as Vikhlinin et al. 2009, 40 % scatter, evolving as E^1.85; Y_X as the simulation's, evolving "
        "as E^(2/3); lognormal residuals about power laws, correlated as in the presets.",
        "The median Y_X of a shell needs temperature and gas mass of all its clusters, which such a survey lacks: the "
        "row with Y_X is what follow-up of a fair sample of comparable size would bring.",
        "Priors (standard deviations): "
        + ", ".join(f"{name} {std:g}" for name, (_, _, std) in PARAMETERS.items() if math.isfinite(std))
        + "; sigma8 and Om0 free; H0, Ob0 and ns fixed; one luminosity relation for all masses and redshifts.",
        "Fisher matrix of Poisson counts and medians in shells: no sample variance, no shape of the distributions, "
        "Gaussian posteriors.",
    )


def _shell(
    cone: LightCone, low: float, high: float, cosmology: Cosmology, at: Mapping[str, float]
) -> tuple[float, dict[Observable, float], dict[Observable, float]]:
    """Return the number of clusters and, by observable, the median and its error."""
    z = (low + high) / 2
    preset = _preset(cone, z, cosmology, at)
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
                "nothing; merge shells or go deeper"
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


def _preset(cone: LightCone, z: float, cosmology: Cosmology, at: Mapping[str, float]) -> Preset:
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
    selection = Selection(log10_m_break=limit, log10_m_min=limit - 1e-6, l_x=l_x)
    return Preset(
        name="light cone",
        survey=Survey(volume=1.0, z=z, selection=selection, cut="flux"),
        cosmology=cosmology,
        relations=ScalingRelations(l_x=l_x, t_x=TABLE_2.t_x, m_gas=m_gas),
    )


def _sigma8_err(fisher: FloatArray, known: Sequence[str]) -> float:
    return float(np.sqrt(_covariance(fisher, known)[0, 0]))


def _covariance(fisher: FloatArray, known: Sequence[str]) -> FloatArray:
    """Return the covariance with priors added, of the parameters that are not known."""
    prior = np.diag([1 / std**2 for _, _, std in PARAMETERS.values()])
    kept = [i for i, name in enumerate(PARAMETERS) if name not in known]
    return np.asarray(np.linalg.inv((fisher + prior)[np.ix_(kept, kept)]))
