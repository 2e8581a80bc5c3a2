"""Whether each method of saliency finds the input that is known to carry the information.

Run with earnest-model and earnest-mocks installed; every step goes on where it was interrupted::

    python benchmarks/interpret_planted.py train --out FOLDER --max-minutes 10    # repeat until all is done
    python benchmarks/interpret_planted.py ask --out FOLDER
    python benchmarks/interpret_planted.py table --out FOLDER                      # Markdown

Catalogs are mocks of preset ``paper`` whose encoder inputs are replaced. Each input keeps its own distribution over all
clusters; the planted one takes the order of log10 m_500c + 0.03 dex of noise. Without copies all other inputs are in
random order and carry nothing. With copies they take the order of the planted signal + 0.2 dex of noise of their own,
correlate with it, and tell nothing that it does not tell better. A planted pair is in the order of log10 m_500c + e and
log10 m_500c - e with e of 0.15 dex, so that it takes both to know the mass. Networks see nothing else but the number of
clusters, and are small: 250 steps.
"""

import argparse
import functools
import json
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np
import polars as pl
from earnest_common.arrays import FloatArray, IntArray
from earnest_common.catalogs.batch import CatalogBatch
from earnest_common.protocols import CatalogSource

COLUMNS = ("t_x", "m_gas_profile", "gas_slope_profile")
INPUTS = ("log10_t_x", *(f"{name}_{k}" for name in ("log10_m_gas_profile", "gas_slope_profile") for k in range(1, 8)))
PLANTS = {
    "nothing": (),
    "T": (0,),
    "M_gas(0.15)": (1,),
    "M_gas(0.66)": (5,),
    "M_gas(1.4)": (7,),
    "slope(0.15)": (8,),
    "slope(0.66)": (12,),
    "slope(1.4)": (14,),
    "T and M_gas(0.66)": (0, 5),
}
SEEDS = (1, 2)
OWN_NOISE, COPY_NOISE, PAIR_NOISE = 0.03, 0.2, 0.15  # dex of mass
RESERVOIR_IDS, TEST_IDS = np.arange(400), np.arange(2_000, 2_040)
SMALL = {
    "architecture": "pooled",
    "encoder": COLUMNS,
    "supplementary": (),
    "pooled": {"encoder": (24, 24), "member": (24, 24), "pooled": 32, "decoder": (48, 48)},
    "fast": {"max_steps": 250, "n_validation": 512, "n_look": 256, "looks": 4, "passes": 4, "chunk_catalogs": 512},
}


def signals(log10_m: FloatArray, planted: tuple[int, ...], copies: bool, rng: np.random.Generator) -> FloatArray:
    """Return what each input is ordered by, shape (n_clusters, n_inputs)."""
    n, shape = len(log10_m), (len(log10_m), len(INPUTS))
    known = log10_m + OWN_NOISE * rng.standard_normal(n)
    others = rng.standard_normal(shape)
    ordered = known[:, None] + COPY_NOISE * others if copies and planted else others
    apart = PAIR_NOISE * rng.standard_normal(n) if len(planted) == 2 else np.zeros(n)
    for sign, column in zip((1, -1), planted, strict=False):
        ordered[:, column] = known + sign * apart
    return ordered


