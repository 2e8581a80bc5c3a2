"""What a deep survey over a light cone could tell: Fisher forecast in redshift shells, with evolving relations."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from earnest_common.arrays import FloatArray

from earnest_selfcal.forward.observable import OBSERVABLES
from earnest_selfcal.light_cone.shells import PARAMETERS, LightCone, observe

__all__ = ["Forecast", "assumptions", "forecast"]

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


def _sigma8_err(fisher: FloatArray, known: Sequence[str]) -> float:
    return float(np.sqrt(_covariance(fisher, known)[0, 0]))


def _covariance(fisher: FloatArray, known: Sequence[str]) -> FloatArray:
    """Return the covariance with priors added, of the parameters that are not known."""
    prior = np.diag([1 / std**2 for _, _, std in PARAMETERS.values()])
    kept = [i for i, name in enumerate(PARAMETERS) if name not in known]
    return np.asarray(np.linalg.inv((fisher + prior)[np.ix_(kept, kept)]))
