"""Bringing a published table into the catalog schema."""

from collections.abc import Mapping as AnyMapping
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from os import PathLike
from pathlib import Path
from typing import Literal, final

import polars as pl

from earnest_common.catalogs import Manifest, Plan, write_batch
from earnest_common.catalogs.batch import CatalogBatch
from earnest_common.errors import InputError, SchemaError
from earnest_common.importers.columns import Converted, convert
from earnest_common.importers.mapping import QUANTITIES, Mapping, TableCosmology, load_mapping
from earnest_common.importers.plausibility import judge
from earnest_common.importers.report import ImportReport, Problem, SourceColumn
from earnest_common.importers.rows import select_rows, value_problems
from earnest_common.importers.sentinels import sentinel_problems
from earnest_common.importers.source_table import SourceTable, read_table
from earnest_common.run.files import atomic_folder, file_sha256, refuse_existing

__all__ = ["ImportOptions", "import_catalog_set", "import_rows", "import_table", "parse_units"]

_TRUTH = ("m_500c", "m_wl", "t_x", "m_gas", "m_gas_profile", "gas_slope_profile")


@final
@dataclass(frozen=True, kw_only=True)
class ImportOptions:
    """What a user may say about one table.

    Attributes
    ----------
    h
        Hubble constant in units of 100 km/s/Mpc, instead of the mapping's.
    z
        Redshift of all clusters, for a snapshot.
    units
        Units by schema column, instead of the mapping's.
    where
        Conditions on schema or source columns, such as ``m_500c >= 5e13``; other rows are dropped.
    missing
        What to do with rows without luminosity or redshift: they cannot be ranked or placed.
    without
        Schema columns to leave unknown although the mapping fills them.
    trust_units
        Import even if units are implausible, or single values look as if they meant "not measured".
    """

    h: float | None = None
    z: float | None = None
    units: AnyMapping[str, str] = field(default_factory=dict)
    where: tuple[str, ...] = ()
    missing: Literal["drop", "refuse"] = "drop"
    without: tuple[str, ...] = ()
    trust_units: bool = False


def import_table(
    path: str | PathLike[str], mapping: Mapping | str | PathLike[str], *, options: ImportOptions | None = None
) -> tuple[CatalogBatch, ImportReport]:
    r"""Return a table as one catalog, with a report of what was done to it.

    Clusters are sorted by falling luminosity; ``cluster_id`` is the row of the source, from 0 and before any row was
    dropped, so that every cluster can be found again. What the table does not have is unknown.

    Parameters
    ----------
    path
        The table, as its authors publish it; gzip-compressed text is read as it is.
    mapping
        A mapping, the name of a shipped one, or the path of a TOML file.
    options
        Redshift, h, units and row conditions for this table.

    Raises
    ------
    InputError
        If the file or the mapping cannot be read, or an option cannot be used.
    SchemaError
        If the table lacks columns, has impossible values or implausible units; the message lists all of it.
    MissingExtraError
        If a FITS, VOTable or ECSV file is read without astropy.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     table = Path(folder) / "clusters.csv"
    ...     _ = table.write_text("z,m_500c,l_x,t_x\n0.06,3e14,1.8,3.5\n0.07,5e14,4.4,4.9\n")
    ...     batch, report = import_table(table, "earnest")
    >>> batch.n_clusters, report.unknown_columns
    (2, ('m_wl', 'm_gas', 'm_gas_profile', 'gas_slope_profile'))
    """
    rows, plan, report = _import(path, mapping, options)
    return _batch(rows, plan, subject=str(path)), report


def import_rows(
    path: str | PathLike[str], mapping: Mapping | str | PathLike[str], *, options: ImportOptions | None = None
) -> tuple[pl.DataFrame, ImportReport]:
    """Return the kept rows of a table with all that its mapping fills, positions included, in the table's order.

    Raises
    ------
    InputError, SchemaError, MissingExtraError
        As :func:`import_table`.
    """
    rows, _, report = _import(path, mapping, options)
    return rows, report


