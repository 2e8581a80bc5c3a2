"""Outputs of several files, whole or resumed: after a kill at any moment the same command goes on.

A folder is claimed by its plan (:func:`claim`): the same plan goes on in it, another is refused. Several files of one
command are :class:`Outputs`: all of them appear, or a later run of the same command writes all anew, those that are
there too. Finished parts of a long computation wait in the folder ``OUT.parts`` until the outputs are there.
"""

import contextlib
import hashlib
import json
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from earnest_common.errors import InputError, OutputExistsError
from earnest_common.run.files import (
    discard,
    encoded,
    file_sha256,
    hold,
    named,
    refuse_existing,
    remove_folder,
    seal,
    sweep,
    temporary,
    write_atomic,
)

__all__ = ["PLAN", "Content", "Outputs", "claim", "vacant"]

PLAN = "plan.json"

Content = bytes | str | Mapping[str, str] | Callable[[Path], object]
"""Of a file: its bytes, its text, or a function that writes it. Of a folder: the text of each file by name."""


def claim(folder: Path, plan: Mapping[str, Any], *, what: str, name: str = PLAN) -> None:
    """Begin work in a folder, or go on with work of the same plan.

    Parameters
    ----------
    folder
        Absent, without files, or claimed by the same plan before.
    plan
        What determines the work, ready for JSON; kept in the folder.
    what
        What the folder holds, in words for the error, such as "a table of surveys".
    name
        The file that keeps the plan.

    Raises
    ------
    OutputExistsError
        If the folder holds work of another plan, or anything else.
    InputError
        If the folder cannot be made.
    """
    file = folder / name
    if file.is_file():
        if differences := _differences(file, plan):
            raise OutputExistsError(
                f"output {folder} holds {what} with other settings ({differences}); repeat the command that began it, "
                "choose another name, or remove it"
            )
        return
    if not os.path.lexists(folder):
        refuse_existing(folder)
    elif not vacant(folder, name):
        raise OutputExistsError(
            f"output {folder} holds other files and is not {what}; choose another name or remove it first"
        )
    folder.mkdir(exist_ok=True)
    write_atomic(file, _text(plan))


def vacant(folder: Path, name: str = PLAN) -> bool:
    """Return whether a folder holds no files, so that work may begin in it.

    Temporary files of a run that was killed before it had written its plan are removed.
    """
    if not folder.is_dir():
        return False
    sweep(folder / name)
    return all(path.is_dir() and not path.is_symlink() for path in folder.rglob("*"))


