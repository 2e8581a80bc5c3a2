"""The one seam for parallel work: any `concurrent.futures.Executor`, or none."""

import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

from earnest_common.errors import EarnestError, InputError, MissingExtraError
from earnest_common.run.numbers import MOST_WORKERS

__all__ = ["map_shards", "open_executor", "shard_slice"]

S = TypeVar("S")
R = TypeVar("R")


def map_shards(
    function: Callable[[S], R],
    shards: Iterable[S],
    executor: Executor | None = None,
    *,
    on_done: Callable[[R], object] = lambda _: None,
) -> list[R]:
    """Return ``function`` of every shard, in the order of the shards, wherever it ran.

    Parameters
    ----------
    function
        A picklable function of one shard.
    shards
        What to map over.
    executor
        Runs the calls; ``None`` runs them here, one after the other.
    on_done
        Called with each result as it arrives, for progress.

    Examples
    --------
    >>> map_shards(abs, [-1, -2])
    [1, 2]
    """
    if executor is None:
        results = []
        for shard in shards:
            results.append(function(shard))
            on_done(results[-1])
        return results
    futures = [executor.submit(function, shard) for shard in shards]
    try:
        for future in as_completed(futures):
            on_done(future.result())
    except BaseException:
        if not isinstance(executor, _Processes):
            for future in futures:
                future.cancel()
        raise
    return [future.result() for future in futures]


@contextlib.contextmanager
def open_executor(*, workers: int = 1, address: str | None = None) -> Iterator[Executor | None]:
    """Yield an executor: none for one worker, spawned processes for more, or a Dask cluster.

    Parameters
    ----------
    workers
        Number of processes on this machine.
    address
        ``dask://HOST:PORT`` of a running Dask scheduler, instead of processes.

    Raises
    ------
    InputError
        If the number or the address cannot be used.
    MissingExtraError
        If a Dask address is given and ``distributed`` is not installed.
    """
    if address is not None:
        with _dask_executor(address) as executor:
            yield executor
    elif workers == 1:
        yield None
    elif not 1 <= workers <= MOST_WORKERS:
        raise InputError(f"workers is {workers}; give a whole number from 1 to {MOST_WORKERS}, or --executor for more")
    else:
        with _processes(workers) as pool:
            yield pool


class _Processes(ProcessPoolExecutor):
    """Processes that an error ends, with all calls that wait.

    These must not be cancelled one by one before: a pool whose processes are gone fails on a cancelled call, and then
    neither it nor Python ends (CPython 3.11).
    """


@contextlib.contextmanager
def _processes(workers: int) -> Iterator[Executor]:
    # Spawned, not forked: Polars and TensorFlow keep threads that a fork would break.
    context = multiprocessing.get_context("spawn")
    others = set(multiprocessing.active_children())
    try:
        with _Processes(workers, mp_context=context, initializer=_prepare_worker) as pool:
            try:
                yield pool
            except BaseException:  # no result is wanted any more, nor is work that would go on for minutes
                pool.shutdown(wait=False, cancel_futures=True)
                for process in set(multiprocessing.active_children()) - others:
                    process.terminate()
                raise
    except BrokenProcessPool as error:
        raise EarnestError(
            "a worker process was ended from outside, most often for lack of memory; give fewer --workers, and run "
            "the same command again: finished parts are kept"
        ) from error


def _prepare_worker() -> None:
    """Let a worker end silently at Ctrl-C and when its parent is gone: a killed one leaves its workers waiting."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if parent := multiprocessing.parent_process():

        def wait() -> None:
            parent.join()
            os._exit(1)

        threading.Thread(target=wait, daemon=True).start()


@contextlib.contextmanager
def _dask_executor(address: str) -> Iterator[Executor]:
    scheme, _, host = address.partition("://")
    name, _, port = host.rpartition(":")
    if scheme != "dask" or not name or not (port.isascii() and port.isdecimal() and 0 < int(port) < 65536):
        raise InputError(f"executor {address!r} is not understood; use dask://HOST:PORT, or --workers N")
    try:
        from distributed import Client
    except ImportError as error:
        raise MissingExtraError.of(f"executor {address}", "earnest-common", "dask") from error
    try:
        client = Client(f"tcp://{host}")
    except (OSError, ValueError) as error:
        raise InputError(
            f"executor {address}: no Dask scheduler answers there ({error}); start one, or use --workers N"
        ) from error
    with client, client.get_executor() as executor:
        yield executor


def shard_slice(shard: str | None, n_shards: int) -> range:
    """Return the shards that job ``i/N`` of a job array works on (``i`` from 1), or all of them.

    Raises
    ------
    InputError
        If the text is not ``i/N`` with 1 <= i <= N.

    Examples
    --------
    >>> list(shard_slice("2/3", 7))
    [1, 4]
    """
    if shard is None:
        return range(n_shards)
    first, _, count = shard.partition("/")
    if not (first.isdecimal() and count.isdecimal() and 1 <= int(first) <= int(count)):
        raise InputError(f"shard {shard!r} is not understood; give i/N with i from 1 to N, for instance 3/64")
    return range(int(first) - 1, n_shards, int(count))
