"""Results of commands on standard output, as one JSON object or a short table; notes on standard error."""

import json
import sys
from collections.abc import Mapping
from typing import Any

from earnest_common.run.numbers import json_ready
from earnest_common.run.progress import is_quiet
from earnest_common.run.records import ANSWER

__all__ = ["echo", "emit"]


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
        sys.stdout.write(
            ANSWER.text(json_ready(answer)) if checksum else json.dumps(json_ready(answer), indent=1) + "\n"
        )
        return
    rows = list(_rows(answer))
    width = max((len(name) for name, _ in rows), default=0)
    sys.stdout.writelines(f"{name:<{width}}  {text}\n" for name, text in rows)


def echo(text: str) -> None:
    """Print a note on standard error, where it does not disturb a pipe; nothing with ``--quiet``."""
    if not is_quiet():
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
