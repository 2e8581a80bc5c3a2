"""Whether a model is overspecialised."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
from earnest_common.catalogs import CatalogSet
from earnest_common.catalogs.batch import CatalogBatch
from earnest_common.errors import InputError
from earnest_common.plugins import Model, as_estimator
from earnest_common.report.section import Section

from earnest_interpret.analyses.verdict.decide import ALPHA, Verdict, decide, gather_evidence
from earnest_interpret.answers.samples import Catalogs, open_sample, sample_of, synthetic_of
from earnest_interpret.page.interpretation import InterpretConfig
from earnest_interpret.responses.responses import Responses
from earnest_interpret.sample import Sample, read_sample

__all__ = ["section_of", "verdict", "verdict_on", "verdict_section_of"]


def verdict(
    model: Model, catalogs: Catalogs, *, alpha: float = ALPHA, config: InterpretConfig | None = None
) -> Verdict:
    """Return whether a model is overspecialised: four tests with stated null hypotheses, one rate of false alarms.

    Parameters
    ----------
    model
        An estimator, or the folder of a bundle.
    catalogs
        At least 60 labelled mock catalogs that it was not trained on: in memory, on disk, or the folder of a set. Only
        a set records which donors the training has.
    alpha
        Largest family-wise false-alarm rate.
    config
        Which and how many catalogs of a set, the seed, and the number of permutations.

    Raises
    ------
    InputError
        If there are too few catalogs of known sigma8, or no test is possible.

    References
    ----------
    Ntampaka & Vikhlinin, appendix B, arXiv:2112.05768.

    Examples
    --------
    >>> from earnest_common.testing import ToyEstimator, toy_batch
    >>> verdict(ToyEstimator(), toy_batch(n_catalogs=80, seed=1), config=InterpretConfig(n_permutations=199))
    Verdict(not found overspecialised, p = 0.48 at alpha = 0.05, impossible: terse donors)
    """
    resolved, found = config or InterpretConfig(), open_sample(catalogs)
    sample = sample_of(found, resolved)
    origin = found if isinstance(found, CatalogSet) else None
    responses = Responses(estimator=as_estimator(model), batch=sample.batch, max_rows=resolved.max_rows)
    return verdict_on(responses, sample, origin, alpha=alpha, config=resolved)


def verdict_on(
    responses: Responses, sample: Sample, origin: CatalogSet | None, *, alpha: float, config: InterpretConfig
) -> Verdict:
    """Return the verdict from answers to a sample, and from the set that it is of, where there is one."""
    training = dict(responses.estimator.description.training)
    known, why = _known_donors(training, sample, origin, config) if origin else (None, "")
    evidence = gather_evidence(
        responses,
        known=known,
        no_known=why,
        seed=config.seed,
        n_permutations=config.n_permutations,
        relations=sample.relations,
    )
    found = decide(evidence, alpha=alpha)
    return replace(found, sample=sample.text, synthetic=synthetic_of(responses.estimator, sample))


def _known_donors(
    training: dict[str, Any], sample: Sample, origin: CatalogSet, config: InterpretConfig
) -> tuple[CatalogBatch | None, str]:
    """Return catalogs with the donors of training where the sample has others, or why there are none.

    Both must come from one seed, which divides the donors: a set of the training's seed has the same division.
    """
    if sample.split in (None, "train"):
        return None, "what was read is not a split kept apart for tests"
    if why := _other_mocks(training, origin):
        return None, why
    train = origin.scan_catalogs().filter(pl.col("split") == "train").limit(1).collect()
    if train.is_empty():
        return None, "the set has no training split"
    known = read_sample(origin, split="train", max_catalogs=config.max_catalogs, seed=config.seed).batch
    if not _are_other_donors(sample.batch, known):
        return None, "training and test catalogs borrow from the same donors; make a set with donors.split = true"
    return known, ""


def _other_mocks(training: dict[str, Any], origin: CatalogSet) -> str:
    """Return why the set does not determine which donors a model was trained on; empty if it does."""
    manifest = origin.manifest
    for catalogs in dict(training.get("catalogs", {})).values():
        if isinstance(catalogs, dict) and catalogs.get("data_hash") == manifest.data_hash:
            return ""
        if isinstance(catalogs, dict) and catalogs.get("seed") is not None:
            if dict(catalogs.get("inputs") or {}).get("base_sample") != manifest.plan.inputs.get("base_sample"):
                return (
                    "the model was trained on mocks of another base sample than the set's; make a set of the same one"
                )
            if catalogs["seed"] == manifest.plan.seed:
                return ""
            return (
                f"the model was trained on mocks of seed {catalogs['seed']}, the set has seed {manifest.plan.seed}, "
                "and the seed decides which donors are in the training; make a set of the same seed"
            )
    return "the model does not record which mocks it was trained on"


def _are_other_donors(sample: CatalogBatch, known: CatalogBatch) -> bool:
    donors = sample.clusters.get_column("donor_id").drop_nulls()
    return not donors.is_empty() and not donors.is_in(known.clusters.get_column("donor_id").unique().implode()).any()


def verdict_section_of(
    responses: Responses, sample: Sample, origin: CatalogSet | None, *, bundle: Path | None, config: InterpretConfig
) -> list[Section]:
    """Return the section of the verdict for a report; none where the catalogs do not allow a test."""
    try:
        return [section_of(verdict_on(responses, sample, origin, alpha=ALPHA, config=config), bundle)]
    except InputError:
        return []


def section_of(verdict: Verdict, model: Path | None) -> Section:
    """Return the section, with the course of the training where the bundle records it."""
    from earnest_interpret.sections.verdict import verdict_section

    return verdict_section(verdict, history=_history(model) if model else [])


def _history(model: Path) -> list[dict[str, Any]]:
    file, needed = model / "history.jsonl", {"step", "training_mse", "validation_mse"}
    if not file.is_file():
        return []
    records = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    return [record for record in records if needed <= record.keys()]