def inputs_of(batch: CatalogBatch) -> FloatArray:
    """Return the columns behind the inputs, shape (n_clusters, n_inputs)."""
    return np.column_stack([batch.column(name) for name in COLUMNS]).astype(np.float64)


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class PlantedSource:
    """Mocks whose encoder inputs hold nothing but what was planted (a ``CatalogSource``).

    Attributes
    ----------
    source
        The mocks.
    planted, copies
        Positions of the planted inputs, and whether the others are noisy copies.
    seed
        Seed of all noise.
    """

    source: CatalogSource
    planted: tuple[int, ...]
    copies: bool
    seed: int

    @property
    def radii(self) -> tuple[float, ...]:
        """Radii of the gas profiles."""
        return self.source.radii

    def provenance(self) -> Mapping[str, Any]:
        """Return what determines the catalogs."""
        return {**self.source.provenance(), "planted": [INPUTS[j] for j in self.planted], "copies": self.copies}

    @functools.cached_property
    def reservoir(self) -> tuple[FloatArray, FloatArray]:
        """Return sorted signals and sorted values of every input."""
        batch = self.source.batch(RESERVOIR_IDS)
        rng = np.random.default_rng([self.seed, 1])
        drawn = signals(np.log10(batch.column("m_500c")), self.planted, self.copies, rng)
        return np.sort(drawn, axis=0), np.sort(inputs_of(batch), axis=0)

    def batch(self, catalog_ids: IntArray) -> CatalogBatch:
        """Return catalogs of the mocks with planted inputs."""
        batch = self.source.batch(catalog_ids)
        order, values = self.reservoir
        rng = np.random.default_rng([self.seed, 2, int(catalog_ids[0]), len(catalog_ids)])
        drawn = signals(np.log10(batch.column("m_500c")), self.planted, self.copies, rng)
        place = np.linspace(0, 1, len(order))
        new = np.column_stack(
            [np.interp(np.interp(x, o, place), place, v) for x, o, v in zip(drawn.T, order.T, values.T, strict=True)]
        )
        parts = dict(zip(COLUMNS, (new[:, 0], new[:, 1:8], new[:, 8:]), strict=True))
        schema = batch.clusters.schema
        written = [
            pl.Series(name, part.astype(np.float32) if part.ndim == 2 else part, dtype=schema[name])
            for name, part in parts.items()
        ]
        return CatalogBatch(catalogs=batch.catalogs, clusters=batch.clusters.with_columns(written), radii=batch.radii)


def jobs() -> Iterator[tuple[str, bool, int]]:
    """Yield plant, copies and seed of every model."""
    for seed in SEEDS:
        for plant in PLANTS:
            for copies in (False, True) if PLANTS[plant] else (False,):
                yield plant, copies, seed


def place(out: Path, job: tuple[str, bool, int]) -> Path:
    """Return where a model is kept."""
    plant, copies, seed = job
    return out / f"{plant.replace(' ', '-')}{'-copies' if copies else ''}-{seed}"


def source_of(job: tuple[str, bool, int]) -> PlantedSource:
    """Return the catalogs of a model."""
    from earnest_common.plugins import open_source

    plant, copies, seed = job
    mocks = open_source("mocks", preset="paper", seed=100 + seed)
    return PlantedSource(source=mocks, planted=PLANTS[plant], copies=copies, seed=seed)


def train(options: argparse.Namespace) -> None:
    """Train every model that is missing, until time is up."""
    from earnest_common.run.config import load_config
    from earnest_model.config import TrainingConfig
    from earnest_model.data.training_data import LiveFeed
    from earnest_model.training.bundles import train_bundle

    options.out.mkdir(parents=True, exist_ok=True)
    until = time.time() + 60 * options.max_minutes
    missing = [job for job in jobs() if not place(options.out, job).exists()]
    for n, job in enumerate(missing, start=1):
        if time.time() > until:
            sys.stderr.write(f"{len(missing) - n + 1} left; run the same command again\n")
            return
        config = load_config(TrainingConfig, options={**SMALL, "seed": job[2]})
        start = time.process_time()
        told = train_bundle(config, LiveFeed(source_of(job), config.fast, seed=job[2]), place(options.out, job))
        spent = time.process_time() - start
        sys.stderr.write(f"{n}/{len(missing)} {job}: scatter {told['validation_scatter']:.4f}, {spent:.0f} s of CPU\n")


def ask(options: argparse.Namespace) -> None:
    """Ask every method about every model that is there."""
    for job in jobs():
        path = place(options.out, job)
        file = options.out / f"{path.name}.json"
        if path.exists() and not file.exists():
            from earnest_common.run.files import write_atomic

            write_atomic(file, json.dumps(scores_of(path, job), indent=1) + "\n")
            sys.stderr.write(f"{path.name}\n")


