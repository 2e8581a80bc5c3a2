"""Expected clusters: their density over mass as local parabolas, and their total number."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

import numpy as np
from earnest_common.arrays import FloatArray, FloatLike, IntArray
from earnest_common.survey.mass_function import MassFunctionTable
from earnest_common.survey.presets import Preset
from earnest_common.survey.scaling import PowerLaw, with_factors
from scipy.interpolate import CubicSpline, RectBivariateSpline

from earnest_selfcal.exact_posterior.residuals import ORIGIN, X_RAY, ResidualModel
from earnest_selfcal.forward.population import MassFunction, log10_m_edges, mass_function_for

__all__ = ["Abundance", "tabulate_abundance"]

_STEP = 0.02
_BELOW_MASS_CUT = 0.5  # dex below a cut in true mass where the Gaussians of scattered clusters may be centred
_SIGMA8_STEP = 0.01
_L_X = X_RAY.index("l_x")


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Abundance:
    """ln V dn/dlog10 m w_k(m) with its first two derivatives, and the expected number of clusters.

    Attributes
    ----------
    preset
        The survey.
    residuals
        The components k, one density each.
    v
        Mass nodes, log10 m - ``ORIGIN``, shape (n_v,).
    sigma8
        Nodes, shape (n_sigma8,), evenly spaced.
    parabola
        Value, slope and curvature at the nodes, shape (3, n_sigma8, n_components, n_v).
    ln_expected_of_break
        For a cut in mass, a spline of ln of the expected number over sigma8 and log10 of the break's mass.
    """

    preset: Preset
    residuals: ResidualModel
    v: FloatArray
    sigma8: FloatArray
    parabola: FloatArray
    ln_expected_of_break: RectBivariateSpline | None

    def rows(self, sigma8: FloatArray) -> FloatArray:
        """Return the parabolas at each sigma8, shape (3, n, n_components, n_v).

        Cubic interpolation between nodes 0.01 apart is good to 1e-7, and exact at the nodes.
        """
        start, weight = _lagrange(self.sigma8, sigma8)
        rows = sum(weight[j][:, None, None] * self.parabola[:, start + j] for j in range(4))
        return np.asarray(rows)

    def nearest(self, v: FloatArray) -> IntArray:
        """Return the mass node nearest to each v."""
        index: FloatArray = np.clip(np.rint((v - self.v[0]) / _STEP), 0, len(self.v) - 1)
        return index.astype(np.int64)

    def expected(self, values: Mapping[str, FloatArray], rows: FloatArray) -> FloatArray:
        """Return the expected number of clusters, shape (n,).

        Parameters
        ----------
        values
            Parameters by name, each of shape (n,).
        rows
            ``rows(values["sigma8"])``.
        """
        factors = {name: values[name][:, None] for name in ("l_x_normalisation", "l_x_slope")}
        l_x = with_factors(self.preset.relations, factors).l_x
        if self.ln_expected_of_break is not None:
            at_break = np.ravel(self.preset.survey.selection.log10_m_break_of(l_x))
            return np.asarray(np.exp(self.ln_expected_of_break.ev(values["sigma8"], at_break)))
        return self._expected_in_flux(l_x, values["l_x_scatter"][:, None], rows)

    def _expected_in_flux(self, l_x: PowerLaw, scatter: FloatArray, rows: FloatArray) -> FloatArray:
        """Integrate the density times the share of luminosities above the flux limit; the integrand is smooth."""
        selection, model = self.preset.survey.selection, self.residuals
        mean = np.asarray(l_x.log10_mean(self.v + ORIGIN))
        total = np.zeros(len(scatter))
        for k in range(model.n_components):
            offset = scatter * (model.mean[k, _L_X] + model.slope[k, _L_X] * self.v)
            width = scatter * np.sqrt(model.covariance[k, _L_X, _L_X]) / selection.l_x.slope
            share = selection.probability(
                selection.equivalent_log10_m(mean + offset), smoothing=np.hypot(selection.smoothing, width)
            )
            total += _STEP * np.einsum("nv,nv->n", np.exp(rows[0, :, k]), share)
        return total


def tabulate_abundance(
    preset: Preset, residuals: ResidualModel, *, mass_function: MassFunction | None = None, breaks: tuple[float, float]
) -> Abundance:
    """Return the abundance tables of a survey.

    Parameters
    ----------
    preset
        The survey.
    residuals
        How observables scatter.
    mass_function
        Default: COLOSSUS as the preset says.
    breaks
        For a cut in mass, lowest and highest log10 mass of the break over the priors.
    """
    mass_function = mass_function or mass_function_for(preset)
    sigma8, log10_m = _sigma8_nodes(preset, mass_function), _mass_nodes(preset, mass_function)
    ln_n = np.log(preset.survey.volume * mass_function.dn_dlog10_m(log10_m, sigma8[:, None]))
    density = ln_n[:, None, :] + residuals.ln_weight(log10_m)
    spline = CubicSpline(log10_m, density, axis=2)
    in_mass = preset.survey.cut == "mass"
    return Abundance(
        preset=preset,
        residuals=residuals,
        v=log10_m - ORIGIN,
        sigma8=sigma8,
        parabola=np.stack([density, spline(log10_m, 1), spline(log10_m, 2)]),
        ln_expected_of_break=_expected_of_break(preset, sigma8, log10_m, ln_n, breaks=breaks) if in_mass else None,
    )


def _mass_nodes(preset: Preset, mass_function: MassFunction) -> FloatArray:
    """Return nodes over all detectable masses, and below a cut in true mass as far as the table goes."""
    edges = log10_m_edges(preset.survey, _STEP)
    low = edges[0] - (_BELOW_MASS_CUT if preset.survey.cut == "mass" else 0.0)
    if isinstance(mass_function, MassFunctionTable):
        low = max(low, float(mass_function.log10_m[0]))
    return np.arange(low, edges[-1] + 0.1, _STEP)


def _sigma8_nodes(preset: Preset, mass_function: MassFunction) -> FloatArray:
    """Return nodes a little beyond the prior on both sides, as far as the mass function is tabulated."""
    prior = preset.priors.sigma8
    below = above = max(3, int(np.ceil(0.3 * (prior.high - prior.low) / _SIGMA8_STEP)))  # the search looks beyond
    if isinstance(mass_function, MassFunctionTable):
        below = min(below, int((prior.low - mass_function.sigma8[0]) / _SIGMA8_STEP + 1e-9))
        above = min(above, int((mass_function.sigma8[-1] - prior.high) / _SIGMA8_STEP + 1e-9))
    span = max(1, int(np.ceil((prior.high - prior.low) / _SIGMA8_STEP - 1e-9)))
    return np.asarray(prior.low + _SIGMA8_STEP * np.arange(-max(below, 0), span + max(above, 0) + 1))


def _expected_of_break(
    preset: Preset, sigma8: FloatArray, log10_m: FloatArray, ln_n: FloatArray, *, breaks: tuple[float, float]
) -> RectBivariateSpline:
    """Integrate V n S over mass for a grid of breaks; sharp edges are ends of the integrals."""
    nodes = np.linspace(breaks[0] - 0.05, breaks[1] + 0.05, 48)
    selection = preset.survey.selection
    low = max(selection.log10_m_min - 6 * selection.smoothing, float(log10_m[0]))
    high = float(log10_m[-1])
    density = CubicSpline(log10_m, ln_n, axis=1)
    total = np.empty((len(sigma8), len(nodes)))
    for i, one in enumerate(nodes):
        x, weight = _gauss_legendre(low, float(np.clip(one, low, high)), high)
        share = selection.probability(x, log10_m_break=one)
        total[:, i] = np.exp(density(x)) @ (weight * share)
    return RectBivariateSpline(sigma8, nodes, np.log(total))


def _gauss_legendre(low: float, middle: float, high: float) -> tuple[FloatArray, FloatArray]:
    """Return nodes and weights over [low, middle] and [middle, high]."""
    x, w = np.polynomial.legendre.leggauss(64)
    parts = [(a, b) for a, b in ((low, middle), (middle, high)) if b > a]
    nodes = [0.5 * (b - a) * x + 0.5 * (a + b) for a, b in parts]
    return np.concatenate(nodes), np.concatenate([0.5 * (b - a) * w for a, b in parts])


def _lagrange(nodes: FloatArray, at: FloatArray) -> tuple[IntArray, list[FloatArray]]:
    """Return the first of four neighbouring nodes and their weights for cubic interpolation."""
    step = nodes[1] - nodes[0]
    position = (at - nodes[0]) / step
    start = np.clip(np.floor(position + 1e-9) - 1, 0, len(nodes) - 4).astype(np.int64)
    t: FloatArray = position - start
    weight: list[FloatArray] = [
        -(t - 1) * (t - 2) * (t - 3) / 6,
        t * (t - 2) * (t - 3) / 2,
        -t * (t - 1) * (t - 3) / 2,
        t * (t - 1) * (t - 2) / 6,
    ]
    return start, weight


def log10_m_breaks(preset: Preset, normalisation: FloatLike, slope: FloatLike) -> FloatArray:
    """Return log10 of the break's mass for factors of the luminosity relation."""
    l_x = with_factors(preset.relations, {"l_x_normalisation": normalisation, "l_x_slope": slope}).l_x
    return np.asarray(preset.survey.selection.log10_m_break_of(l_x))
