"""Whether the referee is right, and how fast: closure over many catalogs, limits, and a brute-force grid.

Run with earnest-selfcal installed; the same command goes on after an interruption::

    python benchmarks/selfcal_referee.py --out FOLDER                        # 500 catalogs of each kind
    python benchmarks/selfcal_referee.py closure --out FOLDER --n-catalogs 60 --workers 2
    python benchmarks/selfcal_referee.py likelihood --out FOLDER             # without any posterior: 8,000 catalogs

Catalogs obey the referee's model (lognormal residuals), so its 68 % intervals must hold the truth in 68 % of them and
its scatter must be what its posteriors promise. It prints one JSON object with, for each survey and data, scatter over
the priors, bias, coverage, mean chi2, how far the ranks of the truth are from uniform (in units of the 5 % point),
effective sample sizes and processor time per catalog [s], and the verdict ``ok``. ``likelihood`` needs no posteriors:
at the true parameters the gradient of ln L averages to zero, and what it averages to implies a bias of sigma8. Exit
code 1 if a coverage is off by more than two standard errors (three for one of many), such a bias by three, or the grids
disagree by more than 1 %.
"""

import argparse
import json
import math
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from earnest_common.run.executors import open_executor
from earnest_common.run.parquet import read_parquet
from earnest_common.run.progress import progress
from earnest_common.survey.presets import Preset, preset
from earnest_common.survey.priors import Priors, Uniform
from earnest_common.survey.scaling import FACTORS
from earnest_selfcal.exact_posterior.catalogs import ModelCatalogs, draw_catalog
from earnest_selfcal.exact_posterior.likelihood import OBSERVABLES, Likelihood, build_likelihood
from earnest_selfcal.exact_posterior.posterior import RefereeConfig, referee
from earnest_selfcal.exact_posterior.run import run_referee
from earnest_selfcal.exact_posterior.score import score
from earnest_selfcal.information.scatter import model_cases, true_catalog
from earnest_selfcal.information.variants import Variant, continuous_priors

DATA = {"no_wl": OBSERVABLES[:3], "standard": OBSERVABLES[:4], "perfect_masses": (*OBSERVABLES[:4], "m_500c")}
SURVEYS = ("paper", "paper_continuous", "realistic")
KINDS = [f"{survey}-{data}" for survey in SURVEYS for data in DATA]
PARTS = ("closure", "likelihood", "grid", "time")
SEED = 20
QUICK = RefereeConfig(n_draws=1500, target_ess=400)  # numerical errors add 1/400 to the variance of a posterior mean
ELSEWHERE = {"standard": (0.0168, 0.0006), "no_wl": (0.0219, 0.0010)}
"""A quick independent computation on the paper's grid, half the box, lognormal scatter: scatter and error."""


def surveys() -> dict[str, Preset]:
    """Return the surveys: the paper's on its grid and with continuous priors, and the realistic one."""
    paper = preset("paper")
    return {
        "paper": paper,
        "paper_continuous": replace(paper, priors=continuous_priors(paper.priors)),
        "realistic": preset("realistic"),
    }


def closure(folder: Path, wanted: list[str], *, n_catalogs: int, seed: int, workers: int) -> dict[str, dict[str, Any]]:
    """Return the scores of every survey and data that is wanted."""
    found: dict[str, dict[str, Any]] = {}
    for name, survey in surveys().items():
        chosen = {data: seen for data, seen in DATA.items() if f"{name}-{data}" in wanted}
        if not chosen:
            continue
        cases = model_cases(Variant(key=name, title=name, preset=survey), n_catalogs=n_catalogs, seed=seed)
        for data, observables in chosen.items():
            file = folder / f"{name}-{data}-{n_catalogs}-{seed}.parquet"
            if not file.is_file():
                likelihood = build_likelihood(survey, observables=observables)
                with (
                    progress(n_catalogs, f"{name}, {data}") as bar,
                    open_executor(workers=workers) as pool,
                ):
                    run_referee(
                        likelihood, cases, seed=seed, config=QUICK, executor=pool, out=file, on_done=bar.advance
                    )
            table = read_parquet(file, what="table", remedy="remove it and run again").frame
            found[f"{name}: {data}"] = scored(table, survey) | without_luck(table, survey, data=data, seed=seed)
    return found