def import_catalog_set(
    path: str | PathLike[str],
    mapping: Mapping | str | PathLike[str],
    out: str | PathLike[str],
    *,
    options: ImportOptions | None = None,
) -> tuple[Manifest, ImportReport]:
    """Write a table as a catalog set of one catalog, and return its manifest and the report.

    Raises
    ------
    OutputExistsError
        If ``out`` is taken.
    InputError, SchemaError, MissingExtraError
        As :func:`import_table`; nothing is written then.
    """
    out = refuse_existing(Path(out))
    batch, report = import_table(path, mapping, options=options)
    record = report.to_dict()
    plan = Plan(
        kind=report.kind,
        preset=report.format,
        seed=None,
        n_catalogs=1,
        config={"import": {k: v for k, v in record.items() if k not in {"sha256", "path"}}},
        cosmology=report.cosmology,
        radii=batch.radii,
        inputs={Path(path).name: report.sha256},
    )
    with atomic_folder(out) as folder:  # one catalog is written at once, so nothing unfinished needs to be resumed
        return write_batch(folder, batch, plan), report


def _import(
    path: str | PathLike[str], mapping: Mapping | str | PathLike[str], options: ImportOptions | None
) -> tuple[pl.DataFrame, Mapping, ImportReport]:
    options = options or ImportOptions()
    plan = _with_options(mapping if isinstance(mapping, Mapping) else load_mapping(mapping), options)
    table = read_table(Path(path), plan.reader)
    converted = _convert(table, plan, options)
    problems = [*converted.problems, *_missing_columns(table, plan, converted)]
    if {"l_x", "z"} - set(converted.frame.columns):
        _refuse(table, problems)
    rows = select_rows(table, converted.frame, keep=plan.keep, where=options.where, missing=options.missing)
    problems += [*rows.problems, *value_problems(table, rows.frame)]
    checks, implausible, warnings = judge(rows.frame, plan.cosmology, simulated=plan.kind == "simulation")
    suspicious = sentinel_problems(table, plan, rows.frame, converted.source_values)
    problems += [] if options.trust_units else [*suspicious, *implausible]
    _refuse(table, problems)
    report = _report(table, plan, converted, n_kept=rows.frame.height, dropped=rows.dropped)
    warnings += [str(problem) for problem in (*suspicious, *implausible)]
    return rows.frame, plan, replace(report, checks=tuple(checks), warnings=tuple(warnings))


def parse_units(texts: Sequence[str]) -> dict[str, str]:
    """Return units by schema column from texts such as ``m_500c=Msun/h``.

    Raises
    ------
    InputError
        If a text has no ``=``.

    Examples
    --------
    >>> parse_units(["m_500c=Msun/h", "t_x=keV"])
    {'m_500c': 'Msun/h', 't_x': 'keV'}
    """
    pairs = [text.partition("=") for text in texts]
    if bad := [name for name, equals, unit in pairs if not (name and equals and unit)]:
        raise InputError(f"unit {', '.join(map(repr, bad))} is not of the form COLUMN=UNIT, such as m_500c=Msun/h")
    return {name.strip(): unit.strip() for name, _, unit in pairs}


def _with_options(mapping: Mapping, options: ImportOptions) -> Mapping:
    """Return the mapping as the options change it."""
    unknown = sorted((set(options.units) | set(options.without)) - set(QUANTITIES))
    if unknown:
        raise InputError(f"unknown column {', '.join(unknown)}; a table can fill {', '.join(QUANTITIES)}")
    if options.h is not None and not 0.1 < options.h < 2:  # a Hubble constant of 70 given as h would be absurd
        raise InputError(f"h = {options.h} is not plausible; h is H0 / (100 km/s/Mpc), such as 0.704")
    if options.z is not None and not 0 <= options.z < 20:  # the schema's bounds
        raise InputError(f"z = {options.z} is not a redshift between 0 and 20")
    columns = {name: column for name, column in mapping.columns.items() if name not in options.without}
    cosmology = mapping.cosmology
    if options.h is not None:
        cosmology = TableCosmology(H0=100 * options.h, Om0=cosmology.Om0, sigma8=cosmology.sigma8)
    return replace(mapping, columns=columns, cosmology=cosmology)


