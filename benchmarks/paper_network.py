"""Which figures does the paper's own network show? Table 3 on mocks of one reading, several trainings, side by side.

    nox -s benchmarks -- paper_network [--preset paper-h] [--seeds 3] [--steps 6000] [--out build/paper_network]
        [--only "figure 6" ...]

Architecture ``paper`` with recipe ``fast``: first weights whitened, no dropout, batches of 8, each catalog seen once.
Three cases: rows as in figure 6, the same without M_WL (figure 12), and the most luminous cluster in the first row.
Hours of one core; killed, it goes on where it was. Each training is measured on the same 500 catalogs that none draws.
"""

import argparse
import dataclasses
import itertools
import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
from earnest_common.catalogs.batch import CatalogBatch
from earnest_common.protocols import TerseEstimator

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
CASES: dict[str, dict[str, Any]] = {
    "figure 6": {},
    "no M_WL": {"drop": ("m_wl",)},
    "brightest first": {"paper": {"order": "brightest_first"}},
}
TEST_SEED, N_TEST = 90_210, 500
EDGES = np.arange(13.6, 15.21, 0.2).round(2)
"""Edges of mass bins, log10 [solMass]."""

QUANTITIES = ("m_500c", "m_wl", "m_gas", "t_x", "y_x", "n_clusters", "sigma8")
AT = 0.66
"""Radius [R_500c] of the saliency against mass."""


def trained(out: Path, *, preset: str, case: str, seed: int, steps: int) -> TerseEstimator:
    """Return the estimator of one training, made now or before."""
    from earnest_model import train
    from earnest_model.config import FastRecipe, PaperConfig, TrainingConfig

    changes = dict(CASES[case])
    paper = PaperConfig(initial="whitened", encoder_dropout=0.0, dense_dropout=0.0, **changes.pop("paper", {}))
    recipe = FastRecipe(batch_catalogs=8, passes=1, n_validation=2048, looks=6, checkpoint_seconds=60.0)
    config = dataclasses.replace(TrainingConfig(architecture="paper", paper=paper, fast=recipe), **changes)
    folder = out / f"{preset}-{case.replace(' ', '_')}-{seed}"
    return train(folder, live=preset, config=config, seed=seed, max_steps=steps)


def measured(estimator: TerseEstimator, batch: CatalogBatch) -> dict[str, Any]:
    """Return what figures 9, 11, 12, 15 and 16 show of one training."""
    from earnest_interpret.analyses.saliency.gradients import feature_groups
    from earnest_interpret.analyses.terse.correlations import cluster_quantities, mass_proxies
    from earnest_interpret.responses.responses import Responses
    from earnest_interpret.sample import mass_axis
    from earnest_model.evaluation.accuracy import accuracy
    from earnest_model.evaluation.labelled_predictions import predict_labelled

    responses, axis = Responses(estimator=estimator, batch=batch, max_rows=20_000), mass_axis(batch)
    found = accuracy(predict_labelled(estimator, [batch]))
    log10_m = np.log10(batch.column("m_500c"))
    place = np.digitize(log10_m, EDGES) - 1
    bins = [np.flatnonzero(place == k) for k in range(len(EDGES) - 1)]
    delta, size = responses.leave_one_out, np.abs(responses.terse_gradient)
    groups = {group.name: group for group in feature_groups(estimator.feature_names, batch.radii)}
    gas, slope = (groups[name] for name in ("log10_m_gas_profile", "gas_slope_profile"))
    at = gas.columns[int(np.argmin(np.abs(np.array(gas.radii) - AT)))]
    known = cluster_quantities(batch)
    return {
        "sigma8": [found.scatter, found.scatter_err, found.bias, found.coverage_68],
        "lowering": [_of(rows, lambda rows: float(np.mean(delta[rows] < 0))) for rows in bins],
        "median_change": [_of(rows, lambda rows: float(np.median(delta[rows]))) for rows in bins],
        "stability_68": float(np.nanquantile(np.abs(delta), 0.68)),
        "radii": list(gas.radii),
        "gas_by_radius": np.median(size[:, list(gas.columns)], axis=0).tolist(),
        "slope_by_radius": np.median(size[:, list(slope.columns)], axis=0).tolist(),
        "gas_by_mass": [_of(rows, lambda rows: float(np.median(size[rows, at]))) for rows in bins],
        "shares": {name: float(size[:, list(one.columns)].sum() / size.sum()) for name, one in groups.items()},
        "r": {
            name: float(np.corrcoef(responses.terse, known.get(f"log10_{name}", known.get(name)))[0, 1])
            for name in QUANTITIES
        },
        "proxies": {
            one.name: [one.scatter, one.scatter_within, one.spread]
            for one in mass_proxies(responses.terse, batch, axis)
        },
    }


