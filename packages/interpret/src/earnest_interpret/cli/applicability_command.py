"""The command: a model, a catalog and the training set in, the answer and its section out."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from earnest_common.catalogs import CatalogSet
from earnest_common.plugins import load_estimator
from earnest_common.report.section import write_section
from earnest_common.run.config import as_mapping, load_config
from earnest_common.run.files import file_sha256, refuse_existing
from earnest_common.run.numbers import json_ready
from earnest_common.run.provenance import provenance

from earnest_interpret.answers.applicability import (
    ApplicabilityConfig,
    compare_with_training,
    read_catalogs,
    training_sample,
)
from earnest_interpret.sample import ALL

__all__ = ["ApplicabilityConfig", "applicability_command"]


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
    sample = read_catalogs(source, resolved)
    if source.is_dir():
        resolved = replace(resolved, split=sample.split or ALL)
    estimator, opened = load_estimator(model), CatalogSet.open(training)
    found = compare_with_training(estimator, sample, training_sample(opened, resolved), resolved)
    if section is not None:
        from earnest_interpret.sections.applicability import applicability_section

        hashes = {"model": file_sha256(model / "bundle.json"), "training": opened.manifest.data_hash}
        record = provenance(config=as_mapping(resolved), seed=resolved.seed, inputs=hashes)
        made = applicability_section(found, name=source.name)
        write_section(section, replace(made, provenance=json_ready({**record, "synthetic": found.synthetic})))
    size = {"n_catalogs": sample.batch.n_catalogs, "n_clusters": sample.batch.n_clusters}
    return {**found.to_dict(), **size, "n_training": found.n_training}
