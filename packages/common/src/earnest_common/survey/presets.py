"""Surveys and the named presets that fix every open choice."""

import math
from dataclasses import dataclass, field, replace
from typing import Literal, final

from earnest_common.arrays import FloatArray, FloatLike
from earnest_common.errors import InputError
from earnest_common.survey.cosmology import MAGNETICUM, Cosmology
from earnest_common.survey.priors import Priors, Uniform
from earnest_common.survey.residuals import ResidualMoments
from earnest_common.survey.scaling import TABLE_2, PowerLaw, ResidualCorrelation, ScalingRelations
from earnest_common.survey.selection import Selection

__all__ = ["ALIASES", "MAGNETICUM_VOLUME", "PRESETS", "Preset", "Survey", "own_name", "preset"]

MAGNETICUM_VOLUME = (352.0 / MAGNETICUM.h) ** 3
"""Comoving volume of the simulation box Box2/hr, (352 Mpc/h)^3 = (500 Mpc)^3, in Mpc^3."""


_MOST_VOLUME, _MOST_REDSHIFT = 1.3e13, 20
_SELECTION_MASSES = ("log10_m_break", "log10_m_min")


@final
@dataclass(frozen=True, kw_only=True)
class Survey:
    """What is observed.

    Attributes
    ----------
    volume
        Comoving volume [Mpc^3], h-free. The paper: half the box; 30 and 80 % of it in appendix A.
    z
        The one redshift of all clusters. The paper: below 0.07; the snapshot lies at 0.0663.
    selection
        The detected share of the volume.
    cut
        What the selection acts on. The paper: ``mass``, the true mass, which hands the analysis an absolute mass
        ruler (M_min stays put while everything else is uncertain). ``flux``: the observed luminosity.
    """

    volume: float = 0.5 * MAGNETICUM_VOLUME
    z: float = 0.0663
    selection: Selection = field(default_factory=Selection)
    cut: Literal["mass", "flux"] = "mass"

    def __post_init__(self) -> None:
        if not 0 < self.volume <= _MOST_VOLUME or not 0 <= self.z <= _MOST_REDSHIFT:
            raise InputError(
                f"survey: volume = {self.volume} must be positive, z = {self.z} not negative, and neither beyond the "
                f"observable universe, {_MOST_VOLUME:g} Mpc^3 and z = {_MOST_REDSHIFT}"
            )
        if self.cut not in ("mass", "flux"):
            raise InputError(f"survey: cut = '{self.cut}' is not known; choose mass or flux")

    def detection_probability(self, log10_m: FloatLike, log10_l_x: FloatLike, l_x: PowerLaw) -> FloatArray:
        """Return the probability that a cluster is in the catalog.

        Parameters
        ----------
        log10_m
            log10 of the true m_500c [solMass], h-free (used by a cut in mass).
        log10_l_x
            log10 of the observed luminosity [1e44 erg/s] (used by a cut in flux).
        l_x
            The catalog's luminosity relation, which moves the break of a cut in mass.
        """
        if self.cut == "mass":
            return self.selection.probability(log10_m, log10_m_break=self.selection.log10_m_break_of(l_x))
        return self.selection.probability(self.selection.equivalent_log10_m(log10_l_x))


@final
@dataclass(frozen=True, kw_only=True)
class Preset:
    """A survey with everything that a forward model needs.

    Attributes
    ----------
    name
        The word of the command line.
    survey, priors, cosmology, relations, correlation
        The parts; ``cosmology.sigma8`` and ``relations`` are references that the priors vary.
    moments
        Means and covariances of the residuals at each mass, as a set of mocks records them; ``None`` for lognormal
        residuals of one correlation at all masses.
    mass_function
        Name of the COLOSSUS mass function.
    """

    name: str
    survey: Survey = field(default_factory=Survey)
    priors: Priors = field(default_factory=Priors)
    cosmology: Cosmology = MAGNETICUM
    relations: ScalingRelations = TABLE_2
    correlation: ResidualCorrelation = field(default_factory=ResidualCorrelation)
    moments: ResidualMoments | None = None
    mass_function: str = "bocquet16"


def _realistic() -> Preset:
    """Return the preset that drops the paper's simplifications: continuous priors and a cut in observed flux."""
    factor = Uniform(low=0.8, high=1.3)
    return Preset(
        name="realistic",
        # The scatter of l_x blurs the break by 0.13 / 1.74 = 0.075 dex, appendix A's 0.076: no further smoothing.
        survey=Survey(cut="flux"),
        priors=Priors(
            sigma8=Uniform(low=0.70, high=0.92),
            l_x_normalisation=factor,
            t_x_normalisation=factor,
            m_gas_normalisation=factor,
            # What an analysis of real clusters cannot take for granted: masses from weak lensing to 10 %, temperatures
            # between instruments to 10 % (Schellenberger et al. 2015), and a simulation's profiles to about half of the
            # change with mass that they have themselves.
            m_wl_bias=Uniform(low=0.9, high=1.1),
            t_x_calibration=Uniform(low=0.9, high=1.1),
            profile_stretch=Uniform(low=0.8, high=1.25),
            profile_trend=Uniform(low=-0.2, high=0.2),
        ),
    )


def _paper_h() -> Preset:
    """Return the paper's survey with the masses of its selection read in solMass/h, as all others in the paper are."""
    selection = Selection()
    in_h = {name: round(getattr(selection, name) - math.log10(MAGNETICUM.h), 4) for name in _SELECTION_MASSES}
    return Preset(name="paper-h", survey=Survey(selection=replace(selection, **in_h)))


PRESETS = {one.name: one for one in (Preset(name="paper"), _paper_h(), _realistic())}
"""``paper``: as published, flaws included, M_break and M_min in the printed unit, solMass. ``paper-h``: the same with
both in solMass/h. ``realistic``: continuous priors, cut in observed flux."""

ALIASES = {"paper-msun": "paper"}
"""Other names of presets: a set, a bundle or a training begun under either is the same."""


def own_name(name: str) -> str:
    """Return the name by which sets and bundles record a preset, whatever it was called.

    Examples
    --------
    >>> own_name("paper-msun"), own_name("paper-h")
    ('paper', 'paper-h')
    """
    return ALIASES.get(name, name)


def preset(name: str) -> Preset:
    """Return a preset by its name or an alias of it.

    Raises
    ------
    InputError
        If there is none of that name.

    Examples
    --------
    >>> preset("paper").survey.cut
    'mass'
    """
    if own_name(name) not in PRESETS:
        raise InputError(f"preset '{name}' is not known; choose one of {', '.join(sorted({*PRESETS, *ALIASES}))}")
    return PRESETS[own_name(name)]
