"""How well and how fast X-ray photons give gas masses: clusters of the emulated base sample, observed and reduced.

Run with earnest-mocks[xray] installed::

    python benchmarks/mocks_xray.py                     # 240 clusters, some five minutes on one core
    python benchmarks/mocks_xray.py --n-clusters 40     # a look
    python benchmarks/mocks_xray.py --seed 77 --cases full masked

Five cases: the cluster ``alone``, which shows the statistical error; with clumps and groups, as in the pipeline
(``full``); the same with the mask but no model of bright neighbours (``masked``); with neither (``unmasked``); and
the cluster alone but ``lopsided`` and elongated, which no spherical model fits. It prints tables: measured over true
gas mass, and processor times on one core [s].
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # one core, as the times say

import argparse
import dataclasses
import json
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from earnest_common.schema import RADII_R500C
from earnest_mocks.base_sample.emulator import EmulatedClusters, emulate
from earnest_mocks.gas.profile import enclosed_mass
from earnest_mocks.xray.photon_list import PhotonList
from earnest_mocks.xray.photons import Observation, emulate_photons
from earnest_mocks.xray.reduction import Reduction, ReductionConfig, reduce_photons
from earnest_mocks.xray.sky import SkyModel

ALONE = Observation(sky=SkyModel(substructure=False, correlated=False))
FULL = Observation()
DEFAULT, MASKED, UNMASKED = ReductionConfig(), ReductionConfig(neighbours=False), ReductionConfig(mask=False)
BOUND = 0.025


def lopsided(photons: PhotonList) -> PhotonList:
    """Return the photons of a cluster stretched by 1.3 in its inner 5 arcmin, the inner parts moved by 0.4 arcmin."""
    r = np.hypot(photons.x, photons.y)
    stretch, shift = 1 + 0.3 * np.exp(-r / 5), 0.4 * np.exp(-r / 8)
    return dataclasses.replace(photons, x=photons.x * stretch + shift, y=photons.y / stretch)


def as_it_is(photons: PhotonList) -> PhotonList:
    """Return the photons."""
    return photons


CASES: dict[str, tuple[Observation, Callable[[PhotonList], PhotonList], ReductionConfig]] = {
    "alone": (ALONE, as_it_is, DEFAULT),
    "full": (FULL, as_it_is, DEFAULT),
    "masked": (FULL, as_it_is, MASKED),
    "unmasked": (FULL, as_it_is, UNMASKED),
    "lopsided": (ALONE, lopsided, DEFAULT),
}


def run_case(
    clusters: EmulatedClusters, ids: Sequence[int], case: str, *, seed: int
) -> tuple[list[Reduction], dict[str, float]]:
    """Return the reductions of one case and the mean processor times."""
    observation, change, config = CASES[case]
    found, seconds, photons_made = [], {"photons": 0.0, "reduction": 0.0}, 0
    for i in ids:
        start = time.process_time()
        photons = emulate_photons(clusters, i, seed=seed, observation=observation)
        made = time.process_time()
        reduction = reduce_photons(change(photons), config=config)
        seconds["photons"] += made - start
        seconds["reduction"] += time.process_time() - made
        photons_made += photons.n_photons
        found.append(dataclasses.replace(reduction, image=np.empty(0), mask=np.empty(0)))
    times = {name: value / len(ids) for name, value in seconds.items()}
    return found, times | {"photons_per_second": photons_made / max(seconds["photons"], 1e-9)}


def statistics(ratio: np.ndarray, error: np.ndarray) -> dict[str, float]:
    """Return what a set of measured-over-true masses and their quoted errors (relative) says."""
    pull = (ratio - 1) / error
    low, high = np.percentile(ratio, [16, 84])
    return {
        "n": len(ratio),
        "mean bias": float(ratio.mean() - 1),
        "median bias": float(np.median(ratio) - 1),
        "scatter": float(ratio.std()),
        "68 % half": float((high - low) / 2),
        "off > 2.5 %": float(np.mean(np.abs(ratio - 1) > BOUND)),
        "off > 10 %": float(np.mean(np.abs(ratio - 1) > 0.1)),
        "quoted error": float(np.median(error)),
        "largest quoted": float(error.max()),
        "pull rms": float(np.sqrt(np.mean(pull**2))),
    }


def mass_rows(
    clusters: EmulatedClusters, ids: Sequence[int], found: Sequence[Reduction]
) -> dict[str, dict[str, float]]:
    """Return the statistics of M_gas within R_500c for all clusters and by thirds in mass."""
    ratio = np.array([r.m_gas for r in found]) / 10 ** clusters.observables[list(ids), 2]
    error = np.array([r.m_gas_err / r.m_gas for r in found])
    rows = {"all": statistics(ratio, error)}
    for name, part in zip(("low", "middle", "high"), np.array_split(np.arange(len(ids)), 3), strict=True):
        rows[f"{name} third in mass"] = statistics(ratio[part], error[part])
    return rows


def profile_rows(
    clusters: EmulatedClusters, ids: Sequence[int], found: Sequence[Reduction]
) -> dict[str, dict[str, float]]:
    """Return bias and scatter of M_gas(<r) and of the slope at each radius."""
    chosen = list(ids)
    total = enclosed_mass(clusters.profile, np.ones(1))
    true = enclosed_mass(clusters.profile, np.array(RADII_R500C)) / total * 10 ** clusters.observables[:, 2:]
    ratio = np.array([r.m_gas_profile for r in found]) / true[chosen]
    slope = np.array([r.gas_slope_profile for r in found]) - clusters.gas_slope_profile[chosen]
    return {
        f"{radius:.3f} R_500c": {
            "M_gas bias": float(np.median(ratio[:, k]) - 1),
            "M_gas 68 % half": float(np.diff(np.percentile(ratio[:, k], [16, 84]))[0] / 2),
            "slope bias": float(np.median(slope[:, k])),
            "slope 68 % half": float(np.diff(np.percentile(slope[:, k], [16, 84]))[0] / 2),
            "slope spread of the sample": float(clusters.gas_slope_profile[:, k].std()),
        }
        for k, radius in enumerate(RADII_R500C)
    }


def show(title: str, rows: dict[str, dict[str, float]]) -> None:
    """Print one table."""
    columns = list(next(iter(rows.values())))
    width = max(len(name) for name in rows)
    sys.stdout.write(f"\n{title}\n{'':{width}}  " + "  ".join(f"{c:>14}" for c in columns) + "\n")
    for name, row in rows.items():
        cells = "  ".join(f"{v:14d}" if isinstance(v, int) else f"{v:14.4f}" for v in row.values())
        sys.stdout.write(f"{name:{width}}  {cells}\n")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n-clusters", type=int, default=240, help="clusters, evenly spread over the base sample")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cases", nargs="*", choices=CASES, default=list(CASES))
    parser.add_argument("--json", action="store_true", help="one JSON object instead of tables")
    options = parser.parse_args()
    clusters = emulate()
    ids = np.linspace(0, len(clusters.log10_m_500c) - 1, options.n_clusters).astype(int).tolist()
    reduce_photons(emulate_photons(clusters, ids[0], seed=0))  # what is computed once and kept
    answer: dict[str, Any] = {}
    for case in options.cases:
        found, times = run_case(clusters, ids, case, seed=options.seed)
        deviance = [r.fit.deviance / r.fit.degrees_of_freedom for r in found]
        answer[case] = {
            "m_gas": mass_rows(clusters, ids, found),
            "profiles": profile_rows(clusters, ids, found),
            "reduced deviance, median": float(np.median(deviance)),
            "masked share of R_500c, mean": float(np.mean([r.masked for r in found])),
            "processor seconds": times,
            "photons, median": float(np.median([r.n_photons for r in found])),
        }
        if not options.json:
            report(case, answer[case])
    if options.json:
        sys.stdout.write(json.dumps(answer, indent=1) + "\n")


def report(case: str, result: dict[str, Any]) -> None:
    """Print the tables of one case."""
    show(f"{case}: measured over true M_gas within R_500c", result["m_gas"])
    show(f"{case}: profiles", result["profiles"])
    times = result["processor seconds"]
    sys.stdout.write(
        f"\n{case}: masked {result['masked share of R_500c, mean']:.3f} of the area within R_500c, reduced deviance "
        f"{result['reduced deviance, median']:.2f}, {result['photons, median']:.0f} photons (median); processor time "
        f"per cluster: photons {times['photons']:.3f} s ({times['photons_per_second'] / 1e6:.1f} million/s), reduction "
        f"{times['reduction']:.3f} s\n"
    )


if __name__ == "__main__":
    main()
