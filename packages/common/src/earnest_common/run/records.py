"""JSON records that notice a change: each holds the SHA-256 of its own content."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from earnest_common.errors import InputError, IntegrityError, VersionError
from earnest_common.run.files import read_bytes

__all__ = ["ANSWER", "PART", "RecordFormat", "content_sha256"]

_SHA256, _FORMAT, _VERSION = "sha256", "format", "format_version"


def content_sha256(record: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a record's content without its own entry ``sha256``; layout and order do not count.

    Examples
    --------
    >>> content_sha256({"a": 1, "b": 2.0}) == content_sha256({"b": 2.0, "a": 1})
    True
    """
    content = {name: value for name, value in record.items() if name != _SHA256}
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


@final
@dataclass(frozen=True, kw_only=True)
class RecordFormat:
    """A kind of JSON record with format, version and checksum.

    Attributes
    ----------
    name
        Entry ``format``, such as ``"earnest-grid"``.
    version
        Entry ``format_version``.
    what
        The kind in words, for messages.
    remedy
        How to go on when a record is damaged.
    is_old
        Whether a record has the shape of the releases that wrote no checksum; ``None`` if there were none.
    may_be_nan
        Whether numbers that are not finite are written, which other programs may not read.

    Examples
    --------
    >>> kind = RecordFormat(name="toy", version=2, what="toy record", remedy="make it again")
    >>> kind.parse(kind.text({"x": 0.1}), Path("toy.json"))["x"]
    0.1
    """

    name: str
    version: int
    what: str
    remedy: str
    is_old: Callable[[Mapping[str, Any]], bool] | None = None
    may_be_nan: bool = False

    def text(self, record: Mapping[str, Any]) -> str:
        """Return a record as JSON text with format, version and checksum.

        Raises
        ------
        ValueError
            If a number is not finite, unless it may be, or an entry is called ``sha256``.
        """
        if _SHA256 in record:
            raise ValueError(f"an entry of a record cannot be called {_SHA256}")
        head = {_FORMAT: self.name, _VERSION: self.version}
        full = json.loads(json.dumps({**head, **record, **head}, allow_nan=self.may_be_nan))
        return json.dumps({**full, _SHA256: content_sha256(full)}, indent=1, ensure_ascii=False) + "\n"

    def read(self, path: Path) -> dict[str, Any]:
        """Return the record in a file.

        Raises
        ------
        InputError
            If there is no such file or it is not a record of this kind.
        VersionError
            If a newer release wrote it.
        IntegrityError
            If it was altered.
        """
        return self.parse(read_bytes(path, what=self.what), path)

    def content(self, path: Path) -> dict[str, Any]:
        """Return the record in a file, checked as :meth:`read` does, without format, version and checksum."""
        return {name: value for name, value in self.read(path).items() if name not in {_FORMAT, _VERSION, _SHA256}}

    def parse(self, text: bytes | str, path: Path) -> dict[str, Any]:
        """Return the record in the text of a file, as :meth:`read` does."""
        try:
            record = json.loads(text)
        except (ValueError, RecursionError) as error:  # also bytes that are no UTF-8
            raise IntegrityError(f"{path} is not a {self.what}: it is not JSON, {error}; {self.remedy}") from error
        if not isinstance(record, dict):
            raise IntegrityError(f"{path} is not a {self.what}: its JSON is no object; {self.remedy}")
        unmarked = _SHA256 not in record and record.get(_FORMAT) != self.name
        if unmarked and self.is_old is not None and self.is_old(record):
            return record
        if _FORMAT in record and record[_FORMAT] != self.name:
            raise InputError(
                f"{path} is not a {self.what}: its format is {record[_FORMAT]!r}, not {self.name!r}; {self.remedy}"
            )
        version = record.get(_VERSION)
        if isinstance(version, int) and version > self.version:
            raise VersionError.unsupported(path, _VERSION, found=version, supported=self.version)
        if missing := [name for name in (_FORMAT, _VERSION, _SHA256) if name not in record]:
            raise IntegrityError(f"{path} is not a whole {self.what}: it lacks {', '.join(missing)}; {self.remedy}")
        if record[_SHA256] != content_sha256(record):
            raise IntegrityError(
                f"{self.what} {path} was altered: its content does not match its checksum; {self.remedy}"
            )
        return record


PART = RecordFormat(
    name="earnest-part", version=2, what="finished part", remedy="remove it and run again", may_be_nan=True
)
"""A part of a long computation that waits for the others."""

ANSWER = RecordFormat(
    name="earnest-answer",
    version=2,
    what="summary",
    remedy="give the answer of a command with --json",
    is_old=lambda record: _FORMAT not in record,
)
"""The answer of a command, kept beside a table or given to another command; those of others have no format."""
