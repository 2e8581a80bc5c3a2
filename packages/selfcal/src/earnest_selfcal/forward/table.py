"""The semi-analytic forward model: expected counts and the distribution of Y_X or L_X, over sigma8 and nuisances.

For each point of the design the density of selected clusters in y = log10 Y_X (or log10 L_X) is

    lambda f(y) = V int dlog10m  n(m | sigma8)  p(y | m)  E[S | m, y],

where S acts on the mass or on a luminosity whose residual is correlated with that of Y_X (and is that of L_X). The
number of clusters is Poisson with mean lambda, and f gives the distribution of the median (``median.py``).
"""

import bisect
import functools
import math
from dataclasses import dataclass
from typing import final

import numpy as np
from earnest_common.arrays import FloatArray
from earnest_common.errors import InputError
from earnest_common.notebook import html_table
from earnest_common.survey.presets import Preset
from earnest_common.survey.priors import Uniform
from earnest_common.survey.scaling import ScalingRelations, with_factors
from numpy.typing import NDArray
from scipy.special import pdtr

from earnest_selfcal.forward.observable import LocalLaw, Observable, local_law, shift_of
from earnest_selfcal.forward.population import MassFunction, log10_m_edges, mass_function_for, nuisance_design
from earnest_selfcal.forward.resolution import Resolution
from earnest_selfcal.survey.config import named_preset
from earnest_selfcal.survey.measurement_errors import MeasurementErrors, noise_of

__all__ = ["ForwardTable", "forward_table", "selected_density"]

