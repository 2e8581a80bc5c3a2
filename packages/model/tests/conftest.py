"""A toy survey, and a small network trained on it once for all tests."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from earnest_common.catalogs import CatalogSet, Plan, write_batch
from earnest_common.catalogs.batch import CatalogBatch
from earnest_common.schema import RADII_R500C
from earnest_common.testing import toy_batch
from earnest_model.config import FastRecipe, PaperConfig, PooledConfig, TrainingConfig
from earnest_model.data.training_data import LiveFeed
from hypothesis import HealthCheck, settings

settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


@dataclass(frozen=True)
class ToySource:
    """Power-law clusters whose number grows with sigma8; ids 8 and 9 of each ten are kept from training."""

    seed: int = 1
    radii: tuple[float, ...] = RADII_R500C
    with_splits: bool = True

    def provenance(self) -> Mapping[str, Any]:
        return {"config": {"toy": True}, "seed": self.seed, "synthetic": "a toy"}

    def batch(self, catalog_ids: np.ndarray) -> CatalogBatch:
        toy = toy_batch(n_catalogs=len(catalog_ids), seed=self.seed, first_id=int(catalog_ids[0]) % 2**31)
        ids = np.asarray(catalog_ids, dtype=np.int64)
        uses = np.array(["train"] * 8 + ["validation", "test"])[ids % 10] if self.with_splits else [None] * len(ids)
        return CatalogBatch(
            catalogs=toy.catalogs.with_columns(catalog_id=ids, split=pl.Series(uses, dtype=pl.String)),
            clusters=toy.clusters.with_columns(catalog_id=np.repeat(ids, np.diff(toy.row_splits))),
            radii=self.radii,
        )


@pytest.fixture(scope="session")
def source() -> ToySource:
    return ToySource()


@pytest.fixture(scope="session")
def batch() -> CatalogBatch:
    """Catalogs that no network was trained on."""
    return toy_batch(n_catalogs=40, seed=99)


@pytest.fixture(scope="session")
def config() -> TrainingConfig:
    """A training of a few seconds."""
    return TrainingConfig(
        seed=3,
        pooled=PooledConfig(encoder=(16,), member=(24,), pooled=24, decoder=(32,), learning_rate=1e-2),
        paper=PaperConfig(encoder=(16, 8), convolutions=(8, 8), dense=(16, 8), learning_rate=3e-3),
        fast=FastRecipe(
            max_steps=120,
            batch_catalogs=32,
            chunk_catalogs=256,
            n_validation=512,
            n_look=256,
            looks=4,
            checkpoint_seconds=0.0,
        ),
    )


@pytest.fixture(scope="session")
def feed(source: ToySource, config: TrainingConfig) -> LiveFeed:
    return LiveFeed(source, config.fast, seed=config.seed)


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory, config: TrainingConfig, feed: LiveFeed):
    """The result of one training."""
    from earnest_model.training.loop import train

    return train(config, feed, workspace=tmp_path_factory.mktemp("trained") / "workspace")


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory, trained, config: TrainingConfig, feed: LiveFeed) -> Path:
    from earnest_model.training.bundle_writing import save_bundle

    path = tmp_path_factory.mktemp("bundles") / "BUNDLE"
    save_bundle(path, trained, config, feed)
    return path


@pytest.fixture(scope="session")
def paper_bundle(tmp_path_factory: pytest.TempPathFactory, config: TrainingConfig, feed: LiveFeed) -> Path:
    """A small network of the paper's kind, trained for a moment."""
    from earnest_model.training.bundle_writing import save_bundle
    from earnest_model.training.loop import train

    path = tmp_path_factory.mktemp("paper")
    brief = replace(config, architecture="paper", fast=replace(config.fast, max_steps=30, looks=1))
    save_bundle(path / "BUNDLE", train(brief, feed, workspace=path / "workspace"), brief, feed)
    return path / "BUNDLE"


@pytest.fixture(scope="session")
def estimator(bundle: Path):
    from earnest_common.plugins import load_estimator

    return load_estimator(bundle)


@pytest.fixture(scope="session")
def toy_set(tmp_path_factory: pytest.TempPathFactory) -> CatalogSet:
    """A set of 300 labelled catalogs in ten shards, with all three splits."""
    path = tmp_path_factory.mktemp("sets") / "SET"
    plan = Plan(kind="mock", preset="toy", seed=5, n_catalogs=300, catalogs_per_shard=30, synthetic="a toy")
    write_batch(path, toy_batch(n_catalogs=300, seed=5), plan)
    return CatalogSet.open(path)
