"""Laws of the executor seam: the same results, in the same order, wherever they are computed."""

import itertools
import math
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import distributed
import pytest
from earnest_common.errors import EarnestError, InputError
from earnest_common.run.executors import map_shards, open_executor, shard_slice
from hypothesis import given
from hypothesis import strategies as st

SHARDS = list(range(7))


def test_same_results_in_order_from_every_executor():
    expected = [math.factorial(s) for s in SHARDS]
    with open_executor() as none, open_executor(workers=2) as processes, ThreadPoolExecutor(3) as threads:
        assert none is None
        for executor in (none, processes, threads):
            seen: list[int] = []
            assert map_shards(math.factorial, SHARDS, executor, on_done=seen.append) == expected
            assert sorted(seen) == sorted(expected)


def test_an_error_ends_the_work():
    with ThreadPoolExecutor(1) as executor, pytest.raises(ValueError, match="negative"):
        map_shards(math.factorial, [-1, *range(100)], executor)


@given(st.integers(0, 200), st.integers(1, 40))
def test_job_array_covers_every_shard_once(n_shards: int, n_jobs: int):
    parts = [list(shard_slice(f"{i}/{n_jobs}", n_shards)) for i in range(1, n_jobs + 1)]
    assert sorted(itertools.chain.from_iterable(parts)) == list(shard_slice(None, n_shards)) == list(range(n_shards))


@pytest.mark.parametrize("text", ["0/3", "4/3", "3", "a/b", "-1/3", "1/0", ""])
def test_bad_shard(text: str):
    with pytest.raises(InputError, match="give i/N"):
        shard_slice(text, 3)


def test_bad_executors():
    with pytest.raises(InputError, match="workers is 0"), open_executor(workers=0):
        pass
    with pytest.raises(InputError, match="dask://HOST:PORT"), open_executor(address="slurm"):
        pass


_WORKERS = """
import os, time
from earnest_common.run.executors import open_executor
if __name__ == "__main__":
    with open_executor(workers=2) as pool:
        print(pool.submit(os.getpid).result(), flush=True)
        time.sleep(600)
"""


def test_workers_end_with_a_killed_parent(tmp_path: Path):
    script = tmp_path / "parent.py"
    script.write_text(_WORKERS)
    with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True) as parent:
        assert int(parent.stdout.readline()) != parent.pid
        parent.kill()
        parent.communicate(timeout=60)  # ends when the last worker no longer holds the pipe


_FAILING = """
import sys, time
from earnest_common.run.executors import map_shards, open_executor

def work(shard):
    if shard[0] == int(sys.argv[1]):
        raise ValueError("no such shard")
    time.sleep(0.1 if shard[0] < 4 else 600)

if __name__ == "__main__":
    with open_executor(workers=2) as pool:  # shards larger than a pipe holds, more of them than are handed out at once
        map_shards(work, [(k, bytes(1_000_000)) for k in range(20)], pool)
"""


@pytest.mark.parametrize("failing", [0, 3, 5])
def test_an_error_in_a_worker_ends_the_command(tmp_path: Path, failing: int):
    script = tmp_path / "failing.py"
    script.write_text(_FAILING)
    command = [sys.executable, str(script), str(failing)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 1
    assert ended.stderr.rstrip().endswith("ValueError: no such shard")
    assert "InvalidStateError" not in ended.stderr


def test_dask_is_an_executor():
    cluster = distributed.LocalCluster(n_workers=1, processes=False, protocol="tcp", dashboard_address=None)
    with cluster, open_executor(address=cluster.scheduler_address.replace("tcp", "dask")) as executor:
        assert map_shards(math.factorial, SHARDS, executor) == [math.factorial(s) for s in SHARDS]


def test_missing_dask_is_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with (
        pytest.raises(EarnestError, match=r'pip install "earnest-common\[dask\]"'),
        open_executor(address="dask://h:1"),
    ):
        pass
