"""The commands beyond one survey's sigma8: `sample`, `forecast` and `contours`."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from earnest_common.cli.options import ConfigOption, FigureOption, JsonOption, SectionOption
from earnest_common.cli.output import echo, emit

from earnest_selfcal.cli.survey_options import PresetOption

__all__ = ["contours", "forecast", "sample"]


def sample(
    table: Annotated[Path, typer.Argument(metavar="TABLE", help="A published table with luminosities and positions.")],
    *,
    mapping: Annotated[str, typer.Option("--format", help="Mapping of its columns, as for catalogs import.")] = "mcxc",
    flux_limit: Annotated[float, typer.Option("--flux-limit", help="In 0.1-2.4 keV [erg/s/cm^2].")] = 1e-11,
    z_low: Annotated[float, typer.Option("--z-low", help="Lowest redshift.")] = 0.01,
    z_high: Annotated[float, typer.Option("--z-high", help="Highest redshift.")] = 0.07,
    min_latitude: Annotated[float, typer.Option("--min-latitude", help="Galactic latitude [deg].")] = 20.0,
    dec_low: Annotated[float, typer.Option("--dec-low", help="Lowest declination [deg].")] = -90.0,
    dec_high: Annotated[float, typer.Option("--dec-high", help="Highest declination [deg].")] = 90.0,
    ra_low: Annotated[float, typer.Option("--ra-low", help="Lowest right ascension [deg].")] = 0.0,
    ra_high: Annotated[float, typer.Option("--ra-high", help="Highest right ascension [deg].")] = 360.0,
    area: Annotated[
        float | None, typer.Option("--area", help="Area [deg^2] if holes make it smaller.", show_default=False)
    ] = None,
    figure: FigureOption = None,
    section: SectionOption = None,
    as_json: JsonOption = False,
) -> None:
    """Infer sigma8 from a real flux- and volume-limited sample: its number of clusters and their median L_X."""
    from earnest_selfcal.cli.answer import prepare_outputs, write_inference
    from earnest_selfcal.light_cone.flux_limited import FluxLimitedSample, sample_answer

    chosen = FluxLimitedSample(
        flux_limit=flux_limit,
        z_low=z_low,
        z_high=z_high,
        min_latitude=min_latitude,
        dec_low=dec_low,
        dec_high=dec_high,
        ra_low=ra_low,
        ra_high=ra_high,
        area=area,
    )
    asked = {"command": "sample", "table": table, "mapping": mapping, **asdict(chosen)}
    outputs = prepare_outputs(section, figure=figure, asked=asked)
    inference, told = sample_answer(table, chosen, mapping=mapping)
    for sentence in told["assumptions"]:
        echo(f"assumed: {sentence}")
    for sentence in told["warnings"]:
        echo(f"warning: {sentence}")
    write_inference(inference, figure=figure, section=section, outputs=outputs)
    emit(told if as_json else {k: v for k, v in told.items() if k not in {"assumptions", "warnings"}}, as_json=as_json)


def forecast(
    *,
    flux_limit: Annotated[float, typer.Option("--flux-limit", help="In 0.5-2 keV [erg/s/cm^2].")] = 4e-14,
    area: Annotated[float, typer.Option("--area", help="Of the sky [deg^2].")] = 13_000.0,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Forecast the error of sigma8 of a flux-limited light cone with evolving relations, and its largest terms."""
    from earnest_common.run.config import load_config

    from earnest_selfcal.light_cone.forecast import assumptions
    from earnest_selfcal.light_cone.forecast import forecast as forecast_of
    from earnest_selfcal.light_cone.shells import LightCone

    cone = load_config(LightCone, file=config, options={"flux_limit": flux_limit, "area": area})
    told = forecast_of(cone).numbers()
    for sentence in assumptions(cone):
        echo(f"assumed: {sentence}")
    emit(told | ({"assumptions": list(assumptions(cone))} if as_json else {}), as_json=as_json)


def contours(
    *,
    n_clusters: Annotated[int, typer.Option("--n-clusters", help="Observed number of clusters.", show_default=False)],
    median_log10_y_x: Annotated[
        float | None,
        typer.Option(
            "--median-log10-y-x", help="Median of log10 Y_X [solMass/h keV, as in the paper].", show_default=False
        ),
    ] = None,
    median_log10_l_x: Annotated[
        float | None,
        typer.Option("--median-log10-l-x", help="Median of log10 L_X [1e44 erg/s].", show_default=False),
    ] = None,
    om0: Annotated[tuple[float, float, int], typer.Option("--om0", help="Lowest, highest, number.")] = (0.18, 0.42, 33),
    preset: PresetOption = None,
    config: ConfigOption = None,
    figure: FigureOption = None,
    section: SectionOption = None,
    as_json: JsonOption = False,
) -> None:
    """Infer sigma8 and Om0 jointly, and their best constrained combination."""
    from earnest_common.run.progress import progress

    from earnest_selfcal.cli.answer import prepare_outputs
    from earnest_selfcal.cli.joint_answer import joint_answer
    from earnest_selfcal.posterior.inference import observed_numbers
    from earnest_selfcal.survey.config import resolve_survey

    survey = resolve_survey(file=config, options={"preset": preset})
    asked = {"command": "contours", "survey": asdict(survey), "n_clusters": n_clusters, "om0": om0}
    asked |= {"medians": (median_log10_y_x, median_log10_l_x)}
    outputs = prepare_outputs(section, figure=figure, asked=asked)
    medians = {"median_log10_y_x_h": median_log10_y_x, "median_log10_l_x": median_log10_l_x}
    observed = observed_numbers(survey, n_clusters, **medians)
    with progress(om0[2], "values of Om0") as bar:
        told = joint_answer(survey, observed, om0, figure=figure, section=section, outputs=outputs, on_done=bar.advance)
    emit(told, as_json=as_json)
