"""How often the verdict finds leaks that were put in on purpose, and how often it accuses sound models.

Run with earnest-model and earnest-mocks installed; every step goes on where it was interrupted::

    python benchmarks/interpret_verdict.py train --out FOLDER --workers 2 --max-minutes 10    # repeat until all is done
    python benchmarks/interpret_verdict.py judge --out FOLDER
    python benchmarks/interpret_verdict.py table --out FOLDER                                  # Markdown

Models are small and each has its own seed of mocks, weights and donors. Every one is judged on fresh catalogs of the
survey that it was trained on: the question is whether a model's catalogs betray what it learned from them.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

FIVE = ("l_x", "t_x", "m_gas", "y_500", "m_wl")
SMALL_CNN = {
    "architecture": "paper",
    "encoder": FIVE,
    "supplementary": (),
    "paper": {"pooling": "max", "encoder": (64, 32), "convolutions": (16, 32, 64), "dense": (64, 32),
              "encoder_dropout": 0.0, "dense_dropout": 0.0, "learning_rate": 2e-3},
}  # fmt: skip
"""Appendix B: five columns, nothing beside the terse value, max pooling; narrower than table 3 to train in a minute."""
TOY = {"architecture": "pooled", "encoder": FIVE, "supplementary": ()}
GRID = {"sigma8": {"low": 0.70, "high": 0.92, "step": 0.01}} | {
    f"{name}_normalisation": {"low": 0.8, "high": 1.3, "step": 0.1} for name in ("l_x", "t_x", "m_gas")
}
MASS_CUT = {"survey": {"cut": "mass"}}


@dataclass(frozen=True, kw_only=True)
class Case:
    """One kind of model: what leaks, how much of it, and how often it is trained."""

    name: str
    leak: str
    size: float
    n: int
    preset: str = "realistic"
    mocks: Mapping[str, Any] | None = None
    model: Mapping[str, Any] | None = None
    max_steps: int = 150


def scaled(size: float) -> dict[str, Any]:
    """Return the exponents of the illustrative prescription times a number."""
    powers = {"l_x": 0.3, "t_x": 0.2, "m_gas": 0.1, "y_500": 0.3}
    exponents = {name: {"sigma8": size * power} for name, power in powers.items()}
    return {"prescription": {**exponents, "origin": f"powers of sigma8 that were made up, times {size}"}}


CASES = (
    Case(name="realistic", leak="none", size=0, n=16),
    *(Case(name=f"prescription-{s}", leak="prescription", size=s, n=3, preset="overspecialised", mocks=scaled(s),
           model=TOY, max_steps=400) for s in (0.0, 0.1, 0.25, 0.5, 1.0)),
    Case(name="appendix-b", leak="prescription", size=1, n=3, preset="overspecialised", model=SMALL_CNN,
         max_steps=1000),
    Case(name="mass-cut", leak="cut in true mass", size=1, n=3, mocks=MASS_CUT),
    Case(name="mass-cut-smooth", leak="cut in true mass", size=0.5, n=2,
         mocks={"survey": {"cut": "mass", "selection": {"smoothing": 0.076}}}),
    Case(name="grid", leak="grid", size=1, n=2, mocks={"priors": GRID}),
    Case(name="clones", leak="clones", size=0.5, n=3, mocks={"donors": {"recombine": 0.0}}),
    Case(name="clones-no-noise", leak="clones", size=1, n=3,
         mocks={"donors": {"recombine": 0.0}, "noise": {"m_gas_profile": 0.0, "gas_slope_profile": 0.0, "t_x": 0.0}}),
    Case(name="paper", leak="as published", size=1, n=3, preset="paper"),
    Case(name="paper-split", leak="as published", size=1, n=3, preset="paper", mocks={"donors": {"split": True}}),
    Case(name="appendix-b-strong", leak="prescription", size=4, n=2, preset="overspecialised", mocks=scaled(4.0),
         model=SMALL_CNN, max_steps=1000),
)  # fmt: skip


def jobs() -> Iterator[tuple[Case, int]]:
    """Yield case and seed of every model, so that an interrupted run has some of each."""
    every = [(case, seed) for case in CASES for seed in range(1, 1 + case.n)]
    yield from sorted(every, key=lambda job: job[1] / job[0].n)


def mock_seed(case: Case, seed: int) -> int:
    """Return a seed that no other model has."""
    return 1000 * (1 + [one.name for one in CASES].index(case.name)) + seed


def train_one(job: tuple[Case, int], *, out: Path, until: float) -> str:
    """Train one model unless it is there or time is up, and return a word about it."""
    case, seed = job
    path = out / f"{case.name}-{seed}"
    if path.exists() or time.time() > until:
        return "there" if path.exists() else "left for later"
    from earnest_common.config import load_config
    from earnest_common.errors import EarnestError
    from earnest_common.plugins import open_source
    from earnest_model.config import TrainingConfig
    from earnest_model.feeds import LiveFeed
    from earnest_model.workflow import train_bundle

    fast = {"max_steps": case.max_steps, "n_validation": 512, "n_look": 256, "looks": 4, "passes": 4}
    options = {"seed": mock_seed(case, seed), "fast": fast, **(case.model or {})}
    config = load_config(TrainingConfig, options=options)
    try:
        source = open_source("mocks", preset=case.preset, seed=config.seed, config=dict(case.mocks or {}))
    except EarnestError as error:  # some seeds deal out donors for which a survey cannot be made; others still can
        return f"{path.name}: impossible ({error})"
    start = time.process_time()
    told = train_bundle(config, LiveFeed(source, config.fast, seed=config.seed), path)
    return f"{path.name}: scatter {told['validation_scatter']:.4f}, {time.process_time() - start:.0f} s of CPU"


def train(options: argparse.Namespace) -> None:
    """Train every model that is missing, through the executor seam."""
    from earnest_common.executors import map_shards, open_executor

    options.out.mkdir(parents=True, exist_ok=True)
    missing = [job for job in jobs() if not (options.out / f"{job[0].name}-{job[1]}").exists()]
    until = time.time() + 60 * options.max_minutes
    work = partial(train_one, out=options.out, until=until)
    with open_executor(workers=options.workers) as executor:
        map_shards(work, missing, executor, on_done=lambda word: sys.stderr.write(f"{word}\n"))


def catalogs(case: Case, seed: int, *, split: str, n: int = 400) -> Any:  # noqa: ANN401 - imported when needed
    """Return fresh catalogs of a model's own survey and donors; their ids are none of training's."""
    from earnest_common.plugins import open_source

    source = open_source("mocks", preset=case.preset, seed=mock_seed(case, seed), config=dict(case.mocks or {}))
    digits = source.batch(np.arange(10)).catalogs.get_column("split").to_list()
    ids = np.array([i for i in range(10 * n) if digits[i % 10] == split][:n])
    return source.batch(np.random.default_rng(seed).permutation(4968)[:n] if len(ids) < n else ids)


def judge_one(job: tuple[Case, int], *, out: Path) -> str:
    """Write the verdict on one model, and return a word about it."""
    case, seed = job
    path = out / f"{case.name}-{seed}"
    file = out / f"{path.name}.json"
    if file.exists() or not path.exists():
        return f"{path.name}: {'judged' if file.exists() else 'not trained'}"
    from earnest_common.files import write_atomic
    from earnest_common.plugins import load_estimator
    from earnest_interpret.report import finite
    from earnest_interpret.verdict import decide, examine

    start = time.process_time()
    split = case.preset == "realistic" or bool((case.mocks or {}).get("donors", {}).get("split"))
    batch = catalogs(case, seed, split="test")
    known = catalogs(case, seed, split="train") if split else None
    evidence = examine(load_estimator(path), batch, known=known, no_known="all donors are known", seed=seed)
    error = evidence.predictions - evidence.sigma8
    told = {"scatter": float(error.std()), "bias": float(error.mean()), **decide(evidence).numbers()}
    write_atomic(file, json.dumps(finite(told), indent=1, ensure_ascii=False) + "\n")
    word = "overspecialised" if told["overspecialised"] else "acquitted"
    return f"{path.name}: {word}, p = {told['p_value']:.2g}, {time.process_time() - start:.0f} s of CPU"


def judge(options: argparse.Namespace) -> None:
    """Judge every model that is there."""
    from earnest_common.executors import map_shards, open_executor

    with open_executor(workers=options.workers) as executor:
        work = partial(judge_one, out=options.out)
        map_shards(work, list(jobs()), executor, on_done=lambda word: sys.stderr.write(f"{word}\n"))


def table(options: argparse.Namespace) -> None:
    """Print how often each kind of model was convicted, with 95 % binomial intervals, and by which test."""
    from scipy.stats import binomtest

    names = ("leak", "size", "models", "convicted", "95 %", "by terse, exchange, donors, grid", "scatter", "slope")
    lines = [f"| {' | '.join(names)} |", "| --- " * len(names) + "|"]
    for case in CASES:
        files = [options.out / f"{case.name}-{seed}.json" for seed in range(1, 1 + case.n)]
        told = [json.loads(file.read_text()) for file in files if file.exists()]
        if not told:
            continue
        convicted = sum(one["overspecialised"] for one in told)
        low, high = binomtest(convicted, len(told)).proportion_ci(method="exact")
        checks = [{check["key"]: check for check in one["checks"]} for one in told]
        by = [sum(one[key]["outcome"] == "failed" for one in checks) for key in ("terse", "exchange", "donors", "grid")]
        slope = np.mean([one["exchange"]["numbers"]["slope"] for one in checks])
        scatter = np.mean([one["scatter"] for one in told])
        lines.append(
            f"| {case.leak} ({case.name}) | {case.size:g} | {len(told)} | {convicted} | {low:.2f} to {high:.2f} "
            f"| {', '.join(map(str, by))} | {scatter:.4f} | {100 * slope:+.1f} % |"
        )
    sys.stdout.write("\n".join(lines) + "\n")


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("step", choices=("train", "judge", "table"))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--max-minutes", type=float, default=600.0)
    options = parser.parse_args()
    {"train": train, "judge": judge, "table": table}[options.step](options)


if __name__ == "__main__":
    main()
