r"""The likelihood of a catalog: a Poisson process over the observables of every cluster.

.. math:: \ln L = \sum_i \ln \lambda(y_i) - \Lambda, \quad
          \lambda(y) = V \int d\log_{10}m \, n(m) S(m) p(y | m).

Given the parameters, each cluster's observables make a Gaussian in log10 m. Around it ln n is a parabola to one part
in a thousand, so the integral, sharp edges of S included, has a closed form: S smoothed by the width of the product.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from earnest_common.arrays import FloatArray
from earnest_common.errors import InputError
from earnest_common.survey.presets import Preset

from earnest_selfcal.exact_posterior.abundance import Abundance, log10_m_breaks, tabulate_abundance
from earnest_selfcal.exact_posterior.gaussians import data_terms, mass_gaussians
from earnest_selfcal.exact_posterior.parameters import ParameterSpace
from earnest_selfcal.exact_posterior.residuals import ORIGIN, X_RAY, ResidualModel, lognormal
from earnest_selfcal.forward.population import MassFunction
from earnest_selfcal.survey.measurement_errors import MeasurementErrors, noise_of

__all__ = ["OBSERVABLES", "Likelihood", "build_likelihood"]

OBSERVABLES = (*X_RAY, "m_wl", "m_shape", "m_500c")
"""What a cluster may be observed by: ``m_shape`` is the mass that the shapes of its gas profiles tell
(:data:`earnest_selfcal.exact_posterior.gaussians.SHAPE_SCATTER`), ``m_500c`` the true one, for perfect masses."""

_NOTHING = 1e-300
_CELLS = 16_384  # parameters times clusters at a time: arrays that stay in the processor's cache


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Likelihood:
    """The likelihood of any catalog of a survey.

    Attributes
    ----------
    preset
        The survey.
    x_ray, masses
        Which of ``OBSERVABLES`` are used: those that scatter about relations, and those that are masses.
    space
        The parameters.
    residuals
        How X-ray observables scatter at fixed mass.
    noise
        Errors of measurement.
    abundance
        Expected clusters.
    """

    preset: Preset
    x_ray: tuple[str, ...]
    masses: tuple[str, ...]
    space: ParameterSpace
    residuals: ResidualModel
    noise: MeasurementErrors
    abundance: Abundance

    @property
    def observables(self) -> tuple[str, ...]:
        """All observables used."""
        return self.x_ray + self.masses

    def data(self, observed: Mapping[str, FloatArray]) -> FloatArray:
        """Return a catalog as the likelihood takes it, shape (n_terms, n_clusters).

        Parameters
        ----------
        observed
            Observables by name in the units of the catalog tables, each of shape (n_clusters,).

        Raises
        ------
        InputError
            If a value is unknown or not positive, or a cluster is too faint to be detected.
        """
        if bad := [text for name in self.observables if (text := _problem(name, observed[name]))]:
            raise InputError("; ".join(bad))
        if self.preset.survey.cut == "flux":
            self._refuse_invisible(np.log10(observed["l_x"]))
        n = len(observed[self.observables[0]])
        log10 = {name: np.log10(observed[name]) for name in self.observables}
        return data_terms(
            np.array([log10[name] for name in self.x_ray]).reshape(len(self.x_ray), n),
            np.array([log10[name] for name in self.masses]).reshape(len(self.masses), n),
        )

    def ln_likelihood(self, data: FloatArray, coordinates: FloatArray) -> FloatArray:
        """Return ln L at each point, shape (n,).

        Parameters
        ----------
        data
            A catalog, as ``data`` returns it.
        coordinates
            Points of the parameter space, shape (n, n_free).
        """
        at_once = max(1, _CELLS // max(data.shape[1], 1))
        parts = [slice(first, first + at_once) for first in range(0, len(coordinates), at_once)]
        found = [self._ln_likelihood(data, self.space.values(coordinates[part])) for part in parts]
        return np.concatenate(found) if found else np.zeros(0)

    def _ln_likelihood(self, data: FloatArray, values: Mapping[str, FloatArray]) -> FloatArray:
        rows = self.abundance.rows(values["sigma8"])
        parts = [self._ln_rates(data, values, rows[:, :, k], k) for k in range(self.residuals.n_components)]
        ln_rate = parts[0] if len(parts) == 1 else np.logaddexp.reduce(parts)
        return np.asarray(ln_rate.sum(axis=1) - self.abundance.expected(values, rows))

    def _ln_rates(
        self, data: FloatArray, values: Mapping[str, FloatArray], rows: FloatArray, component: int
    ) -> FloatArray:
        """Return ln of the density of each cluster's log10 observables from one component, shape (n, n_clusters)."""
        relations, seen = self.preset.relations, {"x_ray": self.x_ray, "masses": self.masses}
        given = mass_gaussians(values, relations, self.residuals, component, noise=self.noise, **seen)
        precision = given.precision[:, None]
        mean = given.linear @ data / precision
        exponent = given.square @ data - precision * mean**2
        node = self.abundance.nearest(mean)
        flat = node + np.arange(len(mean))[:, None] * rows.shape[2]
        value, slope, curvature = (one.ravel()[flat] for one in rows)
        # A Gaussian times the exponential of a parabola about the node is another Gaussian.
        total = np.maximum(precision - curvature, 0.1 * precision)
        away = mean - self.abundance.v[node]
        pull = precision * away + slope
        ln_rate = value - 0.5 * (exponent + precision * away**2 - pull**2 / total + np.log(total / (2 * np.pi)))
        ln_rate += given.ln_norm[:, None]
        if self.preset.survey.cut == "flux":
            return np.asarray(ln_rate)  # S of an observed luminosity does not depend on the parameters
        return np.asarray(ln_rate + self._ln_share(values, self.abundance.v[node] + pull / total, total))

    def _ln_share(self, values: Mapping[str, FloatArray], v: FloatArray, precision: FloatArray) -> FloatArray:
        """Return ln of the mean of S over a Gaussian in mass."""
        selection = self.preset.survey.selection
        at_break = log10_m_breaks(self.preset, values["l_x_normalisation"], values["l_x_slope"])
        smoothing = np.sqrt(1 / precision + selection.smoothing**2)
        share = selection.probability(v + ORIGIN, log10_m_break=at_break[:, None], smoothing=smoothing)
        return np.asarray(np.log(np.maximum(share, _NOTHING)))

    def _refuse_invisible(self, log10_l_x: FloatArray) -> None:
        selection = self.preset.survey.selection
        invisible = selection.probability(selection.equivalent_log10_m(log10_l_x)) <= 0
        if invisible.any():
            limit = 10 ** float(selection.l_x.log10_mean(selection.log10_m_min))
            raise InputError(
                f"{int(invisible.sum())} of {len(log10_l_x)} clusters are fainter than the survey's limit of l_x = "
                f"{limit:.4g} [1e44 erg/s]; the catalog and the preset do not belong together"
            )


