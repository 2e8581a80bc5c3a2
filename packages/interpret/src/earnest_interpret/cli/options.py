"""Options of the commands `earnest interpret`, with the defaults of their configuration."""

from pathlib import Path
from typing import Annotated

import typer
from earnest_common.cli.options import Split

__all__ = [
    "AlsoOption",
    "CompareOption",
    "MaxCatalogsOption",
    "MaxRowsOption",
    "PermutationsOption",
    "SeedOption",
    "ShufflesOption",
    "SplitOption",
]

SplitOption = Annotated[
    Split | None,
    typer.Option("--split", help="Only catalogs of this split.", show_default="test where the set has one, else all"),
]
MaxCatalogsOption = Annotated[
    int | None,
    typer.Option("--max-catalogs", min=1, help="Largest number of catalogs, drawn at random.", show_default="500"),
]
SeedOption = Annotated[
    int | None, typer.Option("--seed", min=0, help="Seed of draws and permutations.", show_default="1")
]
MaxRowsOption = Annotated[
    int | None,
    typer.Option(
        "--max-rows", min=1, help="Largest number of clusters given to the model at a time.", show_default="200000"
    ),
]
PermutationsOption = Annotated[
    int | None,
    typer.Option("--n-permutations", min=99, max=1_000_000, help="Permutations of each test.", show_default="9999"),
]
ShufflesOption = Annotated[
    int | None,
    typer.Option("--n-shuffles", min=1, max=1_000, help="Shuffles of either kind.", show_default="2"),
]
AlsoOption = Annotated[
    list[Path] | None,
    typer.Option("--also", metavar="BUNDLE", help="Another training of the model; repeatable.", show_default=False),
]
CompareOption = Annotated[
    Path | None,
    typer.Option(
        "--compare", metavar="BUNDLE", help="Another model, such as one without weak lensing.", show_default=False
    ),
]
