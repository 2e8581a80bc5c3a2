"""How accurate a network becomes in how much time: scatter of sigma8 on held-out catalogs against seconds of training.

Run with earnest-model and earnest-mocks installed, on a quiet machine::

    python benchmarks/model_train.py                                  # budgets of 10, 20, 40 and 60 seconds
    python benchmarks/model_train.py --seconds 600 --drop m_wl        # one long training without weak lensing
    python benchmarks/model_train.py --steps 1500                     # a budget of steps: the same on every machine

Each budget is a training of its own, since the learning rate falls over the whole budget. Catalogs are made while the
network trains and their cost is included; the import of TensorFlow is not. It prints one JSON object per budget:
wall and processor time [s] of the training (processor time counts both cores and does not mind other programs),
and scatter, bias and coverage on the 4,968 catalogs of the paper's grid, with ids that training never draws.
"""

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from earnest_common.catalogs.batch import CatalogBatch
from earnest_common.plugins import open_source
from earnest_model.config import FastRecipe, TrainingConfig
from earnest_model.data.training_data import LiveFeed
from earnest_model.evaluation.accuracy import accuracy
from earnest_model.evaluation.labelled_predictions import predict_labelled

N_HELD_OUT = 4968


def measure(config: TrainingConfig, preset: str, held_out: list[CatalogBatch]) -> dict[str, Any]:
    """Train once and return what it cost and what it reached."""
    from earnest_model.bundle.estimator import NetworkEstimator
    from earnest_model.training.bundle_writing import describe
    from earnest_model.training.loop import train

    feed = LiveFeed(open_source("mocks", preset=preset, seed=config.seed), config.fast, seed=config.seed)
    with tempfile.TemporaryDirectory() as folder:
        wall, processor = time.perf_counter(), time.process_time()
        result = train(config, feed, workspace=Path(folder) / "workspace")
        wall, processor = time.perf_counter() - wall, time.process_time() - processor
    quality = accuracy(predict_labelled(NetworkEstimator([result.network], describe(result, config, feed)), held_out))
    shown = ("scatter", "scatter_err", "bias", "prior_scatter", "skill", "coverage_68", "coverage_95")
    last = result.history[-1]
    return {
        "budget": config.fast.max_seconds or config.fast.max_steps,
        "wall_seconds": round(wall, 1),
        "processor_seconds": round(processor, 1),
        "steps": last["step"],
        "catalogs": last["catalogs"],
        **{name: round(getattr(quality, name), 5) for name in shown},
        "looks": [{name: look[name] for name in ("seconds", "step", "scatter")} for look in result.history],
    }


def main() -> None:
    """Parse the options and measure each budget."""
    parser = argparse.ArgumentParser(description="Scatter of sigma8 against training time.")
    parser.add_argument("--seconds", type=float, nargs="*", default=None, help="budgets [s]")
    parser.add_argument("--steps", type=int, nargs="*", default=None, help="budgets in steps instead")
    parser.add_argument("--preset", default="paper", help="survey preset (paper)")
    parser.add_argument("--architecture", default="pooled")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--drop", nargs="*", default=[], help="columns to leave out")
    options = parser.parse_args()
    recipes = [FastRecipe(max_steps=steps) for steps in options.steps or ()]
    seconds = options.seconds or ([] if recipes else [10.0, 20.0, 40.0, 60.0])
    recipes += [FastRecipe(max_seconds=budget) for budget in seconds]
    source = open_source("mocks", preset=options.preset, seed=options.seed)
    held_out = [source.batch(ids) for ids in np.array_split(np.arange(N_HELD_OUT), 4)]
    for recipe in recipes:
        config = TrainingConfig(
            architecture=options.architecture, seed=options.seed, drop=tuple(options.drop), fast=recipe
        )
        sys.stdout.write(json.dumps(measure(config, options.preset, held_out)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
