"""Whether self-calibration and the referee are right on mocks of a base sample that is not the built-in one.

Run with earnest-mocks and earnest-selfcal installed; the referee goes on after an interruption::

    python benchmarks/selfcal_base_sample.py --out FOLDER                      # 5,000 catalogs, 500 of them refereed
    python benchmarks/selfcal_base_sample.py --out FOLDER --n-refereed 60 --workers 2
    python benchmarks/selfcal_base_sample.py --out FOLDER --bend 0.3 --z 0.3   # relations that bend, at another z

2,000 halos of another law than the paper's (slopes, intercepts, scatter and correlations) become a base sample, mocks
of preset `paper` in an eighth of its volume are made of them, and `evaluate` and `referee` are asked about them. It
prints one JSON object with bias and coverage of each estimate, in units of their errors too, and the verdict ``ok``.
Exit code 1 if a 68 % interval covers less than 65 or more than 71 %.
"""

import argparse
import json
import math
import sys
from pathlib import Path
from typing import Any

import numpy as np
from earnest_common.catalogs import CatalogSet
from earnest_common.importers import import_catalog_set
from earnest_common.importers.mapping import Mapping, Reader, Source, TableCosmology
from earnest_common.run.executors import open_executor
from earnest_mocks.base_sample.sample import write_base_sample
from earnest_mocks.catalogs.config import resolve_config
from earnest_mocks.catalogs.generate import generate
from earnest_mocks.measured.imported import imported_base_sample
from earnest_selfcal.cli.answer import evaluate_set, survey_of_set
from earnest_selfcal.cli.referee_answer import referee_set
from earnest_selfcal.exact_posterior.posterior import RefereeConfig

N_HALOS = 2000
SLOPES, AT_PIVOT = (1.45, 0.55, 1.05), (0.45, 0.60, 13.50)  # log10 of 1e44 erg/s, keV and solMass at 10^14.4 solMass
SCATTER = (0.18, 0.05, 0.06)  # dex
CORRELATION = ((1.0, 0.5, 0.7), (0.5, 1.0, -0.2), (0.7, -0.2, 1.0))
BENDING = (1.0, 0.3, 0.6)
SURVEY = {"volume": 2.0e7}
SEED = 7
QUICK = RefereeConfig(n_draws=1500, target_ess=400)
ALLOWED = 0.03


def halos(*, z: float, bend: float) -> np.ndarray:
    """Return m_500c [solMass], l_x [1e44 erg/s], t_x [keV] and m_gas [solMass] of halos, shape (n, 4).

    At z = 0.0663 the relations are power laws in mass, less ``bend`` times a parabola about the pivot; at other
    redshifts they have evolved self-similarly.
    """
    rng = np.random.default_rng(SEED)
    log10_m = 13.4 - np.log10(1 - rng.random(N_HALOS) * (1 - 10 ** (-1.6 * 1.8))) / 1.6
    x = (log10_m - 14.4)[:, None]
    covariance = np.array(CORRELATION) * np.outer(SCATTER, SCATTER)
    residuals = rng.multivariate_normal(np.zeros(3), covariance, size=N_HALOS)
    ln_e = [0.5 * math.log10(0.272 * (1 + one) ** 3 + 0.728) for one in (z, 0.0663)]
    grown = (ln_e[0] - ln_e[1]) * np.array([7 / 3, 2 / 3, 0.0])
    observables = np.array(AT_PIVOT) + np.array(SLOPES) * x - bend * np.array(BENDING) * x**2 + grown + residuals
    return np.column_stack([10**log10_m, 10**observables])


def own_mocks(folder: Path, *, z: float, bend: float, n_catalogs: int) -> CatalogSet:
    """Return mocks of the halos, made unless they are there."""
    if not (folder / "mocks" / "manifest.json").is_file():
        table = folder / "halos.csv"
        np.savetxt(table, halos(z=z, bend=bend), delimiter=",", header="m,l,t,g", comments="", fmt="%.12g")
        columns = {"m_500c": ("m", "Msun"), "l_x": ("l", "1e44 erg/s"), "t_x": ("t", "keV"), "m_gas": ("g", "Msun")}
        mapping = Mapping(
            name="halos",
            title="halos of another law",
            kind="simulation",
            l_x="bolometric",
            reader=Reader(kind="csv"),
            cosmology=TableCosmology(H0=70.4, Om0=0.272),
            columns={
                "z": Source(value=z),
                **{name: Source(source=(column,), unit=unit) for name, (column, unit) in columns.items()},
            },
        )
        import_catalog_set(table, mapping, folder / "halos")
        write_base_sample(folder / "base.parquet", imported_base_sample(folder / "halos"))
        options = {"base_sample": str(folder / "base.parquet"), "survey": SURVEY}
        generate(resolve_config("paper", options=options), folder / "mocks", seed=SEED, n_catalogs=n_catalogs)
    return CatalogSet.open(folder / "mocks")


def stated(bias: float, scatter: float, coverage: float, n: int) -> dict[str, Any]:
    """Return a bias and a coverage with their errors."""
    return {
        "n_catalogs": n,
        "bias": bias,
        "bias_err": scatter / math.sqrt(n),
        "scatter": scatter,
        "coverage_68": coverage,
        "coverage_68_err": math.sqrt(0.6827 * 0.3173 / n),
        "ok": abs(coverage - 0.68) <= ALLOWED,
    }


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--n-catalogs", type=int, default=5000)
    parser.add_argument("--n-refereed", type=int, default=500)
    parser.add_argument("--z", type=float, default=0.0663)
    parser.add_argument("--bend", type=float, default=0.0)
    parser.add_argument("--workers", type=int, default=1)
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    mocks = own_mocks(asked.out, z=asked.z, bend=asked.bend, n_catalogs=asked.n_catalogs)
    answer: dict[str, Any] = {}
    counts = evaluate_set(mocks.path, split="all")
    for name in ("n_only", "n_median_y_x", "n_median_l_x"):
        numbers = (counts[f"{name}_{what}"] for what in ("bias", "scatter", "coverage_68"))
        answer[name] = stated(*numbers, counts["n_catalogs"])
    if asked.n_refereed:
        with open_executor(workers=asked.workers) as pool:
            table = asked.out / "referee.parquet"
            best = referee_set(
                mocks,
                survey_of_set(mocks),
                split="all",
                max_catalogs=asked.n_refereed,
                config=QUICK,
                executor=pool,
                out=table,
            )
        answer["referee"] = stated(best["bias"], best["scatter"], best["coverage_68"], best["n_catalogs"])
    answer["ok"] = all(one["ok"] for one in answer.values())
    sys.stdout.write(json.dumps(answer, indent=1) + "\n")
    return 0 if answer["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
