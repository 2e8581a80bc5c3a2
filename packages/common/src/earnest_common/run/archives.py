"""Arrays in ``.npz`` files, read whole or refused."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from earnest_common.errors import IntegrityError
from earnest_common.run.files import read_bytes

__all__ = ["read_archive"]


def read_archive(path: Path, *, what: str, remedy: str) -> dict[str, npt.NDArray[Any]]:
    """Return the arrays of an ``.npz`` file by name; pickled objects are never loaded.

    Parameters
    ----------
    path
        The file.
    what, remedy
        What it is and how to go on when it is damaged, for the message.

    Raises
    ------
    InputError
        If there is no such file.
    IntegrityError
        If it is damaged or no such archive.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "table.npz"
    ...     np.savez(file, z=np.array([0.1, 0.2]))
    ...     read_archive(file, what="table", remedy="make it again")["z"].tolist()
    [0.1, 0.2]
    """
    content = read_bytes(path, what=what)
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as stored:
            return {name: stored[name] for name in stored.files}
    except MemoryError:
        raise
    except Exception as error:  # whatever damaged bytes make of NumPy and of the archives that it reads
        raise IntegrityError(f"{what} {path} cannot be read ({error}); {remedy}") from error
