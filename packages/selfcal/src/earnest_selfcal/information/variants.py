"""The surveys and the data that the information map compares."""

from dataclasses import dataclass, field, replace
from typing import Literal, final

from earnest_common.errors import InputError
from earnest_common.survey.presets import Preset
from earnest_common.survey.presets import preset as preset_named
from earnest_common.survey.priors import Priors, Uniform

from earnest_selfcal.survey.measurement_errors import MeasurementErrors, noise_of

__all__ = ["DATA", "NORMALISATIONS", "REAL", "Variant", "mass_prior", "survey_variants", "width_variants"]

NORMALISATIONS = ("l_x_normalisation", "t_x_normalisation", "m_gas_normalisation")

DATA = {
    "n": "N alone",
    "n_median_l_x": "N and median L_X",
    "n_median_y_x": "N and median Y_X",
    "x_ray": "L_X, T, M_gas of every cluster (no WL)",
    "profiles": "L_X, T, M_gas and shapes of gas profiles (no WL)",
    "all": "L_X, T, M_gas and M_WL",
    "perfect": "the same with true masses",
}
"""What is known of a survey, from little to much, in words."""

REAL = "realistic"
"""Key of the variant without any simplification."""

_SMOOTHING = 0.076  # dex: appendix A of the paper


@final
@dataclass(frozen=True, kw_only=True)
class Variant:
    """A survey under some assumptions.

    Attributes
    ----------
    key
        Short name.
    title
        What is assumed, in words.
    preset
        The survey and its priors.
    noise
        Errors of measurement.
    data
        Which of ``DATA`` are looked at.
    width
        Half width of the normalisations' priors where that is what varies.
    """

    key: str
    title: str
    preset: Preset
    noise: MeasurementErrors = field(default_factory=MeasurementErrors)
    data: tuple[str, ...] = tuple(DATA)
    width: float | None = None


def survey_variants(preset: Preset) -> tuple[Variant, ...]:
    """Return the preset's survey with each simplification in place and undone, one at a time.

    Examples
    --------
    >>> from earnest_common.survey.presets import preset
    >>> [variant.key for variant in survey_variants(preset("paper"))]
    ['mass', 'mass_smoothed', 'mass_continuous', 'flux_continuous', 'realistic']
    """
    continuous, noise = replace(preset, priors=continuous_priors(preset.priors)), noise_of(preset)
    gridded = "priors on a grid" if preset.priors.grid else "continuous priors"
    surveys = [
        ("mass", f"cut in true mass, sharp, {gridded}", _cut(preset, "mass", 0.0), noise),
        (
            "mass_smoothed",
            f"cut in true mass, smoothed by {_SMOOTHING} dex, {gridded}",
            _cut(preset, "mass", _SMOOTHING),
            noise,
        ),
    ]
    flux, errors = "cut in observed flux, continuous priors", _realistic_noise(preset)
    if preset.priors.grid:
        of_mass = "cut in true mass, sharp, continuous priors"
        surveys.append(("mass_continuous", of_mass, _cut(continuous, "mass", 0.0), noise))
    if noise != errors:
        surveys.append(("flux_continuous", flux, _cut(continuous, "flux", 0.0), noise))
    surveys.append((REAL, f"{flux}, errors of T and M_gas", _cut(continuous, "flux", 0.0), errors))
    return tuple(Variant(key=key, title=title, preset=one, noise=n) for key, title, one, n in surveys)


def width_variants(preset: Preset, widths: tuple[float, ...], *, cut: Literal["mass", "flux"]) -> tuple[Variant, ...]:
    """Return the survey with normalisations known to within given shares, continuous priors.

    A cut in flux comes with errors of measurement, a cut in mass as the preset has them.

    Raises
    ------
    InputError
        If a width is not from 0 to below 1.
    """
    if bad := [width for width in widths if not 0 <= width < 1]:
        raise InputError(f"half widths of the normalisations' priors must be from 0 to below 1, found {bad}")
    base = _cut(replace(preset, priors=continuous_priors(preset.priors)), cut, 0.0)
    return tuple(
        Variant(
            key=f"{cut}_width_{width:g}",
            title=f"normalisations to ±{100 * width:g} %, cut in {'true mass' if cut == 'mass' else 'observed flux'}",
            preset=replace(base, priors=_of_width(base.priors, width)),
            noise=_realistic_noise(preset) if cut == "flux" else noise_of(preset),
            data=("n_median_y_x", "x_ray", "all"),
            width=width,
        )
        for width in widths
    )


def continuous_priors(priors: Priors) -> Priors:
    """Return the priors without grids, between the same bounds."""
    return Priors(**{name: replace(priors.of(name), step=None) for name in Priors.names()})


def mass_prior(preset: Preset) -> float:
    """Return what the normalisations' priors say about masses: a standard deviation of ln m.

    The three relations are tied to one another by the clusters, so that their priors combine like independent
    measurements of one mass scale, of ln m to sigma / slope each.

    Examples
    --------
    >>> from earnest_common.survey.presets import preset
    >>> round(mass_prior(preset("paper")), 3)
    0.075
    """
    weight = 0.0
    for name, law in (("l_x", preset.relations.l_x), ("t_x", preset.relations.t_x), ("m_gas", preset.relations.m_gas)):
        spread = preset.priors.of(f"{name}_normalisation").std
        if spread == 0:
            return 0.0
        middle = preset.priors.of(f"{name}_normalisation")
        weight += (float(law.slope) * 0.5 * (middle.low + middle.high) / spread) ** 2
    return float(weight**-0.5)


def _realistic_noise(preset: Preset) -> MeasurementErrors:
    """Return the errors of a survey that has some, else those of the preset ``realistic``."""
    own = noise_of(preset)
    return own if own != MeasurementErrors() else noise_of(preset_named(REAL))


def _cut(preset: Preset, cut: Literal["mass", "flux"], smoothing: float) -> Preset:
    selection = replace(preset.survey.selection, smoothing=smoothing)
    return replace(preset, survey=replace(preset.survey, cut=cut, selection=selection))


def _of_width(priors: Priors, width: float) -> Priors:
    return replace(priors, **{name: Uniform(low=1 - width, high=1 + width) for name in NORMALISATIONS})
