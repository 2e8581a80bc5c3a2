"""The commands on what is possible at best: `referee` and `nulls`."""

from pathlib import Path
from typing import Annotated

import typer
from earnest_common.cli.output import (
    ConfigOption,
    ExecutorOption,
    JsonOption,
    SectionOption,
    SeedOption,
    SetArgument,
    WorkersOption,
    emit,
    say,
)

from earnest_selfcal.cli.survey_options import PresetOption

__all__ = ["nulls", "referee"]


def referee(
    catalog_set: SetArgument,
    *,
    split: Annotated[str, typer.Option("--split", help="train, validation, test or all.")] = "test",
    max_catalogs: Annotated[
        int | None, typer.Option("--max-catalogs", min=1, help="Only the first so many.", show_default="all")
    ] = None,
    drop: Annotated[
        list[str] | None,
        typer.Option("--drop", help="Leave out l_x, t_x, m_gas or m_wl; repeatable.", show_default=False),
    ] = None,
    residuals: Annotated[
        str,
        typer.Option(
            "--residuals",
            help="lognormal; learned (from a split of the set); auto: learned where donors lent the residuals.",
        ),
    ] = "auto",
    learn_from: Annotated[
        str, typer.Option("--learn-from", help="The split whose residuals are learned: train, validation, test or all.")
    ] = "train",
    continuous: Annotated[
        bool,
        typer.Option("--continuous", help="Do not use that the normalisations lie on a grid."),
    ] = False,
    preset: Annotated[
        str | None, typer.Option("--preset", help="Survey preset; default: as the set was made.", show_default=False)
    ] = None,
    config: ConfigOption = None,
    seed: SeedOption = 1,
    workers: WorkersOption = 1,
    executor: ExecutorOption = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="FILE.parquet", help="One row per catalog; lets the command go on.", show_default=False
        ),
    ] = None,
    section: SectionOption = None,
    as_json: JsonOption = False,
) -> None:
    """Infer sigma8 from every cluster, as well as it can be done: the limit for any other estimate.

    With --out the same command goes on after an interruption.
    """
    from earnest_common.catalogs import CatalogSet
    from earnest_common.run.executors import open_executor

    from earnest_selfcal.cli.answer import survey_of_set
    from earnest_selfcal.cli.referee_answer import referee_set

    opened = CatalogSet.open(catalog_set)
    survey = survey_of_set(opened, config=config, options={"preset": preset})
    with open_executor(workers=workers, address=executor) as pool:
        told = referee_set(
            opened,
            survey,
            split=split,
            max_catalogs=max_catalogs,
            drop=drop or (),
            residuals=residuals,
            learn_from=learn_from,
            continuous=continuous,
            seed=seed,
            executor=pool,
            out=out,
            section=section,
        )
    if told["n_low_ess"]:
        say(
            f"{told['n_low_ess']} of {told['n_catalogs']} catalogs have an effective sample size below 100 (lowest "
            f"{told['ess_min']:.0f}): the set may not follow the assumed model"
        )
    emit(told, as_json=as_json)


def nulls(
    *,
    preset: PresetOption = None,
    config: ConfigOption = None,
    n_catalogs: Annotated[
        int, typer.Option("--n-catalogs", max=100_000, help="Surveys drawn for each assumption.")
    ] = 100,
    width: Annotated[
        list[float] | None,
        typer.Option(
            "--width", help="Half width of the normalisations' priors; repeatable.", show_default="0 0.1 0.2 0.3 0.5"
        ),
    ] = None,
    seed: SeedOption = 1,
    workers: WorkersOption = 1,
    executor: ExecutorOption = None,
    section: SectionOption = None,
    as_json: JsonOption = False,
) -> None:
    """Map where the information on sigma8 comes from: data from N to true masses, assumptions undone one by one.

    With --section the same command goes on after an interruption.
    """
    from earnest_common.run.executors import open_executor

    from earnest_selfcal.cli.information_answer import WIDTHS, information_map
    from earnest_selfcal.information.scatter import Effort
    from earnest_selfcal.survey.config import resolve_survey

    survey = resolve_survey(file=config, options={"preset": preset})
    effort = Effort(n_catalogs=n_catalogs)
    with open_executor(workers=workers, address=executor) as pool:
        told = information_map(
            survey, widths=tuple(width or WIDTHS), effort=effort, seed=seed, executor=pool, section=section
        )
    emit(told, as_json=as_json)
