"""How well sigma8 could be told at best from the presets' mock catalogs: the limits that earnest-selfcal ships.

Run with earnest-mocks and earnest-selfcal installed; the same command goes on after an interruption::

    python benchmarks/selfcal_limits.py --out FOLDER                     # some twenty minutes on two cores
    python benchmarks/selfcal_limits.py --out FOLDER --write packages/selfcal/src/earnest_selfcal/data/limits.json

A limit is the root mean posterior variance of the referee, which is the root mean square error of its posterior means
over the prior but much less uncertain; what happened in the same catalogs stands beside it. The residuals of the mocks
are borrowed, so the referee learns their smoothed distribution, from the very split that it referees: for its own
donors. Where normalisations lie on a grid the posterior that does not use it stands beside. Limits of the numbers of
clusters and of medians are the scatter of their posterior means.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from earnest_common.catalogs import CatalogSet
from earnest_common.run.executors import open_executor
from earnest_common.run.files import write_atomic
from earnest_common.run.provenance import provenance
from earnest_common.survey.presets import PRESETS
from earnest_selfcal.cli.answer import evaluate_set, survey_of_set
from earnest_selfcal.cli.referee_answer import referee_set
from earnest_selfcal.exact_posterior.posterior import RefereeConfig
from earnest_selfcal.information.limits import MEDIAN_Y_X

SEED, N_CATALOGS = 1, 4968
QUICK = RefereeConfig(n_draws=1500, target_ess=400)  # a mean over many catalogs asks for fewer draws than one posterior
DROPPED = {"no_wl": ("m_wl",), "standard": ()}
COUNTS = {
    "n_only": ((), "the number of clusters alone"),
    "n_median_y_x": ((MEDIAN_Y_X,), "the number of clusters and their median Y_X"),
}


def mocks(preset: str, folder: Path, *, workers: int) -> Path:
    """Return a set of mock catalogs, made now or before."""
    out = folder / f"mocks-{preset}"
    if (out / "manifest.json").is_file() and CatalogSet.open(out).manifest.plan.seed == SEED:
        return out
    command = [sys.executable, "-c", "from earnest_common.cli.root import main; main()", "mocks", "generate"]
    words = ["--preset", preset, "--n-catalogs", str(N_CATALOGS), "--seed", str(SEED), "--workers", str(workers)]
    subprocess.run([*command, *words, "--out", str(out)], check=True, stdout=subprocess.DEVNULL)
    return out


def judged(preset: str, path: Path, folder: Path, *, data: str, n: int, workers: int, continuous: bool) -> Any:  # noqa: ANN401
    """Return what the referee tells given every cluster, computed now or before."""
    name = f"limit-{preset}-{data}{'-continuous' * continuous}-{n}"
    file = folder / f"{name}.json"
    if not file.is_file():
        opened = CatalogSet.open(path)
        with open_executor(workers=workers) as pool:
            told = referee_set(
                opened,
                survey_of_set(opened),
                max_catalogs=n,
                drop=DROPPED[data],
                learn_from="test",
                continuous=continuous,
                config=QUICK,
                executor=pool,
                out=folder / f"{name}.parquet",
            )
        write_atomic(file, json.dumps(told, indent=1) + "\n")
    return json.loads(file.read_text())


def refereed(preset: str, path: Path, folder: Path, *, data: str, n: int, workers: int) -> dict[str, Any]:
    """Return the limit given every cluster, and without the grid where the preset has one."""
    ways = (False, True) if PRESETS[preset].priors.grid else (False,)
    told, *without = [judged(preset, path, folder, data=data, n=n, workers=workers, continuous=way) for way in ways]
    limit = {
        "preset": preset,
        "columns": told["observables"],
        "scatter": round(told["expected_scatter"], 5),
        "scatter_err": round(told["expected_scatter_err"], 5),
        "n_catalogs": told["n_catalogs"],
        "text": told["validity"].removeprefix("the limit for "),
        "as_it_happened": {name: round(told[name], 5) for name in ("scatter", "scatter_err", "bias", "coverage_68")},
    }
    for other in without:
        names = {"scatter": "expected_scatter", "scatter_err": "expected_scatter_err"}
        limit["without_grid"] = {name: round(other[key], 5) for name, key in names.items()}
    return limit


def counted(preset: str, path: Path) -> list[dict[str, Any]]:
    """Return the limits of N alone, and with the median Y_X."""
    told = evaluate_set(path, split="all")
    return [
        {
            "preset": preset,
            "columns": list(columns),
            "scatter": round(told[f"{name}_scatter"], 5),
            "scatter_err": round(told[f"{name}_scatter_err"], 5),
            "n_catalogs": told["n_catalogs"],
            "text": text,
        }
        for name, (columns, text) in COUNTS.items()
    ]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="folder of mock catalogs and finished parts")
    parser.add_argument("--n-refereed", type=int, default=496, help="catalogs of the test split to referee")
    parser.add_argument("--write", type=Path, help="file to write")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    limits, hashes = [], {}
    for preset in PRESETS:
        path = mocks(preset, options.out, workers=options.workers)
        hashes[f"mocks of preset {preset}"] = CatalogSet.open(path).manifest.data_hash
        limits += counted(preset, path)
        for data in DROPPED:
            limits.append(refereed(preset, path, options.out, data=data, n=options.n_refereed, workers=options.workers))
    config = {"n_catalogs": N_CATALOGS, "n_refereed": options.n_refereed}
    text = json.dumps({"limits": limits, "origin": provenance(config=config, seed=SEED, inputs=hashes)}, indent=1)
    sys.stdout.write(text + "\n")
    if options.write:
        write_atomic(options.write, text + "\n")


if __name__ == "__main__":
    main()
