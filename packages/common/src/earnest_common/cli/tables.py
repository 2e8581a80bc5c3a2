"""`earnest catalogs import|export|formats`: published tables in, common formats out."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from earnest_common.cli.options import JsonOption, OutOption, SetArgument
from earnest_common.cli.output import echo, emit

__all__ = ["register"]


def _mapping_names(incomplete: str) -> list[str]:
    from earnest_common.importers import mapping_names

    return [name for name in mapping_names() if name.startswith(incomplete)]


_FORMAT = typer.Option(
    "--format",
    metavar="NAME|FILE.toml",
    help="Mapping of the table's columns: a shipped one or your own.",
    autocompletion=_mapping_names,
    show_default=False,
)
_TEXTS = {
    "h": "H0 / (100 km/s/Mpc), instead of the mapping's.",
    "z": "Redshift of all clusters (a snapshot).",
    "unit": "Unit of a column, such as m_500c=Msun/h; may be repeated.",
    "where": "Keep only such rows, such as 'm_500c >= 5e13'; may be repeated.",
    "missing": "What to do with rows without l_x or z.",
    "without": "Leave this column unknown; may be repeated.",
    "trust": "Import even if units or single values look wrong.",
}


def register(app: typer.Typer) -> None:
    """Add the three commands to the group of `earnest catalogs`."""
    app.command("import")(import_table)
    app.command("export")(export_set)
    app.command("formats")(formats)


def import_table(
    table: Annotated[Path, typer.Argument(metavar="FILE", help="A published table.", show_default=False)],
    *,
    format_name: Annotated[str, _FORMAT],
    out: OutOption,
    h: Annotated[float | None, typer.Option("--h", help=_TEXTS["h"], show_default=False)] = None,
    z: Annotated[float | None, typer.Option("--z", help=_TEXTS["z"], show_default=False)] = None,
    unit: Annotated[list[str] | None, typer.Option("--unit", metavar="COLUMN=UNIT", help=_TEXTS["unit"])] = None,
    where: Annotated[list[str] | None, typer.Option("--where", metavar="CONDITION", help=_TEXTS["where"])] = None,
    missing: Annotated[Literal["drop", "refuse"], typer.Option("--missing", help=_TEXTS["missing"])] = "drop",
    without: Annotated[list[str] | None, typer.Option("--without", metavar="COLUMN", help=_TEXTS["without"])] = None,
    trust_units: Annotated[bool, typer.Option("--trust-units", help=_TEXTS["trust"])] = False,
    as_json: JsonOption = False,
) -> None:
    """Write a published table as a catalog set, and report every conversion."""
    from earnest_common.importers import ImportOptions, import_catalog_set, parse_units
    from earnest_common.run.config import load_config

    given = {"h": h, "z": z, "units": parse_units(unit or []), "where": tuple(where or ()), "missing": missing}
    options = load_config(ImportOptions, options={**given, "without": tuple(without or ()), "trust_units": trust_units})
    _, report = import_catalog_set(table, format_name, out, options=options)
    if as_json:
        emit(report.to_dict(), as_json=True)
    else:
        typer.echo("\n".join(report.lines()))
        echo(f"wrote {out}")


def export_set(
    catalog_set: SetArgument,
    *,
    out: OutOption,
    format_name: Annotated[
        Literal["fits", "votable", "ecsv", "csv"] | None,
        typer.Option("--format", help="Format of the file.", show_default="by the suffix of --out"),
    ] = None,
    table: Annotated[
        Literal["clusters", "catalogs"], typer.Option("--table", help="For ECSV and CSV: which table.")
    ] = "clusters",
    as_json: JsonOption = False,
) -> None:
    """Write a catalog set as FITS, VOTable, ECSV or CSV with units and provenance."""
    from earnest_common.catalogs import CatalogSet
    from earnest_common.exporters import export

    written = export(CatalogSet.open(catalog_set), out, format_name, table=table)
    emit({"path": str(out), "format": written}, as_json=as_json)


def formats(
    name: Annotated[str | None, typer.Argument(help="Show this mapping as a template.", show_default=False)] = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """List the tables that can be imported, or show one mapping as a template for your own."""
    from earnest_common.importers import load_mapping, mapping_names, mapping_text

    if name is not None:
        typer.echo(mapping_text(name), nl=False)
    else:
        emit({known: load_mapping(known).title for known in mapping_names()}, as_json=as_json)
