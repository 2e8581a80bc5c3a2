"""Report sections: figures, tables and sentences that one package writes and the report page shows."""

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, final

from earnest_common.errors import InputError
from earnest_common.files import write_atomic

__all__ = ["DataTable", "Figure", "Section", "read_section", "section_text", "write_section"]

_FORMAT = "earnest-section-1"


@final
@dataclass(frozen=True, kw_only=True)
class Figure:
    """One figure as an SVG document.

    Attributes
    ----------
    name
        Short identifier, unique on a page.
    svg
        The SVG text.
    alt
        What the figure shows, for those who cannot see it.
    caption
        One sentence that says what it shows, with its numbers.
    """

    name: str
    svg: str
    alt: str
    caption: str


@final
@dataclass(frozen=True, kw_only=True)
class DataTable:
    """One table: named columns and rows of text or numbers."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str | float | int | None, ...], ...]
    caption: str


@final
@dataclass(frozen=True, kw_only=True)
class Section:
    """A part of the report.

    Attributes
    ----------
    key
        Short identifier, such as ``"accuracy"``; the page orders sections by it.
    title
        The question that the section answers.
    text
        Paragraphs of plain text.
    figures, tables
        What is shown.
    summary
        Headline numbers by name, for the top of the page and for programs.
    provenance
        How the section was made.
    """

    key: str
    title: str
    text: tuple[str, ...] = ()
    figures: tuple[Figure, ...] = ()
    tables: tuple[DataTable, ...] = ()
    summary: Mapping[str, Any] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)


def write_section(path: Path, section: Section) -> None:
    """Write a section as one JSON file."""
    write_atomic(path, section_text(section))


def section_text(section: Section) -> str:
    """Return a section as the text of its JSON file."""
    record = {"format": _FORMAT, **dataclasses.asdict(section)}
    return json.dumps(record, indent=1, sort_keys=True, allow_nan=False) + "\n"


def read_section(path: Path) -> Section:
    """Return the section in a file.

    Raises
    ------
    InputError
        If the file is not there, cannot be read or is not a report section.
    """
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputError(f"report section {path}: there is no such file; write one with --section") from error
    except OSError as error:
        raise InputError(f"report section {path} cannot be read: {error.strerror}") from error
    except ValueError as error:  # also bytes that are no UTF-8
        raise _other(path, f"it is not JSON, {error}") from error
    if not isinstance(record, dict):
        raise _other(path, "its JSON is no object")
    return _section(path, record)


def _section(path: Path, record: dict[str, Any]) -> Section:
    try:
        if (found := record.pop("format")) != _FORMAT:
            raise _other(path, f"its format is {found!r}, not {_FORMAT!r}")
        figures = tuple(Figure(**f) for f in record.pop("figures"))
        tables = tuple(_table(t) for t in record.pop("tables"))
        return Section(**{**record, "text": tuple(record["text"])}, figures=figures, tables=tables)
    except KeyError as error:
        raise _other(path, f"it lacks the key {error}") from error
    except (TypeError, AttributeError) as error:
        raise _other(path, f"its parts are not those of a section, {error}") from error


def _other(path: Path, why: str) -> InputError:
    return InputError(f"{path} is not a report section: {why}; write one with --section")


def _table(record: dict[str, Any]) -> DataTable:
    rows = tuple(tuple(row) for row in record["rows"])
    return DataTable(name=record["name"], columns=tuple(record["columns"]), rows=rows, caption=record["caption"])