def _convert(table: SourceTable, mapping: Mapping, options: ImportOptions) -> Converted:
    constants = {} if options.z is None else {"z": options.z}
    return convert(table, mapping, h=mapping.cosmology.h, units=dict(options.units), constants=constants)


def _missing_columns(table: SourceTable, mapping: Mapping, converted: Converted) -> list[Problem]:
    """Return one problem that names all columns without which the table is not imported."""
    wanted = {"z": (), **{n: c.source for n, c in mapping.columns.items() if n == "l_x" or not c.optional}}
    missing = {name: sources for name, sources in wanted.items() if name not in converted.frame.columns}
    if not missing:
        return []
    remedies = ["name the columns in a mapping of your own (--format FILE.toml)"]
    remedies += ["use --format earnest for a table of earnest catalogs export"] if _is_export(table, mapping) else []
    remedies += ["give the redshift of a snapshot with --z"] if "z" in missing else []
    spare = [name for name in missing if name not in {"z", "l_x"}]
    remedies += [f"leave columns unknown with --without {' --without '.join(spare)}"] if spare else []
    return [
        Problem(
            what=f"format {mapping.name} finds nothing for {', '.join(missing)}",
            found=f"the columns {', '.join(table.frame.columns)}",
            allowed=", ".join(f"{n} from {' or '.join(s)}" if s else f"{n} as a constant" for n, s in missing.items()),
            remedy=", or ".join(remedies),
        )
    ]


def _is_export(table: SourceTable, mapping: Mapping) -> bool:
    return mapping.name != "earnest" and {"cluster_id", "z", "l_x"} <= set(table.frame.columns)


def _refuse(table: SourceTable, problems: list[Problem]) -> None:
    if problems:
        raise SchemaError(f"table {table.path}", [str(problem) for problem in problems])


def _batch(rows: pl.DataFrame, mapping: Mapping, *, subject: str) -> CatalogBatch:
    """Return the kept rows as one catalog, sorted by falling luminosity."""
    ranked = rows.sort(["l_x", "cluster_id"], descending=[True, False])
    clusters = ranked.select(
        pl.lit(0).alias("catalog_id"),
        "cluster_id",
        pl.int_range(pl.len()).alias("rank"),
        "z",
        "l_x",
        *(name for name in _TRUTH if name in ranked.columns),
    )
    known = mapping.cosmology if mapping.kind == "simulation" else TableCosmology()
    catalogs = pl.DataFrame(
        {
            "catalog_id": [0],
            "n_clusters": [clusters.height],
            "sigma8": pl.Series([known.sigma8], dtype=pl.Float64),
            "Om0": pl.Series([known.Om0], dtype=pl.Float64),
            "survey": [mapping.name],
        }
    )
    return CatalogBatch.conformed(catalogs, clusters, radii=mapping.radii, subject=subject)


def _report(
    table: SourceTable, mapping: Mapping, converted: Converted, *, n_kept: int, dropped: dict[str, int]
) -> ImportReport:
    filled = {column.name for column in converted.columns}
    used = {table.find(c.source) for c in mapping.columns.values()} | {
        p for c in mapping.columns.values() for p in c.parts
    }
    return ImportReport(
        format=mapping.name,
        title=mapping.title,
        path=table.path,
        kind=mapping.kind,
        n_read=table.frame.height,
        n_kept=n_kept,
        dropped=dropped,
        columns=tuple(_with_unknown(column, converted.frame) for column in converted.columns),
        unknown_columns=tuple(name for name in _TRUTH if name not in filled),
        ignored=tuple(name for name in table.frame.columns if name not in used),
        l_x=mapping.l_x,
        band=mapping.band,
        aperture=mapping.aperture,
        cosmology={k: v for k, v in vars(mapping.cosmology).items() if v is not None},
        checks=(),
        warnings=(),
        citation=mapping.citation,
        obtain=mapping.obtain,
        notes=mapping.notes,
        sha256=file_sha256(Path(table.path)),
    )


def _with_unknown(column: SourceColumn, frame: pl.DataFrame) -> SourceColumn:
    return replace(column, n_unknown=frame[column.name].null_count())
