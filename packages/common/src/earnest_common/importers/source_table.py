"""A published table as it is: columns of text or numbers, their stated units, and where each row stands."""

import csv
import gzip
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import final

import polars as pl

from earnest_common.errors import InputError
from earnest_common.importers.mapping import Reader

__all__ = ["SourceTable", "read_table"]

_SUFFIXES = {
    ".csv": "csv",
    ".dat": "whitespace",
    ".txt": "whitespace",
    ".fits": "fits",
    ".fit": "fits",
    ".vot": "votable",
    ".votable": "votable",
    ".xml": "votable",
    ".ecsv": "ecsv",
}
_BRACKETS = re.compile(r"^(?P<base>[^\[(]+?)\s*[\[(](?P<unit>[^\])]*)[\])]$")


@final
@dataclass(frozen=True, kw_only=True)
class SourceTable:
    """A table before any meaning is given to its columns.

    Attributes
    ----------
    path
        The file it was read from.
    frame
        Its columns under their own names; text tables hold text.
    units
        The unit that the file itself states for a column, where it states one.
    lines
        Line of the file for each row of a text table; empty for a binary one.
    null
        Texts that stand for an unknown value.
    """

    path: str
    frame: pl.DataFrame
    units: dict[str, str] = field(default_factory=dict)
    lines: tuple[int, ...] = ()
    null: tuple[str, ...] = ()

    def place(self, row: int) -> str:
        """Return words that let a user find a row in the file."""
        return f"line {self.lines[row]}" if self.lines else f"row {row}"

    def find(self, names: tuple[str, ...]) -> str | None:
        """Return the first of the names that the table has: as it is, else regardless of case and stated unit."""
        for name in names:
            if name in self.frame.columns:
                return name
        plain = {_base_name(column): column for column in reversed(self.frame.columns)}
        return next((plain[_base_name(name)] for name in names if _base_name(name) in plain), None)

    def unit_of(self, column: str) -> str | None:
        """Return the unit that the file states for a column, in its header or in brackets after its name."""
        match = _BRACKETS.match(column)
        return self.units.get(column) or (match["unit"].strip() if match else None)


def read_table(path: Path, reader: Reader) -> SourceTable:
    """Read a file as its mapping says; compressed text (gzip) is read as it is.

    Raises
    ------
    InputError
        If the file cannot be read, is not laid out as the mapping says, or has no rows.
    MissingExtraError
        If a FITS, VOTable or ECSV file is read without astropy.
    """
    kind = _kind_from_suffix(path) if reader.kind == "suffix" else reader.kind
    if not path.is_file():
        raise InputError(f"table {path}: there is no such file")
    if kind in {"fits", "votable", "ecsv"}:
        from earnest_common.importers.astropy_tables import read_astropy_table

        frame, units = read_astropy_table(path, kind, reader.table)
        table = SourceTable(path=str(path), frame=frame, units=units, null=reader.null)
    else:
        table = _read_text(path, kind, reader)
    if table.frame.height == 0:
        raise InputError(f"table {path} is empty: found {table.frame.width} columns and no rows; check the download")
    return table


def _kind_from_suffix(path: Path) -> str:
    suffix = next((s.lower() for s in reversed(path.suffixes) if s.lower() != ".gz"), "")
    if suffix not in _SUFFIXES:
        raise InputError(
            f"table {path}: the suffix '{suffix}' does not tell the layout; known are {', '.join(_SUFFIXES)}; "
            "rename the file, or name the layout with reader.kind in a mapping of your own"
        )
    return _SUFFIXES[suffix]


def _read_text(path: Path, kind: str, reader: Reader) -> SourceTable:
    lines = _text(path).splitlines()
    comments = [(n, line) for n, line in enumerate(lines, 1) if reader.comment and line.startswith(reader.comment)]
    skipped = {n for n, _ in comments}
    data = [(n, line) for n, line in enumerate(lines, 1) if n not in skipped and line.strip()]
    rows = [(n, tokens) for (n, _), tokens in zip(data, _split((line for _, line in data), kind), strict=True)]
    names, rows = _header(path, reader, comments, rows, kind)
    _refuse_ragged(path, names, rows)
    columns = list(zip(*(tokens for _, tokens in rows), strict=True)) if rows else [()] * len(names)
    frame = pl.DataFrame(dict(zip(names, columns, strict=True)), schema=dict.fromkeys(names, pl.String()))
    return SourceTable(path=str(path), frame=frame, lines=tuple(n for n, _ in rows), null=reader.null)


def _text(path: Path) -> str:
    try:
        content = path.read_bytes()
        return (gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            f"table {path} is not UTF-8 text ({error.reason} at byte {error.start}); convert it"
        ) from error
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"table {path} cannot be read: {error}") from error


def _split(lines: Iterator[str], kind: str) -> Iterator[list[str]]:
    if kind == "csv":
        for line in lines:  # one line per row keeps line numbers true; quoted line breaks do not occur in number tables
            yield [token.strip() for token in next(csv.reader([line], skipinitialspace=True))]
    else:
        for line in lines:
            yield line.split()


def _header(
    path: Path, reader: Reader, comments: list[tuple[int, str]], rows: list[tuple[int, list[str]]], kind: str
) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Return the column names and the rows without a header row."""
    if reader.header == "none":
        return list(reader.names), rows
    if not rows:
        raise InputError(f"table {path} is empty: it has no header row; check the download")
    names = rows[0][1]
    if any(_is_number(token) for token in names):
        names = _names_in_comment(path, reader, comments, rows[0], kind)
    else:
        rows = rows[1:]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise InputError(f"table {path}: column names occur twice: {', '.join(repeated)}; rename them in the header")
    return names, rows


def _names_in_comment(
    path: Path, reader: Reader, comments: list[tuple[int, str]], first: tuple[int, list[str]], kind: str
) -> list[str]:
    """Return the words of the last comment before the data that has one for each column."""
    line, tokens = first
    texts = [text.removeprefix(reader.comment).strip() for number, text in comments if number < line]
    headers = [words for words in _split(iter(t for t in texts if t), kind) if len(words) == len(tokens)]
    if not headers:
        raise InputError(
            f"table {path}: nothing names its {len(tokens)} columns: line {line} is data, and no earlier comment that "
            f"begins with '{reader.comment}' has as many words; add a header line, or choose a format without one"
        )
    return headers[-1]


def _is_number(token: str) -> bool:
    try:
        float(token)
    except ValueError:
        return False
    return True


def _refuse_ragged(path: Path, names: list[str], rows: list[tuple[int, list[str]]]) -> None:
    bad = [(n, len(tokens)) for n, tokens in rows if len(tokens) != len(names)]
    if bad:
        line, found = bad[0]
        raise InputError(
            f"table {path}: {len(bad)} of {len(rows)} rows do not have the {len(names)} columns of the header "
            f"(first: line {line} has {found}); columns are {', '.join(names)}; "
            "the file is cut short or laid out differently from this format"
        )


def _base_name(column: str) -> str:
    match = _BRACKETS.match(column)
    return (match["base"] if match else column).strip().casefold()
