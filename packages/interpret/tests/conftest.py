"""Catalogs and estimators whose properties are known exactly."""

import os
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # matrices are small: threads would only wait for each other

import numpy as np
import polars as pl
import pytest
from earnest_common.bundle import write_bundle
from earnest_common.catalogs import Plan, write_batch
from earnest_common.catalogs.batch import CatalogBatch
from earnest_common.survey.cosmology import MAGNETICUM
from earnest_common.testing import toy_batch
from earnest_interpret.testing import PlainEstimator, SaturatingEstimator


@pytest.fixture(scope="session")
def batch() -> CatalogBatch:
    return toy_batch(n_catalogs=40, seed=1)


@pytest.fixture(scope="session")
def observed(batch: CatalogBatch) -> CatalogBatch:
    """One catalog without anything that only a simulation knows."""
    one = batch.select([0])
    unknown = pl.lit(None, dtype=pl.Float64)
    return CatalogBatch(
        catalogs=one.catalogs.with_columns(sigma8=unknown),
        clusters=one.clusters.with_columns(m_500c=unknown, m_wl=unknown),
        radii=one.radii,
    )


@pytest.fixture(scope="session")
def lonely(batch: CatalogBatch) -> CatalogBatch:
    """Catalogs of a single cluster each."""
    first = batch.clusters.filter(pl.col("rank") == 0)
    return CatalogBatch(
        catalogs=batch.catalogs.with_columns(pl.lit(1, dtype=pl.Int64).alias("n_clusters")),
        clusters=first,
        radii=batch.radii,
    )


@pytest.fixture(scope="session")
def estimator() -> SaturatingEstimator:
    weights = {"log10_t_x": 0.4, "log10_m_gas_profile_5": 0.3, "gas_slope_profile_2": -0.1}
    return SaturatingEstimator(weights=weights, constant=-0.03, per_terse=0.1, per_ln_n=0.19, error=0.03)


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The estimators of earnest_interpret.testing, found as an installed package's would be."""

    class Point:
        def __init__(self, made: object) -> None:
            self._made = made

        def load(self):
            return lambda path, description: self._made

    loaders = {
        "saturating": Point(
            SaturatingEstimator(weights={"log10_t_x": 1.0}, constant=-0.4, per_terse=0.1, per_ln_n=0.2)
        ),
        "plain": Point(PlainEstimator()),
    }
    monkeypatch.setattr("earnest_common.plugins.plugins", lambda group: loaders)


@pytest.fixture(scope="session")
def catalog_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sets") / "set"
    plan = Plan(
        kind="mock",
        preset="toy",
        seed=3,
        n_catalogs=60,
        catalogs_per_shard=25,
        cosmology={"H0": MAGNETICUM.H0},
        synthetic="toy clusters drawn from formulas",
    )
    write_batch(path, toy_batch(n_catalogs=60, seed=3), plan)
    return path


def _bundle(path: Path, made: SaturatingEstimator | PlainEstimator) -> Path:
    write_bundle(path, made.description, write_files=lambda folder: None, card="A test.")
    return path


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _bundle(tmp_path_factory.mktemp("bundles") / "saturating", SaturatingEstimator())


@pytest.fixture(scope="session")
def plain_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _bundle(tmp_path_factory.mktemp("bundles") / "plain", PlainEstimator())


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20211210)
