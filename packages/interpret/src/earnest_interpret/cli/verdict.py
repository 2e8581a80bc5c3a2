"""Commands that answer yes or no: whether a model is overspecialised, and whether it may be applied to a catalog."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from earnest_common.cli.options import ConfigOption, JsonOption, ModelOption, SectionOption, SetArgument
from earnest_common.cli.output import echo, emit

from earnest_interpret.cli.options import MaxCatalogsOption, MaxRowsOption, PermutationsOption, SeedOption, SplitOption

__all__ = ["applicability", "verdict"]


def verdict(
    catalog_set: SetArgument,
    *,
    model: ModelOption,
    alpha: Annotated[float, typer.Option(min=1e-4, max=0.5, help="Family-wise false-alarm rate.")] = 0.05,
    section: SectionOption = None,
    split: SplitOption = None,
    max_catalogs: MaxCatalogsOption = None,
    max_rows: MaxRowsOption = None,
    n_permutations: PermutationsOption = None,
    seed: SeedOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Test whether a model is overspecialised (exit code 1 if it is).

    Needs at least 60 labelled mock catalogs that the model was NOT trained on.
    """
    from earnest_interpret.cli.inputs import open_inputs
    from earnest_interpret.cli.verdict_command import enough_catalogs, verdict_command

    options = {"split": split, "max_catalogs": max_catalogs, "max_rows": max_rows, "seed": seed}
    options["n_permutations"] = n_permutations
    inputs = open_inputs(
        catalog_set,
        model,
        config=config,
        options=options,
        outputs=(section,),
        settings={"command": "verdict", "alpha": alpha},
        check=lambda sample: enough_catalogs(sample, catalog_set),
    )
    numbers = verdict_command(inputs, catalog_set, model, alpha=alpha, section=section)
    echo(f"judged on {inputs.sample.text}")
    if as_json:
        emit(numbers, as_json=True)
    else:
        _label(numbers)
        for check in numbers["checks"]:
            echo(f"- {check['text']}")
        emit({name: numbers[name] for name in ("overspecialised", "p_value", "alpha")}, as_json=False)
    if numbers["overspecialised"]:
        raise typer.Exit(1)


def applicability(
    source: Annotated[
        Path, typer.Argument(metavar="SET|FILE.parquet", help="Catalogs to apply the model to.", show_default=False)
    ],
    *,
    model: ModelOption,
    training: Annotated[
        Path,
        typer.Option("--training", metavar="SET", help="Catalogs like those used for training.", show_default=False),
    ],
    section: SectionOption = None,
    split: SplitOption = None,
    max_catalogs: Annotated[
        int | None,
        typer.Option(
            "--max-catalogs", min=1, help="Largest number of catalogs of SET, drawn at random.", show_default="200"
        ),
    ] = None,
    max_training: Annotated[
        int | None,
        typer.Option(
            "--max-training", min=100, help="Largest number of catalogs of the training.", show_default="1000"
        ),
    ] = None,
    max_rows: MaxRowsOption = None,
    seed: SeedOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Judge whether a model may be applied to an observed or foreign catalog: yes, with care or no (exit code 1)."""
    from earnest_interpret.cli.applicability_command import applicability_command

    options = {"split": split, "max_catalogs": max_catalogs, "max_training": max_training}
    options |= {"max_rows": max_rows, "seed": seed}
    numbers = applicability_command(
        source, model=model, training=training, config=config, options=options, section=section
    )
    if as_json:
        emit(numbers, as_json=True)
    else:
        _label(numbers)
        for reason in numbers["reasons"]:
            echo(f"- {reason}")
        emit({name: numbers[name] for name in ("answer", "n_catalogs", "n_clusters", "n_training")}, as_json=False)
    if numbers["answer"] == "no":
        raise typer.Exit(1)


def _label(numbers: Mapping[str, Any]) -> None:
    if numbers["synthetic"]:
        echo(f"synthetic data: {numbers['synthetic']}")
