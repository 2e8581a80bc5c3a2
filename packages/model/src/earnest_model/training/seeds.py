"""Several trainings through the one seam for parallel work; those that are finished are kept."""

import contextlib
import io
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar, final

from earnest_common.run.executors import map_shards, open_executor
from earnest_common.run.progress import progress

from earnest_model.config import TrainingConfig
from earnest_model.data.training_data import AbstractFeed
from earnest_model.training.bundles import bundle_of, open_feed

__all__ = ["Training", "run_all", "train_or_reuse"]

J = TypeVar("J")
R = TypeVar("R")


@final
@dataclass(frozen=True, kw_only=True)
class Training:
    """One training, ready to be sent to another process.

    Attributes
    ----------
    config
        All choices.
    out
        The bundle to write.
    live, data, source, live_config
        Where the catalogs come from, see :func:`earnest_model.training.bundles.open_feed`.
    """

    config: TrainingConfig
    out: Path
    live: str | None = None
    data: Path | None = None
    source: str = "mocks"
    live_config: Path | None = None

    def feed(self) -> AbstractFeed:
        """Return the training catalogs."""
        return open_feed(self.config, live=self.live, data=self.data, source=self.source, live_config=self.live_config)


def train_or_reuse(training: Training) -> dict[str, Any]:
    """Return :func:`earnest_model.training.bundles.bundle_of` of one training."""
    return bundle_of(training.config, training.feed(), training.out)


def run_all(
    function: Callable[[J], R], jobs: Sequence[J], *, workers: int, executor: str | None, tell: Callable[[R], str]
) -> list[R]:
    """Return ``function`` of every job, with words on standard error as jobs end.

    Here and one after the other each job shows its own progress; in other processes they are silent, and one display
    counts them.

    Parameters
    ----------
    function
        A picklable function of one job.
    jobs
        What to do.
    workers, executor
        See :func:`earnest_common.run.executors.open_executor`.
    tell
        Returns a few words about a result.
    """
    with open_executor(workers=workers, address=executor) as pool:
        if pool is None:
            return map_shards(function, jobs, on_done=lambda found: sys.stderr.write(f"{tell(found)}\n"))
        with progress(len(jobs), "trainings") as bar:
            silent = partial(_silently, function)
            return map_shards(silent, jobs, pool, on_done=lambda found: bar.advance(1, tell(found)))


def _silently(function: Callable[[J], R], job: J) -> R:
    with contextlib.redirect_stderr(io.StringIO()):
        return function(job)
