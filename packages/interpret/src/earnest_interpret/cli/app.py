"""`earnest interpret`: why a model infers what it infers."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from earnest_common.cli.output import ConfigOption, JsonOption, OutOption, SectionOption, SetArgument, emit, say

from earnest_interpret.cli.verdict import MOST_PERMUTATIONS, applicability, verdict

if TYPE_CHECKING:
    from earnest_interpret.cli.inputs import Inputs

__all__ = ["app"]

app = typer.Typer(help="Reasons: leave-one-out, saliency, the terse value, the report.", no_args_is_help=True)

ModelOption = Annotated[
    Path, typer.Option("--model", metavar="BUNDLE", help="Folder of a trained model.", show_default=False)
]
SplitOption = Annotated[
    str | None,
    typer.Option(help="train, validation, test or all [test where the set has one, else all].", show_default=False),
]
MaxCatalogsOption = Annotated[
    int | None, typer.Option(min=1, help="Most catalogs, drawn at random [500].", show_default=False)
]
SeedOption = Annotated[int | None, typer.Option(min=0, help="Seed of draws and permutations [1].", show_default=False)]
MaxRowsOption = Annotated[
    int | None, typer.Option(min=1, help="Most clusters in memory of the model at a time [200000].", show_default=False)
]
PermutationsOption = Annotated[
    int | None,
    typer.Option(
        "--n-permutations", min=1, max=MOST_PERMUTATIONS, help="Shuffles of the test [9999].", show_default=False
    ),
]
AlsoOption = Annotated[
    list[Path] | None,
    typer.Option(metavar="BUNDLE", help="Another training of the model; may be repeated.", show_default=False),
]
CompareOption = Annotated[
    Path | None,
    typer.Option(metavar="BUNDLE", help="Another model, as one without weak lensing.", show_default=False),
]


@app.callback()
def _group() -> None:
    """Reasons: leave-one-out, saliency, the terse value, the report."""


app.command()(verdict)
app.command()(applicability)


@app.command("leave-one-out")
def leave_one_out(
    catalog_set: SetArgument,
    *,
    model: ModelOption,
    out: OutOption,
    section: SectionOption = None,
    split: SplitOption = None,
    max_catalogs: MaxCatalogsOption = None,
    max_rows: MaxRowsOption = None,
    seed: SeedOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write how sigma8 moves when each cluster is left out: catalog_id, cluster_id, delta_sigma8 (Parquet)."""
    from earnest_interpret.cli.commands import leave_one_out_command, table_paths
    from earnest_interpret.cli.inputs import open_inputs
    from earnest_interpret.page.brief import leave_one_out_rows

    options = {"split": split, "max_catalogs": max_catalogs, "max_rows": max_rows, "seed": seed}
    inputs = open_inputs(
        catalog_set,
        model,
        config=config,
        options=options,
        outputs=(*table_paths(out), section),
        asked={"command": "leave-one-out"},
    )
    _tell(inputs, leave_one_out_command(inputs, out=out, section=section), None if as_json else leave_one_out_rows)


