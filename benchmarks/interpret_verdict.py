"""How often the verdict finds leaks that were put in on purpose, and how often it accuses sound models.

Run with earnest-model and earnest-mocks installed; every step goes on where it was interrupted::

    python benchmarks/interpret_verdict.py train --out FOLDER --workers 2 --max-minutes 10    # repeat until all is done
    python benchmarks/interpret_verdict.py judge --out FOLDER
    python benchmarks/interpret_verdict.py null --out FOLDER     # the exchange where it must find nothing
    python benchmarks/interpret_verdict.py edges --out FOLDER    # no models: how often cuts in true mass are told
    python benchmarks/interpret_verdict.py table --out FOLDER                                  # Markdown

Models are small and each has its own seed of mocks, weights and donors. Every one is judged on fresh catalogs of the
survey that it was trained on: the question is whether a model's catalogs betray what it learned from them. Whether or
not a network comes to know its donors by sight, such memory is also planted: those models are trained, and tested with
known donors, on catalogs that lack a share of the donors' residuals, and with strangers on whole ones.
"""

import argparse
import json
import sys
import time
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

N_CATALOGS, N_SETS = 300, 8
NO_PRESCRIPTION = ("none", "grid", "clones", "as published")
"""Leaks that leave a cluster of given mass its look whatever the sigma8."""
FIVE = ("l_x", "t_x", "m_gas", "y_500", "m_wl")
SMALL_CNN = {
    "architecture": "paper",
    "encoder": FIVE,
    "supplementary": (),
    "paper": {"pooling": "max", "initial": "whitened", "encoder": (64, 32), "convolutions": (16, 32, 64),
              "dense": (64, 32), "encoder_dropout": 0.0, "dense_dropout": 0.0, "learning_rate": 3e-3},
}  # fmt: skip
"""Appendix B: five columns, nothing beside the terse value, max pooling; narrower than table 3 to train in a minute."""
SMALL = {"pooled": {"encoder": (24,), "member": (32,), "pooled": 32, "decoder": (64,), "learning_rate": 0.01}}
"""The default architecture, narrower."""
TOY = {**SMALL, "encoder": FIVE, "supplementary": ()}
GRID = {"sigma8": {"low": 0.70, "high": 0.92, "step": 0.01}} | {
    f"{name}_normalisation": {"low": 0.8, "high": 1.3, "step": 0.1} for name in ("l_x", "t_x", "m_gas")
}
FIXED = {
    name: {"low": 1.0, "high": 1.0, "step": None}
    for name in (*(f"{one}_normalisation" for one in ("l_x", "t_x", "m_gas")), "l_x_slope",
                 *(f"{one}_scatter" for one in ("l_x", "t_x", "m_gas")))
}  # fmt: skip
"""No nuisance but the scatter of weak lensing."""


def cut_in_mass(smoothing: float) -> dict[str, Any]:
    """Return a cut in true mass, blurred by so many dex."""
    return {"survey": {"cut": "mass", "selection": {"smoothing": smoothing}}}


def remembered(share: float) -> dict[str, Any]:
    """Return catalogs in which donors are known so well that this share of their residuals is taken off."""
    scatter = {"low": 0.7 * (1 - share), "high": 1.3 * (1 - share)}
    return {"priors": {f"{name}_scatter": scatter for name in ("l_x", "t_x", "m_gas")}}


def lent(recombine: float, *, noise: bool = True) -> dict[str, Any]:
    """Return clones: residuals and profiles of one donor, or mixed with a second one, measured or exact."""
    exact = {} if noise else {"noise": {"m_gas_profile": 0.0, "gas_slope_profile": 0.0, "t_x": 0.0}}
    return {"donors": {"recombine": recombine}, **exact}


@dataclass(frozen=True, kw_only=True)
class Case:
    """One kind of model: what leaks, how much of it, how often it is trained, and what strangers come from."""

    name: str
    leak: str
    size: float
    n: int
    preset: str = "realistic"
    mocks: Mapping[str, Any] | None = None
    unknown: Mapping[str, Any] | None = None
    model: Mapping[str, Any] | None = None
    max_steps: int = 150


def scaled(size: float) -> dict[str, Any]:
    """Return the exponents of the illustrative prescription times a number."""
    powers = {"l_x": 0.3, "t_x": 0.2, "m_gas": 0.1, "y_500": 0.3}
    exponents = {name: {"sigma8": size * power} for name, power in powers.items()}
    return {"prescription": {**exponents, "origin": f"powers of sigma8 that were made up, times {size}"}}


