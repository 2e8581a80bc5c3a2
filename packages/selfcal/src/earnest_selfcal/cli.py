"""`earnest selfcal`: sigma8 from the number of clusters and their median Y_X."""

from typing import Annotated

import typer
from earnest_common.cli.output import JsonOption, SectionOption, SetArgument, emit

__all__ = ["app"]

app = typer.Typer(help="sigma8 from the number of clusters and their median Y_X.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """sigma8 from the number of clusters and their median Y_X."""


@app.command()
def infer(
    *,
    n_clusters: Annotated[int, typer.Option("--n-clusters", help="Observed number of clusters.", show_default=False)],
    median_log10_y_x: Annotated[
        float | None,
        typer.Option(
            "--median-log10-y-x",
            help="Median of log10 Y_X = gas mass times temperature [solMass/h keV]; without it, N alone.",
            show_default=False,
        ),
    ] = None,
    preset: Annotated[str, typer.Option("--preset", help="Survey preset: paper or realistic.")] = "paper",
    as_json: JsonOption = False,
) -> None:
    """Infer sigma8, with all nuisance factors marginalised over the preset's priors."""
    from earnest_common.survey import preset as preset_named

    from earnest_selfcal.answer import inferred

    emit(inferred(preset_named(preset), n_clusters, median_log10_y_x), as_json=as_json)


@app.command()
def evaluate(
    catalog_set: SetArgument,
    *,
    preset: Annotated[
        str | None, typer.Option("--preset", help="Survey preset; default: as the set was made.", show_default=False)
    ] = None,
    split: Annotated[str, typer.Option("--split", help="train, validation, test or all.")] = "test",
    section: SectionOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare inferred with true sigma8 over the catalogs of a set."""
    from earnest_selfcal.answer import evaluated

    emit(evaluated(catalog_set, preset_name=preset, split=split, section=section), as_json=as_json)
