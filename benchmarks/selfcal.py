"""How fast and how exact self-calibration is: posteriors, tables of simulated surveys, and the two routes compared.

Run with earnest-selfcal installed::

    python benchmarks/selfcal.py                                  # a few minutes
    python benchmarks/selfcal.py --n-surveys 100000 --n-compared 500
    python benchmarks/selfcal.py --n-surveys 1000 --preset paper --borrowed SET   # mocks of preset paper

It prints one JSON object: wall and processor times [s], posteriors [ms], scatters of sigma8, and how far the
semi-analytic route is from simulation over the whole prior, in units of its Monte Carlo error. With ``--borrowed`` also
what residuals borrowed from simulated clusters do to an analysis that takes them for lognormal.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from earnest_common.catalogs import CatalogSet
from earnest_common.survey.presets import Preset, preset
from earnest_selfcal.cli.answer import survey_of_set
from earnest_selfcal.exact_posterior.catalogs import ModelCatalogs, draw_catalog
from earnest_selfcal.exact_posterior.learned import learn_residuals
from earnest_selfcal.exact_posterior.residuals import ResidualModel, lognormal
from earnest_selfcal.forward.median import median_cdf
from earnest_selfcal.forward.observable import OBSERVABLES
from earnest_selfcal.forward.table import ForwardTable, forward_table
from earnest_selfcal.posterior.evaluation import evaluate
from earnest_selfcal.posterior.posterior import infer, ln_poisson
from earnest_selfcal.posterior.validity import reason_outside
from earnest_selfcal.simulation.grid import draw_surveys

COMMAND = [sys.executable, "-c", "from earnest_common.cli.root import main; main()", "selfcal", "grid"]


def cpu_seconds() -> float:
    """Return the processor time of all finished child processes; on a busy machine it says more than wall time."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def table_of_surveys(name: str, *, n_surveys: int, workers: int) -> dict[str, Any]:
    """Return the cost of one run of `earnest selfcal grid`, start-up included."""
    with tempfile.TemporaryDirectory(prefix="earnest-benchmark-") as folder:
        words = ["--preset", name, "--n-surveys", str(n_surveys), "--workers", str(workers)]
        before, start = cpu_seconds(), time.perf_counter()
        subprocess.run([*COMMAND, *words, "--out", str(Path(folder) / "GRID")], check=True, capture_output=True)
        seconds, used = time.perf_counter() - start, cpu_seconds() - before
    return {
        "preset": name,
        "workers": workers,
        "n_surveys": n_surveys,
        "seconds": round(seconds, 1),
        "cpu_seconds": round(used, 1),
        "cpu_seconds_per_worker": round(used / workers, 1),
    }


def posteriors(survey: Preset, *, repeats: int = 200) -> dict[str, Any]:
    """Return the cost of the semi-analytic table and of one posterior with its refusal check."""
    start = time.process_time()
    table = forward_table(survey)
    built = time.process_time() - start
    typical = float(table.log10_x[np.searchsorted(table.cdf.mean(axis=(0, 2)), 0.5)])
    times = []
    for n in range(repeats):
        begin = time.process_time()
        reason_outside(table, 100 + n % 60, typical)
        infer(table, 100 + n % 60, typical)
        times.append(time.process_time() - begin)
    return {
        "preset": survey.name,
        "table_cpu_seconds": round(built, 2),
        "posterior_cpu_ms_median": round(1e3 * float(np.median(times)), 2),
        "posterior_cpu_ms_largest": round(1e3 * max(times), 2),
    }


def routes(survey: Preset, *, n: int, seed: int = 11) -> dict[str, Any]:
    """Return how simulated surveys from the whole prior lie in what the semi-analytic route predicts for the prior.

    If both agree, N lies at a uniformly distributed place of its predicted law, and each median at a uniform place of
    its law given N. The distance of Kolmogorov and Smirnov is given in units of its 5 % point, 1.36 / sqrt(n).
    """
    surveys = draw_surveys(survey, n, seed=seed)
    counts = surveys.get_column("n_clusters").to_numpy()
    rng = np.random.default_rng(seed)
    found: dict[str, Any] = {"preset": survey.name, "n_surveys": n}
    for observable in OBSERVABLES:
        table = forward_table(survey, observable=observable)
        medians = surveys.get_column(f"median_log10_{observable}").to_numpy()
        share = np.append(0.0, table.share_up_to_n)
        # A whole number has a range of places; a random one of them is uniform.
        place = share[counts] + rng.random(n) * (share[counts + 1] - share[counts])
        found["n_clusters"] = round(distance(place), 2)
        given_n = [placed(table, int(k), float(x)) for k, x in zip(counts, medians, strict=True) if k > 0]
        found[f"median_{observable}"] = round(distance(np.array(given_n)), 2)
    return found


