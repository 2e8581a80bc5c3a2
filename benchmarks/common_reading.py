"""What checksums and checks of rows cost beside a prediction.

Run with earnest-model installed::

    python benchmarks/common_reading.py MODEL SET

It prints one JSON object: CPU seconds per catalog for opening bytes without any check, for the checksum, for the
checks of the schema, and for a prediction of the same catalogs by a model in memory, each the least of five, and the
share that the two checks are of such a prediction.
"""

import argparse
import io
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import polars as pl
from earnest_common.catalogs import CatalogSet
from earnest_common.catalogs.writer import shard_file
from earnest_common.plugins import load_estimator
from earnest_common.run.files import file_sha256

TABLES = ("catalogs", "clusters")


def seconds(work: Callable[[], object], repeats: int = 5) -> float:
    """Return the least CPU time of some repeats [s], which other programs disturb least."""
    times = []
    for _ in range(repeats):
        begun = time.process_time()
        work()
        times.append(time.process_time() - begun)
    return min(times)


def main() -> None:
    """Print the costs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("set", type=Path)
    options = parser.parse_args()
    opened, estimator = CatalogSet.open(options.set), load_estimator(options.model)
    batch, files = opened.shard(0), [shard_file(options.set, name, 0) for name in TABLES]
    costs = {
        "open": seconds(lambda: [pl.read_parquet(io.BytesIO(file.read_bytes())) for file in files]),
        "checksum": seconds(lambda: [file_sha256(file) for file in files]),
        "rows": seconds(batch.problems),
        "predict": seconds(lambda: estimator.predict(batch)),
    }
    share = (costs["checksum"] + costs["rows"]) / costs["predict"]
    answer = {"n_catalogs": batch.n_catalogs, "n_clusters": batch.n_clusters, "share": share}
    per_catalog = {f"{name}_seconds_per_catalog": cost / batch.n_catalogs for name, cost in costs.items()}
    sys.stdout.write(json.dumps({**answer, **per_catalog}, indent=1) + "\n")


if __name__ == "__main__":
    main()