def without_luck(table: pl.DataFrame, survey: Preset, *, data: str, seed: int) -> dict[str, float]:
    """Return the bias after the luck of the draw is taken out, which is most of what a mean of errors shows.

    The score at the truth, the true values and products of the two average to zero over all catalogs; what they explain
    of the errors by a linear fit is how these catalogs differ from the average.
    """
    likelihood = build_likelihood(survey, observables=DATA[data])
    maker, names, n = ModelCatalogs.of(survey), likelihood.space.free, len(table)
    drawn = [true_catalog(maker, seed=seed, index=i) for i in range(n)]
    score = np.array([score_at(likelihood, catalog, true) for true, catalog in drawn])
    evenly = [survey.priors.of(name).quantile((np.arange(10_000) + 0.5) / 10_000) for name in names]
    away = np.array([[true[name] for name in names] for true, _ in drawn]) - [one.mean() for one in evenly]
    away /= [one.std() for one in evenly]
    controls = np.column_stack([np.ones(n), score, score * away[:, :1], away, away[:, :1] ** 2 - 1])
    error = (table.get_column("sigma8") - table.get_column("sigma8_true")).to_numpy()
    fit, *_ = np.linalg.lstsq(controls, error, rcond=None)
    rest = error - controls @ fit
    variance = np.linalg.inv(controls.T @ controls)[0, 0] * (rest @ rest) / (n - len(fit))
    return {"bias_without_luck": float(fit[0]), "bias_without_luck_err": math.sqrt(variance)}


def scored(table: pl.DataFrame, survey: Preset) -> dict[str, Any]:
    """Return the scores of one table, with the coverage's distance from 68 % in standard errors."""
    numbers = score(table, prior_scatter=survey.priors.sigma8.std)
    error = table.get_column("sigma8").to_numpy() - table.get_column("sigma8_true").to_numpy()
    pull = error / table.get_column("sigma8_err").to_numpy()
    shares = table.get_column("inside_68").to_numpy()
    numbers["coverage_pull"] = (numbers["coverage_68"] - 0.6827) / (shares.std() / math.sqrt(len(shares)))
    numbers["bias_err"] = float(error.std() / math.sqrt(len(error)))
    numbers["chi2"] = float(np.mean(pull**2))
    numbers["chi2_err"] = float((pull**2).std() / math.sqrt(len(pull)))
    ordered = np.sort(table.get_column("rank").to_numpy())
    away = np.abs(ordered - (np.arange(len(ordered)) + 0.5) / len(ordered)).max()
    numbers["ranks_ks"] = float(away * math.sqrt(len(ordered)) / 1.36)
    return numbers


def implied_biases(survey: Preset, *, n: int, seed: int) -> dict[str, Any]:
    """Return the bias of sigma8, and its error, that the mean score at the truth implies for each data.

    A disagreement between likelihood and catalogs moves the peak by F^-1 times the mean score, F being the scores'
    second moment with the priors' widths added.
    """
    likelihoods = {data: build_likelihood(survey, observables=DATA[data]) for data in ("no_wl", "standard")}
    maker, rng = ModelCatalogs.of(survey), np.random.default_rng(seed)
    truth, scores, counts = survey.priors.draw(n, rng=rng), {data: [] for data in likelihoods}, []
    for i in range(n):
        true = {name: float(values[i]) for name, values in truth.items()}
        catalog = draw_catalog(maker, true, rng=rng)
        for data, likelihood in likelihoods.items():
            scores[data].append(score_at(likelihood, catalog, true))
        values = {name: np.array([value]) for name, value in true.items()}
        rows = likelihood.abundance.rows(values["sigma8"])
        counts.append((len(catalog["l_x"]), float(likelihood.abundance.expected(values, rows)[0])))
    seen, expected = np.sum(counts, axis=0)
    found: dict[str, Any] = {"counts_off": seen / expected - 1, "counts_off_err": expected**-0.5, "n_catalogs": n}
    for data, one in scores.items():
        gradient = np.array(one)
        inverse = np.linalg.inv(gradient.T @ gradient / n + 12 * np.eye(gradient.shape[1]))
        width = survey.priors.sigma8.high - survey.priors.sigma8.low
        bias, error = inverse @ gradient.mean(axis=0), np.sqrt(np.diag(inverse @ np.cov(gradient.T) @ inverse) / n)
        found[data] = {"bias": width * float(bias[0]), "bias_err": width * float(error[0])}
    return found


def score_at(likelihood: Likelihood, catalog: dict[str, np.ndarray], true: dict[str, float]) -> np.ndarray:
    """Return the gradient of ln L at the true parameters in units of the priors' widths."""
    space, step = likelihood.space, 0.004
    at = space.coordinates({name: np.array([value]) for name, value in true.items()})[0]
    steps = np.diag(step * np.diff(space.bounds, axis=0)[0])
    above, below = np.split(likelihood.ln_likelihood(likelihood.data(catalog), np.vstack([at + steps, at - steps])), 2)
    return (above - below) / (2 * step)


