"""Options and arguments that commands of all packages share; nothing heavy is imported here."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from earnest_common.run.numbers import MOST_INTEGER, MOST_WORKERS

__all__ = [
    "ConfigOption",
    "ExecutorOption",
    "FigureOption",
    "JsonOption",
    "ModelOption",
    "OutOption",
    "SectionOption",
    "SeedOption",
    "SetArgument",
    "ShardOption",
    "Split",
    "Variant",
    "VariantOption",
    "WorkersOption",
]

Split = Literal["train", "validation", "test", "all"]
"""Parts of a catalog set that commands take: ``earnest_common.schema.SPLITS``, or all."""
Variant = Literal["standard", "shuffled", "no-wl", "ones"]
"""The names of ``earnest_common.catalogs.variants.VARIANTS``."""

SetArgument = Annotated[Path, typer.Argument(metavar="SET", help="Folder of a catalog set.", show_default=False)]
OutOption = Annotated[Path, typer.Option("--out", help="Output path; must not exist yet.", show_default=False)]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")]
ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE.toml",
        help="Configuration; command-line options take precedence.",
        show_default=False,
    ),
]
ModelOption = Annotated[Path, typer.Option("--model", metavar="BUNDLE", help="Model bundle.", show_default=False)]
VariantOption = Annotated[
    Variant | None,
    typer.Option("--variant", help="Which view of the catalogs the network gets.", show_default="as in training"),
]
SeedOption = Annotated[int, typer.Option("--seed", min=0, max=MOST_INTEGER, help="Seed of all random numbers.")]
WorkersOption = Annotated[
    int, typer.Option("--workers", min=1, max=MOST_WORKERS, help="Processes; small jobs use fewer than requested.")
]
ExecutorOption = Annotated[
    str | None,
    typer.Option("--executor", metavar="dask://HOST:PORT", help="Dask cluster to compute on.", show_default=False),
]
ShardOption = Annotated[
    str | None, typer.Option("--shard", metavar="i/N", help="Do only part i of N.", show_default=False)
]
SectionOption = Annotated[
    Path | None,
    typer.Option("--section", metavar="FILE.json", help="Also write a section for the report.", show_default=False),
]
FigureOption = Annotated[
    Path | None, typer.Option("--figure", metavar="FILE.svg", help="Also draw the result.", show_default=False)
]