_REACH = 5.5  # sigmas of the observable beyond which nothing is added: 4e-8 of the clusters
_FINEST = 0.004  # dex: a finer grid of the observable would not fit into memory
_SHARP = 1e-6  # dex in mass: less blur is rounding


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class ForwardTable:
    """What a survey shows for each sigma8 and each set of nuisance factors; all points are equally probable a priori.

    Attributes
    ----------
    preset
        The survey and its priors.
    noise
        Errors of measurement.
    observable
        ``y_x`` or ``l_x``: what the distributions are of.
    sigma8
        Nodes, shape (n_sigma8,).
    sigma8_step
        Width of the cell around each node.
    expected_n
        Mean number of clusters, shape (n_nuisance, n_sigma8).
    shift
        log10 of the factor of Y_X from the t_x and m_gas normalisations (zero for L_X), shape (n_nuisance,).
    log10_x
        Even grid of log10 Y_X [solMass keV], h-free, before that factor, or of log10 L_X [1e44 erg/s], shape (n_x,).
    cdf, pdf
        Distribution of the observable on that grid, shape (n_nuisance, n_x, n_sigma8).
    """

    preset: Preset
    noise: MeasurementErrors
    observable: Observable
    sigma8: FloatArray
    sigma8_step: float
    expected_n: FloatArray
    shift: FloatArray
    log10_x: FloatArray
    cdf: NDArray[np.float32]
    pdf: NDArray[np.float32]

    def __repr__(self) -> str:
        """Return one line: preset, observable, and the range of expected numbers over the prior."""
        low, high = float(self.expected_n.min()), float(self.expected_n.max())
        numbers = f"{low:.0f} to {high:.0f} clusters expected"
        return f"ForwardTable(preset {self.preset.name}, {self.observable}, z {self.preset.survey.z:g}, {numbers})"

    def _repr_html_(self) -> str:
        survey = self.preset.survey
        rows = {
            "preset": self.preset.name,
            "observable": self.observable,
            "z": survey.z,
            "volume [Mpc3]": survey.volume,
        }
        expected = (float(self.expected_n.min()), float(self.expected_n.max()))
        sigma8 = (float(self.sigma8[0]), float(self.sigma8[-1]))
        return html_table("Forward model", {**rows, "sigma8": sigma8, "expected clusters": expected})

    @functools.cached_property
    def _some_means(self) -> FloatArray:
        # Every k-th of the sorted means stands for its neighbours: some 500 Poisson laws instead of tens of thousands.
        stride = max(1, self.expected_n.size // 500)
        return np.sort(self.expected_n, axis=None)[stride // 2 :: stride]

    def share_up_to(self, n: int) -> float:
        """Return the probability of at most n clusters over the whole prior."""
        return float(pdtr(n, self._some_means).mean()) if n >= 0 else 0.0

    def number_at(self, share: float) -> int:
        """Return the smallest number of clusters whose :meth:`share_up_to` is at least this."""
        return bisect.bisect_left(self._numbers, share, key=self.share_up_to)

    @functools.cached_property
    def share_up_to_n(self) -> FloatArray:
        """The probability of at most 0, 1, 2, ... clusters over the whole prior, shape (n_max + 1,)."""
        return np.array([self.share_up_to(n) for n in self._numbers])

    @property
    def _numbers(self) -> range:
        largest = float(self.expected_n.max())
        return range(math.ceil(largest + 10 * math.sqrt(largest) + 10))

    def distribution_at(self, log10_x: float) -> tuple[FloatArray, FloatArray]:
        """Return F and f at one value of the observable for all points, two arrays of shape (n_nuisance, n_sigma8)."""
        step = self.log10_x[1] - self.log10_x[0]
        position = np.clip((log10_x - self.shift - self.log10_x[0]) / step, 0, len(self.log10_x) - 1.001)
        below = position.astype(np.int64)
        weight = (position - below)[:, None]
        row = np.arange(len(below))
        cdf = (1 - weight) * self.cdf[row, below] + weight * self.cdf[row, below + 1]
        pdf = (1 - weight) * self.pdf[row, below] + weight * self.pdf[row, below + 1]
        return cdf, pdf


def forward_table(
    survey: Preset | str,
    config: Resolution | None = None,
    *,
    observable: Observable = "y_x",
    noise: MeasurementErrors | None = None,
    mass_function: MassFunction | None = None,
) -> ForwardTable:
    """Compute the forward model of a survey over its priors (one to a few seconds).

    Parameters
    ----------
    survey
        The survey and its priors: a preset by name, or one that was changed
        (:func:`earnest_selfcal.survey.config.resolve_survey`).
    config
        Resolution; default ``Resolution()``.
    observable
        Whose median is looked at: ``y_x`` or ``l_x``.
    noise
        Errors of measurement; default: those of the preset.
    mass_function
        Default: COLOSSUS as the preset says.

    Raises
    ------
    InputError
        If the scatter of the observable is smaller than the grid's step, which could not resolve it.

    Examples
    --------
    >>> forward_table("paper", Resolution(n_nuisance=64))
    ForwardTable(preset paper, y_x, z 0.0663, 50 to 317 clusters expected)
    """
    preset = named_preset(survey) if isinstance(survey, str) else survey
    config = config or Resolution()
    noise = noise_of(preset) if noise is None else noise
    mass_function = mass_function or mass_function_for(preset)
    sigma8, sigma8_step = _nodes(preset.priors.sigma8, config.n_sigma8)
    edges = log10_m_edges(preset.survey, config.log10_m_step)
    log10_m = (edges[1:] + edges[:-1]) / 2
    counts = preset.survey.volume * config.log10_m_step * mass_function.dn_dlog10_m(log10_m, sigma8[:, None])
    design = nuisance_design(preset.priors, config.n_nuisance)
    log10_x = _grid(preset, design, edges, step=config.log10_x_step, observable=observable, noise=noise)
    expected, cdf, pdf = _distributions(
        preset, design, log10_m=log10_m, counts=counts, log10_x=log10_x, observable=observable, noise=noise
    )
    return ForwardTable(
        preset=preset,
        noise=noise,
        observable=observable,
        sigma8=sigma8,
        sigma8_step=sigma8_step,
        expected_n=expected,
        shift=shift_of(observable, design),
        log10_x=log10_x,
        cdf=cdf,
        pdf=pdf,
    )


def _nodes(prior: Uniform, n: int) -> tuple[FloatArray, float]:
    """Return the values of a gridded prior, or the midpoints of n cells of a continuous one."""
    if prior.step is not None:
        return prior.values, prior.step
    step = (prior.high - prior.low) / n
    return np.asarray(prior.low + step * (np.arange(n) + 0.5)), step


def _grid(
    preset: Preset,
    design: dict[str, FloatArray],
    edges: FloatArray,
    *,
    step: float,
    observable: Observable,
    noise: MeasurementErrors,
) -> FloatArray:
    """Return an even grid that holds the mean relation over all masses and five sigma of scatter on both sides."""
    shape_factors = {
        name: values[:, None]
        for name, values in design.items()
        if name not in ("t_x_normalisation", "m_gas_normalisation")
    }
    law = local_law(observable, preset, with_factors(preset.relations, shape_factors), noise, log10_m=edges)
    step = min(step, float(np.min(law.scatter)))
    if step < _FINEST:
        raise InputError(
            f"the scatter of log10 {observable} at fixed mass falls to {np.min(law.scatter):.3g} dex; the forward "
            f"model resolves {_FINEST} dex or more: use a base sample of more clusters, or priors of larger scatter"
        )
    widest = float(np.max(law.scatter))
    low, high = float(np.min(law.mean)) - 5 * widest, float(np.max(law.mean)) + 5 * widest
    if observable == "l_x" and preset.survey.cut == "flux":
        # No cluster is fainter than the cut: a node half a step below it puts the jump where the trapezoids expect it.
        selection = preset.survey.selection
        cut = float(selection.l_x.log10_mean(selection.log10_m_min - 5 * selection.smoothing))
        low = cut - step / 2
    return np.asarray(low + step * np.arange(np.ceil((high - low) / step) + 1))


def _distributions(
    preset: Preset,
    design: dict[str, FloatArray],
    *,
    log10_m: FloatArray,
    counts: FloatArray,
    log10_x: FloatArray,
    observable: Observable,
    noise: MeasurementErrors,
) -> tuple[FloatArray, NDArray[np.float32], NDArray[np.float32]]:
    """Return lambda, F and f for each point of the design and each sigma8."""
    n_nuisance, n_sigma8 = len(design["l_x_slope"]), len(counts)
    expected = np.empty((n_nuisance, n_sigma8))
    cdf, pdf = np.empty((2, n_nuisance, len(log10_x), n_sigma8), dtype=np.float32)
    step = log10_x[1] - log10_x[0]
    shape_factors = [name for name in design if name not in ("t_x_normalisation", "m_gas_normalisation")]
    for i in range(n_nuisance):
        relations = with_factors(preset.relations, {name: float(design[name][i]) for name in shape_factors})
        density = selected_density(
            preset, relations, log10_m=log10_m, log10_x=log10_x, observable=observable, noise=noise
        )
        density = density.T @ counts.T
        cumulative = step * (np.cumsum(density, axis=0) - 0.5 * (density + density[0]))
        expected[i] = cumulative[-1]
        cdf[i], pdf[i] = cumulative / expected[i], density / expected[i]
    return expected, cdf, pdf


def selected_density(
    preset: Preset,
    relations: ScalingRelations,
    *,
    log10_m: FloatArray,
    log10_x: FloatArray,
    observable: Observable = "y_x",
    noise: MeasurementErrors | None = None,
) -> FloatArray:
    """Return p(x | m) E[S | m, x], the density in log10 of the observable of the detected clusters of each mass.

    Parameters
    ----------
    preset
        The survey; its priors and reference relations are not used.
    relations
        The relations of the universe that is looked at.
    log10_m
        log10 of m_500c [solMass], h-free, shape (n_m,).
    log10_x
        log10 of the observable [solMass keV or 1e44 erg/s], shape (n_x,).
    observable
        ``y_x`` or ``l_x``.
    noise
        Errors of measurement; default: those of the preset.

    Returns
    -------
    Densities [dex^-1], shape (n_m, n_x).
    """
    noise = noise_of(preset) if noise is None else noise
    law = local_law(observable, preset, relations, noise, log10_m=log10_m)
    mean, scatter = np.broadcast_to(law.mean, log10_m.shape)[:, None], np.broadcast_to(law.scatter, log10_m.shape)
    residual = (log10_x - mean) / scatter[:, None]
    near = np.abs(residual) < _REACH
    density = np.zeros(near.shape)
    density[near] = np.exp(-0.5 * residual[near] ** 2)
    density /= np.sqrt(2 * np.pi) * scatter[:, None]
    density[near] *= _mean_selection(preset, relations, law, log10_m=log10_m, log10_x=log10_x, near=near)
    return density


def _mean_selection(
    preset: Preset,
    relations: ScalingRelations,
    law: LocalLaw,
    *,
    log10_m: FloatArray,
    log10_x: FloatArray,
    near: NDArray[np.bool_],
) -> FloatArray:
    """Return E[S | m, x] for the pairs of mass and observable that are near each other, shape (n,)."""
    selection = preset.survey.selection
    row, column = np.nonzero(near)
    if preset.survey.cut == "mass":
        return selection.probability(log10_m[row], log10_m_break=selection.log10_m_break_of(relations.l_x))

    def at(values: FloatArray) -> FloatArray:
        return np.broadcast_to(values, log10_m.shape)[row]

    # Log10 of the observable and of l_x are jointly Gaussian: given the one, the other has a shifted mean and a smaller
    # scatter; none at all where the observable is l_x.
    slope = at(law.covariance) / at(law.scatter) ** 2
    log10_l_x = at(law.l_x_mean) + slope * (log10_x[column] - at(law.mean))
    rest = np.sqrt(np.maximum(at(law.l_x_scatter) ** 2 - slope * at(law.covariance), 0.0))
    smoothing = np.hypot(selection.smoothing, rest / selection.l_x.slope)
    blurred = smoothing.max(initial=0.0) > _SHARP
    return selection.probability(
        selection.equivalent_log10_m(log10_l_x), smoothing=np.maximum(smoothing, _SHARP) if blurred else 0.0
    )
