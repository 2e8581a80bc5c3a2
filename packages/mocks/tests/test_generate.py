"""Sets on disk: the same bytes whoever makes them, in whatever order, however often interrupted."""

import errno
import json
import random
import re
import signal
import subprocess
import sys
import time

import distributed
import numpy as np
import pytest
from earnest_common.catalogs import CatalogSet, parquet
from earnest_common.errors import InputError, OutputExistsError
from earnest_common.run.executors import open_executor
from earnest_mocks.catalogs.config import resolve_config
from earnest_mocks.catalogs.generate import CATALOGS_PER_SHARD, generate, mock_plan, useful_workers
from earnest_mocks.catalogs.source import MOST_CLUSTERS, make_source, most_expected

N, PER_SHARD = 60, 7
PAPER = resolve_config("paper")


def checksums(folder):
    shards = json.loads((folder / "manifest.json").read_text())["shards"]
    return [shard["sha256"] for shard in shards]


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sets") / "reference"
    generate(PAPER, folder, seed=1, n_catalogs=N, catalogs_per_shard=PER_SHARD)
    return folder


def test_a_set_is_valid_and_says_what_is_emulated(reference):
    opened = CatalogSet.open(reference)
    assert opened.validate() == []
    plan = opened.manifest.plan
    assert (plan.kind, plan.preset, plan.seed, plan.n_catalogs) == ("mock", "paper", 1, N)
    assert plan.synthetic.startswith("EMULATED base sample")
    assert plan.config["base_sample"] == "built-in"
    assert plan.cosmology["Om0"] == 0.272


def test_two_workers_make_the_same_set(reference, tmp_path):
    with open_executor(workers=2) as pool:
        manifest = generate(PAPER, tmp_path / "set", seed=1, n_catalogs=N, catalogs_per_shard=PER_SHARD, executor=pool)
    assert checksums(tmp_path / "set") == checksums(reference)
    assert manifest.data_hash == CatalogSet.open(reference).manifest.data_hash


def test_a_dask_cluster_makes_the_same_set(reference, tmp_path):
    # Two worker processes of their own, as on a cluster: the source travels there once per shard.
    cluster = distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None)
    with cluster, open_executor(address=cluster.scheduler_address.replace("tcp", "dask")) as pool:
        generate(PAPER, tmp_path / "set", seed=1, n_catalogs=N, catalogs_per_shard=PER_SHARD, executor=pool)
    assert checksums(tmp_path / "set") == checksums(reference)


def test_jobs_of_an_array_make_the_same_set_in_any_order(reference, tmp_path):
    done = [
        generate(PAPER, tmp_path / "set", seed=1, n_catalogs=N, catalogs_per_shard=PER_SHARD, shard=f"{i}/4")
        for i in (3, 1, 4, 2)
    ]
    assert [manifest is not None for manifest in done] == [False, False, False, True]
    assert checksums(tmp_path / "set") == checksums(reference)


def test_the_size_of_shards_changes_no_catalog(reference, tmp_path):
    generate(PAPER, tmp_path / "set", seed=1, n_catalogs=N, catalogs_per_shard=23)
    found, expected = CatalogSet.open(tmp_path / "set").read(), CatalogSet.open(reference).read()
    assert found.clusters.equals(expected.clusters)
    assert found.catalogs.equals(expected.catalogs)


