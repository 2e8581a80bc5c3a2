"""Everything that decides what a mock catalog looks like."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from os import PathLike
from pathlib import Path
from typing import Any, Literal, final, get_args

from earnest_common.errors import InputError
from earnest_common.run.config import load_config, read_toml
from earnest_common.survey.cosmology import MAGNETICUM, Cosmology
from earnest_common.survey.evolution import with_reference_at_its_redshift
from earnest_common.survey.presets import ALIASES, PRESETS, Survey, own_name, preset
from earnest_common.survey.priors import Priors, Uniform
from earnest_common.survey.scaling import FACTORS

from earnest_mocks.catalogs.measurement_errors import MeasurementErrors
from earnest_mocks.prescription.scaling import ILLUSTRATIVE, Prescription

__all__ = ["OVERSPECIALISED", "Aperture", "DonorRule", "MocksConfig", "resolve_config"]

Aperture = Literal["true", "y_x", "m_wl"]
"""What gives the radius to which gas profiles refer."""

OVERSPECIALISED = "overspecialised"
"""The preset of the paper's appendix B: the simulated clusters as they are, scaled with cosmology by prescription."""


@final
@dataclass(frozen=True, kw_only=True)
class DonorRule:
    """How mock clusters borrow residuals and gas profiles from the base sample.

    Attributes
    ----------
    half_width
        Largest distance in log10 m between cluster and donor [dex]. The paper: 0.1.
    at_least
        Where fewer donors are that near, this many nearest ones are used: the base sample begins 0.13 dex above the
        survey's lowest mass and thins out at the highest, and a single donor would be cloned over and over.
    split
        Whether training, validation and test catalogs borrow from separate donors. The paper: no.
    recombine
        Largest weight of a second donor that is mixed in, so that no cluster is a copy of another. The paper: 0.
    own_clusters
        Whether catalogs list the clusters of the base sample themselves, each with its own mass, residuals and
        profile, instead of mock clusters that borrow from them. The paper: only in appendix B.
    """

    half_width: float = 0.1
    at_least: int = 10
    split: bool = False
    recombine: float = 0.0
    own_clusters: bool = False

    def __post_init__(self) -> None:
        problems = []
        if not self.half_width > 0:
            problems.append(f"half_width = {self.half_width} dex must be positive")
        if self.at_least < 1:
            problems.append(f"at_least = {self.at_least} must be 1 or more")
        if not 0 <= self.recombine <= 0.5:
            problems.append(f"recombine = {self.recombine} must lie between 0 and 0.5")
        if self.own_clusters and (self.split or self.recombine):
            problems.append("own_clusters = true lends nothing, so split must be false and recombine 0")
        if problems:
            raise InputError(f"donors: {'; '.join(problems)}")


@final
@dataclass(frozen=True, kw_only=True)
class MocksConfig:
    """The resolved configuration of a set of mock catalogs.

    Attributes
    ----------
    preset
        Name of the preset that the other fields start from.
    survey
        Volume, redshift and selection.
    priors
        What varies from catalog to catalog.
    cosmology
        Reference cosmology; its sigma8 is replaced by each catalog's, and its Om0 too where that varies.
    Om0
        Prior of the matter density, or ``None`` for the reference's; Ob0 and H0 stay and space stays flat. Its values
        are drawn for each catalog, also where a step puts them on a grid. The paper: fixed.
    mass_function
        Name of the COLOSSUS mass function at 500c.
    mass_function_table
        File with the mass function over Om0 (``earnest mocks mass-function``), which otherwise takes some ten seconds
        at every start; ``None`` to compute it. The catalogs are the same.
    donors
        How the base sample is used.
    noise
        Errors of measurement. The paper: none.
    prescription
        How observables at fixed mass follow cosmology, or ``None`` for not at all. The paper: only in appendix B.
    base_sample
        File of a base sample (``earnest mocks base-sample``), or ``None`` for the built-in emulated one.
    aperture
        R_500c that the radii of the gas profiles refer to: ``true``, as in the paper; ``y_x``, what an observer infers
        from Y_X with the reference relation, iterated; ``m_wl``, from the weak-lensing mass.
    """

    preset: str
    survey: Survey = field(default_factory=Survey)
    priors: Priors = field(default_factory=Priors)
    cosmology: Cosmology = MAGNETICUM
    Om0: Uniform | None = None
    mass_function: str = "bocquet16"
    mass_function_table: Path | None = None
    donors: DonorRule = field(default_factory=DonorRule)
    noise: MeasurementErrors = field(default_factory=MeasurementErrors)
    prescription: Prescription | None = None
    base_sample: Path | None = None
    aperture: Aperture = "true"

    def __post_init__(self) -> None:
        if self.aperture not in get_args(Aperture):
            raise InputError(f"aperture = '{self.aperture}' is not known; choose {', '.join(get_args(Aperture))}")


