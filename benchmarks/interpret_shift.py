"""What a trained model loses on mocks made otherwise than its training, and what applicability says of them.

Run with earnest-mocks, and the package that loads the bundle, installed; every shift goes on where it was interrupted::

    earnest model train --live paper --seed 2 --out BUNDLE
    python benchmarks/interpret_shift.py run --model BUNDLE --preset paper --seed 2 --out FOLDER
    python benchmarks/interpret_shift.py table --out FOLDER                      # Markdown

Every shift changes one thing. Ids are none of the training's; the seed is, so that donors are dealt out as they were
there, and catalogs borrow from those of the training unless they are what is changed. "Told" is the share of catalogs
that get "yes", "with care" and "no", then the answer to all together; the last columns compare errors of those that get
"yes" with errors of the others.
"""

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from earnest_common.arrays import FloatArray
from earnest_common.catalogs.batch import CatalogBatch
from earnest_mocks.base_sample.emulator import emulate
from earnest_mocks.base_sample.local_relations import PUBLISHED
from earnest_mocks.base_sample.sample import BaseSample, default_base_sample, emulated_base_sample
from earnest_mocks.catalogs.config import MocksConfig, resolve_config
from earnest_mocks.catalogs.source import make_source
from scipy.special import ndtri

N_TEST, N_TRAINING = 400, 1000
UNMET = "donors that training never met"
_WIDTH = 0.2  # dex of mass over which covariances are measured
Mocks = tuple[MocksConfig, BaseSample]


def weights(sample: BaseSample) -> FloatArray:
    """Return how much each cluster counts around each other one, rows sum to 1."""
    x = sample.log10_m_500c
    near = np.exp(-0.5 * ((x[:, None] - x) / _WIDTH) ** 2)
    return np.asarray(near / near.sum(axis=1, keepdims=True))


def moments(sample: BaseSample) -> tuple[FloatArray, FloatArray]:
    """Return mean (n, 3) and covariance (n, 3, 3) of the residuals around each cluster's mass."""
    near, residuals = weights(sample), sample.residuals
    mean = near @ residuals
    square = np.einsum("ij,jk,jl->ikl", near, residuals, residuals)
    return mean, square - mean[:, :, None] * mean[:, None, :]


def with_residuals(sample: BaseSample, residuals: FloatArray) -> BaseSample:
    """Return the sample with other residuals about the same relations."""
    return replace(sample, observables=sample.observables - sample.residuals + residuals)


def lognormal_ranks(mocks: Mocks) -> Mocks:
    """Return residuals with normal distributions at each mass, in their old order: profiles stay tied to them."""
    config, sample = mocks
    near, (mean, covariance) = weights(sample), moments(sample)
    below = np.stack([(near * (r <= r[:, None])).sum(axis=1) - 0.5 * np.diag(near) for r in sample.residuals.T], axis=1)
    return config, with_residuals(sample, mean + np.sqrt(np.einsum("ijj->ij", covariance)) * ndtri(below))


def lognormal_anew(mocks: Mocks) -> Mocks:
    """Return residuals drawn from a normal distribution of the same covariance: nothing ties profiles to them."""
    config, sample = mocks
    mean, covariance = moments(sample)
    normal = np.random.default_rng(1).standard_normal(mean.shape)
    return config, with_residuals(sample, mean + np.einsum("ijk,ik->ij", np.linalg.cholesky(covariance), normal))


def like(name: str) -> Callable[[Mocks], Mocks]:
    """Return the change to a simulation's scatter and correlations at each mass; mean relations stay."""
    published = PUBLISHED[name]

    def changed(mocks: Mocks) -> Mocks:
        config, sample = mocks
        at = [one.log10_m for one in published]
        keys = ("l_x_scatter", "t_x_scatter", "m_gas_scatter", "l_x_t_x", "m_gas_l_x", "m_gas_t_x")
        found = [np.interp(sample.log10_m_500c, at, [getattr(one, key) for one in published]) for key in keys]
        sigma = np.stack(found[:3], axis=1) / np.log(10)
        correlation = np.broadcast_to(np.eye(3), (len(sigma), 3, 3)).copy()
        for (i, j), values in zip(((0, 1), (0, 2), (1, 2)), found[3:], strict=True):
            correlation[:, i, j] = correlation[:, j, i] = values
        wanted = np.linalg.cholesky(correlation * sigma[:, :, None] * sigma[:, None, :])
        mean, covariance = moments(sample)
        white = np.linalg.solve(np.linalg.cholesky(covariance), (sample.residuals - mean)[:, :, None])
        return config, with_residuals(sample, mean + (wanted @ white)[:, :, 0])

    return changed


def recipe_profiles(mocks: Mocks) -> Mocks:
    """Return the built-in clusters with the profiles of the recipe instead of those measured in X-rays."""
    return mocks[0], emulated_base_sample()


def other_sample(mocks: Mocks) -> Mocks:
    """Return other clusters of the same recipe, with the recipe's profiles."""
    clusters = emulate(seed=7)
    fresh = replace(
        emulated_base_sample(),
        log10_m_500c=clusters.log10_m_500c,
        observables=clusters.observables,
        gas_fraction_profile=clusters.gas_fraction_profile,
        gas_slope_profile=clusters.gas_slope_profile,
    )
    return mocks[0], fresh


def mass_function(name: str) -> Callable[[Mocks], Mocks]:
    """Return the change to another mass function."""
    return lambda mocks: (replace(mocks[0], mass_function=name), mocks[1])


def smaller(mocks: Mocks) -> Mocks:
    """Return a survey of 80 % of the volume."""
    survey = replace(mocks[0].survey, volume=0.8 * mocks[0].survey.volume)
    return replace(mocks[0], survey=survey), mocks[1]


