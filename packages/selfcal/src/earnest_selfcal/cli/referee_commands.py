"""The commands on what is possible at best: `referee` and `nulls`."""

from pathlib import Path
from typing import Annotated, Literal

import typer
from earnest_common.cli.options import (
    ConfigOption,
    ExecutorOption,
    JsonOption,
    SectionOption,
    SeedOption,
    SetArgument,
    Split,
    WorkersOption,
)
from earnest_common.cli.output import echo, emit

from earnest_selfcal.cli.survey_options import PresetOption, SetPresetOption

__all__ = ["nulls", "referee"]


def referee(
    catalog_set: SetArgument,
    *,
    split: Annotated[Split, typer.Option("--split", help="Only catalogs of this split.")] = "test",
    max_catalogs: Annotated[
        int | None,
        typer.Option("--max-catalogs", min=1, help="Largest number of catalogs, the first ones.", show_default="all"),
    ] = None,
    drop: Annotated[
        list[str] | None,
        typer.Option(
            "--drop",
            metavar="[l_x|t_x|m_gas|m_wl]",
            help="Observable to leave out; repeatable.",
            autocompletion=lambda incomplete: [x for x in ("l_x", "t_x", "m_gas", "m_wl") if x.startswith(incomplete)],
            show_default=False,
        ),
    ] = None,
    residuals: Annotated[
        Literal["auto", "lognormal", "learned"],
        typer.Option(
            "--residuals", help="Scatter at fixed mass; auto: learned from a split where residuals are borrowed."
        ),
    ] = "auto",
    learn_from: Annotated[Split, typer.Option("--learn-from", help="Split to learn the residuals from.")] = "train",
    continuous: Annotated[
        bool,
        typer.Option("--continuous", help="Ignore that the normalisations lie on a grid."),
    ] = False,
    preset: SetPresetOption = None,
    config: ConfigOption = None,
    seed: SeedOption = 1,
    workers: WorkersOption = 1,
    executor: ExecutorOption = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="FILE.parquet",
            help="Also write one row per catalog; needed to resume.",
            show_default=False,
        ),
    ] = None,
    section: SectionOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compute the exact posterior of sigma8 from every cluster: the limit of any other estimate.

    With --out, re-run the same command to resume.
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
        echo(
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
    """Map the information on sigma8: data from N to true masses, with and without each assumption.

    With --section, re-run the same command to resume.
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