@app.command()
def saliency(
    catalog_set: SetArgument,
    *,
    model: ModelOption,
    out: OutOption,
    of: Annotated[Literal["terse", "sigma8"], typer.Option(help="What is differentiated.")] = "terse",
    method: Annotated[
        Literal["gradient", "smoothgrad", "integrated", "occlusion"], typer.Option(help="What stands for the gradient.")
    ] = "gradient",
    also: AlsoOption = None,
    compare: CompareOption = None,
    section: SectionOption = None,
    split: SplitOption = None,
    max_catalogs: MaxCatalogsOption = None,
    max_rows: MaxRowsOption = None,
    seed: SeedOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write what every scaled input does in every cluster: signed gradients, or what the input adds (Parquet)."""
    from earnest_interpret.cli.commands import saliency_command, table_paths
    from earnest_interpret.cli.inputs import open_inputs
    from earnest_interpret.page.brief import saliency_rows

    options = {"split": split, "max_catalogs": max_catalogs, "max_rows": max_rows, "seed": seed}
    inputs = open_inputs(
        catalog_set,
        model,
        config=config,
        options=options,
        outputs=(*table_paths(out), section),
        asked={"command": "saliency", "of": of, "method": method},
        also=also or (),
        compare=compare,
    )
    answer = saliency_command(inputs, of=of, method=method, out=out, section=section)
    if answer["warning"]:
        say(f"warning: {answer['warning']}")
    _tell(inputs, answer, None if as_json else saliency_rows)


@app.command()
def terse(
    catalog_set: SetArgument,
    *,
    model: ModelOption,
    out: Annotated[
        Path | None, typer.Option("--out", help="Also write terse values per cluster (Parquet).", show_default=False)
    ] = None,
    section: SectionOption = None,
    split: SplitOption = None,
    max_catalogs: MaxCatalogsOption = None,
    max_rows: MaxRowsOption = None,
    n_permutations: PermutationsOption = None,
    seed: SeedOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say what the terse value follows, whether it knows sigma8 at fixed mass, and how good a mass proxy it is."""
    from earnest_interpret.cli.commands import table_paths, terse_command
    from earnest_interpret.cli.inputs import open_inputs
    from earnest_interpret.page.brief import terse_rows

    options = {"split": split, "max_catalogs": max_catalogs, "max_rows": max_rows, "seed": seed}
    options["n_permutations"] = n_permutations
    inputs = open_inputs(
        catalog_set,
        model,
        config=config,
        options=options,
        outputs=(*table_paths(out), section),
        asked={"command": "terse"},
    )
    _tell(inputs, terse_command(inputs, out=out, section=section), None if as_json else terse_rows)


@app.command()
def proxy(
    catalog_set: SetArgument,
    *,
    model: ModelOption,
    out: Annotated[
        Path | None, typer.Option("--out", help="Also write errors per cluster (Parquet).", show_default=False)
    ] = None,
    section: SectionOption = None,
    split: SplitOption = None,
    max_catalogs: MaxCatalogsOption = None,
    max_rows: MaxRowsOption = None,
    seed: SeedOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say how well the terse value predicts mass beside M_gas and Y_X, and which short formula it follows."""
    from earnest_interpret.cli.commands import proxy_command, table_paths
    from earnest_interpret.cli.inputs import open_inputs
    from earnest_interpret.page.brief import proxy_rows

    options = {"split": split, "max_catalogs": max_catalogs, "max_rows": max_rows, "seed": seed}
    inputs = open_inputs(
        catalog_set,
        model,
        config=config,
        options=options,
        outputs=(*table_paths(out), section),
        asked={"command": "proxy"},
    )
    _tell(inputs, proxy_command(inputs, out=out, section=section), None if as_json else proxy_rows)


@app.command()
def report(
    catalog_set: SetArgument,
    *,
    model: ModelOption,
    out: OutOption,
    include: Annotated[
        list[Path] | None,
        typer.Option(metavar="SECTION.json", help="Section of another command; may be repeated.", show_default=False),
    ] = None,
    summary: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE.json", help="Headline numbers (--json of evaluate).", show_default=False),
    ] = None,
    title: Annotated[str | None, typer.Option(help="Heading of the page.", show_default=False)] = None,
    figures: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Also write every figure as an SVG file.", show_default=False),
    ] = None,
    also: AlsoOption = None,
    compare: CompareOption = None,
    split: SplitOption = None,
    max_catalogs: MaxCatalogsOption = None,
    max_rows: MaxRowsOption = None,
    n_permutations: PermutationsOption = None,
    seed: SeedOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write one page that shows how accurate the model is and why, and its numbers beside it as JSON."""
    from earnest_interpret.cli.commands import read_included, report_command
    from earnest_interpret.cli.inputs import open_inputs
    from earnest_interpret.cli.verdict_command import judged
    from earnest_interpret.page.report import beside_page

    options = {"split": split, "max_catalogs": max_catalogs, "max_rows": max_rows, "seed": seed}
    options["n_permutations"] = n_permutations
    included = read_included(include or [], summary or [])
    inputs = open_inputs(
        catalog_set,
        model,
        config=config,
        options=options,
        outputs=(out, beside_page(out), figures),
        asked={"command": "report", "title": title, "included": included.hashes},
        also=also or (),
        compare=compare,
    )
    numbers = report_command(
        inputs,
        out=out,
        included=included,
        title=title,
        figures=figures,
        judged=judged(inputs, catalog_set, model),
    )
    if as_json:
        emit({**numbers, "page": str(out)}, as_json=True)
        return
    if numbers["synthetic"]:
        say(f"synthetic data: {numbers['synthetic']}")
    for reason in numbers["reasons"]:
        say(f"- {reason}")
    say(f"wrote {out} and {out.with_suffix('.json')}")


def _tell(inputs: "Inputs", answer: dict[str, Any], rows: Callable[[dict[str, Any]], dict[str, Any]] | None) -> None:
    """Print every number as JSON, or sentences and a few rows."""
    say(f"interpreted {inputs.sample.text}")
    if rows is None:
        emit(answer, as_json=True)
        return
    if answer["synthetic"]:
        say(f"synthetic data: {answer['synthetic']}")
    for reason in answer["reasons"]:
        say(f"- {reason}")
    emit(rows(answer), as_json=False)
