"""How fast mock catalogs are made: sets on disk, live batches, and a plain reading of the paper beside them.

Run with earnest-mocks installed::

    python benchmarks/mocks_generate.py                          # 4,968 catalogs, about half a minute
    python benchmarks/mocks_generate.py --n-catalogs 100000      # the larger set
    python benchmarks/mocks_generate.py --sizes 1000 10000 100000  # cost per catalog, start-up apart

It prints one JSON object: wall and processor times [s] with start-up, rates, and the memory of the largest process.
"""

import argparse
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from earnest_common.survey.mass_function import default_mass_function
from earnest_common.survey.presets import preset
from earnest_common.survey.scaling import TABLE_2
from earnest_mocks.base_sample.sample import default_base_sample
from earnest_mocks.catalogs.source import open_source

COMMAND = [sys.executable, "-c", "from earnest_common.cli.root import main; main()", "mocks", "generate"]


def timed(work: Callable[[], Any], *, repeats: int = 3) -> float:
    """Return the shortest of a few wall times [s]."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def cpu_seconds() -> float:
    """Return the processor time of all finished child processes; on a busy machine it says more than wall time."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def on_disk(name: str, *, n_catalogs: int, workers: int, per_shard: int = 512) -> dict[str, Any]:
    """Return wall time and size of one run of the command, start-up included."""
    folder = Path(tempfile.mkdtemp(prefix="earnest-benchmark-"))
    options = [
        "--preset",
        name,
        "--n-catalogs",
        str(n_catalogs),
        "--workers",
        str(workers),
        "--catalogs-per-shard",
        str(per_shard),
        "--out",
        str(folder / "SET"),
    ]
    try:
        before = cpu_seconds()
        start = time.perf_counter()
        done = subprocess.run([*COMMAND, *options, "--json"], check=True, capture_output=True, text=True)
        seconds = time.perf_counter() - start
        n_clusters = json.loads(done.stdout)["n_clusters"]
        n_bytes = sum(file.stat().st_size for file in folder.rglob("*.parquet"))
    finally:
        shutil.rmtree(folder)
    return {
        "preset": name,
        "workers": workers,
        "n_catalogs": n_catalogs,
        "n_clusters": n_clusters,
        "seconds": round(seconds, 2),
        "cpu_seconds": round(cpu_seconds() - before, 2),
        "clusters_per_second": round(n_clusters / seconds),
        "megabytes_on_disk": round(n_bytes / 1e6, 1),
        "largest_process_megabytes": round(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e3),
    }


def scaling(name: str, *, sizes: list[int]) -> list[dict[str, Any]]:
    """Return the cost of a catalog in sets of several sizes on one core, less the start-up."""
    start = on_disk(name, n_catalogs=1, workers=1, per_shard=1)
    return [
        {
            "preset": name,
            "n_catalogs": n,
            "seconds": run["seconds"],
            "cpu_seconds": run["cpu_seconds"],
            "start_up_cpu_seconds": start["cpu_seconds"],
            "cpu_milliseconds_per_catalog": round(1e3 * (run["cpu_seconds"] - start["cpu_seconds"]) / n, 3),
            "largest_process_megabytes": run["largest_process_megabytes"],
        }
        for n in sizes
        for run in [on_disk(name, n_catalogs=n, workers=1)]
    ]


def live(name: str, *, batch_size: int) -> dict[str, Any]:
    """Return how many catalogs per second one process makes for training."""
    source = open_source(name, seed=1)
    ids = np.arange(batch_size)
    seconds = timed(lambda: source.batch(ids), repeats=20)
    return {
        "preset": name,
        "batch_size": batch_size,
        "catalogs_per_second": round(batch_size / seconds),
        "clusters_per_second": round(source.batch(ids).n_clusters / seconds),
    }


def plain_catalog(rng: np.random.Generator) -> int:
    """Make one catalog cluster by cluster, as the paper's section 2 reads, and return the number of clusters."""
    survey, sample, table = preset("paper").survey, default_base_sample(), default_mass_function()
    sigma8, factor, wl_scatter = rng.uniform(0.70, 0.92), rng.uniform(0.7, 1.3, 3), rng.uniform(0.1, 0.3)
    clusters = []
    for log10_m in np.arange(13.6, 15.6, 0.01) + 0.005:
        selected = min(1.0, 10 ** (2.4 * (log10_m - 14.4)))
        mean = survey.volume * 0.01 * selected * float(table.dn_dlog10_m(log10_m, sigma8))
        for _ in range(rng.poisson(mean)):
            neighbours = [i for i, x in enumerate(sample.log10_m_500c) if abs(x - log10_m) <= 0.1] or [0]
            donor = neighbours[rng.integers(len(neighbours))]
            laws = (TABLE_2.l_x, TABLE_2.t_x, TABLE_2.m_gas)
            log10_x = [
                law.log10_mean(log10_m) + f * residual
                for law, f, residual in zip(laws, factor, sample.residuals[donor], strict=True)
            ]
            profile = sample.gas_fraction_profile[donor] * 10 ** log10_x[2]
            m_wl = 10**log10_m * np.exp(wl_scatter * rng.standard_normal())
            clusters.append((10 ** log10_x[0], 10 ** log10_x[1], profile, sample.gas_slope_profile[donor], m_wl))
    clusters.sort(key=lambda cluster: -cluster[0])
    return len(clusters)


def plain(n_catalogs: int = 5) -> dict[str, Any]:
    """Return the rate of the plain reading."""
    rng = np.random.default_rng(1)
    plain_catalog(rng)
    start = time.perf_counter()
    n_clusters = sum(plain_catalog(rng) for _ in range(n_catalogs))
    return {"clusters_per_second": round(n_clusters / (time.perf_counter() - start))}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n-catalogs", type=int, default=4968)
    parser.add_argument("--preset", nargs="*", default=["paper", "realistic"])
    parser.add_argument("--workers", nargs="*", type=int, default=[1, 2], help="at most; little work starts fewer")
    parser.add_argument("--sizes", nargs="*", type=int, default=[], help="measure the cost per catalog instead")
    options = parser.parse_args()
    if options.sizes:
        runs = [run for p in options.preset for run in scaling(p, sizes=options.sizes)]
        sys.stdout.write(json.dumps({"scaling": runs}, indent=1) + "\n")
        return
    sets = [on_disk(p, n_catalogs=options.n_catalogs, workers=w) for p in options.preset for w in options.workers]
    rates = [live(p, batch_size=size) for p in options.preset for size in (16, 64, 512)]
    slow = plain()
    answer = {
        "on_disk": sets,
        "live": rates,
        "plain_reading": slow,
        "times_faster_than_plain": {  # the last batch of each preset is its largest
            rate["preset"]: round(rate["clusters_per_second"] / slow["clusters_per_second"]) for rate in rates
        },
    }
    sys.stdout.write(json.dumps(answer, indent=1) + "\n")


if __name__ == "__main__":
    main()