def same(mocks: Mocks) -> Mocks:
    """Return the mocks unchanged."""
    return mocks


SHIFTS: dict[str, tuple[Callable[[Mocks], Mocks], tuple[pl.Expr, ...]]] = {
    "none: fresh catalogs": (same, ()),
    UNMET: (same, ()),
    "mass function of Despali+16": (mass_function("despali16"), ()),
    "mass function of Tinker+08": (mass_function("tinker08"), ()),
    "mass function of Watson+13": (mass_function("watson13"), ()),
    "lognormal scatter, old order": (lognormal_ranks, ()),
    "lognormal scatter, drawn anew": (lognormal_anew, ()),
    "scatter of FLAMINGO": (like("FLAMINGO L1_m8"), ()),
    "scatter of TNG": (like("TNG300 + TNG-Cluster"), ()),
    "profiles of the recipe": (recipe_profiles, ()),
    "other clusters, recipe's profiles": (other_sample, ()),
    "M_WL 10 % too low": (same, (pl.col("m_wl") * 0.9,)),
    "T 10 % too high": (same, (pl.col("t_x") * 1.1,)),
    "80 % of the volume, untold": (smaller, ()),
}


def catalogs(mocks: Mocks, *, seed: int, split: str, first: int, n: int) -> CatalogBatch:
    """Return catalogs of a split; those on the paper's grid in random order."""
    source = make_source(mocks[0], seed=seed, sample=mocks[1])
    names = source.batch(np.arange(10)).catalogs.get_column("split").to_list()
    known = [one for one in range(10) if names[one] == split] or list(range(10))
    tens = np.random.default_rng(seed).permutation(490)[: -(-n // len(known))]
    ids = (10 * tens[:, None] + np.array(known)).ravel()[:n]
    return source.batch(first + ids)


def run(options: argparse.Namespace) -> None:
    """Measure every shift that is missing."""
    from earnest_common.plugins import load_estimator
    from earnest_common.run.files import write_atomic
    from earnest_interpret.analyses.applicability import learn

    options.out.mkdir(parents=True, exist_ok=True)
    estimator, start = load_estimator(options.model), (resolve_config(options.preset), default_base_sample())
    known = catalogs(start, seed=options.seed, split="train", first=10_000, n=N_TRAINING)
    training = learn(estimator, known, rng=np.random.default_rng(options.seed))
    for place, (name, (change, columns)) in enumerate(SHIFTS.items()):
        file = options.out / f"{place:02d}.json"
        if file.exists() or (name == UNMET and not start[0].donors.split):
            continue
        split = "test" if name == UNMET else "train"
        batch = catalogs(change(start), seed=options.seed, split=split, first=0, n=N_TEST)
        shifted = replace(batch, clusters=batch.clusters.with_columns(*columns))
        told = {"name": name, **measured(estimator, shifted, training)}
        write_atomic(file, json.dumps(told, indent=1) + "\n")
        sys.stderr.write(f"{json.dumps(told)}\n")


def measured(estimator: Any, batch: CatalogBatch, training: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return accuracy on catalogs and what applicability says of them."""
    from earnest_interpret.accuracy import summarise_accuracy
    from earnest_interpret.analyses.applicability import apply_to
    from earnest_interpret.responses.questions import predict

    predictions, sigma8 = predict(estimator, batch), batch.label("sigma8").astype(np.float64)
    accuracy, found = summarise_accuracy(predictions, sigma8), apply_to(estimator, batch, training)
    error, answers = predictions.get_column("sigma8").to_numpy() - sigma8, np.array(found.answers)
    rms = {
        key: float(np.sqrt(np.mean(error[mask] ** 2))) if mask.sum() >= 10 else None
        for key, mask in (("all", answers != ""), ("yes", answers == "yes"), ("others", answers != "yes"))
    }
    return {
        "accuracy": asdict(accuracy) if accuracy else None,
        "rms": rms,
        "told": {answer: float(np.mean(answers == answer)) for answer in ("yes", "with care", "no")},
        "answer": found.answer,
        "together": {one.space: one.together for one in found.comparisons},
        "unseen": found.unseen.numbers() if found.unseen else None,
        "reasons": found.reasons,
    }


def table(options: argparse.Namespace) -> None:
    """Print every shift as a row."""
    told = [json.loads(file.read_text()) for file in sorted(options.out.glob("*.json"))]
    spaces = list(told[0]["together"])
    head = ["changed", "scatter", "bias", "rms", "rms / unchanged", "68 % covers", "told yes, with care, no; all"]
    head += [f"p of all: {', '.join(spaces)}", "rms of yes, of others"]
    lines = [f"| {' | '.join(head)} |", "| --- " * len(head) + "|"]
    for one in told:
        accuracy, rms = one["accuracy"], one["rms"]
        cells = [
            one["name"],
            f"{accuracy['scatter']:.4f}",
            f"{accuracy['bias']:+.4f} ± {accuracy['bias_err']:.4f}",
            f"{rms['all']:.4f}",
            f"{rms['all'] / told[0]['rms']['all']:.2f}",
            f"{100 * accuracy['coverage_68']:.0f} %",
            f"{', '.join(f'{100 * share:.0f} %' for share in one['told'].values())}; {one['answer']}",
            ", ".join(f"{one['together'][space]:.1g}" for space in spaces),
            ", ".join("-" if rms[key] is None else f"{rms[key]:.4f}" for key in ("yes", "others")),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    sys.stdout.write("\n".join(lines) + "\n")


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("step", choices=("run", "table"))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--preset", default="paper")
    parser.add_argument("--seed", type=int, default=2, help="seed of the training")
    options = parser.parse_args()
    {"run": run, "table": table}[options.step](options)


if __name__ == "__main__":
    main()