CASES = (
    Case(name="realistic", leak="none", size=0, n=16),
    *(Case(name=f"prescription-{s}", leak="prescription", size=s, n=3, preset="paper",
           mocks={"priors": FIXED, **scaled(s)}, model=TOY, max_steps=200) for s in (0.0, 0.1, 0.25, 0.5, 1.0)),
    *(Case(name=f"mass-cut-{s}", leak="cut in true mass", size=s, n=2, mocks=cut_in_mass(s), max_steps=200)
      for s in (0.0, 0.02, 0.076)),
    Case(name="grid", leak="grid", size=1, n=2, mocks={"priors": GRID}),
    *(Case(name=f"clones-{s}", leak="clones", size=s, n=2, mocks=lent(s), max_steps=200) for s in (0.0, 0.5)),
    *(Case(name=f"clones-{s}-exact", leak="clones", size=s, n=2, mocks=lent(s, noise=False), max_steps=200)
      for s in (0.0, 0.5)),
    *(Case(name=f"memory-{s}", leak="donors known by sight, planted", size=s, n=2, mocks=remembered(s), unknown={})
      for s in (0.25, 0.5, 0.75)),
    Case(name="appendix-b", leak="prescription on the simulated clusters", size=1, n=2, preset="overspecialised",
         model=SMALL_CNN, max_steps=1000),
    Case(name="appendix-b-pooled", leak="prescription on the simulated clusters", size=1, n=2,
         preset="overspecialised", model=TOY, max_steps=400),
    Case(name="appendix-b-strong", leak="prescription on the simulated clusters", size=4, n=1,
         preset="overspecialised", mocks=scaled(4.0), model=TOY, max_steps=400),
    Case(name="paper", leak="as published", size=1, n=2, preset="paper", max_steps=200),
    Case(name="paper-split", leak="as published", size=1, n=2, preset="paper", mocks={"donors": {"split": True}},
         max_steps=200),
)  # fmt: skip


def jobs(options: argparse.Namespace) -> Iterator[tuple[Case, int]]:
    """Yield case and seed of every model, so that an interrupted run has some of each."""
    first, cases = options.first_seed, [case for case in CASES if case.name in (options.only or [case.name])]
    yield from sorted(((case, seed) for case in cases for seed in range(first, first + case.n)), key=lambda job: job[1])


def mock_seed(case: Case, seed: int) -> int:
    """Return a seed that no other model has."""
    return 1000 * (zlib.crc32(case.name.encode()) % 2_000_000) + seed


def train_one(job: tuple[Case, int], *, out: Path, until: float) -> str:
    """Train one model unless it is there or time is up, and return a word about it."""
    case, seed = job
    path = out / f"{case.name}-{seed}"
    if path.exists() or time.time() > until:
        return "there" if path.exists() else "left for later"
    from earnest_common.errors import EarnestError
    from earnest_common.plugins import open_source
    from earnest_common.run.config import load_config
    from earnest_model.config import TrainingConfig
    from earnest_model.data.training_data import LiveFeed
    from earnest_model.training.bundles import train_bundle

    fast = {"max_steps": case.max_steps, "n_validation": 512, "n_look": 256, "looks": 4, "passes": 4}
    options = {"seed": mock_seed(case, seed), "fast": fast, **(case.model or SMALL)}
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
    from earnest_common.run.executors import map_shards, open_executor

    options.out.mkdir(parents=True, exist_ok=True)
    missing = [job for job in jobs(options) if not (options.out / f"{job[0].name}-{job[1]}").exists()]
    until = time.time() + 60 * options.max_minutes
    work = partial(train_one, out=options.out, until=until)
    with open_executor(workers=options.workers) as executor:
        map_shards(work, missing, executor, on_done=lambda word: sys.stderr.write(f"{word}\n"))


def catalogs(case: Case, seed: int, *, split: str, which: int = 0) -> Any:  # noqa: ANN401 - imported when needed
    """Return 300 fresh catalogs of a model's own survey and donors; their ids are none of training's."""
    from earnest_common.plugins import open_source

    mocks = case.mocks if case.unknown is None or split == "train" else case.unknown
    source = open_source("mocks", preset=case.preset, seed=mock_seed(case, seed), config=dict(mocks or {}))
    splits = source.batch(np.arange(10)).catalogs.get_column("split").to_list()
    ids = np.arange(N_CATALOGS * 10 * which, N_CATALOGS * 10 * (which + 1))
    return source.batch(ids[np.array([splits[i % 10] == split for i in ids])][:N_CATALOGS])


def judge_one(job: tuple[Case, int], *, out: Path) -> str:
    """Write the verdict on one model, and return a word about it."""
    case, seed = job
    path = out / f"{case.name}-{seed}"
    file = out / f"{path.name}.json"
    if file.exists() or not path.exists():
        return f"{path.name}: {'judged' if file.exists() else 'not trained'}"
    from earnest_common.plugins import load_estimator
    from earnest_common.run.files import write_atomic
    from earnest_common.run.numbers import json_ready
    from earnest_interpret.analyses.verdict import decide, gather_evidence
    from earnest_interpret.responses.responses import Responses

    start = time.process_time()
    split = case.preset == "realistic" or case.name == "paper-split"
    batch = catalogs(case, seed, split="test")
    known = catalogs(case, seed, split="train") if split else None
    evidence = gather_evidence(
        Responses(estimator=load_estimator(path), batch=batch),
        known=known,
        no_known="all donors are known",
        seed=seed,
        n_permutations=1999,
    )
    error = evidence.predictions - evidence.sigma8
    told = {"scatter": float(error.std()), "bias": float(error.mean()), **decide(evidence).to_dict()}
    write_atomic(file, json.dumps(json_ready(told), indent=1, ensure_ascii=False) + "\n")
    word = "overspecialised" if told["overspecialised"] else "acquitted"
    return f"{path.name}: {word}, p = {told['p_value']:.2g}, {time.process_time() - start:.0f} s of CPU"


