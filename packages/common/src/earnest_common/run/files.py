"""Files that are either whole or absent: atomic writes, checksums and outputs that are never overwritten."""

import contextlib
import errno
import hashlib
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from earnest_common.errors import InputError, OutputExistsError

if sys.platform != "win32":  # there, what killed processes left stays
    import fcntl

__all__ = [
    "atomic_folder",
    "discard",
    "encoded",
    "file_sha256",
    "hold",
    "named",
    "read_bytes",
    "refuse_existing",
    "remove_folder",
    "replace_atomically",
    "seal",
    "sweep",
    "sweep_folder",
    "temporary",
    "write_atomic",
]

_SUFFIX = ".part"
_FULL = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT)


def named(path: Path) -> Path:
    """Return the path of an output if it ends in a name, beside which others can be made; ``.`` and ``/`` do not.

    Raises
    ------
    InputError
        If it ends in none.

    Examples
    --------
    >>> named(Path("bundles/first")).with_suffix(".json").name
    'first.json'
    """
    if path.name in {"", ".."}:
        raise InputError(f"output '{path}' has no name of its own; give the name of a new file or folder")
    return path


def refuse_existing(path: Path) -> Path:
    """Return the path if nothing is there and its parent folder can be written to.

    Raises
    ------
    OutputExistsError
        If the path is taken.
    InputError
        If the path ends in no name, or the folder that would hold it does not exist or takes no files.
    """
    sweep(named(path))
    if os.path.lexists(path):
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


@contextlib.contextmanager
def temporary(path: Path, *, folder: bool = False) -> Iterator[Path]:
    """Yield a new file or folder ``.NAME.xxxxxxxx.part`` beside a path; it is gone at the end unless it was renamed.

    It is locked while this process lives, so that others can remove what a killed process left, see :func:`sweep`.

    Raises
    ------
    OSError
        If it cannot be written, with the name of ``path``.
    """
    sweep(path)
    part, lock = _create(path, folder=folder)
    try:
        yield part
    except Exception as error:
        if (cause := _system_error(error, path)) is not None:
            raise cause from error
        raise
    finally:
        discard(part)
        if lock is not None:
            os.close(lock)


def replace_atomically(path: Path, write: Callable[[Path], object]) -> None:
    """Let ``write`` fill a temporary file beside ``path``, flush it to disk, then rename it into place.

    A reader sees the old file or the whole new one, never a part; after an error nothing new is left behind.

    Raises
    ------
    OSError
        If there is no room, or the file cannot be written.
    """
    with temporary(path) as part:
        write(part)
        seal(part)
        part.replace(path)


def write_atomic(path: Path, content: bytes | str) -> None:
    """Write bytes or UTF-8 text so that the file is whole or absent."""
    data = encoded(content) if isinstance(content, str) else content
    replace_atomically(path, lambda part: part.write_bytes(data))


@contextlib.contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """Yield a temporary folder that becomes ``path`` when the block ends well, and vanishes otherwise.

    Raises
    ------
    OutputExistsError
        If ``path`` is taken.
    OSError
        If there is no room, or the folder cannot be written.
    """
    refuse_existing(path)
    with temporary(path, folder=True) as part:
        yield part
        seal(part)
        part.rename(path)


def sweep(path: Path) -> None:
    """Remove the temporary files and folders that killed processes left beside a path; those of living ones stay."""
    _sweep(path.absolute().parent, re.escape(f".{path.name}."))


def sweep_folder(folder: Path) -> None:
    """Do the same for every path in a folder and its folders."""
    for place in (folder, *(path for path in folder.rglob("*") if path.is_dir())):
        _sweep(place, r"\..+\.")


def _sweep(folder: Path, prefix: str) -> None:
    wanted = re.compile(prefix + r"[a-z0-9_]{8}" + re.escape(_SUFFIX))
    try:
        with os.scandir(folder) as entries:
            leftovers = [Path(entry.path) for entry in entries if wanted.fullmatch(entry.name)]
    except OSError:
        return
    for leftover in leftovers:
        lock = hold(leftover)
        if lock is not None:
            discard(leftover)
            os.close(lock)


def remove_folder(folder: Path) -> None:
    """Remove a folder in one step: it is whole or gone, also for one who looks after a kill."""
    with temporary(folder, folder=True) as part, contextlib.suppress(FileNotFoundError):
        folder.rename(part)  # an empty folder may be replaced; it is removed with its content at the end


def seal(part: Path) -> None:
    """Flush a temporary file, or the files of a folder, to disk, and give it the usual permissions."""
    for file in part.rglob("*") if part.is_dir() else (part,):
        if file.is_file():
            with file.open("rb+") as stream:
                os.fsync(stream.fileno())
    part.chmod((0o777 if part.is_dir() else 0o666) & ~_umask())


def encoded(text: str) -> bytes:
    """Return text as UTF-8; bytes of a file name that were no text stand as escapes."""
    return text.encode("utf-8", "backslashreplace")


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file's bytes as hexadecimal digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def hold(path: Path, *, wait: bool = False) -> int | None:
    """Return a descriptor that holds the lock of a file or folder; ``None`` if another has it or there are no locks."""
    if sys.platform == "win32":
        return None
    try:
        handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    except OSError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        return None
    return handle


def discard(path: Path) -> None:
    """Remove a file, or a folder with all it holds, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with contextlib.suppress(OSError):
            path.unlink()


def _create(path: Path, *, folder: bool) -> tuple[Path, int | None]:
    """Return a new temporary file or folder and the descriptor that holds its lock, where locks exist."""
    place, prefix = path.absolute().parent, f".{path.name}."
    while True:
        try:
            if folder:
                part = Path(tempfile.mkdtemp(_SUFFIX, prefix, place))
            else:
                handle, name = tempfile.mkstemp(_SUFFIX, prefix, place)
                os.close(handle)
                part = Path(name)
        except OSError as error:
            raise _system_error(error, path) or error from error
        lock = hold(part, wait=True)
        if part.exists():  # else another process took it for a leftover before it was locked
            return part, lock
        if lock is not None:
            os.close(lock)


def _system_error(error: Exception, path: Path) -> OSError | None:
    """Return the error of the system behind an error in writing, with the name of the output; ``None`` if none is.

    Libraries hand them on as text: Polars "No space left on device (os error 28)", HDF5 "errno = 28", others the words.
    """
    if isinstance(error, OSError) and error.errno is not None:
        return OSError(error.errno, os.strerror(error.errno), str(path))
    text = str(error)
    found = re.search(r"(?:os error |errno = |\[Errno )(\d+)", text)
    number = int(found[1]) if found else next((n for n in _FULL if os.strerror(n) in text), None)
    return None if number is None else OSError(number, os.strerror(number), str(path))


def _umask() -> int:
    """Return the process's file-mode mask; on Linux without setting it, for other threads create files meanwhile."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
            if line.startswith("Umask:"):
                return int(line.split()[1], 8)
    mask = os.umask(0)
    os.umask(mask)
    return mask


def read_bytes(path: Path, *, what: str) -> bytes:
    """Return the bytes of a file.

    Raises
    ------
    InputError
        If there is no such file or it cannot be opened.
    """
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise InputError(f"{what} {path} cannot be read: it does not exist; check the name") from error
    except (OSError, ValueError) as error:  # a name with a null byte is a ValueError
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{what} {path} cannot be read: {reason}") from error
