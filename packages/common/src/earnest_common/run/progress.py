"""Progress of long work on standard error: a bar on a terminal, plain lines elsewhere."""

import contextlib
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextvars import ContextVar
from typing import final

__all__ = ["AbstractProgress", "be_quiet", "is_quiet", "progress"]

_QUIET: ContextVar[bool] = ContextVar("quiet", default=False)


class AbstractProgress(ABC):
    """Progress of a long computation."""

    @abstractmethod
    def advance(self, n: int = 1, note: str = "") -> None:
        """Count ``n`` more units as done, with a short note such as the current loss."""


@final
class _Nothing(AbstractProgress):
    def advance(self, n: int = 1, note: str = "") -> None:
        pass


@final
class _Lines(AbstractProgress):
    """At most one line every few seconds, and one at the end: readable in a log file."""

    def __init__(self, total: int, label: str, *, seconds_between_lines: float) -> None:
        self._total, self._label, self._pause = total, label, seconds_between_lines
        self._done = 0
        self._start = self._printed = time.monotonic()

    def advance(self, n: int = 1, note: str = "") -> None:
        self._done += n
        now = time.monotonic()
        if self._done >= self._total or now - self._printed >= self._pause:
            self._printed = now
            elapsed = max(now - self._start, 1e-9)
            left = (self._total - self._done) * elapsed / self._done if self._done else float("nan")
            words = f"{self._label}: {self._done}/{self._total}, {elapsed:.0f} s gone, {left:.0f} s left"
            sys.stderr.write(f"{words}, {note}\n" if note else f"{words}\n")
            sys.stderr.flush()


def be_quiet() -> None:
    """Show no progress in this context from now on (``earnest --quiet``)."""
    _QUIET.set(True)


def is_quiet() -> bool:
    """Return whether progress and notes are to be left out."""
    return _QUIET.get()


@contextlib.contextmanager
def progress(total: int, label: str, *, seconds_between_lines: float = 10.0) -> Iterator[AbstractProgress]:
    """Yield a progress display for ``total`` units of work.

    Parameters
    ----------
    total
        Number of units.
    label
        What is being done.
    seconds_between_lines
        Pause between plain lines where standard error is not a terminal.
    """
    if is_quiet():
        yield _Nothing()
        return
    if not sys.stderr.isatty():
        yield _Lines(total, label, seconds_between_lines=seconds_between_lines)
        return
    with _rich_bar(total, label) as bar:
        yield bar


@contextlib.contextmanager
def _rich_bar(total: int, label: str) -> Iterator[AbstractProgress]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )

    @final
    class _Bar(AbstractProgress):
        def advance(self, n: int = 1, note: str = "") -> None:
            display.update(task, advance=n, note=note)

    with Progress(*columns, console=Console(stderr=True)) as display:
        task = display.add_task(label, total=total, note="")
        yield _Bar()
