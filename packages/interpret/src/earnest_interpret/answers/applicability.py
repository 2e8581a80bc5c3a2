"""Whether a model may be applied to catalogs."""

from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import final

import numpy as np
import polars as pl
from earnest_common.catalogs import CatalogSet
from earnest_common.catalogs.batch import CatalogBatch
from earnest_common.catalogs.reader import Catalogs as Training
from earnest_common.catalogs.reader import open_catalogs
from earnest_common.errors import InputError
from earnest_common.plugins import Model, as_estimator
from earnest_common.protocols import Estimator
from earnest_common.run.parquet import read_parquet
from earnest_common.run.provenance import synthetic_note
from earnest_common.run.seeds import Stage, generator

from earnest_interpret.analyses.applicability.answer import Applicability
from earnest_interpret.analyses.applicability.decide import MIN_TRAINING, apply_to, learn
from earnest_interpret.answers.samples import Catalogs
from earnest_interpret.sample import MAX_ROWS, Sample, read_sample

__all__ = ["ApplicabilityConfig", "applicability", "compare_with_training", "read_catalogs", "training_sample"]


@final
@dataclass(frozen=True, kw_only=True)
class ApplicabilityConfig:
    """How many catalogs are compared.

    Attributes
    ----------
    split
        Part of a foreign set, or ``all``; by default ``test`` where it has one, else all.
    max_training
        Most catalogs of the training set, drawn at random.
    max_catalogs
        Most catalogs of a foreign set.
    max_rows
        Most clusters handed to the model at a time.
    seed
        Seed of the draws.
    """

    split: str | None = None
    max_training: int = 1_000
    max_catalogs: int = 200
    max_rows: int = MAX_ROWS
    seed: int = 1

    def __post_init__(self) -> None:
        small = [
            f"{name} = {value} must be at least {least}"
            for name, least in (("max_training", MIN_TRAINING), ("max_catalogs", 1), ("max_rows", 1))
            if (value := getattr(self, name)) < least
        ]
        if small:
            raise InputError(f"applicability: {', '.join(small)}")


def applicability(
    model: Model, catalogs: Catalogs, *, training: Training, config: ApplicabilityConfig | None = None
) -> Applicability:
    """Return whether a model may be applied to catalogs: yes, with care or no, and why.

    Parameters
    ----------
    model
        An estimator, or the folder of a bundle.
    catalogs
        Observed or foreign catalogs: in memory, on disk, the folder of a set, or a Parquet table of clusters with at
        least l_x and z.
    training
        At least 100 catalogs like those of the training, of a set those of split ``train``.
    config
        How many catalogs are compared, and the seed of the draws.

    Raises
    ------
    EarnestError
        If the catalogs, the training set or the model cannot be read or compared.

    Examples
    --------
    >>> from earnest_common.testing import toy_batch
    >>> from earnest_interpret.testing import SaturatingEstimator
    >>> known, new = toy_batch(n_catalogs=200, seed=1), toy_batch(n_catalogs=20, seed=2)
    >>> applicability(SaturatingEstimator(), new, training=known)
    Applicability(yes: 20 yes of 20 catalogs)
    """
    resolved, estimator = config or ApplicabilityConfig(), as_estimator(model)
    return compare_with_training(
        estimator, read_catalogs(catalogs, resolved), training_sample(training, resolved), resolved
    )


def compare_with_training(
    estimator: Estimator, sample: Sample, trained: Sample, config: ApplicabilityConfig
) -> Applicability:
    """Return the answer from samples of both kinds of catalogs."""
    batch, known = sample.batch, trained.batch
    if tuple(np.round(batch.radii, 6)) != tuple(np.round(known.radii, 6)):
        batch = _without_profiles(batch)
    learned = learn(estimator, known, rng=generator(config.seed, Stage.RESAMPLING, index=20))
    found = apply_to(estimator, batch, learned, max_rows=config.max_rows)
    trained_on = estimator.description.synthetic or trained.synthetic
    label = synthetic_note(catalogs=sample.synthetic, training=trained_on)
    return replace(found, sample=sample.text, synthetic=label, n_training=known.n_catalogs)


def read_catalogs(catalogs: Catalogs, config: ApplicabilityConfig) -> Sample:
    """Return catalogs in memory, or those of a set or of a Parquet table of clusters.

    Raises
    ------
    EarnestError
        If it is neither, or breaks the schema.
    """
    if isinstance(catalogs, Sample):
        return catalogs
    name = str(catalogs) if isinstance(catalogs, str | PathLike) else "the batch of catalogs"
    if isinstance(catalogs, str | PathLike):
        catalogs = CatalogSet.open(catalogs) if Path(catalogs).is_dir() else _table(Path(catalogs))
    if isinstance(catalogs, CatalogSet):
        return read_sample(catalogs, split=config.split, max_catalogs=config.max_catalogs, seed=config.seed)
    if catalogs.n_clusters == 0:
        raise InputError(f"{name} has no clusters")
    return Sample(batch=catalogs, n_available=catalogs.n_catalogs)


def training_sample(training: Training, config: ApplicabilityConfig) -> Sample:
    """Return catalogs of the training split, or of the whole set where it has none."""
    opened = open_catalogs(training)
    if isinstance(opened, CatalogBatch):
        return Sample(batch=opened, n_available=opened.n_catalogs)
    has_train = (opened.scan_catalogs().select("split").collect().get_column("split") == "train").any()
    split = "train" if has_train else None
    return read_sample(opened, split=split, max_catalogs=config.max_training, seed=config.seed)


def _table(path: Path) -> CatalogBatch:
    remedy = "give a catalog set or a Parquet table of clusters; other tables: earnest catalogs import"
    clusters = read_parquet(path, what="table of clusters", remedy=remedy).frame
    if missing := {"l_x", "z"} - set(clusters.columns):
        raise InputError(f"{path} lacks {', '.join(sorted(missing))}; a table of clusters needs at least l_x and z")
    if "catalog_id" not in clusters.columns:
        clusters = clusters.with_columns(catalog_id=pl.lit(0, dtype=pl.Int64))
    clusters = clusters.sort("catalog_id", "l_x", descending=[False, True])
    clusters = clusters.with_columns(rank=pl.int_range(pl.len()).over("catalog_id"))
    if "cluster_id" not in clusters.columns:
        clusters = clusters.with_columns(cluster_id=pl.col("rank"))
    catalogs = clusters.group_by("catalog_id", maintain_order=True).agg(n_clusters=pl.len().cast(pl.Int64))
    catalogs = catalogs.with_columns(survey=pl.lit(path.stem))
    return CatalogBatch.conformed(catalogs, clusters, subject=str(path))


def _without_profiles(batch: CatalogBatch) -> CatalogBatch:
    """Return catalogs without gas profiles, which are at other radii than those of the training."""
    unknown = [pl.lit(None, dtype=batch.clusters.schema[n]).alias(n) for n in ("m_gas_profile", "gas_slope_profile")]
    return CatalogBatch(catalogs=batch.catalogs, clusters=batch.clusters.with_columns(unknown), radii=batch.radii)
