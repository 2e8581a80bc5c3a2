"""The commands on surveys: `grid`, `volumes`, `figures` and `peak`."""

from pathlib import Path
from typing import Annotated

import typer
from earnest_common.cli.options import (
    ConfigOption,
    ExecutorOption,
    JsonOption,
    OutOption,
    SectionOption,
    SeedOption,
    ShardOption,
    WorkersOption,
)
from earnest_common.cli.output import echo, emit

from earnest_selfcal.cli.survey_options import PresetOption, SmoothingOption, VolumeFractionOption

__all__ = ["figures", "grid", "peak", "volumes"]

SurveysOption = Annotated[int, typer.Option("--n-surveys", min=1, max=1_000_000_000, help="Surveys to simulate.")]
FewSurveysOption = Annotated[int, typer.Option("--n-surveys", min=1, max=10_000_000, help="Surveys to simulate.")]


def grid(
    *,
    out: OutOption,
    n_surveys: SurveysOption = 1_000_000,
    preset: PresetOption = None,
    volume_fraction: VolumeFractionOption = None,
    smoothing: SmoothingOption = None,
    config: ConfigOption = None,
    seed: SeedOption = 1,
    workers: WorkersOption = 1,
    executor: ExecutorOption = None,
    shard: ShardOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write a table of simulated surveys: parameters, N, medians. Re-run the same command to resume."""
    from earnest_common.run.executors import open_executor, shard_slice
    from earnest_common.run.progress import progress

    from earnest_selfcal.simulation.grid import simulate_grid
    from earnest_selfcal.survey.config import resolve_survey

    shard_slice(shard, 1)  # a wrong --shard is refused before anything is computed
    options = {"preset": preset, "volume_fraction": volume_fraction, "smoothing": smoothing}
    survey = resolve_survey(file=config, options=options)
    with progress(n_surveys, "surveys") as bar, open_executor(workers=workers, address=executor) as pool:
        record = simulate_grid(
            survey, out, n_surveys=n_surveys, seed=seed, executor=pool, shard=shard, on_done=bar.advance
        )
    if record is None:
        echo(f"{out}: this part is complete; the table is once all parts are")
        return
    answer = {"path": str(out), "preset": survey.name, "seed": seed, "n_surveys": n_surveys}
    emit(answer | {"n_files": len(record["files"])}, as_json=as_json)


def volumes(
    *,
    fraction: Annotated[
        list[float] | None,
        typer.Option("--volume-fraction", help="Volume in units of the box; repeatable.", show_default="0.3 0.5 0.8"),
    ] = None,
    smoothing: Annotated[float, typer.Option("--smoothing", help="Blur of the selection [dex in mass].")] = 0.076,
    n_surveys: FewSurveysOption = 100_000,
    n_posteriors: Annotated[
        int, typer.Option("--n-posteriors", min=2, max=1_000_000, help="Surveys inferred one by one.")
    ] = 2_000,
    preset: PresetOption = None,
    config: ConfigOption = None,
    seed: SeedOption = 1,
    section: SectionOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare survey volumes, with a smoothed break (appendix A of the paper)."""
    from earnest_common.run.progress import progress

    from earnest_selfcal.cli.answer import prepare_outputs
    from earnest_selfcal.cli.survey_answer import volumes_answer
    from earnest_selfcal.simulation.volumes import APPENDIX_A_FRACTIONS
    from earnest_selfcal.survey.config import resolve_survey

    prepare_outputs(section)
    fractions = tuple(fraction or APPENDIX_A_FRACTIONS)
    survey = resolve_survey(file=config, options={"preset": preset, "smoothing": smoothing})
    with progress(len(fractions), "volumes") as bar:
        told = volumes_answer(
            survey,
            fractions,
            n_surveys=n_surveys,
            n_posteriors=n_posteriors,
            seed=seed,
            section=section,
            on_done=bar.advance,
        )
    emit(told, as_json=as_json)


def figures(
    *,
    out: Annotated[Path | None, typer.Option("--out", help="Folder for SVG files.", show_default=False)] = None,
    section: SectionOption = None,
    grid_folder: Annotated[
        Path | None,
        typer.Option("--grid", metavar="FOLDER", help="Surveys of earnest selfcal grid.", show_default="made anew"),
    ] = None,
    n_surveys: FewSurveysOption = 100_000,
    preset: PresetOption = None,
    config: ConfigOption = None,
    seed: SeedOption = 1,
    as_json: JsonOption = False,
) -> None:
    """Draw abundance, medians and binned sigma8 of a survey, and the volumes of appendix A."""
    from earnest_selfcal.cli.survey_answer import figures_answer
    from earnest_selfcal.survey.config import resolve_survey

    survey = resolve_survey(file=config, options={"preset": preset})
    told = figures_answer(survey, out=out, section=section, grid=grid_folder, n_surveys=n_surveys, seed=seed)
    emit(told, as_json=as_json)


def peak(
    *,
    per_dex: Annotated[
        float | None,
        typer.Option(
            "--per-dex", help="Height of the peak: clusters per decade of the observable.", show_default=False
        ),
    ] = None,
    log10_y_x: Annotated[
        float | None,
        typer.Option("--log10-y-x", help="Position of the peak: log10 Y_X [solMass/h keV].", show_default=False),
    ] = None,
    log10_l_x: Annotated[
        float | None,
        typer.Option("--log10-l-x", help="Position of the peak: log10 L_X [1e44 erg/s].", show_default=False),
    ] = None,
    preset: PresetOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Solve equations 5 and 6 for sigma8 and the mass of the peak.

    Without --per-dex, compare the information in Y_X and L_X.
    """
    from earnest_selfcal.peak.errors import peak_answer
    from earnest_selfcal.survey.config import resolve_survey

    survey = resolve_survey(file=config, options={"preset": preset})
    told = peak_answer(survey, per_dex=per_dex, log10_y_x_h=log10_y_x, log10_l_x=log10_l_x)
    emit(told, as_json=as_json)
