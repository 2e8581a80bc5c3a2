"""Options of the commands that train, and the configuration that they add up to."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

if TYPE_CHECKING:
    from earnest_model.config import TrainingConfig

__all__ = [
    "ArchitectureOption",
    "DataOption",
    "LiveConfigOption",
    "LiveOption",
    "MaxSecondsOption",
    "MaxStepsOption",
    "RecipeOption",
    "SeedsOption",
    "SourceOption",
    "columns",
    "training_config",
]

_PRESETS = (
    "paper",
    "paper-msun",
    "paper-h",
    "realistic",
    "overspecialised",
)  # of the source `mocks`; others have their own
LiveOption = Annotated[
    str | None,
    typer.Option(
        "--live",
        metavar="PRESET",
        help="Train on fresh mocks of this preset, such as paper, paper-h or realistic.",
        autocompletion=lambda incomplete: [name for name in _PRESETS if name.startswith(incomplete)],
        show_default=False,
    ),
]
DataOption = Annotated[
    Path | None, typer.Option("--data", metavar="SET", help="Train on a catalog set.", show_default=False)
]
SourceOption = Annotated[str, typer.Option("--source", help="Package that provides live catalogs.")]
LiveConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--live-config",
        metavar="FILE.toml",
        help="Configuration of the live source, on top of its preset.",
        show_default=False,
    ),
]
Architectures = Literal["pooled", "paper"]
"""The names of ``earnest_model.networks.ARCHITECTURES``."""
Recipes = Literal["fast", "paper"]
"""The names of ``earnest_model.training.recipes.RECIPES``."""
ArchitectureOption = Annotated[
    Architectures | None, typer.Option("--architecture", help="Kind of network.", show_default="pooled")
]
RecipeOption = Annotated[Recipes | None, typer.Option("--recipe", help="How to train.", show_default="fast")]
SeedsOption = Annotated[
    int, typer.Option("--seeds", min=1, max=1000, help="Number of trainings, with seeds from --seed on.")
]
MaxStepsOption = Annotated[int | None, typer.Option("--max-steps", min=1, help="Budget in steps: reproducible.")]
MaxSecondsOption = Annotated[
    float | None,
    typer.Option(
        "--max-seconds", min=1, help="Budget in seconds, including the first catalogs and building the network."
    ),
]


def training_config(
    config: Path | None, *, max_steps: int | None, max_seconds: float | None, options: dict[str, Any]
) -> "TrainingConfig":
    """Return the configuration of a training: an option wins over the file, also a budget of steps over one of seconds.

    Raises
    ------
    InputError
        If both budgets are given, or one to a recipe that has none.
    """
    from earnest_common.errors import InputError
    from earnest_common.run.config import load_config

    from earnest_model.config import TrainingConfig

    if max_steps and max_seconds:
        raise InputError(
            f"give either --max-steps {max_steps} or --max-seconds {max_seconds:g}, not both: each ends the training"
        )
    budget = {"max_steps": max_steps, "max_seconds": 0.0 if max_steps else max_seconds}
    fast = {name: value for name, value in budget.items() if value is not None}
    found = load_config(TrainingConfig, file=config, options={**options, "fast": fast})
    if fast and found.recipe == "paper":
        raise InputError(
            "recipe 'paper' counts epochs: set them under [paper_recipe] in --config, not with --max-steps"
        )
    return found


def columns(text: str | None) -> tuple[str, ...] | None:
    """Return the names in a list with commas; ``none`` is the empty list."""
    if text is None:
        return None
    return () if text == "none" else tuple(name.strip() for name in text.split(","))
