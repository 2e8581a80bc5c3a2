"""Report sections: figures, tables and sentences that one package writes and the report page shows."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, final

from earnest_common.errors import InputError
from earnest_common.report.svg import check_name, check_svg
from earnest_common.run.files import write_atomic
from earnest_common.run.numbers import json_ready
from earnest_common.run.records import RecordFormat

__all__ = ["DataTable", "Figure", "Section", "read_section", "section_text", "write_section"]

_OLD_FORMAT = "earnest-section-1"
_RECORD = RecordFormat(
    name="earnest-section",
    version=2,
    what="report section",
    remedy="write one with --section, or copy it again",
    is_old=lambda record: record.get("format") == _OLD_FORMAT and "format_version" not in record,
)


@final
@dataclass(frozen=True, kw_only=True)
class Figure:
    """One figure as an SVG document.

    Attributes
    ----------
    name
        Short identifier, unique on a page: letters, digits, ``-``, ``_`` and ``.``.
    svg
        The SVG text, which draws and does nothing else.
    alt
        What the figure shows, for those who cannot see it.
    caption
        One sentence that says what it shows, with its numbers.

    Raises
    ------
    InputError
        If the name is not plain, or the text is not an SVG document without scripts and references to other files.
    """

    name: str
    svg: str
    alt: str
    caption: str

    def __post_init__(self) -> None:
        check_name(self.name)
        check_svg(self.svg, name=self.name)


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
    """Return a section as the text of its JSON file; numbers that are not finite become null."""
    return _RECORD.text(json_ready(dataclasses.asdict(section)))


def read_section(path: Path) -> Section:
    """Return the section in a file.

    Raises
    ------
    InputError
        If the file is not there, cannot be read or is not a report section.
    VersionError
        If a newer release wrote it.
    IntegrityError
        If it was altered.
    """
    record = _RECORD.content(path)
    try:
        figures = tuple(Figure(**f) for f in record.pop("figures"))
        tables = tuple(_table(t) for t in record.pop("tables"))
        return Section(**{**record, "text": tuple(record["text"])}, figures=figures, tables=tables)
    except KeyError as error:
        raise _other(path, f"it lacks the key {error}") from error
    except (TypeError, AttributeError) as error:
        raise _other(path, f"its parts are not those of a section, {error}") from error
    except InputError as error:  # of a figure
        raise InputError(f"report section {path}: {error}") from error


def _other(path: Path, why: str) -> InputError:
    return InputError(f"{path} is not a report section: {why}; write one with --section")


def _table(record: dict[str, Any]) -> DataTable:
    rows = tuple(tuple(row) for row in record["rows"])
    return DataTable(name=record["name"], columns=tuple(record["columns"]), rows=rows, caption=record["caption"])
