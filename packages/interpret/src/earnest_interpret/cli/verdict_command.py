"""The command: a model and a catalog set in, the verdict and its section out."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
from earnest_common.catalogs import CatalogSet
from earnest_common.catalogs.batch import CatalogBatch
from earnest_common.errors import InputError
from earnest_common.report.section import Section, write_section
from earnest_common.run.numbers import json_ready

from earnest_interpret.analyses.verdict.decide import ALPHA, MIN_CATALOGS, Verdict, decide, examine, labelled
from earnest_interpret.cli.inputs import Inputs
from earnest_interpret.sample import Sample, read_sample

__all__ = ["enough_catalogs", "judged", "section_of", "verdict_command", "verdict_of"]


def verdict_command(
    inputs: Inputs, catalog_set: Path, model: Path, *, alpha: float, section: Path | None
) -> dict[str, Any]:
    """Return the verdict as plain values, and write its section if asked."""
    verdict = verdict_of(inputs, catalog_set, alpha=alpha)
    if section:
        write_section(section, replace(section_of(verdict, model), provenance=json_ready(inputs.provenance)))
    sample = inputs.sample
    head = {"sample": sample.text, "synthetic": inputs.synthetic, "n_catalogs": sample.batch.n_catalogs}
    return dict(json_ready({**verdict.numbers(), **head}))


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


def verdict_of(inputs: Inputs, catalog_set: Path, *, alpha: float = ALPHA) -> Verdict:
    """Return the verdict on a model from a catalog set."""
    known, why = known_donors(inputs, catalog_set)
    config = inputs.config
    evidence = examine(
        inputs.estimator,
        inputs.sample.batch,
        known=known,
        no_known=why,
        seed=config.seed,
        n_permutations=config.n_permutations,
        relations=inputs.sample.relations,
        max_rows=config.max_rows,
    )
    return decide(evidence, alpha=alpha)


def judged(inputs: Inputs, catalog_set: Path, model: Path) -> Section | None:
    """Return the verdict's section for the report; None where the catalogs cannot tell."""
    try:
        return section_of(verdict_of(inputs, catalog_set), model)
    except InputError:
        return None


def section_of(verdict: Verdict, model: Path) -> Section:
    """Return the section, with the course of the training where the bundle tells it."""
    from earnest_interpret.sections.verdict import verdict_section

    return verdict_section(verdict, history=_history(model))


def _history(model: Path) -> list[dict[str, Any]]:
    file, needed = model / "history.jsonl", {"step", "training_mse", "validation_mse"}
    if not file.is_file():
        return []
    records = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    return [record for record in records if needed <= record.keys()]


def known_donors(inputs: Inputs, catalog_set: Path) -> tuple[CatalogBatch | None, str]:
    """Return catalogs with the donors of training where the sample has others, or why there are none.

    Both must come from one seed, which divides the donors: a set of the training's seed has the same division.
    """
    sample, config = inputs.sample, inputs.config
    opened = CatalogSet.open(catalog_set)
    if sample.split in (None, "train"):
        return None, "what was read is not a split kept apart for tests"
    if why := _other_mocks(dict(inputs.estimator.description.training), opened):
        return None, why
    train = opened.scan_catalogs().filter(pl.col("split") == "train").limit(1).collect()
    if train.is_empty():
        return None, "the set has no training split"
    known = read_sample(opened, split="train", max_catalogs=config.max_catalogs, seed=config.seed).batch
    if not _strangers(sample.batch, known):
        return None, "training and test catalogs borrow from the same donors; make a set with donors.split = true"
    return known, ""


def _other_mocks(training: dict[str, Any], opened: CatalogSet) -> str:
    """Return why the set cannot tell which donors a model knows; empty if it can."""
    manifest = opened.manifest
    for origin in dict(training.get("catalogs", {})).values():
        if isinstance(origin, dict) and origin.get("data_hash") == manifest.data_hash:
            return ""
        if isinstance(origin, dict) and origin.get("seed") is not None:
            if dict(origin.get("inputs") or {}).get("base_sample") != manifest.plan.inputs.get("base_sample"):
                return (
                    "the model was trained on mocks of another base sample than the set's; make a set of the same one"
                )
            if origin["seed"] == manifest.plan.seed:
                return ""
            return (
                f"the model was trained on mocks of seed {origin['seed']}, the set has seed {manifest.plan.seed}, and "
                "the seed decides which donors are known; make a set of the same seed"
            )
    return "the model does not tell which mocks it was trained on"


def _strangers(sample: CatalogBatch, known: CatalogBatch) -> bool:
    donors = sample.clusters.get_column("donor_id").drop_nulls()
    return not donors.is_empty() and not donors.is_in(known.clusters.get_column("donor_id").unique().implode()).any()
