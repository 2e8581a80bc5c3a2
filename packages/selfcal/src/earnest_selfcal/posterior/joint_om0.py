"""The joint posterior of sigma8 and Om0 of one survey, and its degeneracy."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, final

import numpy as np
from earnest_common.arrays import FloatArray, FloatLike
from earnest_common.errors import InputError
from earnest_common.report.drawing import BLUE, GREY, draw
from earnest_common.report.section import Figure, Section
from earnest_common.survey.presets import Preset

from earnest_selfcal.forward.counts import no_number_of_clusters
from earnest_selfcal.forward.population import MassFunction, mass_function_for
from earnest_selfcal.forward.resolution import Resolution
from earnest_selfcal.forward.table import ForwardTable, forward_table
from earnest_selfcal.posterior.inference import Observed
from earnest_selfcal.posterior.posterior import infer
from earnest_selfcal.posterior.validity import reason_outside

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["JointPosterior", "contours_figure", "contours_section", "joint_posterior"]

_COARSE = Resolution(n_nuisance=256, log10_m_step=0.04)
_OM0 = tuple(float(x) for x in np.linspace(0.18, 0.42, 33).round(4))
_MOST_TABULATED = 7  # ln n is so smooth in Om0 that a spline through these is good to 1e-3


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class JointPosterior:
    """Probabilities of cells of sigma8 and Om0, with flat priors in both.

    Attributes
    ----------
    Om0
        Nodes, shape (k,).
    sigma8
        Nodes, shape (n,).
    probability
        Given all numbers, shape (k, n), adding up to one.
    n_only
        Given the number of clusters alone.
    observed
        The numbers.
    """

    Om0: FloatArray
    sigma8: FloatArray
    probability: FloatArray
    n_only: FloatArray
    observed: Observed

    def numbers(self) -> dict[str, Any]:
        """Return means, errors and the combination sigma8 (Om0 / 0.3)^gamma that is known best."""
        weight = self.probability
        om0, sigma8 = np.broadcast_arrays(self.Om0[:, None], self.sigma8)
        ln = np.log(np.array([sigma8.ravel(), om0.ravel() / 0.3]))
        covariance = np.cov(ln, aweights=weight.ravel(), ddof=0)
        gamma = -covariance[0, 1] / covariance[1, 1]
        combination = np.exp(ln[0] + gamma * ln[1])
        mean = float(weight.ravel() @ combination)
        return {
            "sigma8": float((weight * sigma8).sum()),
            "sigma8_err": _std(weight, sigma8),
            "Om0": float((weight * om0).sum()),
            "Om0_err": _std(weight, om0),
            "correlation": float(covariance[0, 1] / np.sqrt(covariance[0, 0] * covariance[1, 1])),
            "gamma": float(gamma),
            "sigma8_om0_over_0p3_to_gamma": mean,
            "sigma8_om0_over_0p3_to_gamma_err": float(np.sqrt(weight.ravel() @ (combination - mean) ** 2)),
            "n_clusters": self.observed.n_clusters,
        }


def joint_posterior(
    preset: Preset,
    observed: Observed,
    *,
    om0: Sequence[float] = _OM0,
    resolution: Resolution = _COARSE,
    on_done: Callable[[], object] = lambda: None,
) -> JointPosterior:
    """Return the posterior over sigma8 and Om0, nuisance factors marginalised (half a minute).

    Parameters
    ----------
    preset
        The survey; volume and redshift stay, as do Ob0, H0 and ns.
    observed
        What it found.
    om0
        Values of Om0, at least three, evenly spaced; closer than the posterior is wide at fixed sigma8.
    resolution
        Of the forward models.
    on_done
        Called after each value.

    Raises
    ------
    InputError
        If the values cannot be used, or the numbers lie outside the modelled region for all of them.
    """
    if reason := no_number_of_clusters(observed.n_clusters):
        raise InputError(reason)
    values = np.array(om0, dtype=np.float64)
    if len(values) < 3 or not np.allclose(np.diff(values), values[1] - values[0]) or not values[0] < values[1]:
        raise InputError(f"om0 = {list(om0)} must be at least three rising, evenly spaced values")
    rows: list[FloatArray] = []
    n_rows: list[FloatArray] = []
    reasons: list[str | None] = []
    tables = _tabulated(preset, values)
    for value in values:
        universe = _at(preset, float(value))
        between = _BetweenTables(nodes=tuple(tables), tables=tuple(tables.values()), Om0=float(value))
        table = forward_table(universe, resolution, observable=observed.observable, mass_function=between)
        reasons.append(reason_outside(table, observed.n_clusters, observed.median_log10_x))
        for kept, median in ((rows, observed.median_log10_x), (n_rows, None)):
            kept.append(_ln_row(table, observed.n_clusters, median))
        on_done()
    if all(reasons):
        raise InputError(str(reasons[len(reasons) // 2]))
    return JointPosterior(
        Om0=values, sigma8=table.sigma8, probability=_normal(rows), n_only=_normal(n_rows), observed=observed
    )


def contours_figure(joint: JointPosterior) -> Figure:
    """Return 68 and 95 % contours from all numbers and from the number of clusters alone."""
    fine = {name: _refined(joint, getattr(joint, name)) for name in ("n_only", "probability")}

    def paint(axes: "Axes") -> None:
        for (sigma8, om0, density), colour, label in zip(
            fine.values(), (GREY, BLUE), ("N alone", "N and median"), strict=True
        ):
            levels = [_level(density, share) for share in (0.9545, 0.6827)]
            axes.contourf(om0, sigma8, density.T, levels=[*levels, density.max()], colors=[colour], alpha=0.18)
            axes.contour(om0, sigma8, density.T, levels=levels, colors=[colour], linewidths=1.1)
            axes.plot([], [], color=colour, label=label)
        axes.set(xlabel=r"$\Omega_m$", ylabel=r"$\sigma_8$")
        axes.legend(loc="upper right")

    told = joint.numbers()
    return Figure(
        name="selfcal-contours",
        svg=draw(paint),
        alt="Contours of the joint posterior of sigma8 and Omega_m from counts alone and with a median",
        caption=(
            f"Joint posterior of σ₈ and Ω_m (68 and 95 %). Best known is σ₈ (Ω_m / 0.3)^{told['gamma']:.2f} = "
            f"{told['sigma8_om0_over_0p3_to_gamma']:.3f} ± {told['sigma8_om0_over_0p3_to_gamma_err']:.3f}; flat priors "
            f"on σ₈ and on Ω_m from {joint.Om0[0]:.2f} to {joint.Om0[-1]:.2f} cut the contours off."
        ),
    )


def contours_section(joint: JointPosterior, *, provenance: dict[str, Any]) -> Section:
    """Return the report section of a joint posterior."""
    return Section(
        key="counts.contours",
        title="σ₈ and Ω_m together",
        text=("One survey at one redshift knows a combination of σ₈ and Ω_m; Ω_b, H₀ and n_s are held fixed.",),
        figures=(contours_figure(joint),),
        summary=joint.numbers(),
        provenance=provenance,
    )


@final
@dataclass(frozen=True, kw_only=True)
class _BetweenTables:
    """The mass function at an Om0 between those that were tabulated."""

    nodes: tuple[float, ...]
    tables: tuple[MassFunction, ...]
    Om0: float

    def dn_dlog10_m(self, log10_m: FloatLike, sigma8: FloatLike) -> FloatArray:
        """Return dn/dlog10 m [Mpc^-3 dex^-1], broadcasting masses against sigma8."""
        from scipy.interpolate import CubicSpline

        ln = np.log([table.dn_dlog10_m(log10_m, sigma8) for table in self.tables])
        return np.asarray(np.exp(CubicSpline(self.nodes, ln, axis=0)(self.Om0)))


def _ln_row(table: ForwardTable, n_clusters: int, median_log10_x: float | None) -> FloatArray:
    """Return ln of the marginal likelihood of each sigma8, but for a constant; -inf where nothing is possible."""
    try:
        posterior = infer(table, n_clusters, median_log10_x)
    except InputError:
        return np.full(len(table.sigma8), -np.inf)
    return np.asarray(np.log(np.maximum(posterior.probability, 1e-300)) + posterior.ln_evidence)


def _tabulated(preset: Preset, values: FloatArray) -> dict[float, MassFunction]:
    nodes = np.linspace(values[0], values[-1], min(len(values), _MOST_TABULATED)).round(9).tolist()
    return {om0: mass_function_for(_at(preset, om0)) for om0 in nodes}


def _at(preset: Preset, om0: float) -> Preset:
    return replace(preset, cosmology=replace(preset.cosmology, Om0=om0))


def _std(weight: FloatArray, values: FloatArray) -> float:
    mean = (weight * values).sum()
    return float(np.sqrt((weight * (values - mean) ** 2).sum()))


def _normal(ln_rows: list[FloatArray]) -> FloatArray:
    ln = np.array(ln_rows)
    probability = np.exp(ln - ln.max())
    return np.asarray(probability / probability.sum())


def _refined(joint: JointPosterior, probability: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the density on a finer grid: its logarithm is smooth."""
    from scipy.interpolate import RectBivariateSpline

    ln = np.log(np.maximum(probability, 1e-30))
    order = min(3, len(joint.Om0) - 1)
    spline = RectBivariateSpline(joint.Om0, joint.sigma8, ln, kx=order, ky=3)
    om0 = np.linspace(joint.Om0[0], joint.Om0[-1], 161)
    sigma8 = np.linspace(joint.sigma8[0], joint.sigma8[-1], 161)
    density = np.exp(spline(om0, sigma8))
    return sigma8, om0, np.asarray(density / density.sum())


def _level(density: FloatArray, share: float) -> float:
    """Return the density above which a share of the probability lies."""
    falling = np.sort(density.ravel())[::-1]
    return float(falling[np.searchsorted(np.cumsum(falling), share)])