def placed(table: ForwardTable, n: int, log10_x: float) -> float:
    """Return the predicted probability of a smaller median among surveys of n clusters."""
    ln_weight = ln_poisson(n, table.expected_n)
    weight = np.exp(ln_weight - ln_weight.max())
    return float((weight * median_cdf(n, table.distribution_at(log10_x)[0])).sum() / weight.sum())


def distance(places: np.ndarray) -> float:
    """Return the distance from a uniform law in units of its 5 % point: below one is agreement."""
    ordered, n = np.sort(places), len(places)
    return float(np.abs(ordered - (np.arange(n) + 0.5) / n).max() * np.sqrt(n) / 1.36)


def scatters(survey: Preset, *, n: int, seed: int = 12) -> dict[str, Any]:
    """Return the scatter of posterior means about the truth over the prior."""
    tables = [forward_table(survey, observable=observable) for observable in OBSERVABLES]
    evaluation = evaluate(tables, draw_surveys(survey, n, seed=seed).with_row_index("catalog_id"))
    numbers = {name: round(value, 5) for name, value in evaluation.to_dict().items()}
    return {"preset": survey.name, **numbers}


def borrowed(path: Path, *, n: int, seed: int = 13) -> dict[str, Any]:
    """Return bias and scatter on catalogs of the same clusters with three kinds of residuals about their relations.

    Lognormal as the forward model has them; a smooth fit to what the mocks borrowed; the same without the mean offsets,
    which bend the relations.
    """
    opened = CatalogSet.open(path)
    survey, rng = survey_of_set(opened), np.random.default_rng(seed)
    learned = learn_residuals([opened.read(split="train", limit=1000)], survey, rng=rng)
    kinds = {
        "lognormal": lognormal(survey.relations, survey.correlation),
        "borrowed": learned,
        "borrowed, mean offsets removed": replace(learned, mean=0 * learned.mean, slope=0 * learned.slope),
    }
    table = forward_table(survey)
    return {name: scores_on(table, residuals, n=n, seed=seed) for name, residuals in kinds.items()}


def scores_on(table: ForwardTable, residuals: ResidualModel, *, n: int, seed: int) -> dict[str, float]:
    """Return the scores of N with the median Y_X on model catalogs with some residuals."""
    survey, rng = table.preset, np.random.default_rng(seed)
    maker, truth, rows = ModelCatalogs.of(survey, residuals=residuals), survey.priors.draw(n, rng=rng), []
    for i in range(n):
        seen = draw_catalog(maker, {name: float(values[i]) for name, values in truth.items()}, rng=rng)
        median = float(np.median(np.log10(seen["t_x"] * seen["m_gas"])))
        rows.append({"catalog_id": i, "n_clusters": len(seen["l_x"]), "median_log10_y_x": median})
    found = evaluate([table], pl.DataFrame(rows).with_columns(sigma8=pl.Series(truth["sigma8"])))
    score = found.scores["n_median_y_x"]
    numbers = {"bias": score.bias, "bias_err": score.scatter / n**0.5, "scatter": score.scatter}
    return {name: round(value, 5) for name, value in numbers.items()}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n-surveys", type=int, default=1_000_000)
    parser.add_argument("--n-compared", type=int, default=2000)
    parser.add_argument("--preset", nargs="*", default=["paper", "realistic"])
    parser.add_argument("--borrowed", type=Path, metavar="SET", help="mock catalogs whose residuals are borrowed")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    surveys = [preset(name) for name in options.preset]
    answer: dict[str, Any] = {
        "posterior": [posteriors(survey) for survey in surveys],
        "routes": [routes(survey, n=options.n_compared) for survey in surveys],
        "scatter": [scatters(survey, n=options.n_compared) for survey in surveys],
        "grid": [table_of_surveys(s.name, n_surveys=options.n_surveys, workers=options.workers) for s in surveys],
    }
    if options.borrowed:
        answer["borrowed"] = borrowed(options.borrowed, n=options.n_compared)
    sys.stdout.write(json.dumps(answer, indent=1) + "\n")


if __name__ == "__main__":
    main()
