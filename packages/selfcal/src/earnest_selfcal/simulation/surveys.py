"""Direct simulation of surveys: every cluster drawn, observed and selected; the check of the semi-analytic route."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import final

import numpy as np
from earnest_common.arrays import FloatArray, IntArray
from earnest_common.errors import InputError
from earnest_common.survey.presets import Preset, Survey
from earnest_common.survey.scaling import FACTORS, PowerLaw, ScalingRelations, with_factors
from earnest_common.survey.selection import Selection
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from earnest_selfcal.forward.population import MassFunction, log10_m_edges, mass_function_for
from earnest_selfcal.survey.measurement_errors import MeasurementErrors, noise_of

__all__ = ["Summaries", "simulate"]

_LOG10_M_STEP = 0.02
_SIGMA8_STEP = 0.0025  # ln n is so smooth in sigma8 that linear interpolation over this is good to 1e-4
_CHUNK = 1000


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Summaries:
    """The numbers that self-calibration looks at, one of each per survey.

    Attributes
    ----------
    n_clusters
        Number of clusters, shape (n,).
    median_log10_y_x
        Median of log10 Y_X [solMass keV], h-free, shape (n,); NaN for an empty catalog.
    median_log10_l_x
        Median of log10 L_X [1e44 erg/s], likewise.
    """

    n_clusters: IntArray
    median_log10_y_x: FloatArray
    median_log10_l_x: FloatArray


def simulate(
    preset: Preset,
    parameters: Mapping[str, FloatArray],
    *,
    rng: np.random.Generator,
    noise: MeasurementErrors | None = None,
    mass_function: MassFunction | None = None,
) -> Summaries:
    """Simulate one survey for each set of parameters (about a million a minute).

    Parameters
    ----------
    preset
        The survey; its priors are not used.
    parameters
        ``sigma8`` and the factors of the scaling relations, arrays of shape (n,), as ``Priors.draw`` returns them.
    rng
        Random generator.
    noise
        Errors of measurement; default: those of the preset.
    mass_function
        Default: COLOSSUS as the preset says.

    Raises
    ------
    InputError
        If the preset has residuals that depend on mass.

    Examples
    --------
    >>> from earnest_common.survey.presets import preset
    >>> paper = preset("paper")
    >>> rng = np.random.default_rng(1)
    >>> surveys = simulate(paper, paper.priors.draw(100, rng=rng), rng=rng)
    >>> bool(80 < surveys.n_clusters.mean() < 200)
    True
    """
    if preset.moments is not None:
        raise InputError("surveys are simulated with residuals of one correlation at all masses; leave out moments")
    noise = noise_of(preset) if noise is None else noise
    mass_function = mass_function or mass_function_for(preset)
    grid = _MassGrid.of(preset, mass_function, parameters["sigma8"])
    n = len(parameters["sigma8"])
    chunks = [slice(start, start + _CHUNK) for start in range(0, n, _CHUNK)]
    parts = [_chunk(preset, grid, {k: v[c] for k, v in parameters.items()}, rng=rng, noise=noise) for c in chunks]
    return Summaries(
        n_clusters=np.concatenate([part.n_clusters for part in parts]),
        median_log10_y_x=np.concatenate([part.median_log10_y_x for part in parts]),
        median_log10_l_x=np.concatenate([part.median_log10_l_x for part in parts]),
    )


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class _MassGrid:
    """ln of the clusters per mass cell in the survey's volume, before selection, at nodes of sigma8."""

    edges: FloatArray
    sigma8: FloatArray
    ln_counts: FloatArray

    @classmethod
    def of(cls, preset: Preset, mass_function: MassFunction, sigma8: FloatArray) -> "_MassGrid":
        edges = log10_m_edges(preset.survey, _LOG10_M_STEP)
        span = float(np.ptp(sigma8))
        nodes = np.linspace(sigma8.min(), sigma8.max(), round(span / _SIGMA8_STEP) + 2)
        density = mass_function.dn_dlog10_m((edges[1:] + edges[:-1]) / 2, nodes[:, None])
        return cls(edges=edges, sigma8=nodes, ln_counts=np.log(preset.survey.volume * _LOG10_M_STEP * density))

    def counts(self, sigma8: FloatArray) -> FloatArray:
        """Return the clusters per cell, shape (n, n_cells)."""
        position = np.interp(sigma8, self.sigma8, np.arange(len(self.sigma8)))
        below = np.minimum(position.astype(np.int64), len(self.sigma8) - 2)
        weight = (position - below)[:, None]
        return np.asarray(np.exp((1 - weight) * self.ln_counts[below] + weight * self.ln_counts[below + 1]))


