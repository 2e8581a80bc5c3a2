"""The command: a model and a catalog set in, the verdict and its section out."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from earnest_common.catalogs import CatalogSet
from earnest_common.errors import InputError
from earnest_common.report.section import write_section
from earnest_common.run.numbers import json_ready

from earnest_interpret.analyses.verdict.decide import MIN_CATALOGS, labelled
from earnest_interpret.answers.verdict import section_of, verdict_on
from earnest_interpret.cli.inputs import Inputs
from earnest_interpret.sample import Sample

__all__ = ["enough_catalogs", "verdict_command"]


def verdict_command(
    inputs: Inputs, catalog_set: Path, model: Path, *, alpha: float, section: Path | None
) -> dict[str, Any]:
    """Return the verdict as plain values, and write its section if asked."""
    origin = CatalogSet.open(catalog_set)
    verdict = verdict_on(inputs.responses, inputs.sample, origin, alpha=alpha, config=inputs.config)
    if section:
        write_section(section, replace(section_of(verdict, model), provenance=json_ready(inputs.provenance)))
    return {**verdict.to_dict(), "n_catalogs": inputs.sample.batch.n_catalogs}


def enough_catalogs(sample: Sample, catalog_set: Path) -> None:
    """Refuse a sample of too few labelled catalogs, and say where they were looked for.

    Raises
    ------
    InputError
        With the split, the set and what to do.
    """
    n = int(labelled(sample.batch).sum())
    if n >= MIN_CATALOGS:
        return
    remedy = "use a larger set of mocks that the model was not trained on"
    if sample.batch.n_catalogs < min(sample.n_available, MIN_CATALOGS):
        remedy = f"raise --max-catalogs: there are {sample.n_available}"
    elif n and sample.split:
        remedy = "use a larger set, or --split all if this set is not that of the training"
    part = f"in split '{sample.split}' of {catalog_set}" if sample.split else f"in {catalog_set}"
    raise InputError(f"a verdict takes at least {MIN_CATALOGS} catalogs of known sigma8, found {n} {part}; {remedy}")
