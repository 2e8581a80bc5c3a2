"""The command: a model, a catalog and the training set in, the answer and its section out."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, final

import numpy as np
import polars as pl
from earnest_common.catalogs import CatalogSet
from earnest_common.catalogs.batch import CatalogBatch
from earnest_common.errors import InputError
from earnest_common.plugins import load_estimator
from earnest_common.report.section import write_section
from earnest_common.run.config import as_mapping, load_config
from earnest_common.run.files import file_sha256, refuse_existing
from earnest_common.run.numbers import json_ready
from earnest_common.run.parquet import read_parquet
from earnest_common.run.provenance import emulated, provenance
from earnest_common.run.seeds import Stage, generator

from earnest_interpret.analyses.applicability.decide import apply_to, learn
from earnest_interpret.sample import ALL, MAX_ROWS, Sample, read_sample

__all__ = ["ApplicabilityConfig", "applicability_command", "read_catalogs"]


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


def applicability_command(
    source: Path,
    *,
    model: Path,
    training: Path,
    config: Path | None = None,
    options: Mapping[str, Any] | None = None,
    section: Path | None = None,
) -> dict[str, Any]:
    """Return the answer as plain values, and write its section if asked.

    Raises
    ------
    EarnestError
        If the catalog, the training set or the model cannot be read or compared.
    """
    if section is not None:
        refuse_existing(section)
    resolved = load_config(ApplicabilityConfig, file=config, options=options)
    sample = read_catalogs(source, split=resolved.split, max_catalogs=resolved.max_catalogs, seed=resolved.seed)
    if source.is_dir():
        resolved = replace(resolved, split=sample.split or ALL)
    batch, estimator = sample.batch, load_estimator(model)
    opened = CatalogSet.open(training)
    trained = _known(opened, resolved)
    known, trained_on = trained.batch, estimator.description.synthetic or trained.synthetic
    label = emulated(catalogs=sample.synthetic, training=trained_on)
    if tuple(np.round(batch.radii, 6)) != tuple(np.round(known.radii, 6)):
        batch = _without_profiles(batch)
    learned = learn(estimator, known, rng=generator(resolved.seed, Stage.RESAMPLING, index=20))
    found = apply_to(estimator, batch, learned, max_rows=resolved.max_rows)
    if section is not None:
        from earnest_interpret.sections.applicability import applicability_section

        hashes = {"model": file_sha256(model / "bundle.json"), "training": opened.manifest.data_hash}
        record = provenance(config=as_mapping(resolved), seed=resolved.seed, inputs=hashes)
        made = applicability_section(found, name=source.name)
        write_section(section, replace(made, provenance=json_ready({**record, "synthetic": label})))
    head = {
        "sample": sample.text,
        "synthetic": label,
        "n_catalogs": batch.n_catalogs,
        "n_clusters": batch.n_clusters,
        "n_training": known.n_catalogs,
    }
    return dict(json_ready({**found.numbers(), **head}))


def read_catalogs(path: Path, *, max_catalogs: int, seed: int, split: str | None = None) -> Sample:
    """Return the catalogs of a set, or of a Parquet table of clusters.

    Raises
    ------
    EarnestError
        If it is neither, or breaks the schema.
    """
    if path.is_dir():
        return read_sample(CatalogSet.open(path), split=split, max_catalogs=max_catalogs, seed=seed)
    batch = _table(path)
    if batch.n_clusters == 0:
        raise InputError(f"{path} has no clusters")
    return Sample(batch=batch, n_available=batch.n_catalogs)


def _known(opened: CatalogSet, config: ApplicabilityConfig) -> Sample:
    """Return catalogs of the training split, or of the whole set where it has none."""
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
