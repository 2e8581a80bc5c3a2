"""Are the reasons those of the training or of its seed? Several trainings of each variant, side by side.

    nox -s benchmarks -- reasons [--seeds 10] [--steps 1500] [--only VARIANT ...] [--out build/reasons]

Every training is kept, so that the command goes on where it was. Each is evaluated on the same 2,000 catalogs that no
training draws: the correlation of the terse value with ln M_500c within catalogs, its scatter as a mass proxy beside
M_gas and Y_X, shares of saliency, and scatter and coverage of sigma8 with all columns and with columns missing; and of
every pair of seeds the rank correlation of terse values.
"""

import argparse
import dataclasses
import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
from earnest_common.catalogs.batch import CatalogBatch
from earnest_common.protocols import TerseEstimator

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
PRESETS = ("paper", "realistic")
TEST_SEED, N_TEST = 90_210, 2_000
LIKELIHOOD = {"pooled": {"anchor": 0.0, "missing": 0.0}}
VARIANTS: dict[str, dict[str, Any]] = {
    "default": {},
    "likelihood alone": LIKELIHOOD,
    "columns withheld, no anchor": {"pooled": {"anchor": 0.0}},
    "anchor, nothing withheld": {"pooled": {"missing": 0.0}},
    "encoder of T and M_gas": {"encoder": ("t_x", "m_gas")},
    "no profile slopes": {"encoder": ("t_x", "m_gas_profile")},
    "L_X in the encoder": {
        "encoder": ("t_x", "m_gas_profile", "gas_slope_profile", "l_x"),
        "supplementary": ("m_wl",),
    },
    "alone: no M_WL": {"drop": ("m_wl",), "pooled": {"missing": 0.0}},
    "alone: no L_X": {"drop": ("l_x",), "pooled": {"missing": 0.0}},
    "alone: neither": {"drop": ("l_x", "m_wl"), "pooled": {"missing": 0.0}},
}
ALL_SEEDS = ("default",)
"""Variants trained with all seeds; of the others three."""
FEW = 3


def trained(folder: Path, preset: str, variant: str, seed: int, steps: int) -> TerseEstimator:
    """Return the estimator of one training, made now or before."""
    from earnest_model import train
    from earnest_model.config import PooledConfig, TrainingConfig

    changes = dict(VARIANTS[variant])
    config = dataclasses.replace(TrainingConfig(), **{**changes, "pooled": PooledConfig(**changes.get("pooled", {}))})
    out = folder / f"{preset}-{variant.replace(' ', '_')}-{seed}"
    return train(out, live=preset, config=config, seed=seed, max_steps=steps)


def test_catalogs(preset: str) -> CatalogBatch:
    """Return the catalogs on which all trainings of a preset are compared."""
    from earnest_common.plugins import open_source

    return open_source("mocks", preset=preset, seed=TEST_SEED).batch(np.arange(N_TEST, dtype=np.int64))


def measured(estimator: TerseEstimator, batch: CatalogBatch) -> tuple[dict[str, Any], np.ndarray]:
    """Return the numbers of one training, and its terse values."""
    from earnest_interpret import InterpretConfig, saliency
    from earnest_interpret.analyses.terse.correlations import mass_proxies
    from earnest_interpret.responses.questions import encode
    from earnest_interpret.sample import mass_axis

    terse = encode(estimator, batch)
    proxies = {proxy.name: proxy for proxy in mass_proxies(terse, batch, mass_axis(batch))}
    within = [_within(values, batch) for values in (terse, np.log(batch.column("m_500c").astype(np.float64)))]
    found = saliency(estimator, batch.select(np.arange(300)), config=InterpretConfig())
    peak = next((group for group in found.summary.groups if group.name.endswith("m_gas_profile")), None)
    numbers: dict[str, Any] = {
        "r": float(np.corrcoef(*within)[0, 1]),
        "proxy": {name: proxy.scatter for name, proxy in proxies.items()},
        "proxy_within": {name: proxy.scatter_within for name, proxy in proxies.items()},
        "spread_of_ln_m": proxies["terse"].spread,
        "shares": {group.name: found.summary.share(group) for group in found.summary.groups},
        "peak": None if peak is None else float(peak.radii[int(np.argmax(found.summary.mean_abs[list(peak.columns)]))]),
        "sigma8": _accuracies(estimator, batch),
    }
    return numbers, terse


