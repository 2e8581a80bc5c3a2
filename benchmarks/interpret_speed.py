"""How fast leave-one-out and saliency are beside predicting every reduced catalog anew, and beside tf-keras-vis.

Run with earnest-model and earnest-mocks installed, on a quiet machine::

    python benchmarks/interpret_speed.py                                   # both architectures, 100 catalogs
    python benchmarks/interpret_speed.py --architecture pooled --n-catalogs 200
    pip install tf-keras-vis imageio deprecated                            # for the comparison of saliencies

Networks have their first weights, since speed does not depend on them. Every measurement is a process of its own, so
that its peak of memory counts; both sides of a pair see the same network and the same catalogs of preset ``paper``,
and each is warmed up on one catalog. It prints one JSON object per pair: wall and processor time [s], memory beyond
what network and catalogs take [MB], the ratios, and the largest difference.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

PAIRS = {
    "leave_one_out": ("exact", "predictions"),
    "leave_one_out_decoder": ("exact", "predictions_of_decoder"),
    "saliency": ("gradient", "tf_keras_vis"),
}
"""What is measured, and what it is compared with; the decoder alone spares the rival the encoder."""


def network_and_catalogs(options: argparse.Namespace) -> tuple[Any, Any]:
    """Return inference of an untrained network, and catalogs as its arrays."""
    from earnest_common.plugins import open_source
    from earnest_model.config import TrainingConfig
    from earnest_model.data.features import FeatureSet, fit_scaling, to_arrays
    from earnest_model.networks import architecture

    n = 500 if options.pair == "saliency" else options.n_catalogs
    source = open_source("mocks", preset="paper", seed=options.seed)
    ids = np.linspace(0, 4967, n).astype(np.int64)  # over the whole grid of sigma8
    batch = source.batch(ids)
    arrays = to_arrays(batch, FeatureSet(), fit_scaling(batch, FeatureSet()))
    kind = architecture(options.architecture)
    config = TrainingConfig(architecture=options.architecture, seed=options.seed)
    return kind.ask(kind.build(config, arrays), options.max_rows), arrays


def predictions(inference: Any, arrays: Any) -> np.ndarray:  # noqa: ANN401
    """Return leave-one-out from predictions of every reduced catalog, as many at a time as ``max_rows`` allows."""
    whole, found = inference.sigma8(arrays), []
    for rows, catalog in reduced(arrays, inference.max_rows):
        found.append(inference.sigma8(taken(arrays, rows, catalog)) - whole[catalog])
    return np.concatenate(found)


def predictions_of_decoder(inference: Any, arrays: Any) -> np.ndarray:  # noqa: ANN401
    """Return the same with terse values computed once: only what follows the encoder is repeated."""
    from dataclasses import replace

    network = inference.network
    terse = inference.terse(arrays).astype(np.float32)
    joined = replace(arrays, encoder=terse[:, None])
    whole, found = inference.sigma8(arrays), []
    for rows, catalog in reduced(arrays, inference.max_rows):
        part = taken(joined, rows, catalog)
        rows_of_decoder = np.concatenate([part.encoder, part.supplementary], axis=1)
        found.append(network.head.sigma8(network.decode(rows_of_decoder, part.counts)).numpy() - whole[catalog])
    return np.concatenate(found)


def reduced(arrays: Any, max_rows: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:  # noqa: ANN401
    """Yield rows of reduced catalogs, and the catalog that each comes from."""
    catalog = np.repeat(np.arange(arrays.n_catalogs), arrays.counts)
    left = arrays.counts[catalog] - 1
    total, first = np.cumsum(left), 0
    while first < len(left):
        done = total[first - 1] if first else 0
        last = max(first + 1, int(np.searchsorted(total, done + max_rows, side="right")))
        removed, sizes = np.arange(first, last), left[first:last]
        place = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        rows = np.repeat(arrays.row_splits[catalog[removed]], sizes) + place
        yield rows + (rows >= np.repeat(removed, sizes)), catalog[removed]
        first = last


def taken(arrays: Any, rows: np.ndarray, catalog: np.ndarray) -> Any:  # noqa: ANN401
    """Return catalogs less one cluster each."""
    from earnest_model.data.arrays import Arrays

    return Arrays(
        encoder=arrays.encoder[rows],
        supplementary=arrays.supplementary[rows],
        counts=(arrays.counts[catalog] - 1).astype(np.int32),
        labels=arrays.labels[catalog],
    )


def exact(inference: Any, arrays: Any) -> np.ndarray:  # noqa: ANN401
    """Return leave-one-out of earnest."""
    return np.asarray(inference.leave_one_out(arrays))


def gradient(inference: Any, arrays: Any) -> np.ndarray:  # noqa: ANN401
    """Return saliencies of earnest."""
    return np.abs(inference.terse_gradient(arrays))


def tf_keras_vis(inference: Any, arrays: Any) -> np.ndarray:  # noqa: ANN401
    """Return saliencies of tf-keras-vis, in one call as well."""
    import keras
    from tf_keras_vis.saliency import Saliency

    inputs = keras.Input((arrays.encoder.shape[1],))
    terse = keras.layers.Lambda(inference.network.terse, output_shape=(1,))(inputs)
    found = Saliency(keras.Model(inputs, terse), clone=False)(
        lambda output: output[:, 0], arrays.encoder, keepdims=True, normalize_map=False
    )
    return np.asarray(found)


WAYS: dict[str, Callable[[Any, Any], np.ndarray]] = {
    "exact": exact,
    "predictions": predictions,
    "predictions_of_decoder": predictions_of_decoder,
    "gradient": gradient,
    "tf_keras_vis": tf_keras_vis,
}


def measure(options: argparse.Namespace) -> None:
    """Do one side of a pair, store its values and print its cost."""
    inference, arrays = network_and_catalogs(options)
    ask = WAYS[options.way]
    ask(inference, arrays.take(np.array([arrays.n_catalogs // 2])))
    resident, cpu, wall = peak_mb(), time.process_time(), time.perf_counter()
    values = ask(inference, arrays)
    told = {
        "seconds": time.perf_counter() - wall,
        "cpu_seconds": time.process_time() - cpu,
        "memory_mb": peak_mb() - resident,
        "n_clusters": int(arrays.counts.sum()),
        "width": float(getattr(inference.network.head, "width", 0.22)),
    }
    np.save(options.store, values)
    sys.stdout.write(json.dumps(told) + "\n")


def peak_mb() -> float:
    """Return the largest memory of this process so far [MB]."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def compare(architecture: str, pair: str, options: argparse.Namespace) -> dict[str, Any]:
    """Measure both sides of a pair and return what they cost."""
    told: dict[str, Any] = {"architecture": architecture, "pair": pair}
    values = []
    with tempfile.TemporaryDirectory(prefix="earnest-benchmark-") as folder:
        for way in PAIRS[pair]:
            store = Path(folder) / f"{way}.npy"
            words = ["--architecture", architecture, "--pair", pair, "--way", way, "--store", str(store)]
            same = ["n_catalogs", "max_rows", "seed"]
            words += [word for name in same for word in (f"--{name.replace('_', '-')}", str(getattr(options, name)))]
            done = subprocess.run([sys.executable, __file__, *words], check=True, capture_output=True, text=True)
            told[way] = json.loads(done.stdout.splitlines()[-1])
            values.append(np.load(store))
    ours, theirs = (told[way] for way in PAIRS[pair])
    told |= {f"ratio_{name}": theirs[name] / ours[name] for name in ("seconds", "cpu_seconds")}
    told["largest_difference"] = float(np.nanmax(np.abs(values[0] - values[1])))
    if pair.startswith("leave"):
        told["largest_difference_scaled"] = told["largest_difference"] / ours["width"]
    else:
        told["largest_value"] = float(values[1].max())
    return told


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--architecture", nargs="*", default=["pooled", "paper"])
    parser.add_argument("--pair", nargs="*", default=["leave_one_out", "saliency"], choices=list(PAIRS))
    parser.add_argument("--n-catalogs", type=int, default=100, help="catalogs of leave-one-out; saliency takes 500")
    parser.add_argument("--max-rows", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--way", choices=list(WAYS), help=argparse.SUPPRESS)
    parser.add_argument("--store", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.way:
        options.architecture, options.pair = options.architecture[0], options.pair[0]
        measure(options)
        return
    for architecture in options.architecture:
        for pair in options.pair:
            sys.stdout.write(json.dumps(compare(architecture, pair, options)) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