def test_a_longer_set_begins_with_the_shorter_one(reference, tmp_path):
    generate(PAPER, tmp_path / "set", seed=1, n_catalogs=N + 10, catalogs_per_shard=PER_SHARD)
    assert checksums(tmp_path / "set")[: N // PER_SHARD] == checksums(reference)[: N // PER_SHARD]


_SCRIPT = """
import sys
from pathlib import Path
from earnest_mocks.catalogs.config import resolve_config
from earnest_mocks.catalogs.generate import CATALOGS_PER_SHARD, generate, mock_plan, useful_workers
from earnest_mocks.catalogs.source import MOST_CLUSTERS, make_source, most_expected
generate(resolve_config("paper"), Path(sys.argv[1]), seed=1, n_catalogs=600, catalogs_per_shard=20)
"""


def test_a_killed_run_goes_on_to_the_same_set(tmp_path):
    generate(PAPER, tmp_path / "calm", seed=1, n_catalogs=600, catalogs_per_shard=20)
    folder = tmp_path / "killed"
    moments = random.Random(3)
    for already in (0, 8):
        # Killed at a random moment after a random number of finished shards.
        wanted = already + moments.randint(1, 6)
        with subprocess.Popen([sys.executable, "-c", _SCRIPT, str(folder)]) as process:
            try:
                while len(list(folder.glob("receipts/*.json"))) < wanted:
                    assert process.poll() is None  # at work, however busy the machine
                    time.sleep(0.001)
                time.sleep(moments.uniform(0, 0.02))
            finally:
                process.kill()
            assert process.wait() == -signal.SIGKILL
        assert not (folder / "manifest.json").exists()
        with pytest.raises(InputError, match="unfinished"):
            CatalogSet.open(folder)
    subprocess.run([sys.executable, "-c", _SCRIPT, str(folder)], check=True)
    assert checksums(folder) == checksums(tmp_path / "calm")
    assert CatalogSet.open(folder).validate() == []
    assert not list(folder.rglob("*.part"))


def test_a_full_disk_loses_nothing(tmp_path, monkeypatch, reference):
    write, written = parquet.write_table, []

    def fails_once(path, *args, **options):
        written.append(path)
        if len(written) == 8:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(path, *args, **options)

    monkeypatch.setattr("earnest_common.catalogs.writer.write_table", fails_once)
    with pytest.raises(OSError, match="No space left"):
        generate(PAPER, tmp_path / "set", seed=1, n_catalogs=N, catalogs_per_shard=PER_SHARD)
    assert not (tmp_path / "set" / "manifest.json").exists()
    generate(PAPER, tmp_path / "set", seed=1, n_catalogs=N, catalogs_per_shard=PER_SHARD)
    assert checksums(tmp_path / "set") == checksums(reference)


def test_existing_output_is_never_touched(reference, tmp_path):
    with pytest.raises(OutputExistsError, match="exists and is complete"):
        generate(PAPER, reference, seed=1, n_catalogs=N, catalogs_per_shard=PER_SHARD)
    (tmp_path / "taken").write_text("mine")
    with pytest.raises(OutputExistsError):
        generate(PAPER, tmp_path / "taken", seed=1, n_catalogs=2)
    assert (tmp_path / "taken").read_text() == "mine"
    generate(PAPER, tmp_path / "part", seed=1, n_catalogs=4, catalogs_per_shard=2, shard="1/2")
    with pytest.raises(OutputExistsError, match="seed is 1, not 2"):
        generate(PAPER, tmp_path / "part", seed=2, n_catalogs=4, catalogs_per_shard=2)


@pytest.mark.parametrize(
    ("options", "wrong"),
    [
        ({}, {"shard": "5/4"}),
        ({}, {"n_catalogs": 0}),
        ({"base_sample": "missing.parquet"}, {}),
        ({"priors": {"sigma8": {"low": 0.1}}}, {}),
        ({"survey": {"volume": 1.0}}, {}),
        ({"survey": {"selection": {"log10_m_min": 15.8, "log10_m_break": 15.85}}}, {}),
        ({"donors": {"at_least": 2000}}, {}),
        ({"survey": {"volume": 1e13}}, {}),
        ({"survey": {"volume": 1e11}}, {"n_catalogs": 30, "catalogs_per_shard": 30}),
    ],
)
def test_bad_input_leaves_nothing_behind(tmp_path, options, wrong):
    with pytest.raises(InputError):
        generate(resolve_config("paper", options=options), tmp_path / "set", **({"seed": 1, "n_catalogs": 2} | wrong))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("preset", ["paper", "realistic"])
def test_surveys_larger_than_memory_are_told_the_volume_that_fits(preset):
    with pytest.raises(
        InputError, match=r"up to [\d,]+ c\w+ are expected in a catalog .* may have 10,000,000; "
    ) as refused:
        make_source(resolve_config(preset, options={"survey": {"volume": 1e13}}), seed=1)
    fitting = float(re.search(r"Mpc\^3 to (\S+) or less", str(refused.value))[1])
    assert most_expected(make_source(resolve_config(preset, options={"survey": {"volume": fitting}}), seed=1)) < 1e7


def test_shards_of_large_surveys_hold_fewer_catalogs():
    usual, large = (
        make_source(resolve_config("paper", options={"survey": {"volume": v}}), seed=1) for v in (6e7, 1e11)
    )
    assert mock_plan(usual, n_catalogs=5000).catalogs_per_shard == CATALOGS_PER_SHARD
    few = mock_plan(large, n_catalogs=5000).catalogs_per_shard
    assert 1 <= few < CATALOGS_PER_SHARD
    assert few * most_expected(large) <= MOST_CLUSTERS < (few + 1) * most_expected(large)
    with pytest.raises(InputError, match=f"catalogs_per_shard = 30 may make shards of .* give {few} or less"):
        mock_plan(large, n_catalogs=5000, catalogs_per_shard=30)


def test_processes_are_used_where_the_work_repays_their_start():
    source = make_source(PAPER, seed=1)
    found = [useful_workers(source, n_catalogs=n, workers=4) for n in (1, 4968, 30_000, 1_000_000)]
    assert found[:2] == [1, 1]
    assert found[2] in (2, 3)
    assert found[3] == 4


def test_the_realistic_preset_is_reproducible_too(tmp_path):
    config = resolve_config("realistic")
    generate(config, tmp_path / "a", seed=1, n_catalogs=20, catalogs_per_shard=20)
    generate(config, tmp_path / "b", seed=1, n_catalogs=20, catalogs_per_shard=3)
    a, b = (CatalogSet.open(tmp_path / name).read() for name in "ab")
    assert a.clusters.equals(b.clusters)
    assert np.ptp(a.label("sigma8")) > 0.1