def _chunk(
    preset: Preset,
    grid: _MassGrid,
    parameters: Mapping[str, FloatArray],
    *,
    rng: np.random.Generator,
    noise: MeasurementErrors,
) -> Summaries:
    """Draw clusters from an envelope of the selected mass function, keep those that are detected, observe them."""
    factors = {name: parameters[name] for name in FACTORS if name in parameters}
    relations = with_factors(preset.relations, factors)
    # The detected share rises with mass, so its value at a cell's upper edge bounds it.
    envelope = _share(preset.survey, grid.edges[1:], _taken(relations.l_x, (slice(None), None)))
    survey, cell, log10_m = _draw_masses(grid.edges, grid.counts(parameters["sigma8"]) * envelope, rng=rng)
    level = rng.random(len(survey)) * envelope[survey, cell]
    find = _detected_in_flux if preset.survey.cut == "flux" else _detected_in_mass
    kept, residual = find(preset.survey, _taken(relations.l_x, survey), log10_m, level=level, rng=rng)
    survey = survey[kept]
    log10_l_x, log10_y_x = _observe(preset, relations, log10_m[kept], survey=survey, l_x=residual, rng=rng, noise=noise)
    n = len(parameters["sigma8"])
    count = np.bincount(survey, minlength=n).astype(np.int64)
    return Summaries(
        n_clusters=count,
        median_log10_y_x=_medians(survey, log10_y_x, count),
        median_log10_l_x=_medians(survey, log10_l_x, count),
    )


def _taken(law: PowerLaw, index: IntArray | tuple[slice, None]) -> PowerLaw:
    """Return the relation with those fields indexed that differ between surveys."""
    return replace(law, **{name: value[index] for name, value in vars(law).items() if np.ndim(value)})


def _share(survey: Survey, log10_m: FloatArray, l_x: PowerLaw) -> FloatArray:
    """Return the detected share of clusters of each mass, whatever their luminosities."""
    selection = survey.selection
    if survey.cut == "mass":
        distance = log10_m - selection.log10_m_break_of(l_x)
        return selection.probability(np.broadcast_to(log10_m, distance.shape), log10_m_break=log10_m - distance)
    x, width = _equivalent(selection, l_x, log10_m)
    return selection.probability(x, smoothing=width)


