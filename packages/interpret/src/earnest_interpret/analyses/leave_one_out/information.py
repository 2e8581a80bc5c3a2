r"""What leaving a cluster out should do: the Fisher information of a cluster's mass, from the mass function alone.

Counts of a survey are a Poisson process of density n(M) = V S(M) dn/dlog10 M. With known masses one cluster adds
u(M) = d ln n / d sigma8 to the slope of the log-likelihood and all of them F = \int n u^2 dlog10 M to the information,
so that an ideal analysis with a prior of width s moves by -u(M) / (F + 1/s^2) when a cluster is taken away.
"""

from dataclasses import dataclass
from typing import final

import numpy as np
from earnest_common.arrays import FloatArray
from earnest_common.survey.cosmology import Cosmology
from earnest_common.survey.mass_function import MassFunctionTable, mass_function_of
from earnest_common.survey.presets import Survey
from earnest_common.survey.scaling import PowerLaw

from earnest_interpret.analyses.leave_one_out.removal import MASSIVE
from earnest_interpret.sample import MassAxis

__all__ = ["Ideal", "InformationByMass", "ideal_leave_one_out", "information_by_mass"]

_STEP = 0.005
"""Half the difference of sigma8 over which counts are differentiated."""

_FINE = 0.005
"""Step of the integrals over log10 mass."""


@final
@dataclass(frozen=True, kw_only=True)
class Ideal:
    """An analysis with every cluster's mass, and all of cosmology and survey but sigma8, known.

    Attributes
    ----------
    log10_m
        log10 mass [solMass], shape (n,).
    density
        Expected clusters per dex, shape (n,).
    score
        u, shape (n,).
    information
        F plus that of the prior.
    """

    log10_m: FloatArray
    density: FloatArray
    score: FloatArray
    information: float

    @property
    def delta(self) -> FloatArray:
        """Change of sigma8 when one cluster is left out, shape (n,)."""
        return np.asarray(-self.score / self.information, dtype=np.float64)

    def shares(self, edges: FloatArray) -> FloatArray:
        """Return the share of the counts' information in each bin of log10 mass, shape (n_bins,)."""
        weight = self.density * self.score**2
        place = np.digitize(self.log10_m, edges) - 1
        inside = (place >= 0) & (place < len(edges) - 1)
        total = np.bincount(place[inside], weights=weight[inside], minlength=len(edges) - 1)
        return np.asarray(total / weight.sum(), dtype=np.float64)


def ideal_leave_one_out(
    survey: Survey,
    cosmology: Cosmology,
    *,
    sigma8: float = 0.81,
    prior_scatter: float = 0.0663,
    l_x: PowerLaw | None = None,
    table: MassFunctionTable | None = None,
) -> Ideal:
    """Return the leave-one-out of an ideal analysis of known masses.

    Parameters
    ----------
    survey
        Volume, redshift and selection; a cut in flux is blurred by the scatter of luminosity.
    cosmology
        Reference cosmology.
    sigma8
        Where the counts are differentiated.
    prior_scatter
        Width s of the prior of sigma8.
    l_x
        Luminosity relation of the clusters; by default the reference of the selection.
    table
        Mass function; by default that of the cosmology and redshift.

    Examples
    --------
    >>> from earnest_common.survey.cosmology import MAGNETICUM
    >>> ideal = ideal_leave_one_out(Survey(), MAGNETICUM)
    >>> bool((ideal.delta < 0).all()), bool(ideal.delta[-1] < 5 * ideal.delta[0])  # heavy clusters say most
    (True, True)
    """
    table = table or mass_function_of(cosmology, survey.z)
    selection = survey.selection
    l_x = l_x or selection.l_x
    blur = l_x.scatter / selection.l_x.slope if survey.cut == "flux" else 0.0
    smoothing = float(np.hypot(selection.smoothing, blur))
    lowest = selection.log10_m_min
    if survey.cut == "flux":
        lowest = float(l_x.log10_mass(selection.l_x.log10_mean(lowest)))
    log10_m = np.arange(lowest - 3 * smoothing, 15.8, _FINE) + _FINE / 2
    seen = selection.probability(log10_m, log10_m_break=selection.log10_m_break_of(l_x), smoothing=smoothing)
    if survey.cut == "flux":
        seen = selection.probability(selection.equivalent_log10_m(l_x.log10_mean(log10_m)), smoothing=smoothing)
    low, middle, high = (table.dn_dlog10_m(log10_m, value) for value in (sigma8 - _STEP, sigma8, sigma8 + _STEP))
    density, score = survey.volume * seen * middle, np.log(high / low) / (2 * _STEP)
    kept = density > 0
    information = float(np.sum(density * score**2) * _FINE) + prior_scatter**-2
    return Ideal(
        log10_m=log10_m[kept],
        density=density[kept],
        score=score[kept],
        information=information,
    )


@final
@dataclass(frozen=True, kw_only=True)
class InformationByMass:
    """Where leave-one-out finds information, beside where the mass function has it.

    Attributes
    ----------
    edges
        Edges of the bins, log10 mass [solMass], shape (n_bins + 1,).
    counts
        Clusters, shape (n_bins,).
    mean_delta
        Mean change of sigma8, shape (n_bins,).
    systematic
        Share of each bin in sum over bins of counts times mean change squared: what a likelihood would call
        information, shape (n_bins,).
    total
        Share in the summed squared change, the scatter between clusters of one mass included, shape (n_bins,).
    fisher
        Share of the Fisher information of counts with known masses, shape (n_bins,); NaN without a known survey.
    """

    edges: FloatArray
    counts: FloatArray
    mean_delta: FloatArray
    systematic: FloatArray
    total: FloatArray
    fisher: FloatArray


def information_by_mass(
    delta: FloatArray, axis: MassAxis, ideal: Ideal | None, *, step: float = 0.2
) -> InformationByMass | None:
    """Return shares of information per bin of mass; ``None`` if no cluster has both a change and a mass.

    Parameters
    ----------
    delta
        Change of sigma8 per cluster, shape (n_clusters,).
    axis
        Masses of the clusters.
    ideal
        The ideal analysis, where the survey is known.
    step
        Width of the bins [dex]; one of them begins at ``MASSIVE``.
    """
    known = np.isfinite(delta) & np.isfinite(axis.log10_m)
    if not known.any():
        return None
    masses = axis.log10_m[known]
    first, last = np.floor((np.array([masses.min(), masses.max()]) - MASSIVE) / step)
    edges = np.round(MASSIVE + step * np.arange(first, last + 2), 9)
    place, values = np.digitize(masses, edges) - 1, delta[known]
    n_bins = len(edges) - 1
    counts = np.bincount(place, minlength=n_bins).astype(np.float64)
    sums = np.bincount(place, weights=values, minlength=n_bins)
    with np.errstate(invalid="ignore", divide="ignore"):  # bins without a cluster
        mean = sums / counts
    squares = np.bincount(place, weights=values**2, minlength=n_bins)
    return InformationByMass(
        edges=edges,
        counts=counts,
        mean_delta=mean,
        systematic=_share(np.nan_to_num(counts * mean**2)),
        total=_share(squares.astype(np.float64)),
        fisher=ideal.shares(edges) if ideal else np.full(n_bins, np.nan),
    )


def _share(values: FloatArray) -> FloatArray:
    total = values.sum()
    return values / total if total > 0 else np.full_like(values, np.nan)
