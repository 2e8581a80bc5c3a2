"""How commands answer: one JSON object or a short table on standard output, words on standard error."""

import json
import math
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from earnest_common.run.numbers import MOST_INTEGER, MOST_WORKERS
from earnest_common.run.records import ANSWER

__all__ = [
    "ConfigOption",
    "ExecutorOption",
    "JsonOption",
    "OutOption",
    "SectionOption",
    "SeedOption",
    "SetArgument",
    "ShardOption",
    "WorkersOption",
    "emit",
    "say",
]

SetArgument = Annotated[Path, typer.Argument(metavar="SET", help="Folder of a catalog set.", show_default=False)]
OutOption = Annotated[Path, typer.Option("--out", help="What to write; must not exist.", show_default=False)]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")]
ConfigOption = Annotated[
    Path | None, typer.Option("--config", metavar="FILE.toml", help="Fields not given as options.", show_default=False)
]
SeedOption = Annotated[int, typer.Option("--seed", min=0, max=MOST_INTEGER, help="Seed of all random numbers.")]
WorkersOption = Annotated[int, typer.Option("--workers", min=1, max=MOST_WORKERS, help="Processes on this machine.")]
ExecutorOption = Annotated[
    str | None, typer.Option("--executor", metavar="dask://HOST:PORT", help="A Dask cluster.", show_default=False)
]
ShardOption = Annotated[
    str | None, typer.Option("--shard", metavar="i/N", help="Do only this part of the work.", show_default=False)
]
SectionOption = Annotated[
    Path | None,
    typer.Option("--section", metavar="FILE.json", help="Also write a section for the report.", show_default=False),
]


def emit(answer: Mapping[str, Any], *, as_json: bool, checksum: bool = False) -> None:
    """Print a command's answer.

    Parameters
    ----------
    answer
        The result by name; numbers that are not finite become null in JSON.
    as_json
        One JSON object instead of lines of name and value.
    checksum
        Whether the object holds its own checksum, since another command may read it.
    """
    if as_json:
        sys.stdout.write(ANSWER.text(_finite(answer)) if checksum else json.dumps(_finite(answer), indent=1) + "\n")
        return
    rows = list(_rows(answer))
    width = max((len(name) for name, _ in rows), default=0)
    sys.stdout.writelines(f"{name:<{width}}  {text}\n" for name, text in rows)


def say(text: str) -> None:
    """Print words for the reader on standard error, where they do not disturb a pipe."""
    sys.stderr.write(text + "\n")


def _rows(answer: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    for name, value in answer.items():
        if isinstance(value, Mapping):
            rows += _rows(value, f"{prefix}{name}.")
        else:
            rows.append((f"{prefix}{name}", _text(value)))
    return rows


def _text(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, (list, tuple)):
        return ", ".join(_text(item) for item in value) or "none"
    return "-" if value is None else str(value)


def _finite(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(value, Mapping):
        return {name: _finite(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
