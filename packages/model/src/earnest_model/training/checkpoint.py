"""Checkpoints: everything that training needs to go on as if it had never stopped."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, final
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt
from earnest_common.errors import InputError
from earnest_common.run.files import replace_atomically, write_atomic
from earnest_common.run.parts import claim

__all__ = ["HISTORY_NAME", "Checkpoint", "Workspace", "history_text"]

Weights = Sequence[npt.NDArray[Any]]
_FACTS = ("round", "step", "catalogs", "seconds", "best_score", "since_look", "history")
HISTORY_NAME = "history.jsonl"
_WEIGHTS = "checkpoint.npz"


@final
@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """The state of a training between two rounds.

    Attributes
    ----------
    round, step, catalogs, seconds
        The next round of catalogs, the steps taken, the catalogs seen in them, and the seconds of training.
    weights, optimizer, best
        Arrays of the network, of the optimiser, and of the network at its best look.
    best_score
        What that look is compared by.
    since_look
        Number of catalogs since the last look, and sums of their loss and squared error.
    history
        One record per look.
    """

    round: int = 0
    step: int = 0
    catalogs: int = 0
    seconds: float = 0.0
    weights: Weights = ()
    optimizer: Weights = ()
    best: Weights = ()
    best_score: float = float("inf")
    since_look: tuple[float, float, float] = (0.0, 0.0, 0.0)
    history: tuple[Mapping[str, Any], ...] = field(default=())


@final
@dataclass(frozen=True)
class Workspace:
    """The folder of a training that is not finished.

    Attributes
    ----------
    path
        The folder; it goes when the bundle is there.
    """

    path: Path

    def open(self, plan: Mapping[str, Any]) -> Checkpoint | None:
        """Begin a training, or return the checkpoint of the same training to go on from.

        Raises
        ------
        OutputExistsError
            If the folder holds a training of another plan, or anything else.
        """
        claim(self.path, plan, what="an unfinished training")
        return self.peek()

    def peek(self) -> Checkpoint | None:
        """Return the checkpoint in the folder, of whatever plan it is."""
        return self._read() if (self.path / _WEIGHTS).exists() else None

    def save(self, checkpoint: Checkpoint) -> None:
        """Replace the checkpoint.

        Raises
        ------
        InputError
            If there is no room, or the folder cannot be written; the old checkpoint stays.
        """
        try:
            self._write(checkpoint)
        except OSError as error:
            raise InputError(
                f"the checkpoint of step {checkpoint.step} cannot be written to {self.path} "
                f"({error.strerror or error}); the one before it is whole: make room, and repeat the command to go on "
                "from there"
            ) from error

    def _write(self, checkpoint: Checkpoint) -> None:
        facts = {name: getattr(checkpoint, name) for name in _FACTS}
        arrays = {
            f"{group}_{i:03d}": value
            for group in ("weights", "optimizer", "best")
            for i, value in enumerate(getattr(checkpoint, group))
        }
        facts_as_array = np.frombuffer(json.dumps(facts).encode(), dtype=np.uint8)

        def write(part: Path) -> None:
            with part.open("wb") as stream:
                np.savez(stream, facts=facts_as_array, **arrays)

        replace_atomically(self.path / _WEIGHTS, write)
        write_atomic(self.path / HISTORY_NAME, history_text(checkpoint.history))

    def _read(self) -> Checkpoint:
        try:
            with (self.path / _WEIGHTS).open("rb") as stream, np.load(stream) as stored:
                read = json.loads(stored["facts"].tobytes())
                facts = {name: read[name] for name in _FACTS}
                groups: dict[str, Any] = {
                    group: tuple(stored[name] for name in sorted(stored.files) if name.startswith(f"{group}_"))
                    for group in ("weights", "optimizer", "best")
                }
        except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
            raise InputError(
                f"{self.path / _WEIGHTS} cannot be read ({error}); remove the folder {self.path} to begin anew"
            ) from error
        facts |= {"history": tuple(facts["history"]), "since_look": tuple(facts["since_look"])}
        return Checkpoint(**facts, **groups)


def history_text(history: Sequence[Mapping[str, Any]]) -> str:
    """Return a history as JSON lines."""
    return "".join(json.dumps(record) + "\n" for record in history)