_APERTURES: dict[str, Aperture] = {"realistic": "y_x"}
_DONORS = {"paper": DonorRule(), "paper-h": DonorRule(), "realistic": DonorRule(split=True, recombine=0.3)}

# 2.5 % is the paper's upper limit for gas masses. The others are our choice of what some ten thousand photons give: 3 %
# in temperature, and 0.05 in slopes that follow from a fitted model of the whole profile.
_NOISE = {
    "paper": MeasurementErrors(),
    "paper-h": MeasurementErrors(),
    "realistic": MeasurementErrors(m_gas_profile=0.025, gas_slope_profile=0.05, t_x=0.03),
}


def resolve_config(
    name: str, *, file: str | PathLike[str] | None = None, options: Mapping[str, Any] | None = None
) -> MocksConfig:
    """Return a preset with the fields of a TOML file, and then the options, in place of its own.

    Parameters
    ----------
    name
        Preset: ``"paper"`` (or ``"paper-msun"``, the same), ``"paper-h"``, ``"realistic"``, or ``"overspecialised"``
        (appendix B).
    file
        TOML file with any of the fields of :class:`MocksConfig`; nested dataclasses are nested tables.
    options
        The same as nested mappings.

    Raises
    ------
    InputError
        If the preset or a field is unknown, or a value cannot be used.

    Examples
    --------
    >>> resolve_config("paper", options={"donors": {"half_width": 0.05}}).donors.half_width
    0.05
    """
    file = Path(file) if file else None
    known, name = (*PRESETS, *ALIASES, OVERSPECIALISED), own_name(name)
    if name not in known:
        raise InputError(f"preset '{name}' is not known; choose one of {', '.join(known)}")
    start = _overspecialised() if name == OVERSPECIALISED else _preset(name)
    for origin, changes in ((str(file), read_toml(file) if file else {}), ("options", options or {})):
        if "preset" in changes:
            raise InputError(f"{origin}: 'preset' is not a field to change; name the preset itself: {', '.join(known)}")
    found = load_config(MocksConfig, file=file, options=options, base=start)
    return replace(found, survey=with_reference_at_its_redshift(found.survey))


def _preset(name: str) -> MocksConfig:
    chosen = preset(name)
    return MocksConfig(
        preset=name,
        survey=chosen.survey,
        priors=chosen.priors,
        cosmology=chosen.cosmology,
        mass_function=chosen.mass_function,
        donors=_DONORS[name],
        noise=_NOISE[name],
        aperture=_APERTURES.get(name, "true"),
    )


def _overspecialised() -> MocksConfig:
    start = _preset("paper")
    fixed = dict.fromkeys(FACTORS, Uniform(low=1.0, high=1.0))
    priors = replace(start.priors, **fixed)
    donors = DonorRule(own_clusters=True)
    return replace(start, preset=OVERSPECIALISED, priors=priors, donors=donors, prescription=ILLUSTRATIVE)
