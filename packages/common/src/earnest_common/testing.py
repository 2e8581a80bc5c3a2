"""Small catalogs with simple known properties, for the tests of all packages and for examples."""

import numpy as np
import polars as pl

from earnest_common.catalogs.batch import CatalogBatch
from earnest_common.schema import RADII_R500C

__all__ = ["toy_batch"]


def toy_batch(*, n_catalogs: int, seed: int, first_id: int = 0, mean_n_clusters: float = 60.0) -> CatalogBatch:
    """Return catalogs of power-law clusters whose number grows with sigma8; a toy, not a survey.

    Masses follow dn/dlnM ~ M^-1.5 above 10^14 solMass, none above 2 10^16, N is Poisson with mean ``mean_n_clusters``
    (sigma8 / 0.81)^4, and observables are power laws of the mass with 10 % scatter.

    Parameters
    ----------
    n_catalogs
        Number of catalogs, with ids from ``first_id``.
    seed
        Seed of all random numbers.
    first_id
        Id of the first catalog.
    mean_n_clusters
        Mean number of clusters at sigma8 = 0.81.
    """
    rng = np.random.default_rng([seed, first_id])
    sigma8 = rng.uniform(0.70, 0.92, n_catalogs)
    counts = np.maximum(rng.poisson(mean_n_clusters * (sigma8 / 0.81) ** 4), 1)
    segment = np.repeat(np.arange(n_catalogs), counts)
    mass = np.minimum(1e14 * (1 - rng.random(len(segment))) ** (-1 / 1.5), 2e16)  # the schema has bounds
    clusters = _clusters(mass, segment, first_id=first_id, rng=rng)
    ids = np.arange(first_id, first_id + n_catalogs)
    splits = np.array(["train", "validation", "test"])[np.searchsorted([0.8, 0.9], rng.random(n_catalogs))]
    catalogs = pl.DataFrame(
        {"catalog_id": ids, "n_clusters": counts, "sigma8": sigma8, "split": splits, "survey": ["toy"] * n_catalogs}
    )
    return CatalogBatch.conformed(catalogs, clusters, subject="toy catalogs")


def _clusters(mass: np.ndarray, segment: np.ndarray, *, first_id: int, rng: np.random.Generator) -> pl.DataFrame:
    scatter = np.exp(0.1 * rng.standard_normal((4, len(mass))))
    l_x = (mass / 2.5e14) ** 1.74 * scatter[0]
    order = np.lexsort((-l_x, segment))
    mass, l_x, scatter = mass[order], l_x[order], scatter[:, order]
    rank = np.arange(len(mass)) - np.searchsorted(segment, segment)
    m_gas = 0.1 * mass * (mass / 2.5e14) ** 0.16 * scatter[2]
    radii = np.array(RADII_R500C)
    return pl.DataFrame(
        {
            "catalog_id": segment + first_id,
            "cluster_id": rank,
            "rank": rank,
            "z": np.full(len(mass), 0.0663),
            "m_500c": mass,
            "m_wl": mass * np.exp(0.2 * rng.standard_normal(len(mass))),
            "l_x": l_x,
            "t_x": 3.4 * (mass / 2.5e14) ** 0.61 * scatter[1],
            "m_gas": m_gas,
            "m_gas_profile": m_gas[:, None] * radii**1.2 * scatter[3][:, None],
            "gas_slope_profile": np.tile(-1.8 - 0.3 * np.log(radii), (len(mass), 1)),
            "donor_id": rank,
        }
    )
