"""The catalogs that an analysis takes, and the facts that begin every result."""

from collections.abc import Mapping
from os import PathLike
from typing import Any

import numpy as np
from earnest_common.catalogs import CatalogSet
from earnest_common.catalogs.batch import CatalogBatch
from earnest_common.catalogs.reader import open_catalogs
from earnest_common.errors import InputError
from earnest_common.protocols import Estimator
from earnest_common.run.numbers import json_ready
from earnest_common.run.provenance import synthetic_note

from earnest_interpret.page.interpretation import InterpretConfig
from earnest_interpret.sample import ALL, Sample, read_sample

__all__ = ["Catalogs", "open_sample", "result_dict", "sample_of", "synthetic_of"]

Catalogs = Sample | CatalogBatch | CatalogSet | str | PathLike[str]
"""Catalogs in memory, a sample of them, a set on disk, or its folder."""


def open_sample(catalogs: Catalogs) -> Sample | CatalogBatch | CatalogSet:
    """Return catalogs as they are, or the set in a folder."""
    return catalogs if isinstance(catalogs, Sample) else open_catalogs(catalogs)


def sample_of(catalogs: Catalogs, config: InterpretConfig) -> Sample:
    """Return the catalogs that are interpreted: those of a set by the configuration, in memory those of the split.

    Raises
    ------
    InputError
        If no cluster is left.
    """
    found = open_sample(catalogs)
    if isinstance(found, Sample):
        return found
    if isinstance(found, CatalogSet):
        return read_sample(found, split=config.split, max_catalogs=config.max_catalogs, seed=config.seed)
    split = None if config.split == ALL else config.split
    if split is not None:
        found = found.select((found.catalogs["split"] == split).fill_null(value=False).to_numpy())
    counts = np.diff(found.row_splits)
    if not counts.sum():
        raise InputError("the catalogs have no clusters to interpret" + (f" in split '{split}'" if split else ""))
    empty = tuple(found.catalogs["catalog_id"].to_numpy()[counts == 0].tolist())
    kept = found if counts.all() else found.select(counts > 0)
    return Sample(batch=kept, n_available=kept.n_catalogs, split=split, empty=empty)


def synthetic_of(estimator: Estimator, sample: Sample) -> str | None:
    """Return what is emulated in the catalogs and in the training of a model; ``None`` if nothing is."""
    return synthetic_note(catalogs=sample.synthetic, training=estimator.description.synthetic)


def result_dict(sample: Sample, synthetic: str | None, numbers: Mapping[str, Any]) -> dict[str, Any]:
    """Return an answer as plain values: on which catalogs, what in them is emulated, and the numbers."""
    batch = sample.batch
    first = {"sample": sample.text, "synthetic": synthetic}
    return dict(json_ready({**first, "n_catalogs": batch.n_catalogs, "n_clusters": batch.n_clusters, **numbers}))