@final
@dataclass(frozen=True)
class Outputs:
    r"""The files and folders that one command writes together.

    Attributes
    ----------
    paths
        Where they go. Finished parts, and the record of what was written, are beside the first.
    plan
        What determines them, ready for JSON.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     table, record = Path(folder) / "t.csv", Path(folder) / "t.json"
    ...     outputs = Outputs.open((table, record), plan={"seed": 1})
    ...     outputs.write({table: "a\n1\n", record: "{}"})
    ...     table.unlink()
    ...     outputs = Outputs.open((table, record), plan={"seed": 1})
    ...     outputs.write({table: "a\n1\n", record: "{}"})
    ...     sorted(path.name for path in Path(folder).iterdir())
    ['.t.csv.outputs.json', 't.csv', 't.json']
    """

    paths: tuple[Path, ...]
    plan: Mapping[str, Any]

    @classmethod
    def open(cls, paths: Iterable[Path | None], plan: Mapping[str, Any]) -> "Outputs":
        """Return the outputs after making sure that nothing of another command is overwritten.

        Where only some are there, and all of them still are what a run of the same plan wrote, they count as absent:
        :meth:`write` replaces them.

        Parameters
        ----------
        paths
            Where the outputs go; ``None`` where one is not wanted.
        plan
            What determines them, ready for JSON.

        Raises
        ------
        OutputExistsError
            If one of them exists, or parts of another computation are in the way.
        InputError
            If two are the same, or one cannot be written.
        """
        outputs = cls(tuple(named(path) for path in paths if path is not None), plan)
        places = [path.absolute() for path in outputs.paths]
        if twice := [str(path) for path in places if places.count(path) > 1]:
            raise InputError(f"output {twice[0]} is named twice; give each output a name of its own")
        if outputs.paths:
            sweep(outputs.folder)
            if (outputs.folder / PLAN).is_file():
                outputs.keep()
            outputs._refuse_existing()
        return outputs

    @property
    def folder(self) -> Path:
        """The folder ``OUT.parts`` of finished parts; it is there only while the outputs are not."""
        return self.paths[0].with_name(f"{self.paths[0].name}.parts")

    @property
    def journal(self) -> Path:
        """The file of the plan and of each output's hash; it stays, so that missing outputs can be written again."""
        return self.paths[0].with_name(f".{self.paths[0].name}.outputs.json")

    def keep(self) -> Path:
        """Return the folder for finished parts, made now or by an earlier run of the same plan.

        Raises
        ------
        OutputExistsError
            If it holds parts of another computation.
        """
        claim(self.folder, self.plan, what="parts of another computation,")
        return self.folder

    def write(self, contents: Mapping[Path, Content]) -> None:
        """Write all outputs, then remove the finished parts.

        Raises
        ------
        OSError
            If there is no room, or one cannot be written; none of them is there then.
        """
        with contextlib.ExitStack() as stack:
            staged = {}
            for path, content in contents.items():
                part = stack.enter_context(temporary(path, folder=isinstance(content, Mapping)))
                _fill(part, content)
                staged[path] = part
            if len(staged) > 1 or (staged and self.folder.is_dir()):
                self._place_together(staged)
            else:
                _place(staged)

    def _place_together(self, staged: Mapping[Path, Path]) -> None:
        self.folder.mkdir(exist_ok=True)
        lock = hold(self.folder, wait=True)
        try:
            self._refuse_existing()
            for path in self._own():
                remove_folder(path) if path.is_dir() else discard(path)
            files = {self._relative(path): _sha256(part) for path, part in staged.items()}
            write_atomic(self.journal, _text({"plan": self.plan, "files": files}))
            self._place_or_undo(staged)
            self._clean()
        except BaseException:
            if not [path for path in self.folder.glob("*") if path.name != PLAN]:
                discard(self.folder)
            raise
        finally:
            if lock is not None:
                os.close(lock)

    def _place_or_undo(self, staged: Mapping[Path, Path]) -> None:
        try:
            _place(staged)
        except BaseException:
            for path in self._own():
                discard(path)
            self.journal.unlink(missing_ok=True)
            raise

    def _clean(self) -> None:
        """Remove what is of no use once all outputs are there."""
        if self.folder.is_dir():
            remove_folder(self.folder)
        if len(self.paths) == 1:
            self.journal.unlink(missing_ok=True)

    def _refuse_existing(self) -> None:
        """Refuse outputs that are there, unless some are missing and all the others are of this plan."""
        own = self._own()
        complete = len(own) == len(self.paths)
        if complete:
            self._clean()
        for path in self.paths:
            if complete or path not in own:
                refuse_existing(path)

    def _own(self) -> list[Path]:
        """Return the outputs that are there as a run of this plan wrote them.

        Raises
        ------
        OutputExistsError
            If they are as a run of another plan wrote them.
        """
        try:
            files = json.loads(self.journal.read_text(encoding="utf-8"))["files"]
            own = [
                path
                for path in self.paths
                if os.path.lexists(path) and (expected := files.get(self._relative(path))) and _sha256(path) == expected
            ]
        except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return []
        if own and (differences := _differences(self.journal, {"plan": self.plan}, only="plan.")):
            raise OutputExistsError(
                f"output {own[0]} exists and is not overwritten: the command that wrote it had other settings "
                f"({differences}); repeat that command, choose another name, or remove it first"
            )
        return own

    def _relative(self, path: Path) -> str:
        return os.path.relpath(path.absolute(), self.journal.absolute().parent)


def _place(staged: Mapping[Path, Path]) -> None:
    for path, part in staged.items():
        refuse_existing(path)
        part.rename(path)


def _fill(part: Path, content: Content) -> None:
    if isinstance(content, Mapping):
        for name, text in content.items():
            if Path(name).name != name:
                raise InputError(f"'{name}' is no file name; nothing is written outside of the folder of an output")
            (part / name).write_bytes(encoded(text))
    elif callable(content):
        content(part)
    else:
        part.write_bytes(encoded(content) if isinstance(content, str) else content)
    seal(part)


def _sha256(path: Path) -> str:
    """Return the SHA-256 of a file, or of the names and contents of a folder."""
    if not path.is_dir():
        return file_sha256(path)
    files = {str(file.relative_to(path)): file_sha256(file) for file in sorted(path.rglob("*")) if file.is_file()}
    return hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()


def _text(record: Mapping[str, Any]) -> str:
    """Return a record as JSON; a file or folder in it stands for its content."""

    def plain(value: object) -> str:
        return _sha256(value) if isinstance(value, Path) and value.exists() else str(value)

    return json.dumps(record, indent=1, sort_keys=True, default=plain) + "\n"


def _differences(file: Path, plan: Mapping[str, Any], *, only: str = "") -> str:
    """Return in what a plan differs from that in a file, in words; empty if in nothing."""
    try:
        old, new = _flat(json.loads(file.read_text(encoding="utf-8"))), _flat(json.loads(_text(plan)))
    except (OSError, ValueError, RecursionError):
        return f"{file} is damaged"
    names = [name for name in sorted({*old, *new}) if name.startswith(only)]
    changed = [name for name in names if old.get(name) != new.get(name)]
    return "; ".join(f"{name}: {old.get(name)} there, {new.get(name)} now" for name in changed[:5])


def _flat(record: Any, prefix: str = "") -> dict[str, Any]:  # noqa: ANN401 - any JSON value
    if not isinstance(record, Mapping):
        return {prefix.rstrip("."): record}
    flat: dict[str, Any] = {}
    for name, value in record.items():
        flat |= _flat(value, f"{prefix}{name}.")
    return flat
