"""`earnest selfcal`: sigma8 from the number of clusters and their median Y_X or L_X."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Literal

import typer
from earnest_common.cli.options import ConfigOption, FigureOption, JsonOption, SectionOption, SetArgument, Split
from earnest_common.cli.output import emit

from earnest_selfcal.cli import cosmology_commands, referee_commands, survey_commands
from earnest_selfcal.cli.survey_options import (
    CutOption,
    LowestMassOption,
    MassBreakOption,
    PresetOption,
    RedshiftOption,
    SetPresetOption,
    SlopeOption,
    SmoothingOption,
    VolumeFractionOption,
)

__all__ = ["app"]

app = typer.Typer(help="sigma8 from the number of clusters and their median Y_X.", no_args_is_help=True)


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
        typer.Option("--set", metavar="SET", help="Catalog set to take the numbers from.", show_default=False),
    ] = None,
    catalog_id: Annotated[
        int | None, typer.Option("--catalog-id", help="Catalog of the set.", show_default="the only one")
    ] = None,
    median: Annotated[
        Literal["y_x", "l_x"] | None,
        typer.Option("--median", help="Observable of the set to take the median of.", show_default="y_x if known"),
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
    """Infer sigma8 of one survey, marginalised over all nuisance factors."""
    from earnest_selfcal.cli.answer import InferenceRequest, infer_from, prepare_outputs, write_inference

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
    question = InferenceRequest(
        n_clusters=n_clusters,
        median_log10_y_x=median_log10_y_x,
        median_log10_l_x=median_log10_l_x,
        catalog_set=catalog_set,
        catalog_id=catalog_id,
        median=median,
    )
    asked = {"command": "infer", "config": config, **survey, **asdict(question)}
    outputs = prepare_outputs(section, figure=figure, asked=asked)
    inference = infer_from(question, config=config, options=survey)
    write_inference(inference, figure=figure, section=section, outputs=outputs)
    emit({**inference.numbers(), "units": inference.units()}, as_json=as_json)


@app.command()
def evaluate(
    catalog_set: SetArgument,
    *,
    preset: SetPresetOption = None,
    config: ConfigOption = None,
    split: Annotated[Split, typer.Option("--split", help="Only catalogs of this split.")] = "test",
    section: SectionOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare inferred with true sigma8 over the catalogs of a set."""
    from earnest_selfcal.cli.answer import evaluate_set

    told = evaluate_set(catalog_set, split=split, config=config, options={"preset": preset}, section=section)
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