def _accuracies(estimator: TerseEstimator, batch: CatalogBatch) -> dict[str, Any]:
    """Return scatter, its error, bias and coverage with all columns and with each combination missing."""
    import polars as pl
    from earnest_model.data.missing import combinations
    from earnest_model.evaluation.accuracy import accuracy
    from earnest_model.evaluation.labelled_predictions import predict_labelled

    found, optional = {}, tuple(getattr(estimator, "accepts_missing", ()))
    for missing in combinations(len(optional)):
        names = [name for name, gone in zip(optional, missing, strict=True) if gone]
        columns = {name: pl.lit(None, dtype=pl.Float64) for name in names}
        seen = dataclasses.replace(batch, clusters=batch.clusters.with_columns(**columns))
        one = accuracy(predict_labelled(estimator, [seen]))
        numbers = [one.scatter, one.scatter_err, one.bias, one.coverage_68, one.prior_scatter]
        found["+".join(names) or "nothing"] = numbers
    return found


def _within(values: np.ndarray, batch: CatalogBatch) -> np.ndarray:
    means = np.bincount(batch.segment_ids, weights=values) / np.diff(batch.row_splits)
    return np.asarray(values - means[batch.segment_ids])


def pairs(values: list[np.ndarray]) -> list[float]:
    """Return the rank correlation of terse values of each pair of seeds."""
    from earnest_interpret.analyses.members import rank_correlations

    return rank_correlations(values).tolist() if len(values) > 1 else []


def shown(preset: str, records: dict[str, dict[str, Any]]) -> str:
    """Return the table of one preset."""
    head = (
        "| variant | seeds | r with ln M | ranks between seeds | as proxy [%] | M_gas, Y_X [%] | saliency by quantity "
        "[%] | sigma8 | without L_X | without M_WL | with neither | coverage [%] |"
    )
    lines = [f"### {preset}", "", head, "|" + " --- |" * 12]
    for variant, record in records.items():
        rows = record["seeds"]
        sigma8 = [[row["sigma8"].get(key) for row in rows] for key in ("nothing", "l_x", "m_wl", "l_x+m_wl")]
        shares = [_range([100 * row["shares"].get(name, 0.0) for row in rows], 0) for name in _groups(rows[0])]
        coverage = [100 * one[3] for row in rows for one in row["sigma8"].values()]
        first = rows[0]
        others = f"{100 * first['proxy_within']['m_gas']:.1f}, {100 * first['proxy_within']['y_x']:.1f}"
        lines.append(
            f"| {variant} | {len(rows)} | {_range([row['r'] for row in rows], 3)} | {_range(record['pairs'], 3)} | "
            f"{_range([100 * row['proxy_within']['terse'] for row in rows], 1)} | {others} | {' / '.join(shares)} | "
            + " | ".join(_mean(one) for one in sigma8)
            + f" | {_range(coverage, 1)} |"
        )
    return "\n".join(lines)


def _groups(row: dict[str, Any]) -> list[str]:
    return list(row["shares"])


def _range(values: list[float], digits: int) -> str:
    if not values:
        return ""
    low, high = f"{min(values):.{digits}f}", f"{max(values):.{digits}f}"
    return low if low == high else f"{low} to {high}"


def _mean(found: list[Any]) -> str:
    if any(one is None for one in found):
        return ""
    scatters = [one[0] for one in found]
    return f"{np.mean(scatters):.4f} ({min(scatters):.4f} to {max(scatters):.4f})"


def main() -> None:
    """Train, measure and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--presets", nargs="*", default=PRESETS)
    parser.add_argument("--only", nargs="*", default=list(VARIANTS))
    parser.add_argument("--out", type=Path, default=Path("build/reasons"))
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    for preset in options.presets:
        batch, records = None, {}
        for variant in options.only:
            file = options.out / f"{preset}-{variant.replace(' ', '_')}.json"
            n_seeds = options.seeds if variant in ALL_SEEDS else min(FEW, options.seeds)
            if not (file.exists() and len(json.loads(file.read_text())["seeds"]) >= n_seeds):
                batch = test_catalogs(preset) if batch is None else batch
                found = [
                    measured(trained(options.out, preset, variant, seed, options.steps), batch)
                    for seed in range(1, n_seeds + 1)
                ]
                record = {"seeds": [numbers for numbers, _ in found], "pairs": pairs([terse for _, terse in found])}
                file.write_text(json.dumps({**record, "steps": options.steps}, indent=1))
            records[variant] = json.loads(file.read_text())
        sys.stdout.write(f"{shown(preset, records)}\n\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