def _of(rows: np.ndarray, number: Any) -> float | None:  # noqa: ANN401
    """Return a number of some clusters; None for fewer than thirty."""
    return number(rows) if len(rows) >= 30 else None


def rows_of(one: dict[str, Any]) -> dict[str, str]:
    """Return the numbers of one training as text, by what they are."""
    masses = [f"{low:.1f} to {high:.1f}" for low, high in itertools.pairwise(EDGES)]
    found = {
        "sigma8": f"{one['sigma8'][0]:.4f}",
        "bias": f"{one['sigma8'][2]:+.4f}",
        "68 % intervals cover [%]": f"{100 * one['sigma8'][3]:.1f}",
        "68 % of changes of sigma8 below": f"{one['stability_68']:.4f}",
    }
    for mass, share in zip(masses, one["lowering"], strict=True):
        found[f"removals that lower sigma8 [%], {mass}"] = "" if share is None else f"{100 * share:.0f}"
    for name, key in (("gas mass", "gas_by_radius"), ("slope", "slope_by_radius")):
        for radius, value in zip(one["radii"], one[key], strict=True):
            found[f"saliency of {name} at {radius:.2f} R_500c"] = f"{value:.3g}"
    for mass, value in zip(masses, one["gas_by_mass"], strict=True):
        found[f"saliency of gas mass at {AT} R_500c, {mass}"] = "" if value is None else f"{value:.3g}"
    found |= {f"share of saliency [%], {name}": f"{100 * share:.0f}" for name, share in one["shares"].items()}
    found |= {f"r of terse value with {name}": f"{r:+.2f}" for name, r in one["r"].items()}
    found |= {f"scatter as mass proxy [%], {name}": f"{100 * s[0]:.1f}" for name, s in one["proxies"].items()}
    return {**found, "spread of ln M [%]": f"{100 * one['proxies']['terse'][2]:.1f}"}


def table(records: dict[str, list[dict[str, Any]]], preset: str) -> str:
    """Return a row for each number, a column for each case, values of all seeds in a cell."""
    columns = [[rows_of(one) for one in found] for found in records.values()]
    lines = [f"### {preset}", "", f"| | {' | '.join(records)} |", "|" + " --- |" * (1 + len(records))]
    for name in columns[0][0]:
        cells = [", ".join(one[name] for one in found) for found in columns]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    """Train, measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", default="paper-h")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=6000)
    parser.add_argument("--only", nargs="*", default=list(CASES), choices=list(CASES))
    parser.add_argument("--out", type=Path, default=Path("build/paper_network"))
    options = parser.parse_args()
    from earnest_common.plugins import open_source

    options.out.mkdir(parents=True, exist_ok=True)
    batch = open_source("mocks", preset=options.preset, seed=TEST_SEED).batch(np.arange(N_TEST, dtype=np.int64))
    records: dict[str, list[dict[str, Any]]] = {case: [] for case in options.only}
    for seed in range(1, options.seeds + 1):
        for case in options.only:
            file = options.out / f"{options.preset}-{case.replace(' ', '_')}-{seed}.json"
            if not file.exists():
                how = {"preset": options.preset, "case": case, "seed": seed, "steps": options.steps}
                file.write_text(json.dumps({**how, **measured(trained(options.out, **how), batch)}, indent=1))
            records[case].append(json.loads(file.read_text()))
            sys.stderr.write(f"{file.stem}: sigma8 {records[case][-1]['sigma8'][0]:.4f}\n")
    sys.stdout.write(f"{table(records, options.preset)}\n")


if __name__ == "__main__":
    main()
