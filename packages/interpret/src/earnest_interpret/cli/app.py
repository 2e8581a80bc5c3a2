"""`earnest interpret`: why a model infers what it infers."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from earnest_common.cli.options import ConfigOption, JsonOption, ModelOption, OutOption, SectionOption, SetArgument
from earnest_common.cli.output import echo, emit

from earnest_interpret.cli.options import (
    AlsoOption,
    CompareOption,
    MaxCatalogsOption,
    MaxRowsOption,
    PermutationsOption,
    SeedOption,
    ShufflesOption,
    SplitOption,
)
from earnest_interpret.cli.verdict import applicability, verdict

if TYPE_CHECKING:
    from earnest_interpret.cli.inputs import Inputs

__all__ = ["app"]

app = typer.Typer(help="Reasons: leave-one-out, saliency, the terse value, the report.", no_args_is_help=True)


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
    """Compute the change of sigma8 without each cluster: catalog_id, cluster_id, delta_sigma8 (Parquet)."""
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
        settings={"command": "leave-one-out"},
    )
    _tell(inputs, leave_one_out_command(inputs, out=out, section=section), None if as_json else leave_one_out_rows)


@app.command()
def saliency(
    catalog_set: SetArgument,
    *,
    model: ModelOption,
    out: OutOption,
    of: Annotated[Literal["terse", "sigma8"], typer.Option(help="Quantity to differentiate.")] = "terse",
    method: Annotated[
        Literal["gradient", "smoothgrad", "integrated", "occlusion"], typer.Option(help="Kind of attribution.")
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
    """Compute the saliency of every scaled input in every cluster: signed gradients or attributions (Parquet)."""
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
        settings={"command": "saliency", "of": of, "method": method},
        also=also or (),
        compare=compare,
    )
    answer = saliency_command(inputs, of=of, method=method, out=out, section=section)
    if answer["warning"]:
        echo(f"warning: {answer['warning']}")
    _tell(inputs, answer, None if as_json else saliency_rows)


@app.command()
def ablation(
    catalog_set: SetArgument,
    *,
    model: ModelOption,
    out: Annotated[
        Path | None, typer.Option("--out", help="Also write inferred sigma8 per catalog (Parquet).", show_default=False)
    ] = None,
    section: SectionOption = None,
    split: SplitOption = None,
    max_catalogs: MaxCatalogsOption = None,
    max_rows: MaxRowsOption = None,
    n_shuffles: ShufflesOption = None,
    seed: SeedOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Measure what the terse value is worth: the scatter of sigma8 with the encoder's inputs shuffled or constant."""
    from earnest_interpret.cli.commands import ablation_command, table_paths
    from earnest_interpret.cli.inputs import open_inputs
    from earnest_interpret.page.brief import ablation_rows

    options = {"split": split, "max_catalogs": max_catalogs, "max_rows": max_rows, "seed": seed}
    options["n_shuffles"] = n_shuffles
    inputs = open_inputs(
        catalog_set,
        model,
        config=config,
        options=options,
        outputs=(*table_paths(out), section),
        settings={"command": "ablation"},
    )
    _tell(inputs, ablation_command(inputs, out=out, section=section), None if as_json else ablation_rows)


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
    """Correlate the terse value with cluster properties, with sigma8 at fixed mass, and with mass as a proxy."""
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
        settings={"command": "terse"},
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
    """Measure how well the terse value predicts mass, compared with M_gas and Y_X, and fit a short formula to it."""
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
        settings={"command": "proxy"},
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
        typer.Option(metavar="SECTION.json", help="Section of another command; repeatable.", show_default=False),
    ] = None,
    summary: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE.json", help="Headline numbers, from: earnest model evaluate --json.", show_default=False
        ),
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
    """Write one page on how accurate the model is and why, and its numbers as JSON."""
    from earnest_common.catalogs import CatalogSet

    from earnest_interpret.answers.verdict import verdict_section_of
    from earnest_interpret.cli.commands import read_included, report_command
    from earnest_interpret.cli.inputs import open_inputs
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
        settings={"command": "report", "title": title, "included": included.hashes},
        also=also or (),
        compare=compare,
    )
    numbers = report_command(
        inputs,
        out=out,
        included=included,
        title=title,
        figures=figures,
        verdict=verdict_section_of(
            inputs.responses, inputs.sample, CatalogSet.open(catalog_set), bundle=model, config=inputs.config
        ),
    )
    if as_json:
        emit({**numbers, "page": str(out)}, as_json=True)
        return
    if numbers["synthetic"]:
        echo(f"synthetic data: {numbers['synthetic']}")
    for reason in numbers["reasons"]:
        echo(f"- {reason}")
    echo(f"wrote {out} and {out.with_suffix('.json')}")


def _tell(inputs: "Inputs", answer: dict[str, Any], rows: Callable[[dict[str, Any]], dict[str, Any]] | None) -> None:
    """Print every number as JSON, or sentences and a few rows."""
    echo(f"interpreted {inputs.sample.text}")
    if rows is None:
        emit(answer, as_json=True)
        return
    if answer["synthetic"]:
        echo(f"synthetic data: {answer['synthetic']}")
    for reason in answer["reasons"]:
        echo(f"- {reason}")
    emit(rows(answer), as_json=False)
