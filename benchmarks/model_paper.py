"""What the paper's network with the paper's recipe would cost, beside the default that reaches its accuracy.

Run with earnest-model and earnest-mocks installed, on a quiet machine::

    python benchmarks/model_paper.py                       # two minutes of each
    python benchmarks/model_paper.py --seconds 600

The rate of architecture ``paper`` with recipe ``paper`` is measured over some of its batches: catalogs of one size out
of the 3,974 training catalogs, in the recipe's order. The cost of all epochs is EXTRAPOLATED from it, and nobody has
trained that long here: that 3,688 epochs then reach 0.0212 is the paper's own report (arXiv:2112.05768, section 3.3).
The cost of architecture ``pooled`` with recipe ``fast`` to the first look at or below 0.0212 is measured, mocks made on
the way included, imports not. Processor time counts all cores. It prints one JSON object.
"""

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from earnest_common.plugins import open_source
from earnest_model.config import FastRecipe, TrainingConfig
from earnest_model.data.features import FeatureSet, fit_scaling, to_arrays
from earnest_model.data.training_data import LiveFeed, open_feed

TARGET = 0.0212
EPOCH_OF_TARGET = 3688


def paper_rate(seconds: float) -> dict[str, float]:
    """Return catalogs per second of the paper's recipe, by the clock and per processor second."""
    from earnest_model.networks import architecture
    from earnest_model.training.recipes import recipe
    from earnest_model.training.steps import compiled_step

    config = TrainingConfig(architecture="paper", recipe="paper")
    sample = open_feed(config, live="paper", data=None).sample()
    features = FeatureSet(radii=sample.radii)
    arrays = to_arrays(sample, features, fit_scaling(sample, features))
    network = architecture("paper").build(config, arrays)
    way = recipe(config, peak=1.0, n_training=arrays.n_catalogs)
    optimizer = way.optimizer(1)
    optimizer.build(network.trainable_variables)
    step, done, wall, processor = compiled_step(network, optimizer), -1, 0.0, 0.0
    for batch in way.batches(arrays, 0):
        targets = network.head.targets(batch.labels).astype(np.float32)
        step(batch.inputs, targets, batch.log_mass, np.float32(way.learning_rate(0.0)))
        if done < 0:  # the first step compiles
            done, wall, processor = 0, time.perf_counter(), time.process_time()
            continue
        done += batch.n_catalogs
        if time.perf_counter() - wall > seconds:
            break
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    return {"catalogs": done, "per_second": done / wall, "per_processor_second": done / processor}


def pooled_cost(steps: int) -> dict[str, Any]:
    """Return the processor seconds of the default network up to the first look at or below the paper's scatter."""
    from earnest_model.training.loop import train

    recipe = FastRecipe(max_steps=steps, looks=20, n_look=1024, n_validation=1024)
    config = TrainingConfig(fast=recipe)
    feed = LiveFeed(open_source("mocks", preset="paper", seed=1), recipe, seed=1)
    with tempfile.TemporaryDirectory() as folder:
        wall, processor = time.perf_counter(), time.process_time()
        result = train(config, feed, workspace=Path(folder) / "workspace")
        wall, processor = time.perf_counter() - wall, time.process_time() - processor
    reached = next((look for look in result.history if look["scatter"] <= TARGET), None)
    if reached is None:
        return {"steps": steps, "scatter": result.history[-1]["scatter"], "processor_seconds": None}
    cost = reached["seconds"] * processor / wall
    return {"steps": reached["step"], "scatter": reached["scatter"], "processor_seconds": round(cost, 1)}


def main() -> None:
    """Parse the options, measure, and extrapolate."""
    parser = argparse.ArgumentParser(description="The paper's recipe beside the default.")
    parser.add_argument("--seconds", type=float, default=120.0, help="how long the rate is measured [s]")
    parser.add_argument("--steps", type=int, default=300, help="budget of the default network [steps]")
    options = parser.parse_args()
    fields = TrainingConfig().paper_recipe
    rate, pooled = paper_rate(options.seconds), pooled_cost(options.steps)
    core_seconds = {n: n * fields.n_training / rate["per_processor_second"] for n in (EPOCH_OF_TARGET, fields.epochs)}
    cost = pooled["processor_seconds"]
    found = {
        "paper": {name: round(value, 2) for name, value in rate.items()},
        "core_days_of_all_epochs_extrapolated": round(core_seconds[fields.epochs] / 86400, 1),
        "core_days_to_its_best_epoch_extrapolated": round(core_seconds[EPOCH_OF_TARGET] / 86400, 1),
        "pooled": pooled,
        "ratio_extrapolated": round(core_seconds[EPOCH_OF_TARGET] / cost) if cost else None,
    }
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
