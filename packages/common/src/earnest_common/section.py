"""Report sections: figures, tables and sentences that one package writes and the report page shows."""

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, final

from earnest_common.errors import InputError
from earnest_common.files import write_atomic

__all__ = ["DataTable", "Figure", "Section", "read_section", "write_section"]

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
    record = {"format": _FORMAT, **dataclasses.asdict(section)}
    write_atomic(path, json.dumps(record, indent=1, sort_keys=True, allow_nan=False) + "\n")


def read_section(path: Path) -> Section:
    """Return the section in a file.

    Raises
    ------
    InputError
        If the file is not a report section.
    """
    try:
        record = json.loads(path.read_text())
        if record.pop("format") != _FORMAT:
            raise KeyError("format")  # noqa: TRY301 - one message for all ways to be something else
        figures = tuple(Figure(**f) for f in record.pop("figures"))
        tables = tuple(_table(t) for t in record.pop("tables"))
        return Section(**{**record, "text": tuple(record["text"])}, figures=figures, tables=tables)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        message = f"{path} is not a report section ({type(error).__name__}: {error}); write one with --section"
        raise InputError(message) from error


def _table(record: dict[str, Any]) -> DataTable:
    rows = tuple(tuple(row) for row in record["rows"])
    return DataTable(name=record["name"], columns=tuple(record["columns"]), rows=rows, caption=record["caption"])
