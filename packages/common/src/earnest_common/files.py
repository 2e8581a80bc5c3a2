"""Files that are either whole or absent: atomic writes, checksums and outputs that are never overwritten."""

import contextlib
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from earnest_common.errors import InputError, OutputExistsError

__all__ = ["atomic_folder", "file_sha256", "refuse_existing", "replace_atomically", "write_atomic"]


def refuse_existing(path: Path) -> Path:
    """Return the path if nothing is there and its parent folder can be written to.

    Raises
    ------
    OutputExistsError
        If the path is taken.
    InputError
        If the folder that would hold it does not exist or takes no files.
    """
    if path.exists():
        raise OutputExistsError(f"output {path} exists and is not overwritten; choose another name or remove it first")
    folder = path.absolute().parent
    if folder.exists() and not folder.is_dir():
        raise InputError(f"output {path}: {folder} is a file, no folder; choose another place")
    if not folder.is_dir():
        raise InputError(f"output {path}: the folder {folder} does not exist; create it first")
    try:  # only an attempt tells: permissions say nothing of read-only and virtual file systems
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise InputError(
            f"output {path}: nothing can be written into the folder {folder} ({error.strerror}); "
            "choose another folder, or make this one writable"
        ) from error
    return path


def replace_atomically(path: Path, write: Callable[[Path], object]) -> None:
    """Let ``write`` fill a temporary file beside ``path``, flush it to disk, then rename it into place.

    A reader sees the old file or the whole new one, never a part; after an error nothing new is left behind.
    """
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    os.close(handle)
    temporary = Path(name)
    try:
        write(temporary)
        with temporary.open("rb+") as stream:
            os.fsync(stream.fileno())
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _umask() -> int:
    """Return the process's file-mode mask (the system offers no way to read it without setting it)."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


def write_atomic(path: Path, content: bytes | str) -> None:
    """Write bytes or UTF-8 text so that the file is whole or absent."""
    data = content.encode() if isinstance(content, str) else content
    replace_atomically(path, lambda temporary: temporary.write_bytes(data))


@contextlib.contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """Yield a temporary folder that becomes ``path`` when the block ends well, and vanishes otherwise.

    Raises
    ------
    OutputExistsError
        If ``path`` is taken.
    """
    refuse_existing(path)
    temporary = Path(tempfile.mkdtemp(dir=path.absolute().parent, prefix=f".{path.name}.", suffix=".part"))
    try:
        yield temporary
        temporary.chmod(0o777 & ~_umask())
        temporary.rename(path)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file's bytes as hexadecimal digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