def judge(options: argparse.Namespace) -> None:
    """Judge every model that is there."""
    from earnest_common.run.executors import map_shards, open_executor

    with open_executor(workers=options.workers) as executor:
        work = partial(judge_one, out=options.out)
        map_shards(work, list(jobs(options)), executor, on_done=lambda word: sys.stderr.write(f"{word}\n"))


def null(options: argparse.Namespace) -> None:
    """Write p-values of the exchange where nothing is prescribed, on further catalogs, and print how small they are."""
    from earnest_common.plugins import load_estimator
    from earnest_common.run.files import write_atomic
    from earnest_interpret.analyses.verdict.exchange import exchange
    from scipy.stats import binomtest

    file = options.out / "null.json"
    found = json.loads(file.read_text()) if file.exists() else {}
    for case, seed in jobs(options):
        path = options.out / f"{case.name}-{seed}"
        for which in range(1, 1 + N_SETS):
            name = f"{path.name}, {which}"
            if name not in found and path.exists() and case.leak in NO_PRESCRIPTION:
                batch = catalogs(case, seed, split="test", which=which)
                told = exchange(load_estimator(path), batch, rng=np.random.default_rng([seed, which]))
                found[name] = told.p_value if told else None
                write_atomic(file, json.dumps(found, indent=1) + "\n")
    values = [p for p in found.values() if p is not None]
    for level in (0.0125, 0.05, 0.1, 0.2, 0.5):
        small = sum(p <= level for p in values)
        low, high = binomtest(small, len(values)).proportion_ci(method="exact")
        sys.stdout.write(f"p <= {level}: {small} of {len(values)} ({low:.3f} to {high:.3f})\n")


def edges(options: argparse.Namespace) -> None:
    """Print how often catalogs are told to be cut in true mass, sharply or at all, by smoothing."""
    from earnest_interpret.analyses.verdict.edge import edge, excess_of_lightest
    from earnest_interpret.analyses.verdict.relations import Relations
    from earnest_interpret.analyses.verdict.words import BRIGHTER, SHARP

    cuts = {str(width): cut_in_mass(width) for width in (0.0, 0.005, 0.01, 0.02, 0.04, 0.076)} | {"flux": {}}
    for name, mocks in cuts.items():
        case, found = Case(name=f"edge-{name}", leak="edge", size=0, n=0, mocks=mocks), []
        for seed in range(1, 1 + options.n_seeds):
            both = [catalogs(case, seed, split=split) for split in ("test", "train")]
            masses = [np.log10(batch.column("m_500c")) for batch in both]
            residual = np.concatenate([Relations.of(batch).residual("l_x") for batch in both])
            excess = excess_of_lightest(np.concatenate(masses), residual)
            told = edge(masses[0], np.ones_like(masses[0]), excess=excess)
            found.append((told.sharpness >= SHARP, excess < BRIGHTER, excess))
        sharp, by_mass, excess = np.array(found).T
        words = f"excess {excess.mean():+.2f} +- {excess.std():.2f} of the scatter"
        sys.stdout.write(f"| {name} | {sharp.mean():.2f} | {by_mass.mean():.2f} | {words} |\n")


def table(options: argparse.Namespace) -> None:
    """Print how often each kind of model was convicted, with 95 % binomial intervals, and by which test."""
    from scipy.stats import binomtest

    names = ("leak", "size", "models", "convicted", "95 %", "by terse, exchange, donors, grid", "scatter", "slope")
    lines = [f"| {' | '.join(names)} |", "| --- " * len(names) + "|"]
    for case in CASES:
        files = [options.out / f"{one.name}-{seed}.json" for one, seed in jobs(options) if one is case]
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
    parser.add_argument("step", choices=("train", "judge", "null", "edges", "table"))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--only", nargs="*", help="Names of cases; default: all.")
    parser.add_argument("--first-seed", type=int, default=1, help="Another one makes models that nothing was tuned on.")
    parser.add_argument("--max-minutes", type=float, default=600.0)
    parser.add_argument("--n-seeds", type=int, default=40, help="Sets of catalogs for each cut of step edges.")
    options = parser.parse_args()
    {"train": train, "judge": judge, "null": null, "edges": edges, "table": table}[options.step](options)


if __name__ == "__main__":
    main()