def against_grid(*, n: int = 61) -> dict[str, float]:
    """Return the difference between the referee and a brute-force sum, in standard deviations of the posterior.

    Everything is known but sigma8 (23 values) and two normalisations (n values each, continuous priors).
    """
    known = {name: Uniform(low=1.0, high=1.0) for name in FACTORS} | {"m_wl_scatter": Uniform(low=0.2, high=0.2)}
    free = {name: Uniform(low=0.8, high=1.3) for name in ("t_x_normalisation", "m_gas_normalisation")}
    survey = replace(preset("paper"), priors=Priors(**(known | free)))
    likelihood = build_likelihood(survey, observables=DATA["no_wl"])
    case = model_cases(Variant(key="grid", title="grid", preset=survey), n_catalogs=1, seed=SEED)[0]
    data = likelihood.data(case.observed)
    nodes = 0.8 + 0.5 * (np.arange(n) + 0.5) / n
    sigma8, t_x, m_gas = (axis.ravel() for axis in np.meshgrid(survey.priors.sigma8.values, nodes, nodes))
    values = {"sigma8": sigma8, "t_x_normalisation": t_x, "m_gas_normalisation": m_gas}
    ln_likelihood = likelihood.ln_likelihood(data, likelihood.space.coordinates(values))
    weight = np.exp(ln_likelihood - ln_likelihood.max())
    weight /= weight.sum()
    mean = float(weight @ sigma8)
    std = float(np.sqrt(weight @ (sigma8 - mean) ** 2))
    config = RefereeConfig(n_draws=60_000, target_ess=40_000)
    found = referee(likelihood, data, rng=np.random.default_rng(SEED), config=config)
    return {
        "mean_off": (found.posterior.mean - mean) / std,
        "std_off": found.posterior.std / std - 1,
        "numerical_error": found.numerical_error / std,
    }


def seconds_per_catalog(*, n: int = 20) -> dict[str, float]:
    """Return processor seconds of one posterior on one core."""
    found = {}
    survey = preset("paper")
    cases = model_cases(Variant(key="time", title="time", preset=survey), n_catalogs=n, seed=SEED)
    for data, observables in DATA.items():
        likelihood = build_likelihood(survey, observables=observables)
        start = time.process_time()
        run_referee(likelihood, cases, seed=SEED)
        found[data] = (time.process_time() - start) / n
    return found


def main() -> int:
    """Run what is asked for and print it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("what", nargs="*", default=PARTS, help=f"any of {', '.join(PARTS)}; default all")
    parser.add_argument("--out", type=Path, required=True, help="folder of finished tables")
    parser.add_argument("--n-catalogs", type=int, default=500)
    parser.add_argument("--n-scored", type=int, default=8000, help="catalogs whose likelihood is looked at")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--only", nargs="*", choices=KINDS, default=KINDS, help="surveys and data of closure")
    parser.add_argument("--workers", type=int, default=1)
    options = parser.parse_args()
    if unknown := set(options.what) - set(PARTS):
        parser.error(f"{', '.join(sorted(unknown))} cannot be measured; choose from {', '.join(PARTS)}")
    options.out.mkdir(parents=True, exist_ok=True)
    told: dict[str, Any] = {}
    if "closure" in options.what:
        size = {"n_catalogs": options.n_catalogs, "seed": options.seed, "workers": options.workers}
        told |= {"closure": closure(options.out, options.only, **size), "elsewhere": ELSEWHERE}
    if "likelihood" in options.what:
        told["likelihood"] = implied_biases(surveys()["paper_continuous"], n=options.n_scored, seed=options.seed)
    if "grid" in options.what:
        told["grid"] = against_grid()
    if "time" in options.what:
        told["cpu_seconds_per_catalog"] = seconds_per_catalog()
    told["ok"] = good(told)
    sys.stdout.write(json.dumps(told, indent=1) + "\n")
    return 0 if told["ok"] else 1


def good(told: dict[str, Any]) -> bool:
    """Return whether everything that was measured is as it should be."""
    pulls = np.abs([one["coverage_pull"] for one in told.get("closure", {}).values()])
    # Of nine coverages one in twenty-two lies beyond two errors by chance: one may, up to three.
    right = (pulls > 2).sum() <= 1 and (pulls < 3).all()
    if "likelihood" in told:
        biases = [told["likelihood"][data] for data in ("no_wl", "standard")]
        right &= all(abs(one["bias"]) < 3 * one["bias_err"] for one in biases)
    if "grid" in told:
        grid = told["grid"]
        right &= abs(grid["mean_off"]) < 0.01 + 3 * grid["numerical_error"] and abs(grid["std_off"]) < 0.01
    return bool(right)


if __name__ == "__main__":
    sys.exit(main())
