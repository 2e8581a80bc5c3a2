"""`earnest model`: train a network, predict, and measure how good it is."""

from pathlib import Path
from typing import Annotated, Any

import typer
from earnest_common.cli.output import (
    ConfigOption,
    JsonOption,
    OutOption,
    SectionOption,
    SeedOption,
    SetArgument,
    emit,
    say,
)

__all__ = ["app"]

app = typer.Typer(help="Networks that infer sigma8: train, predict, evaluate.", no_args_is_help=True)

ModelOption = Annotated[Path, typer.Option("--model", metavar="BUNDLE", help="A model bundle.", show_default=False)]
SplitOption = Annotated[
    str | None,
    typer.Option("--split", help="Only catalogs of this split: train, validation, test.", show_default=False),
]


VariantOption = Annotated[
    str | None,
    typer.Option(
        "--variant",
        help="How the catalogs are seen: standard, shuffled, no-wl or ones. Default: as in training.",
        show_default=False,
    ),
]
RefereeOption = Annotated[
    Path | None,
    typer.Option(
        "--referee",
        metavar="FILE.parquet",
        help="The exact posterior of the same catalogs: earnest selfcal referee SET --out FILE.parquet.",
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
    live: Annotated[
        str | None,
        typer.Option("--live", metavar="PRESET", help="Train on fresh mocks of this preset.", show_default=False),
    ] = None,
    data: Annotated[
        Path | None, typer.Option("--data", metavar="SET", help="Train on a catalog set.", show_default=False)
    ] = None,
    source: Annotated[str, typer.Option("--source", help="Who provides live catalogs.")] = "mocks",
    live_config: Annotated[
        Path | None,
        typer.Option(
            "--live-config", metavar="FILE.toml", help="Fields that differ from the preset.", show_default=False
        ),
    ] = None,
    architecture: Annotated[str | None, typer.Option("--architecture", help="Default: pooled.")] = None,
    recipe: Annotated[str | None, typer.Option("--recipe", help="Default: fast.")] = None,
    seed: SeedOption = 1,
    encoder: Annotated[
        str | None,
        typer.Option(
            "--encoder", metavar="COLUMNS", help="What the encoder summarises, such as t_x,m_gas.", show_default=False
        ),
    ] = None,
    supplementary: Annotated[
        str | None,
        typer.Option(
            "--supplementary", metavar="COLUMNS", help="What joins the terse value, or: none.", show_default=False
        ),
    ] = None,
    drop: Annotated[
        list[str] | None,
        typer.Option("--drop", metavar="COLUMN", help="A column to leave out, such as m_wl; repeatable."),
    ] = None,
    variant: VariantOption = None,
    max_steps: Annotated[int | None, typer.Option("--max-steps", min=1, help="Budget in steps: reproducible.")] = None,
    max_seconds: Annotated[float | None, typer.Option("--max-seconds", min=1, help="Budget in seconds.")] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Train a network and write a model bundle; the same command goes on after an interruption."""
    from earnest_common.config import load_config

    from earnest_model.config import TrainingConfig
    from earnest_model.workflow import open_feed, train_bundle

    budget = {"max_steps": max_steps, "max_seconds": 0.0 if max_steps and not max_seconds else max_seconds}
    options: dict[str, Any] = {
        "architecture": architecture,
        "recipe": recipe,
        "seed": seed,
        "encoder": _columns(encoder),
        "supplementary": _columns(supplementary),
        "drop": tuple(drop) if drop else None,
        "variant": variant,
        "fast": {name: value for name, value in budget.items() if value is not None},
    }
    resolved = load_config(TrainingConfig, file=config, options=options)
    feed = open_feed(resolved, live=live, data=data, source=source, live_config=live_config)
    emit(train_bundle(resolved, feed, out), as_json=as_json)


def _columns(text: str | None) -> tuple[str, ...] | None:
    """Return the names in a list with commas; ``none`` is the empty list."""
    if text is None:
        return None
    return () if text == "none" else tuple(name.strip() for name in text.split(","))


@app.command()
def predict(
    catalog_set: SetArgument,
    *,
    model: ModelOption,
    out: OutOption,
    split: SplitOption = None,
    variant: VariantOption = None,
) -> None:
    """Infer sigma8 of every catalog of a set and write PRED.parquet."""
    from earnest_model.workflow import predict_set

    notes = predict_set(model, catalog_set, out, split=split, variant=variant)
    for note in notes:
        say(f"outside the training range: {note}")
    say(f"wrote {out}")


@app.command()
def export(
    *,
    model: ModelOption,
    kind: Annotated[str, typer.Option("--format", help="savedmodel (TensorFlow) or onnx (any runtime).")],
    out: OutOption,
    as_json: JsonOption = False,
) -> None:
    """Write the network as a graph from physical columns to sigma8, for machines without earnest."""
    from earnest_model.export import export_bundle

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
) -> None:
    """Draw the network and its training, and with catalogs what it reads and infers (the paper's figures 5 to 8)."""
    from earnest_model.workflow import write_figures

    for name in write_figures(model, catalog_set, out=out, section=section):
        say(f"wrote {name}")


@app.command()
def evaluate(
    catalog_set: SetArgument,
    *,
    model: ModelOption,
    split: SplitOption = None,
    variant: VariantOption = None,
    referee: RefereeOption = None,
    section: SectionOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare inferred with true sigma8: scatter, bias, skill, coverage, ranks, and the best that could be done."""
    from earnest_model.workflow import evaluate_set

    found = evaluate_set(model, catalog_set, split=split, variant=variant, referee=referee, section=section)
    emit(found, as_json=as_json)
