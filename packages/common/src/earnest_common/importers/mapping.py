"""Mappings: what a published table's columns are called, in which units, and what they mean, as data.

A mapping is a TOML file. Those that ship with the package lie in the folder ``mappings``; users write their own.
"""

import tomllib
from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass, field
from importlib import resources
from os import PathLike
from pathlib import Path
from typing import Annotated, Any, Literal, final

from pydantic import BeforeValidator, ConfigDict, TypeAdapter, ValidationError

from earnest_common.errors import InputError
from earnest_common.importers.conditions import Condition, parse_condition
from earnest_common.importers.units import parse_unit
from earnest_common.schema import CLUSTERS, RADII_R500C

__all__ = [
    "FROM_HEADER",
    "IDENTITIES",
    "QUANTITIES",
    "Mapping",
    "Reader",
    "Source",
    "TableCosmology",
    "load_mapping",
    "mapping_names",
    "mapping_text",
]

FROM_HEADER = "header"
"""The unit of a column whose header must state it, as in ``m500c[Msol/h]``."""

QUANTITIES: dict[str, str] = {
    "cluster_id": "",
    "z": "",
    "m_500c": "solMass",
    "m_wl": "solMass",
    "l_x": CLUSTERS.column("l_x").unit,
    "t_x": "keV",
    "m_gas": "solMass",
    "m_gas_profile": "solMass",
    "gas_slope_profile": "",
    "r_500c": "kpc",
    "ra": "deg",
    "dec": "deg",
}
"""What a mapping can fill, with its unit; ``r_500c`` serves to check masses, ``ra`` and ``dec`` to choose samples."""

IDENTITIES = ("cluster_id",)
"""Columns of whole numbers that name a row: they are taken as they are."""

_STRICT = ConfigDict(extra="forbid")
Names = Annotated[tuple[str, ...], BeforeValidator(lambda v: (v,) if isinstance(v, str) else v)]


@final
@dataclass(frozen=True, kw_only=True)
class Reader:
    """How the file is laid out.

    Attributes
    ----------
    kind
        ``whitespace``, ``csv``, ``fits``, ``votable`` or ``ecsv``; ``suffix`` chooses by the file's name.
    header
        Whether a text table has its column names in its first row or in the last comment before it, or nowhere.
    names
        The column names of a table without them.
    comment, null
        What begins a comment, and which texts stand for an unknown value.
    table
        Which table of a FITS or VOTable file, by number or name; the first one if not given.
    """

    __pydantic_config__ = _STRICT

    kind: Literal["whitespace", "csv", "fits", "votable", "ecsv", "suffix"]
    header: Literal["named", "none"] = "named"
    names: tuple[str, ...] = ()
    comment: str = "#"
    null: tuple[str, ...] = ("", "None")
    table: int | str | None = None


@final
@dataclass(frozen=True, kw_only=True)
class Source:
    """Where one schema column comes from.

    Attributes
    ----------
    source
        Names of the source column; the first one that the table has is used.
    parts
        For a profile, the source columns of its values from the inside out, where it is not one array column.
    value
        A constant for all rows (instead of ``source``).
    unit
        Unit of the source values, with powers of h; ``header`` if the column's header states it.
    log10
        Whether the source holds log10 of the value.
    times
        A schema column to multiply with, for instance a gas fraction with ``m_500c``.
    comoving
        Whether a length is comoving; it is divided by 1 + z.
    null
        Conditions such as ``<= 0`` that mean "not measured".
    optional
        Whether a table may lack the column; it is then unknown.
    """

    __pydantic_config__ = _STRICT

    source: Names = ()
    parts: tuple[str, ...] = ()
    value: float | None = None
    unit: str = ""
    log10: bool = False
    times: str | None = None
    comoving: bool = False
    null: Names = ()
    optional: bool = False

    @property
    def null_conditions(self) -> tuple[Condition, ...]:
        """The parsed conditions of ``null``."""
        return tuple(parse_condition(text, name="value") for text in self.null)


@final
@dataclass(frozen=True, kw_only=True)
class TableCosmology:
    """The cosmology in which a table was made or reduced; every number may be unknown."""

    __pydantic_config__ = _STRICT

    H0: float | None = None
    Om0: float | None = None
    sigma8: float | None = None

    @property
    def h(self) -> float | None:
        """The Hubble constant in units of 100 km/s/Mpc, if known."""
        return None if self.H0 is None else self.H0 / 100


