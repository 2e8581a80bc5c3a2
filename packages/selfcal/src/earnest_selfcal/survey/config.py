"""Any survey from a preset, a TOML file and command-line options."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from os import PathLike
from pathlib import Path
from typing import Any, ClassVar, Literal, final

from earnest_common.errors import InputError
from earnest_common.run.config import load_config, read_toml
from earnest_common.survey.cosmology import Cosmology
from earnest_common.survey.evolution import evolved, with_reference_at_its_redshift
from earnest_common.survey.presets import MAGNETICUM_VOLUME, Preset, Survey, preset
from earnest_common.survey.priors import Priors, Uniform
from earnest_common.survey.scaling import ResidualCorrelation, ScalingRelations

__all__ = ["RelationConfig", "SurveyConfig", "named_preset", "resolve_survey", "states_relations", "survey_of"]

_RELATIONS = ("l_x", "t_x", "m_gas")


_BY_PRESCRIPTION = "overspecialised"
_OTHER_MODEL = {"noise", "Om0", "prescription", "base_sample"}


_RELATION_RANGES = {"log10_normalisation": (-50, 50), "slope": (0.01, 100), "log10_pivot": (5, 18), "scatter": (0, 3)}


@final
@dataclass(frozen=True, kw_only=True)
class RelationConfig:
    """Changes of one scaling relation; what is not given stays as in the preset.

    Attributes
    ----------
    log10_normalisation
        log10 of the observable at the pivot, in the units of ``earnest_common.survey.scaling.ScalingRelations``.
    slope
        d log10 X / d log10 m.
    log10_pivot
        log10 of the pivot mass [solMass], h-free.
    scatter
        Standard deviation of log10 X at fixed mass [dex].
    """

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    log10_normalisation: float | None = None
    slope: float | None = None
    log10_pivot: float | None = None
    scatter: float | None = None

    def __post_init__(self) -> None:
        for name, (low, high) in _RELATION_RANGES.items():
            if (value := getattr(self, name)) is not None and not low <= value <= high:
                raise InputError(f"relations: {name} = {value} must lie between {low:g} and {high:g}")


@final
@dataclass(frozen=True, kw_only=True)
class SurveyConfig:
    """A survey by its differences from a preset: ``None`` and absent entries mean as in the preset.

    Attributes
    ----------
    preset
        Where to start: ``paper`` (or ``paper-msun``, the same), ``paper-h`` or ``realistic``.
    volume_fraction
        Volume in units of the simulation box, (352 Mpc/h)^3 = (500 Mpc)^3. The paper: 0.5; 0.3 and 0.8 in appendix A.
    volume
        Comoving volume [Mpc^3], h-free, instead of ``volume_fraction``.
    z
        Redshift of all clusters; relations that are not given are moved to it self-similarly.
    cut
        ``mass`` or ``flux``.
    log10_m_break, log10_m_min
        Break and cut of the selection [solMass], h-free.
    slope
        A, the slope of the selection below the break.
    smoothing
        Blur of the selection [dex in mass].
    mass_function
        Name of the COLOSSUS mass function.
    cosmology
        The whole reference cosmology.
    correlation
        Correlations of the residuals.
    priors
        Whole priors by parameter: ``low``, ``high`` and, for a grid, ``step``.
    relations
        Changes of the relations ``l_x``, ``t_x``, ``m_gas``.
    """

    preset: str = "paper"
    volume_fraction: float | None = None
    volume: float | None = None
    z: float | None = None
    cut: Literal["mass", "flux"] | None = None
    log10_m_break: float | None = None
    log10_m_min: float | None = None
    slope: float | None = None
    smoothing: float | None = None
    mass_function: str | None = None
    cosmology: Cosmology | None = None
    correlation: ResidualCorrelation | None = None
    priors: dict[str, Uniform] = field(default_factory=dict)
    relations: dict[str, RelationConfig] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.volume is not None and self.volume_fraction is not None:
            raise InputError(
                f"volume = {self.volume} and volume_fraction = {self.volume_fraction} say the same; give one of them"
            )
        for what, given, allowed in (
            ("prior", self.priors, Priors.names()),
            ("relation", self.relations, _RELATIONS),
        ):
            if unknown := sorted(set(given) - set(allowed)):
                raise InputError(f"unknown {what} {', '.join(unknown)}; allowed are {', '.join(allowed)}")


@final
@dataclass(frozen=True, kw_only=True)
class _MocksFile:
    """What a configuration of earnest mocks may say here: the survey, and what makes no difference to it."""

    survey: Survey
    priors: Priors
    cosmology: Cosmology
    mass_function: str
    mass_function_table: Path | None = None
    donors: dict[str, Any] = field(default_factory=dict)


def resolve_survey(*, file: str | PathLike[str] | None = None, options: Mapping[str, Any] | None = None) -> Preset:
    """Return the survey of a TOML file and options; an option wins over the file, the file over the preset.

    The file has the fields of :class:`SurveyConfig`, or a table ``[survey]`` as configurations of earnest mocks have.

    Raises
    ------
    InputError
        If a field is unknown, has the wrong type or contradicts another.

    Examples
    --------
    >>> round(resolve_survey(options={"volume_fraction": 0.3, "smoothing": 0.076}).survey.volume)
    37500000
    """
    file = None if file is None else Path(file)
    if file is None or "survey" not in read_toml(file):
        return survey_of(load_config(SurveyConfig, file=file, options=options))
    changes = load_config(SurveyConfig, options=options)
    return survey_of(changes, start=_of_mocks(file, named_preset(changes.preset)))


def states_relations(file: Path | None) -> bool:
    """Return whether a file gives scaling relations or correlations of its own."""
    return file is not None and not {"relations", "correlation"}.isdisjoint(read_toml(file))


def named_preset(name: str) -> Preset:
    """Return a preset by name.

    Raises
    ------
    InputError
        If there is none of that name, or only one of mocks that this forward model does not describe.

    Examples
    --------
    >>> named_preset("realistic").survey.cut
    'flux'
    """
    if name == _BY_PRESCRIPTION:
        raise InputError(
            f"preset '{name}' is for mocks alone: their observables at fixed mass follow sigma8 by a prescription, "
            "while the relations of this forward model know nothing of sigma8; choose paper, paper-h or realistic"
        )
    return preset(name)


def survey_of(config: SurveyConfig, *, start: Preset | None = None) -> Preset:
    """Return the survey that a configuration describes, as differences from its preset or from ``start``.

    Relations that are not given are moved to another redshift with self-similar evolution at fixed m_500c, and the
    break stays the mass at which the reference relation meets the flux limit.

    Raises
    ------
    InputError
        If the preset is unknown or the survey contradicts itself.

    Examples
    --------
    >>> survey_of(SurveyConfig(preset="realistic", z=0.05, volume=1e8)).survey.z
    0.05
    """
    start = start or named_preset(config.preset)
    survey = _survey(start.survey, config)
    relations = _relations(_moved(start, survey.z), config.relations)
    if "l_x" in config.relations:
        # The reference relation gives the break its flux: changed without it, the same break would be another limit.
        survey = replace(survey, selection=replace(survey.selection, l_x=relations.l_x))
    return replace(
        start,
        survey=survey,
        priors=replace(start.priors, **config.priors),
        cosmology=config.cosmology or start.cosmology,
        relations=relations,
        correlation=config.correlation or start.correlation,
        mass_function=config.mass_function or start.mass_function,
    )


def _of_mocks(file: Path, start: Preset) -> Preset:
    """Return a preset with the changes of a configuration of earnest mocks."""
    if other := sorted(_OTHER_MODEL & set(read_toml(file))):
        raise InputError(
            f"{file}: {', '.join(other)} would change the forward model, which takes of a configuration of mocks "
            "survey, priors, cosmology and mass_function; leave it out, or infer from the mocks with --set SET"
        )
    base = _MocksFile(
        survey=start.survey, priors=start.priors, cosmology=start.cosmology, mass_function=start.mass_function
    )
    given = load_config(_MocksFile, file=file, base=base)
    return replace(
        start,
        survey=with_reference_at_its_redshift(given.survey),
        relations=_moved(start, given.survey.z),
        priors=given.priors,
        cosmology=given.cosmology,
        mass_function=given.mass_function,
    )


def _survey(start: Survey, config: SurveyConfig) -> Survey:
    selection = replace(start.selection, **_given(config, "log10_m_break", "log10_m_min", "slope", "smoothing"))
    changes = _given(config, "z", "cut", "volume")
    if config.volume_fraction is not None:
        changes["volume"] = config.volume_fraction * MAGNETICUM_VOLUME
    return with_reference_at_its_redshift(replace(start, selection=selection, **changes))


def _moved(start: Preset, z: float) -> ScalingRelations:
    """Return a preset's relations at another redshift."""
    if z == start.survey.z:
        return start.relations
    return evolved(start.relations, from_z=start.survey.z, to_z=z, Om0=start.cosmology.Om0)


def _relations(start: ScalingRelations, changes: Mapping[str, RelationConfig]) -> ScalingRelations:
    names = [f.name for f in fields(RelationConfig)]
    changed = {name: replace(getattr(start, name), **_given(change, *names)) for name, change in changes.items()}
    return replace(start, **changed)


def _given(config: SurveyConfig | RelationConfig, *names: str) -> dict[str, Any]:
    return {name: getattr(config, name) for name in names if getattr(config, name) is not None}
