"""Small catalogs with simple known properties, for the tests of all packages and for examples."""

import ast
import pkgutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from inspect import getdoc, isfunction
from pathlib import Path
from typing import final

import numpy as np
import polars as pl

from earnest_common.bundle import BundleDescription
from earnest_common.catalogs import Plan, write_batch
from earnest_common.catalogs.batch import CatalogBatch
from earnest_common.schema import RADII_R500C

__all__ = ["ToyEstimator", "front_door_problems", "toy_batch", "toy_set"]


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


@final
class ToyEstimator:
    r"""Infers sigma8 of toy catalogs from their number N, as :math:`0.81 (N / 60)^{1/4}` with its Poisson error.

    Examples
    --------
    >>> batch = toy_batch(n_catalogs=1, seed=1)
    >>> batch.n_clusters, round(ToyEstimator().predict(batch)["sigma8"].item(), 3)
    (78, 0.865)
    """

    @property
    def description(self) -> BundleDescription:
        """What the estimator expects."""
        prior = {"sigma8": (0.70, 0.92)}
        return BundleDescription(
            estimator="toy", features=(), supplementary=(), radii=RADII_R500C, scaling={}, prior=prior
        )

    def predict(self, batch: CatalogBatch) -> pl.DataFrame:
        """Return one row per catalog (schema ``PREDICTIONS``)."""
        counts = np.diff(batch.row_splits)
        sigma8 = 0.81 * (counts / 60) ** 0.25
        error = sigma8 / (4 * np.sqrt(np.maximum(counts, 1)))
        return batch.catalogs.select("catalog_id").with_columns(
            sigma8=pl.Series(sigma8),
            sigma8_err=pl.Series(error),
            sigma8_lo68=pl.Series(sigma8 - error),
            sigma8_hi68=pl.Series(sigma8 + error),
        )


@contextmanager
def toy_set(*, n_catalogs: int, seed: int) -> Iterator[Path]:
    """Yield the folder of a set of such catalogs, some in each split, which is removed afterwards.

    Parameters
    ----------
    n_catalogs
        Number of catalogs.
    seed
        Seed of all random numbers.
    """
    with tempfile.TemporaryDirectory() as folder:
        plan = Plan(kind="mock", preset="toy", seed=seed, n_catalogs=n_catalogs, synthetic="toy clusters")
        write_batch(Path(folder) / "toy", toy_batch(n_catalogs=n_catalogs, seed=seed), plan)
        yield Path(folder) / "toy"


def front_door_problems(package: str) -> list[str]:
    """Return what is wrong with the names that a package offers at its top.

    They must be those of its stub, come from where the stub says, be no names of modules, which would hide them as
    soon as somebody imports the module, and functions among them must show an example; the package's own import must
    leave everything heavy alone.

    Parameters
    ----------
    package
        Name of the package, such as ``"earnest_common"``.
    """
    top = import_module(package)
    tree = ast.parse(Path(str(top.__file__)).with_suffix(".pyi").read_text(encoding="utf-8"))
    imports = [node for node in tree.body if isinstance(node, ast.ImportFrom)]
    told = {alias.name: f"{package}.{node.module}" for node in imports for alias in node.names}
    problems = [f"{name} is not in both stub and __all__" for name in sorted(told.keys() ^ set(top.__all__))]
    modules = {module.name for module in pkgutil.iter_modules(top.__path__)}
    problems += [f"{name} is a module too" for name in sorted(modules & told.keys())]
    for name, module in told.items():
        found = getattr(top, name)
        if found is not getattr(import_module(module), name):
            problems.append(f"{name} is not that of {module}")
        if isfunction(found) and ">>> " not in str(getdoc(found)):
            problems.append(f"{name} shows no example")
    if not set(top.__all__) <= set(dir(top)):
        problems.append("dir() does not list all names")
    return problems + [f"importing it loads {name}" for name in sorted(_loaded_by(package) & _HEAVY)]


_HEAVY = {"tensorflow", "keras", "matplotlib", "scipy", "polars", "numpy", "pydantic", "colossus", "astropy", "typer"}


def _loaded_by(package: str) -> set[str]:
    code = f"import {package}, sys; print(*sys.modules)"
    return set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split())


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
