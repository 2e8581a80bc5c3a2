"""`earnest selfcal`: sigma8 from the number of clusters and their median Y_X or L_X."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from earnest_common.cli.output import ConfigOption, JsonOption, SectionOption, SetArgument, emit

from earnest_selfcal.cli import cosmology_commands, referee_commands, survey_commands
from earnest_selfcal.cli.survey_options import (
    CutOption,
    LowestMassOption,
    MassBreakOption,
    PresetOption,
    RedshiftOption,
    SlopeOption,
    SmoothingOption,
    VolumeFractionOption,
)

__all__ = ["app"]

app = typer.Typer(help="sigma8 from the number of clusters and their median Y_X.", no_args_is_help=True)

FigureOption = Annotated[
    Path | None, typer.Option("--figure", metavar="FILE.svg", help="Also draw the posterior.", show_default=False)
]


@app.callback()
def _group() -> None:
    """sigma8 from the number of clusters and their median Y_X."""


@app.command()
def infer(
    *,
    n_clusters: Annotated[
        int | None, typer.Option("--n-clusters", help="Observed number of clusters.", show_default=False)
    ] = None,
    median_log10_y_x: Annotated[
        float | None,
        typer.Option(
            "--median-log10-y-x",
            help="Median of log10 Y_X = gas mass times temperature [solMass/h keV, as in the paper; in h-free solMass "
            "keV it is larger by 0.152]; without it, N alone.",
            show_default=False,
        ),
    ] = None,
    median_log10_l_x: Annotated[
        float | None,
        typer.Option(
            "--median-log10-l-x", help="Median of log10 L_X [1e44 erg/s], instead of Y_X.", show_default=False
        ),
    ] = None,
    catalog_set: Annotated[
        Path | None,
        typer.Option("--set", metavar="SET", help="A catalog set with the numbers in it.", show_default=False),
    ] = None,
    catalog_id: Annotated[
        int | None, typer.Option("--catalog-id", help="Which catalog of the set.", show_default="the only one")
    ] = None,
    median: Annotated[
        str | None, typer.Option("--median", help="y_x or l_x of the set.", show_default="y_x if known")
    ] = None,
    preset: PresetOption = None,
    volume_fraction: VolumeFractionOption = None,
    z: RedshiftOption = None,
    cut: CutOption = None,
    log10_m_break: MassBreakOption = None,
    log10_m_min: LowestMassOption = None,
    slope: SlopeOption = None,
    smoothing: SmoothingOption = None,
    config: ConfigOption = None,
    figure: FigureOption = None,
    section: SectionOption = None,
    as_json: JsonOption = False,
) -> None:
    """Infer sigma8 of one survey, with all nuisance factors marginalised over the priors."""
    from earnest_selfcal.cli.answer import Question, answered, prepare_outputs, write_inference

    survey = {
        "preset": preset,
        "volume_fraction": volume_fraction,
        "z": z,
        "cut": cut,
        "log10_m_break": log10_m_break,
        "log10_m_min": log10_m_min,
        "slope": slope,
        "smoothing": smoothing,
    }
    question = Question(
        n_clusters=n_clusters,
        median_log10_y_x=median_log10_y_x,
        median_log10_l_x=median_log10_l_x,
        catalog_set=catalog_set,
        catalog_id=catalog_id,
        median=median,
    )
    asked = {"command": "infer", "config": config, **survey, **asdict(question)}
    outputs = prepare_outputs(section, figure=figure, asked=asked)
    inference = answered(question, config=config, options=survey)
    write_inference(inference, figure=figure, section=section, outputs=outputs)
    emit({**inference.numbers(), "units": inference.units()}, as_json=as_json)


@app.command()
def evaluate(
    catalog_set: SetArgument,
    *,
    preset: Annotated[
        str | None, typer.Option("--preset", help="Survey preset; default: as the set was made.", show_default=False)
    ] = None,
    config: ConfigOption = None,
    split: Annotated[str, typer.Option("--split", help="train, validation, test or all.")] = "test",
    section: SectionOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare inferred with true sigma8 over the catalogs of a set."""
    from earnest_selfcal.cli.answer import evaluated

    told = evaluated(catalog_set, split=split, config=config, options={"preset": preset}, section=section)
    emit(told, as_json=as_json)


for _command in (
    survey_commands.grid,
    survey_commands.volumes,
    survey_commands.figures,
    survey_commands.peak,
    cosmology_commands.sample,
    cosmology_commands.forecast,
    cosmology_commands.contours,
):
    app.command()(_command)
app.command()(referee_commands.referee)
app.command()(referee_commands.nulls)
