"""How well do the shapes of gas profiles tell a cluster's mass? A regression of ln M on shapes alone.

    nox -s benchmarks -- profile_shapes [--n-catalogs 400]

Shapes are the logarithms of the gas masses at all radii less their mean, and the slopes, each with its square. The
regression is fitted to the clusters of one half of the donors and read off those of the other. It prints, for each
preset, the correlation of the inferred with the true ln M, the scatter that is left of ln M, and the scatter of the
inferred ln M as an unbiased measurement at given mass: ``SHAPE_SCATTER`` of earnest-selfcal.
"""

import argparse
import json
import sys

import numpy as np
from earnest_common.catalogs.batch import CatalogBatch
from earnest_common.plugins import open_source

SEED = 90_210
RIDGE = 1e-6


def terms(batch: CatalogBatch) -> np.ndarray:
    """Return the regressors of each cluster, shape (n_clusters, n_terms)."""
    gas = np.log(batch.column("m_gas_profile"))
    shapes = np.concatenate([gas - gas.mean(axis=1, keepdims=True), batch.column("gas_slope_profile")], axis=1)
    scaled = (shapes - shapes.mean(axis=0)) / shapes.std(axis=0)
    return np.concatenate([np.ones((len(scaled), 1)), scaled, scaled**2], axis=1)


def measured(batch: CatalogBatch) -> dict[str, float]:
    """Return how well shapes tell ln M."""
    x, ln_m, donor = terms(batch), np.log(batch.column("m_500c")), batch.clusters["donor_id"].to_numpy()
    half = (np.random.default_rng(SEED).permutation(donor.max() + 1) % 2)[donor]
    inferred = np.empty(len(ln_m))
    for side in (0, 1):
        fitted = x[half != side]
        normal = fitted.T @ fitted + RIDGE * len(fitted) * np.eye(x.shape[1])
        inferred[half == side] = x[half == side] @ np.linalg.solve(normal, fitted.T @ ln_m[half != side])
    slope = float(np.polyfit(ln_m, inferred, 1)[0])
    unbiased = (inferred - inferred.mean()) / slope
    return {
        "spread_of_ln_m": float(ln_m.std()),
        "correlation": float(np.corrcoef(inferred, ln_m)[0, 1]),
        "scatter_left": float((ln_m - inferred).std()),
        "scatter_as_a_measurement": float((unbiased - ln_m + ln_m.mean()).std()),
    }


def main() -> None:
    """Measure all presets and print JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n-catalogs", type=int, default=400)
    options = parser.parse_args()
    ids = np.arange(options.n_catalogs, dtype=np.int64)
    found = {name: measured(open_source("mocks", preset=name, seed=SEED).batch(ids)) for name in PRESETS}
    sys.stdout.write(json.dumps(found, indent=1) + "\n")


PRESETS = ("paper", "paper-h", "realistic")

if __name__ == "__main__":
    main()
