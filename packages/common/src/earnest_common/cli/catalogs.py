"""`earnest catalogs`: look at catalog sets, check them, divide them, and bring tables in and out."""

from typing import Annotated, Any

import typer

from earnest_common.cli import tables as table_commands
from earnest_common.cli.options import JsonOption, OutOption, SeedOption, SetArgument
from earnest_common.cli.output import echo, emit

__all__ = ["app"]

app = typer.Typer(help="Catalog sets: validate, describe, split, import, export.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Catalog sets: validate, describe, split, import, export."""


@app.command()
def validate(catalog_set: SetArgument, *, as_json: JsonOption = False) -> None:
    """Check every checksum and every value of a set; exit 1 if anything is wrong."""
    from earnest_common.catalogs import CatalogSet

    opened = CatalogSet.open(catalog_set)
    problems = opened.validate()
    answer = {"valid": not problems, "n_catalogs": opened.manifest.plan.n_catalogs, "problems": problems}
    if as_json:
        emit(answer, as_json=True)
    else:
        echo(
            "\n  - ".join(
                [f"{catalog_set}: {len(problems)} problem(s)" if problems else f"{catalog_set}: valid", *problems]
            )
        )
    if problems:
        raise typer.Exit(1)


@app.command()
def describe(catalog_set: SetArgument, *, as_json: JsonOption = False) -> None:
    """Describe a set: size, origin, splits and the range of every column."""
    from earnest_common.catalogs import CatalogSet

    description = CatalogSet.open(catalog_set).describe()
    if as_json:
        emit(description, as_json=True)
        return
    columns = {table: description.pop(table) for table in ("catalogs", "clusters")}
    emit(description, as_json=False)
    for table, ranges in columns.items():
        typer.echo(f"\n{table:<22}{'min':>12}{'median':>12}{'max':>12}{'unknown':>10}  unit")
        for name, values in ranges.items():
            numbers = "".join("-".rjust(12) if v is None else f"{v:12.5g}" for v in _min_median_max(values))
            typer.echo(f"  {name:<20}{numbers}{values['unknown']:>10}  {values['unit']}")


def _min_median_max(values: dict[str, Any]) -> list[float | None]:
    return [values[what] for what in ("min", "median", "max")]


@app.command()
def split(
    catalog_set: SetArgument,
    *,
    out: OutOption,
    seed: SeedOption = 1,
    train: Annotated[float, typer.Option(min=0, max=1, help="Fraction for training.")] = 0.8,
    validation: Annotated[float, typer.Option(min=0, max=1, help="Fraction for validation; the rest is test.")] = 0.1,
    as_json: JsonOption = False,
) -> None:
    """Copy a set with a new division into training, validation and test."""
    from earnest_common.catalogs import CatalogSet, split_set

    manifest = split_set(CatalogSet.open(catalog_set), out, seed=seed, train=train, validation=validation)
    emit({"path": str(out), "seed": seed, "data_hash": manifest.data_hash}, as_json=as_json)


@app.command()
def schema(*, as_json: JsonOption = False) -> None:
    """Show the columns of the tables with their units and meanings."""
    from earnest_common.schema import CATALOGS, CLUSTERS, PREDICTIONS

    tables = (CATALOGS, CLUSTERS, PREDICTIONS)
    if as_json:
        answer = {
            t.name: [
                {"name": c.name, "type": str(c.dtype), "unit": c.unit, "nullable": c.nullable, "meaning": c.description}
                for c in t.columns
            ]
            for t in tables
        }
        emit(answer, as_json=True)
        return
    for table in tables:
        typer.echo(f"## {table.name}\n\n{table.description}.\n\n{table.markdown()}\n")


table_commands.register(app)