def scores_of(path: Path, job: tuple[str, bool, int]) -> dict[str, Any]:
    """Return each method's score of every input, mean absolute values over clusters."""
    from earnest_common.plugins import load_estimator
    from earnest_interpret.analyses.saliency.attribution import attribute
    from earnest_interpret.analyses.saliency.gradients import METHODS
    from earnest_interpret.responses.questions import encode
    from scipy.stats import spearmanr

    estimator, batch = load_estimator(path), source_of(job).batch(TEST_IDS)
    error = estimator.predict(batch).get_column("sigma8").to_numpy() - batch.label("sigma8")
    scores = {
        f"{method} of {of}": np.abs(attribute(estimator, batch, of=of, method=method).values).mean(axis=0)
        for of in ("terse", "sigma8")
        for method in METHODS
    }
    terse = encode(estimator, batch)
    scores["correlation with terse"] = np.abs([spearmanr(terse, x).statistic for x in inputs_of(batch).T])
    return {"scatter": float(error.std()), "scores": {name: list(map(float, v)) for name, v in scores.items()}}


def rank_and_contrast(scores: FloatArray, planted: tuple[int, ...]) -> tuple[int, float]:
    """Return the worst rank of the planted inputs less those they may take, and least planted over largest other."""
    others = np.delete(scores, planted)
    least = scores[list(planted)].min()
    return 1 + int(np.sum(others >= least)), float(least / others.max())


def table(options: argparse.Namespace) -> None:
    """Print how often each method puts the planted input first, by method and by plant."""
    told = {job: json.loads(file.read_text()) for job in jobs() if (file := _file(options.out, job)).exists()}
    methods = list(next(iter(told.values()))["scores"])
    lines = ["| method | first | contrast | first, copies | contrast | nothing planted |", "| --- " * 6 + "|"]
    for method in methods:
        cells = [method]
        for copies in (False, True):
            found = [_found(told[job], method, job) for job in told if PLANTS[job[0]] and job[1] == copies]
            cells += _cells(found)
        none = [np.sort(told[job]["scores"][method]) for job in told if not PLANTS[job[0]]]
        cells.append(f"{np.median([s[-1] / s[-2] for s in none]):.2f}")
        lines.append(f"| {' | '.join(cells)} |")
    head = ["planted", "copies", "models", "scatter", *methods]
    lines += ["", f"| {' | '.join(head)} |", "| --- " * len(head) + "|"]
    for plant in PLANTS:
        for copies in (False, True):
            mine = [job for job in told if job[:2] == (plant, copies)]
            if mine:
                scatter = np.mean([told[job]["scatter"] for job in mine])
                ranks = [_ranks(told, mine, method) if PLANTS[plant] else "" for method in methods]
                row = [plant, "yes" if copies else "no", str(len(mine)), f"{scatter:.4f}", *ranks]
                lines.append(f"| {' | '.join(row)} |")
    sys.stdout.write("\n".join(lines) + "\n")


def _file(out: Path, job: tuple[str, bool, int]) -> Path:
    return out / f"{place(out, job).name}.json"


def _found(told: Mapping[str, Any], method: str, job: tuple[str, bool, int]) -> tuple[int, float]:
    return rank_and_contrast(np.array(told["scores"][method]), PLANTS[job[0]])


def _cells(found: list[tuple[int, float]]) -> list[str]:
    if not found:
        return ["", ""]
    contrast = [size for _, size in found]
    return [
        f"{sum(rank == 1 for rank, _ in found)} of {len(found)}",
        f"{np.median(contrast):.1f} ({min(contrast):.1f} to {max(contrast):.1f})",
    ]


def _ranks(told: Mapping[Any, Any], mine: list[tuple[str, bool, int]], method: str) -> str:
    return ", ".join(str(_found(told[job], method, job)[0]) for job in mine)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("step", choices=("train", "ask", "table"))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--max-minutes", type=float, default=600.0)
    options = parser.parse_args()
    {"train": train, "ask": ask, "table": table}[options.step](options)


if __name__ == "__main__":
    main()
