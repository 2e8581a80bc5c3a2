"""`earnest model`: train networks, predict, and measure how good they are."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from earnest_common.cli.options import (
    ConfigOption,
    ExecutorOption,
    JsonOption,
    ModelOption,
    OutOption,
    SectionOption,
    SeedOption,
    SetArgument,
    Split,
    VariantOption,
    WorkersOption,
)
from earnest_common.cli.output import echo, emit

from earnest_model.cli.training_options import (
    ArchitectureOption,
    DataOption,
    LiveConfigOption,
    LiveOption,
    MaxSecondsOption,
    MaxStepsOption,
    RecipeOption,
    SeedsOption,
    SourceOption,
    columns,
    training_config,
)

__all__ = ["app"]

app = typer.Typer(help="Networks that infer sigma8: train, predict, evaluate.", no_args_is_help=True)

SplitOption = Annotated[
    Literal["train", "validation", "test"] | None,
    typer.Option("--split", help="Only catalogs of this split.", show_default="all"),
]
RefereeOption = Annotated[
    Path | None,
    typer.Option(
        "--referee",
        metavar="FILE.parquet",
        help="Exact posteriors of the same catalogs, from: earnest selfcal referee SET --out FILE.parquet.",
        show_default=False,
    ),
]


@app.callback()
def _group() -> None:
    """Networks that infer sigma8: train, predict, evaluate."""


@app.command()
def train(
    *,
    out: OutOption,
    live: LiveOption = None,
    data: DataOption = None,
    source: SourceOption = "mocks",
    live_config: LiveConfigOption = None,
    architecture: ArchitectureOption = None,
    recipe: RecipeOption = None,
    seed: SeedOption = 1,
    seeds: SeedsOption = 1,
    encoder: Annotated[
        str | None,
        typer.Option(
            "--encoder",
            metavar="COLUMNS",
            help="Columns that the encoder summarises, such as t_x,m_gas.",
            show_default=False,
        ),
    ] = None,
    supplementary: Annotated[
        str | None,
        typer.Option(
            "--supplementary",
            metavar="COLUMNS",
            help="Columns that join the terse value, or: none.",
            show_default=False,
        ),
    ] = None,
    drop: Annotated[
        list[str] | None,
        typer.Option("--drop", metavar="COLUMN", help="Column to leave out, such as m_wl; repeatable."),
    ] = None,
    variant: VariantOption = None,
    labels: Annotated[
        str | None,
        typer.Option(
            "--labels",
            metavar="COLUMNS",
            help="Parameters to infer, such as sigma8,Om0: the marginal posterior of each.",
            show_default="sigma8",
        ),
    ] = None,
    max_steps: MaxStepsOption = None,
    max_seconds: MaxSecondsOption = None,
    config: ConfigOption = None,
    workers: WorkersOption = 1,
    executor: ExecutorOption = None,
    as_json: JsonOption = False,
) -> None:
    """Train a network and write a model bundle. Re-run the same command to resume.

    With --seeds 5 the bundle is an ensemble of five networks, trained in --workers processes or on a cluster; what is
    said of its reasons then holds for all of them.
    """
    from earnest_common.errors import InputError

    from earnest_model.training.bundles import train_bundle
    from earnest_model.training.ensemble import train_ensemble
    from earnest_model.training.seeds import Training

    options: dict[str, Any] = {
        "architecture": architecture,
        "recipe": recipe,
        "seed": seed,
        "encoder": columns(encoder),
        "supplementary": columns(supplementary),
        "drop": tuple(drop) if drop else None,
        "variant": variant,
        "labels": columns(labels),
    }
    resolved = training_config(config, max_steps=max_steps, max_seconds=max_seconds, options=options)
    training = Training(config=resolved, out=out, live=live, data=data, source=source, live_config=live_config)
    if executor is not None and seeds == 1:
        raise InputError("--executor divides several trainings; give --seeds 2 or more, or leave it out")
    if seeds > 1:
        numbers = train_ensemble(training, seeds, workers=workers, executor=executor)
    else:
        numbers = train_bundle(resolved, training.feed(), out)
    if numbers["warning"]:
        echo(f"warning: {numbers['warning']}")
    emit(numbers, as_json=as_json)


@app.command()
def table4(
    *,
    out: Annotated[
        Path, typer.Option("--out", metavar="FOLDER", help="Bundles, records and table4.json.", show_default=False)
    ],
    live: LiveOption = None,
    data: DataOption = None,
    test: Annotated[
        Path | None,
        typer.Option(
            "--test",
            metavar="SET",
            help="Catalogs for all rows. Default: 4,968 of the preset that no training draws, or the split test of "
            "--data.",
            show_default=False,
        ),
    ] = None,
    split: SplitOption = None,
    source: SourceOption = "mocks",
    live_config: LiveConfigOption = None,
    architecture: ArchitectureOption = None,
    recipe: RecipeOption = None,
    seed: SeedOption = 1,
    seeds: SeedsOption = 3,
    max_steps: MaxStepsOption = None,
    max_seconds: MaxSecondsOption = None,
    config: ConfigOption = None,
    workers: WorkersOption = 1,
    executor: ExecutorOption = None,
    section: SectionOption = None,
    as_json: JsonOption = False,
) -> None:
    """Measure table 4 of the paper anew: Standard, Shuffled, No WL, N alone, an array of ones.

    Compare each row with the paper's number and, with earnest-selfcal, with the limit. Re-run the same command to
    resume, also with more --seeds. Without --live and --data, train on fresh mocks of preset 'paper'.
    """
    from earnest_common.report.drawing import require_matplotlib
    from earnest_common.report.section import write_section
    from earnest_common.run.files import refuse_existing

    from earnest_model.report.table4 import table4_section, table4_text
    from earnest_model.table4.table4 import table4 as measured
    from earnest_model.table4.test_catalogs import held_out_for
    from earnest_model.training.seeds import Training

    options = {"architecture": architecture, "recipe": recipe, "seed": seed}
    resolved = training_config(config, max_steps=max_steps, max_seconds=max_seconds, options=options)
    live = "paper" if live is None and data is None else live
    training = Training(config=resolved, out=out, live=live, data=data, source=source, live_config=live_config)
    held_out = held_out_for(training, test=test, split=split)
    if section is not None:
        refuse_existing(section)
        require_matplotlib()
    table = measured(training, held_out, n_seeds=seeds, workers=workers, executor=executor)
    if section is not None:
        write_section(section, table4_section(table))
    if as_json:
        emit(table, as_json=True)
    else:
        typer.echo(table4_text(table))


@app.command()
def predict(
    catalog_set: SetArgument,
    *,
    model: ModelOption,
    out: OutOption,
    split: SplitOption = None,
    variant: VariantOption = None,
    as_json: JsonOption = False,
) -> None:
    """Infer sigma8 of every catalog of a set; write a table, as Parquet or, where --out ends in .csv, as CSV."""
    from earnest_model.cli.operations import predict_set

    notes = predict_set(model, catalog_set, out, split=split, variant=variant)
    for note in notes:
        echo(note)
    emit({"path": str(out), "notes": notes}, as_json=as_json)


@app.command()
def export(
    *,
    model: ModelOption,
    kind: Annotated[
        Literal["savedmodel", "onnx"],
        typer.Option("--format", help="TensorFlow's SavedModel, or ONNX.", show_default=False),
    ],
    out: OutOption,
    as_json: JsonOption = False,
) -> None:
    """Export the network as a graph from physical columns to sigma8, for machines without earnest."""
    from earnest_model.bundle.export import export_bundle

    emit(export_bundle(model, out, kind=kind), as_json=as_json)


@app.command()
def figures(
    catalog_set: Annotated[
        Path | None, typer.Argument(metavar="[SET]", help="Catalogs for the inputs and estimates.", show_default=False)
    ] = None,
    *,
    model: ModelOption,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FOLDER", help="Write the figures as SVG files.", show_default=False)
    ] = None,
    section: SectionOption = None,
    as_json: JsonOption = False,
) -> None:
    """Draw the network and its training, and with a set its inputs and estimates (the paper's figures 5 to 8)."""
    from earnest_model.cli.operations import write_figures

    written = write_figures(model, catalog_set, out=out, section=section)
    emit({"paths": [str(path) for path in written]}, as_json=as_json)


@app.command()
def evaluate(
    catalog_set: SetArgument,
    *,
    model: ModelOption,
    split: Annotated[
        Split | None,
        typer.Option(
            "--split", help="Only catalogs of this split.", show_default="all; test of the set used for training"
        ),
    ] = None,
    variant: VariantOption = None,
    referee: RefereeOption = None,
    section: SectionOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare inferred with true sigma8: scatter, bias, skill, coverage, ranks, and the limit."""
    from earnest_model.cli.operations import evaluate_set

    found = evaluate_set(model, catalog_set, split=split, variant=variant, referee=referee, section=section)
    if found["note"]:
        echo(found["note"])
    emit(found, as_json=as_json, checksum=True)