def build_likelihood(
    preset: Preset,
    *,
    observables: Sequence[str] = OBSERVABLES[:4],
    spread: Sequence[str] = (),
    residuals: ResidualModel | None = None,
    noise: MeasurementErrors | None = None,
    mass_function: MassFunction | None = None,
) -> Likelihood:
    """Return the likelihood of a survey (a fraction of a second).

    Parameters
    ----------
    preset
        The survey and its priors.
    observables
        Any of ``OBSERVABLES``.
    spread
        Gridded parameters to be taken as continuous.
    residuals
        Default: lognormal, with the preset's scatter and correlation.
    noise
        Errors of measurement; default: those of the preset.
    mass_function
        Default: COLOSSUS as the preset says.

    Raises
    ------
    InputError
        If an observable is not known, none is given, or l_x is left out of a survey that selects by it.
    """
    unknown = ", ".join(sorted(set(observables) - set(OBSERVABLES)))
    if unknown or not observables:
        raise InputError(f"observables: {unknown or 'none'} cannot be used; choose from {', '.join(OBSERVABLES)}")
    if preset.survey.cut == "flux" and "l_x" not in observables:
        raise InputError("l_x cannot be left out of a survey that selects by observed flux; keep it, or cut in mass")
    of_masses = () if "m_wl" in observables else ("m_wl_scatter", "m_wl_bias")
    of_temperatures = () if "t_x" in observables else ("t_x_calibration",)
    unused = (*of_masses, *of_temperatures, "profile_stretch", "profile_trend")
    residuals = residuals or lognormal(preset.relations, preset.correlation)
    return Likelihood(
        preset=preset,
        x_ray=tuple(name for name in OBSERVABLES if name in observables and name in X_RAY),
        masses=tuple(name for name in OBSERVABLES if name in observables and name not in X_RAY),
        space=ParameterSpace(priors=preset.priors, spread=tuple(spread), unused=unused),
        residuals=residuals,
        noise=noise_of(preset) if noise is None else noise,
        abundance=tabulate_abundance(preset, residuals, mass_function=mass_function, breaks=_break_range(preset)),
    )


def _break_range(preset: Preset) -> tuple[float, float]:
    """Return the lowest and highest break over the priors, which lie at corners of the two factors."""
    norm, slope = preset.priors.l_x_normalisation, preset.priors.l_x_slope
    half = 0.5 * (norm.step or 0.0)
    corners = np.array([[a, b] for a in (norm.low - half, norm.high + half) for b in (slope.low, slope.high)])
    breaks = log10_m_breaks(preset, corners[:, 0], corners[:, 1])
    return float(breaks.min()), float(breaks.max())


def _problem(name: str, values: FloatArray) -> str | None:
    bad = ~(np.isfinite(values) & (values > 0))
    if not bad.any():
        return None
    return f"{name} of {int(bad.sum())} of {len(values)} clusters is unknown or not positive; use --drop {name}"