def _equivalent(selection: Selection, l_x: PowerLaw, log10_m: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return mean and standard deviation of what a cut in flux acts on, the mass that a luminosity stands for."""
    mean = selection.equivalent_log10_m(l_x.log10_mean(log10_m))
    return np.asarray(mean), np.hypot(selection.smoothing, l_x.scatter / selection.l_x.slope)


def _detected_in_mass(
    survey: Survey, l_x: PowerLaw, log10_m: FloatArray, *, level: FloatArray, rng: np.random.Generator
) -> tuple[NDArray[np.bool_], FloatArray]:
    """Return which clusters are detected, and standard normal residuals of their luminosities."""
    kept = level < _share(survey, log10_m, l_x)
    return kept, rng.standard_normal(int(kept.sum()))


def _detected_in_flux(
    survey: Survey, l_x: PowerLaw, log10_m: FloatArray, *, level: FloatArray, rng: np.random.Generator
) -> tuple[NDArray[np.bool_], FloatArray]:
    """Return which clusters are detected, and the residuals of their luminosities in units of the scatter.

    Of a normal residual z, what lies above the break is seen whole: a Gaussian's tail. Between the lowest mass and the
    break the share 10^(A (x - break)) makes another Gaussian, shifted by ``rate``. ``level``, uniform from zero to a
    bound of the share, falls into one of the two, where it is a quantile, or beyond both: no residual is drawn in vain.
    """
    selection = survey.selection
    x, width = _equivalent(selection, l_x, log10_m)
    to_break, to_cut = (selection.log10_m_break - x) / width, (selection.log10_m_min - x) / width
    rate = selection.slope * np.log(10.0) * width
    above, beyond = ndtr(-to_break), ndtr(rate - to_break)
    rise = np.exp(rate * (rate / 2 - to_break))
    kept = level < above + rise * (ndtr(rate - to_cut) - beyond)
    in_tail = level < above
    upper = np.where(in_tail, level, beyond + (level - above) / rise)[kept]
    z = np.where(in_tail, 0.0, rate)[kept] - ndtri(upper)
    if selection.smoothing:  # part of z is blur
        share = np.broadcast_to(l_x.scatter / selection.l_x.slope / width, kept.shape)[kept]
        z = share * z + np.sqrt(1 - share**2) * rng.standard_normal(len(z))
    return kept, z


def _draw_masses(
    edges: FloatArray, rate: FloatArray, *, rng: np.random.Generator
) -> tuple[IntArray, IntArray, FloatArray]:
    """Draw a Poisson number of clusters per survey; return each one's survey, mass cell and log10 mass."""
    cumulative = np.cumsum(rate, axis=1)
    total = cumulative[:, -1]
    survey = np.repeat(np.arange(len(rate)), rng.poisson(total))
    # Dividing by the total puts survey i on (i, i + 1]: one search in one sorted array serves all surveys.
    ladder = cumulative / total[:, None] + np.arange(len(rate))[:, None]
    flat = np.searchsorted(ladder.ravel(), survey + rng.random(len(survey)), side="right")
    cell = np.clip(flat - survey * rate.shape[1], 0, rate.shape[1] - 1)
    log10_m = edges[cell] + (edges[1] - edges[0]) * rng.random(len(survey))
    return survey, cell, log10_m


def _observe(
    preset: Preset,
    relations: ScalingRelations,
    log10_m: FloatArray,
    *,
    survey: IntArray,
    l_x: FloatArray,
    rng: np.random.Generator,
    noise: MeasurementErrors,
) -> tuple[FloatArray, FloatArray]:
    """Return log10 l_x and observed log10 Y_X, whose residuals follow from those of l_x, two arrays of shape (n,)."""
    matrix = preset.correlation.matrix
    with_l_x = matrix[0, 1:]
    # An eigenvector root also takes correlations of exactly one, where Cholesky fails.
    values, vectors = np.linalg.eigh(matrix[1:, 1:] - np.outer(with_l_x, with_l_x))
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    normal = rng.standard_normal((2, len(log10_m)))

    def log10_of(law: PowerLaw, residual: FloatArray) -> FloatArray:
        here = _taken(law, survey)
        return np.asarray(here.log10_mean(log10_m) + here.scatter * residual)

    # Written out: BLAS threads cost more than they bring to a product with two rows.
    t_x, m_gas = (c * l_x + row[0] * normal[0] + row[1] * normal[1] for c, row in zip(with_l_x, root, strict=True))
    log10_y_x = log10_of(relations.t_x, t_x) + log10_of(relations.m_gas, m_gas)
    for name in ("t_x", "m_gas"):
        if error := noise.dex(name):
            log10_y_x = log10_y_x + noise.offset(name) + error * rng.standard_normal(len(log10_m))
    return log10_of(relations.l_x, l_x), log10_y_x


def _medians(survey: IntArray, log10_x: FloatArray, count: IntArray) -> FloatArray:
    """Return the median within each survey, NaN for an empty one."""
    low, span = log10_x.min(initial=np.inf), np.ptp(log10_x) + 1.0 if len(log10_x) else 1.0
    # One sort of survey + fraction is ten times faster than a sort by two keys, and good to 1e-12 dex.
    ordered = (np.sort(survey + (log10_x - low) / span) - survey) * span + low
    first = np.cumsum(count) - count
    median = np.full(len(count), np.nan)
    some = count > 0
    lower, upper = first + (count - 1) // 2, first + count // 2
    median[some] = (ordered[lower[some]] + ordered[upper[some]]) / 2
    return median