@final
@dataclass(frozen=True, kw_only=True)
class Mapping:
    """All that is needed to turn one kind of table into a catalog.

    Attributes
    ----------
    name, title, citation, obtain, notes
        What it is, whom to cite, where to get it and what to know of it.
    kind
        Whether the clusters are simulated (their truth is known) or observed.
    l_x
        What the luminosity means: bolometric or which band, and within which radius.
    band, aperture
        The same as data: ``0.1-2.4 keV`` or ``bolometric``; ``r_500c`` or ``total``. Empty if not known.
    reader, columns, cosmology
        Layout, schema columns and cosmology of the table.
    keep
        Conditions on source columns; other rows are dropped.
    radii
        Radii of the profiles, if there are any, in units of R_500c.
    """

    __pydantic_config__ = _STRICT

    name: str
    title: str
    kind: Literal["simulation", "observed"]
    l_x: str
    reader: Reader
    columns: dict[str, Source]
    band: str = ""
    aperture: str = ""
    citation: str = ""
    obtain: str = ""
    notes: Names = ()
    cosmology: TableCosmology = field(default_factory=TableCosmology)
    keep: tuple[str, ...] = ()
    radii: tuple[float, ...] = RADII_R500C

    def __post_init__(self) -> None:
        if problems := _problems(self):
            raise ValueError("; ".join(problems))

    @property
    def keep_conditions(self) -> tuple[Condition, ...]:
        """The parsed conditions of ``keep``."""
        return tuple(parse_condition(text) for text in self.keep)


def _problems(mapping: Mapping) -> list[str]:
    """Return one sentence for each thing in the mapping that contradicts itself."""
    unknown = [name for name in mapping.columns if name not in QUANTITIES]
    problems = [f"columns.{name} is no schema column; allowed are {', '.join(QUANTITIES)}" for name in unknown]
    if "l_x" not in mapping.columns:
        problems.append("columns.l_x is missing; clusters are ranked by it")
    if mapping.reader.header == "none" and not mapping.reader.names:
        problems.append("reader.names is missing; a table without header needs them")
    for name, column in mapping.columns.items():
        problems += [f"columns.{name}: {text}" for text in _column_problems(name, column, mapping)]
    return problems + _condition_problems(mapping.keep, None)


def _column_problems(name: str, column: Source, mapping: Mapping) -> list[str]:
    given = sum((bool(column.source or column.parts), column.value is not None))
    problems = [] if given == 1 else ["give either a source (or its parts) or a value"]
    if column.unit != FROM_HEADER:
        try:
            parse_unit(column.unit)
        except ValueError as error:
            problems.append(f"{error}; write it like Msun/h, 1e14 Msun, keV, 1e44 erg/s or kpc")
    if "profile" in name and (column.log10 or column.null or column.times or column.value is not None):
        problems.append("a profile takes only source, parts, unit and optional")
    if name in IDENTITIES and (
        column.unit or column.log10 or column.times or column.comoving or column.value is not None
    ):
        problems.append("an id takes only source, null and optional")
    factor = None if column.times is None else mapping.columns.get(column.times)
    if column.times is not None and (factor is None or factor.times is not None):
        problems.append(f"times = '{column.times}' must name a column of this mapping that has no 'times' itself")
    return problems + _condition_problems(column.null, "value")


def _condition_problems(texts: tuple[str, ...], name: str | None) -> list[str]:
    problems = []
    for text in texts:
        try:
            parse_condition(text, name=name)
        except ValueError as error:
            problems.append(str(error))
    return problems


def mapping_names() -> tuple[str, ...]:
    """Return the names of the mappings that ship with the package.

    Examples
    --------
    >>> "erass1" in mapping_names()
    True
    """
    folder = resources.files("earnest_common.importers") / "mappings"
    return tuple(sorted(Path(file.name).stem for file in folder.iterdir() if file.name.endswith(".toml")))


def mapping_text(name: str) -> str:
    """Return the TOML text of a shipped mapping, to read or to copy from.

    Raises
    ------
    InputError
        If no mapping of that name ships with the package.
    """
    if name not in mapping_names():
        raise InputError(
            f"unknown table format '{name}'; known are {', '.join(mapping_names())}, "
            "or give the path of your own mapping, a file that ends in .toml"
        )
    folder = resources.files("earnest_common.importers") / "mappings"
    return (folder / f"{name}.toml").read_text(encoding="utf-8")


def load_mapping(name_or_path: str | PathLike[str]) -> Mapping:
    """Return a shipped mapping by its name, or read one from a file that ends in ``.toml``.

    Raises
    ------
    InputError
        If there is no such mapping or it is not valid; the message lists everything that is wrong.

    Examples
    --------
    >>> load_mapping("magneticum-lightcone").columns["m_500c"].unit
    'Msun/h'
    """
    text = str(name_or_path)
    if not text.endswith(".toml"):
        return _parse(mapping_text(text), text)
    try:
        return _parse(Path(text).read_text(encoding="utf-8"), text)
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"mapping {text} cannot be read: {error}") from error


def _parse(text: str, subject: str) -> Mapping:
    try:
        record: AnyMapping[str, Any] = tomllib.loads(text)
        return TypeAdapter(Mapping).validate_python(record)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"mapping {subject} is not valid TOML: {error}") from error
    except ValidationError as error:
        lines = [f"{'.'.join(map(str, e['loc'])) or 'mapping'}: {_words(e)}" for e in error.errors()]
        hint = "see `earnest catalogs formats magneticum-lightcone` for a template"
        raise InputError("\n  - ".join([f"mapping {subject} is not valid; {hint}", *lines])) from error


def _words(error: Any) -> str:  # noqa: ANN401 - pydantic's ErrorDetails
    found = error.get("input")
    shown = "" if isinstance(found, (dict, tuple)) else f", found {found!r}"
    return f"{str(error['msg']).removeprefix('Value error, ')}{shown}"
