"""Single Parquet files: read from the bytes of one literal file, with a checksum of those bytes in their metadata.

Polars takes a path for a pattern (``run[1]`` reads ``run1``) and may end the process over damaged bytes. Here it gets
bytes, and only after their checksum has been compared.
"""

import hashlib
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import final

import polars as pl

from earnest_common.errors import InputError, IntegrityError
from earnest_common.run.files import read_bytes, write_atomic

__all__ = ["ParquetFile", "parquet_bytes", "read_csv_or_parquet", "read_parquet", "write_parquet"]

_SHA256, _VERSION = "earnest.sha256", "earnest.file_version"
_BLANK = hashlib.sha256(_SHA256.encode()).hexdigest()
"""What stands in place of the checksum while it is computed."""
# A key and a value of 64 characters in Thrift's compact protocol, in which Parquet writes its metadata.
_STAMP = re.compile(re.escape(_SHA256).encode() + rb"\x18\x40([0-9a-f]{64})")


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class ParquetFile:
    """The content of a Parquet file.

    Attributes
    ----------
    frame
        The rows.
    metadata
        Texts by name.
    sha256
        SHA-256 of the bytes that were read.
    stamped
        Whether the file holds a checksum of its own; it matches then.
    """

    frame: pl.DataFrame
    metadata: Mapping[str, str]
    sha256: str
    stamped: bool


def parquet_bytes(frame: pl.DataFrame, metadata: Mapping[str, str] | None = None) -> bytes:
    """Return a table as a Parquet file whose metadata hold the SHA-256 of all its other bytes.

    Examples
    --------
    >>> len(_STAMP.findall(parquet_bytes(pl.DataFrame({"a": [1]}))))
    1
    """
    stream = io.BytesIO()
    stamp = {_VERSION: "2", _SHA256: _BLANK}
    frame.write_parquet(stream, compression="zstd", metadata={**(metadata or {}), **stamp})
    blank = stream.getvalue()
    return blank.replace(_BLANK.encode(), hashlib.sha256(blank).hexdigest().encode())


def write_parquet(path: Path, frame: pl.DataFrame, metadata: Mapping[str, str] | None = None) -> None:
    """Write a table as one Parquet file that is whole or absent and holds its own checksum."""
    write_atomic(path, parquet_bytes(frame, metadata))


def read_parquet(path: Path, *, what: str, remedy: str, sha256: str | None = None) -> ParquetFile:
    """Return the content of a Parquet file.

    Parameters
    ----------
    path
        The file; no character in its name has a meaning.
    what
        What it should be, for messages, such as "base sample".
    remedy
        How to go on when it is damaged.
    sha256
        Checksum that is recorded elsewhere; by default the file's own is compared, where it has one.

    Raises
    ------
    InputError
        If there is no such file or it cannot be opened.
    IntegrityError
        If its checksum differs or it is not Parquet.
    """
    data = read_bytes(path, what=what)
    checksum = hashlib.sha256(data).hexdigest()
    if sha256 is not None and checksum != sha256:
        raise IntegrityError(f"{what} {path} was altered: its checksum differs; {remedy}")
    stamped = sha256 is None and _is_stamped(data, f"{what} {path}", remedy)
    try:
        return ParquetFile(
            frame=pl.read_parquet(io.BytesIO(data), hive_partitioning=False),
            metadata=pl.read_parquet_metadata(io.BytesIO(data)),
            sha256=checksum,
            stamped=stamped,
        )
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, ValueError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise IntegrityError(f"{what} {path} cannot be read as Parquet ({reason}); {remedy}") from error


def read_csv_or_parquet(path: Path, *, what: str) -> pl.DataFrame:
    """Return the rows of a Parquet file (by its suffix) or of a CSV file, where # begins a comment.

    Raises
    ------
    InputError
        If there is no such file or it cannot be opened, or is no table.
    IntegrityError
        If it is damaged.
    """
    if path.suffix == ".parquet":
        return read_parquet(path, what=what, remedy="write or copy it again").frame
    try:
        return pl.read_csv(read_bytes(path, what=what), comment_prefix="#")
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, ValueError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"{what} {path} cannot be read as CSV ({reason}); give a CSV or .parquet table") from error


def _is_stamped(data: bytes, subject: str, remedy: str) -> bool:
    """Return whether a file holds its checksum, after comparing it.

    Raises
    ------
    IntegrityError
        If the checksum differs, or is missing in a file of a version that has one.
    """
    stamps = list(_STAMP.finditer(data))
    if not stamps:
        if any(key.encode() in data for key in (_SHA256, _VERSION)):
            raise IntegrityError(f"{subject} was altered: it lacks its checksum; {remedy}")
        return False
    first, last = stamps[-1].span(1)
    digest = hashlib.sha256(data[:first])
    digest.update(_BLANK.encode())
    digest.update(data[last:])
    if digest.hexdigest().encode() != data[first:last]:
        raise IntegrityError(f"{subject} was altered: its content does not match its checksum; {remedy}")
    return True
