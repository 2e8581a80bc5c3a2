"""How well the peak of Y_X or of L_X tells sigma8: propagation of the priors on the scaling relations."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np
from earnest_common.errors import InputError
from earnest_common.survey.presets import Preset
from earnest_common.survey.priors import Priors
from earnest_common.survey.scaling import FACTORS

from earnest_selfcal.forward.observable import OBSERVABLES, UNITS, Observable, log10_of_paper
from earnest_selfcal.forward.population import MassFunction, mass_function_for
from earnest_selfcal.peak.equations import Peak, Solution, peak_of, solve_peak

__all__ = ["PeakErrors", "combined", "compare_observables", "observed_peak", "peak_answer", "peak_errors"]

_LOCATION: dict[Observable, tuple[str, ...]] = {
    # With the break solved for, the L_X normalisation has no say in Y_X; t_x and m_gas have none in L_X.
    "y_x": tuple(name for name in FACTORS if name != "l_x_normalisation"),
    "l_x": tuple(name for name in FACTORS if name.startswith("l_x")),
}


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class PeakErrors:
    """sigma8 and the mass of the break from one peak, and what their errors come from.

    Attributes
    ----------
    observable
        ``y_x`` or ``l_x``.
    peak
        The peak.
    solution
        What solves the equations with mean factors.
    sigma8_err, log10_m_peak_err
        Error from each factor's prior, from the place of the peak and from the number of clusters, by name.
    """

    observable: Observable
    peak: Peak
    solution: Solution
    sigma8_err: Mapping[str, float]
    log10_m_peak_err: Mapping[str, float]

    @property
    def total_sigma8_err(self) -> float:
        """The quadratic sum."""
        return float(np.sqrt(sum(x**2 for x in self.sigma8_err.values())))

    @property
    def total_log10_m_peak_err(self) -> float:
        """The quadratic sum [dex]."""
        return float(np.sqrt(sum(x**2 for x in self.log10_m_peak_err.values())))

    def numbers(self, h: float) -> dict[str, Any]:
        """Return everything as names and numbers, the peak in the units that users state."""
        return {
            "sigma8": self.solution.sigma8,
            "sigma8_err": self.total_sigma8_err,
            "log10_m_peak": self.solution.log10_m_peak,
            "log10_m_peak_err": self.total_log10_m_peak_err,
            "peak_log10_x": float(log10_of_paper(self.observable, self.peak.log10_x, h)),
            "peak_log10_x_unit": f"log10({UNITS[self.observable]})",
            "peak_per_dex": self.peak.per_dex,
            "sigma8_err_from": dict(self.sigma8_err),
        }


def peak_errors(
    preset: Preset, peak: Peak, *, observable: Observable, mass_function: MassFunction | None = None
) -> PeakErrors:
    """Solve for sigma8 and the break, and propagate the priors' standard deviations.

    Parameters
    ----------
    preset
        The survey and its priors.
    peak
        The observed peak, with the number of clusters and the error of their median.
    observable
        ``y_x`` or ``l_x``.
    mass_function
        Default: COLOSSUS as the preset says.

    Raises
    ------
    InputError
        If no sigma8 and break give this peak.
    """
    table = mass_function or mass_function_for(preset)
    mean = {name: _mean(preset.priors, name) for name in FACTORS}

    def solve(d_ln_n: float = 0.0, d_x: float = 0.0, **changes: float) -> Solution:
        return solve_peak(
            preset,
            per_dex=peak.per_dex * np.exp(d_ln_n),
            log10_x=peak.log10_x + d_x,
            observable=observable,
            factors=mean | changes,
            mass_function=table,
        )

    centre = solve()
    pairs = {
        "number of clusters": [solve(d_ln_n=s / np.sqrt(peak.n_clusters)) for s in (1, -1)],
        "place of the peak": [solve(d_x=s * peak.median_err) for s in (1, -1)],
    }
    for name in _LOCATION[observable]:
        step = preset.priors.of(name).std
        if step > 0:
            pairs[name] = [solve(**{name: mean[name] + s * step}) for s in (1, -1)]
    return PeakErrors(
        observable=observable,
        peak=peak,
        solution=centre,
        sigma8_err={name: _half(a.sigma8, b.sigma8) for name, (a, b) in pairs.items()},
        log10_m_peak_err={name: _half(a.log10_m_peak, b.log10_m_peak) for name, (a, b) in pairs.items()},
    )


def compare_observables(preset: Preset, *, sigma8: float | None = None) -> dict[Observable, PeakErrors]:
    """Return the errors from the peaks of Y_X and of L_X that the survey itself would show.

    Parameters
    ----------
    preset
        The survey; its scaling relations have the mean factors of the priors.
    sigma8
        Default: the reference cosmology's.
    """
    table = mass_function_for(preset)
    mean = {name: _mean(preset.priors, name) for name in FACTORS}
    selection, relations = preset.survey.selection, preset.relations
    shifted = relations.l_x.log10_normalisation + np.log10(mean["l_x_normalisation"])
    slope = relations.l_x.slope * mean["l_x_slope"]
    limit = selection.l_x.log10_mean(selection.log10_m_break)
    truth = Solution(
        sigma8=preset.cosmology.sigma8 if sigma8 is None else sigma8,
        log10_m_peak=float(relations.l_x.log10_pivot + (limit - shifted) / slope),
    )
    found: dict[Observable, PeakErrors] = {}
    for observable in OBSERVABLES:
        peak = peak_of(preset, truth, observable=observable, factors=mean, mass_function=table)
        found[observable] = peak_errors(preset, peak, observable=observable, mass_function=table)
    return found


def observed_peak(preset: Preset, *, per_dex: float, log10_x: float, observable: Observable) -> PeakErrors:
    """Return sigma8 and its errors from the height and place of an observed peak.

    Parameters
    ----------
    preset
        The survey and its priors.
    per_dex, log10_x
        Clusters per decade of the observable at the peak, and its place: log10 Y_X [solMass keV], h-free, or log10 L_X
        [1e44 erg/s].
    observable
        ``y_x`` or ``l_x``.

    Raises
    ------
    InputError
        If no sigma8 and break give this peak.
    """
    table = mass_function_for(preset)
    mean = {name: _mean(preset.priors, name) for name in FACTORS}
    options: dict[str, Any] = {"observable": observable, "factors": mean, "mass_function": table}
    solution = solve_peak(preset, per_dex=per_dex, log10_x=log10_x, **options)
    modelled = peak_of(preset, solution, **options)  # knows how many clusters belong to such a peak
    peak = replace(modelled, per_dex=per_dex, log10_x=log10_x)
    return peak_errors(preset, peak, observable=observable, mass_function=table)


def peak_answer(
    preset: Preset,
    *,
    per_dex: float | None = None,
    log10_y_x_h: float | None = None,
    log10_l_x: float | None = None,
) -> dict[str, Any]:
    """Return sigma8 from an observed peak or, without one, what the peaks of Y_X and L_X tell of this survey.

    Parameters
    ----------
    preset
        The survey and its priors.
    per_dex
        Clusters per decade of the observable at the peak.
    log10_y_x_h, log10_l_x
        Place of the peak: log10 Y_X in the paper's [solMass/h keV] or log10 L_X [1e44 erg/s].

    Raises
    ------
    InputError
        If height and place are not both given, or both observables are.
    """
    h = preset.cosmology.h
    places = [value for value in (log10_y_x_h, log10_l_x) if value is not None]
    if per_dex is None and not places:
        errors = compare_observables(preset)
        told: dict[str, Any] = {observable: one.numbers(h) for observable, one in errors.items()}
        return {**told, "both_sigma8_err": combined(errors), "prior_scatter": preset.priors.sigma8.std}
    if per_dex is None or len(places) != 1:
        raise InputError("give the height of the peak with --per-dex and its place with --log10-y-x or --log10-l-x")
    if log10_y_x_h is not None:
        found = observed_peak(preset, per_dex=per_dex, log10_x=log10_y_x_h - math.log10(h), observable="y_x")
    else:
        found = observed_peak(preset, per_dex=per_dex, log10_x=places[0], observable="l_x")
    return {**found.numbers(h), "observable": found.observable, "prior_scatter": preset.priors.sigma8.std}


def combined(errors: Mapping[Observable, PeakErrors]) -> float:
    """Return the error of sigma8 from both peaks: independent mass scales, one common error from the counts.

    The places of both peaks are taken as independent too, which flatters a little: they are of the same clusters.
    """
    common = float(np.mean([e.sigma8_err["number of clusters"] for e in errors.values()]))
    rest = [e.total_sigma8_err**2 - e.sigma8_err["number of clusters"] ** 2 for e in errors.values()]
    if min(rest) <= 0:
        raise InputError("the priors fix a mass scale exactly: the errors of two peaks cannot be combined")
    return float(np.sqrt(1 / sum(1 / r for r in rest) + common**2))


def _half(above: float, below: float) -> float:
    return round(abs(above - below) / 2, 12)  # the round-off of a factor that has no say is no error


def _mean(priors: Priors, name: str) -> float:
    prior = priors.of(name)
    return (prior.low + prior.high) / 2
