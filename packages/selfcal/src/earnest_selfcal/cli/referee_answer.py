"""What `earnest selfcal referee` does, callable without a command line."""

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from earnest_common.catalogs import CatalogSet
from earnest_common.catalogs.batch import CatalogBatch
from earnest_common.errors import InputError
from earnest_common.report.drawing import require_matplotlib
from earnest_common.report.section import section_text
from earnest_common.run.config import as_mapping
from earnest_common.run.parts import Content, Outputs
from earnest_common.run.progress import progress
from earnest_common.run.provenance import provenance
from earnest_common.run.seeds import Stage, generator
from earnest_common.schema import SPLITS
from earnest_common.survey.presets import Preset

from earnest_selfcal.exact_posterior.learned import learn_residuals
from earnest_selfcal.exact_posterior.likelihood import OBSERVABLES, Likelihood, build_likelihood
from earnest_selfcal.exact_posterior.posterior import RefereeConfig
from earnest_selfcal.exact_posterior.residuals import ResidualModel
from earnest_selfcal.exact_posterior.run import Case, judge
from earnest_selfcal.exact_posterior.score import score
from earnest_selfcal.report.referee import referee_section
from earnest_selfcal.survey.measurement_errors import MeasurementNoise, recorded_noise

__all__ = ["NORMALISATIONS", "cases_of", "referee_set"]

NORMALISATIONS = ("l_x_normalisation", "t_x_normalisation", "m_gas_normalisation")
_OBSERVED = OBSERVABLES[:4]
_LEARN_FROM = 200_000  # clusters read at most
_LEARNING = 2**40  # far above any catalog id, so that learning has random numbers of its own


def referee_set(
    catalog_set: CatalogSet,
    survey: Preset,
    *,
    split: str = "test",
    max_catalogs: int | None = None,
    drop: Sequence[str] = (),
    residuals: str = "auto",
    learn_from: str = "train",
    continuous: bool = False,
    seed: int = 1,
    config: RefereeConfig | None = None,
    executor: Executor | None = None,
    out: Path | None = None,
    section: Path | None = None,
) -> dict[str, Any]:
    """Return how well the exact posterior tells sigma8 over the catalogs of a set.

    Parameters
    ----------
    catalog_set
        The set.
    survey
        How it was surveyed, with the priors (``earnest_selfcal.cli.answer.survey_of_set``).
    split
        A split, or ``all``.
    max_catalogs
        Only the first so many.
    drop
        Observables to leave out, of l_x, t_x, m_gas, m_wl.
    residuals
        ``lognormal``; ``learned`` from a split of the set; ``auto``: learned where donors lent the residuals.
    learn_from
        Which split. Where splits borrow from separate donors, the refereed split itself tells what could be known of
        its own donors, and the training split what a model can learn.
    continuous
        Take gridded normalisations as continuous: what an analysis can know that does not exploit the grid.
    seed, config, executor, out
        As for :func:`earnest_selfcal.exact_posterior.run.judge`.
    section
        Section of the report to write.

    Raises
    ------
    InputError
        If the set cannot be refereed; the message says why.
    """
    _prepare(split, learn_from, section)
    observables = _kept(drop)
    asked = {
        "command": "referee",
        "data": catalog_set.manifest.data_hash,
        "survey": as_mapping(survey),
        "observables": observables,
        "split": split,
        "max_catalogs": max_catalogs,
        "residuals": residuals,
        "learn_from": learn_from,
        "continuous": continuous,
        "config": asdict(config or RefereeConfig()),
        "seed": seed,
    }
    outputs = Outputs.open((out, section), asked)
    batch = catalog_set.read(split=None if split == "all" else split, limit=max_catalogs)
    cases = cases_of(batch, observables)
    _refuse_outside(cases, survey)
    kind = residuals if residuals != "auto" else "learned" if _lent(batch) else "lognormal"
    model = _residuals(catalog_set, survey, kind, learn_from=learn_from, seed=seed)
    # Learned residuals are those of measured values: the errors of measurement are in them.
    noise = MeasurementNoise() if model is not None else recorded_noise(catalog_set.manifest.plan.config)
    spread = NORMALISATIONS if continuous else ()
    likelihood = build_likelihood(survey, observables=observables, residuals=model, noise=noise, spread=spread)
    likelihood.data(cases[0].observed)  # bad values are refused before the work begins
    known = {"split": split, "observables": list(observables), "residuals": likelihood.residuals.origin}
    record = known | {
        "data": catalog_set.manifest.data_hash,
        "survey": as_mapping(survey),
        "learn_from": learn_from,
        "noise": asdict(likelihood.noise),
        "continuous": continuous,
        "config": asdict(config or RefereeConfig()),
    }
    folder = outputs.keep() if outputs.paths else None
    with progress(len(cases), "refereed catalogs") as bar:
        table = judge(
            likelihood, cases, seed=seed, config=config, executor=executor, folder=folder, on_done=bar.advance
        )
    told = {
        **score(table, prior_scatter=survey.priors.sigma8.std),
        **known,
        "preset": survey.name,
        "normalisations": "continuous" if continuous else "as drawn",
        "validity": validity(likelihood, lent=_lent(batch)),
    }
    contents: dict[Path, Content] = {} if out is None else {out: table.write_parquet}
    if section is not None:
        drawn = referee_section(table, told, provenance=provenance(config=record, seed=seed))
        contents[section] = section_text(drawn)
    outputs.write(contents)
    return told


def _prepare(split: str, learn_from: str, section: Path | None) -> None:
    """Refuse what cannot be done before anything is computed."""
    for one in (split, learn_from):
        if one not in (*SPLITS, "all"):
            raise InputError(f"split '{one}' is not known; choose one of {', '.join((*SPLITS, 'all'))}")
    if section is not None:
        require_matplotlib()


def cases_of(batch: CatalogBatch, observables: Sequence[str]) -> list[Case]:
    """Return the catalogs of a batch as the referee takes them."""
    columns = {name: batch.column(name).astype(np.float64) for name in observables}
    true = batch.label("sigma8").astype(np.float64)
    ids = batch.label("catalog_id").tolist()
    splits = batch.row_splits
    return [
        Case(
            catalog_id=int(ids[i]),
            observed={name: values[splits[i] : splits[i + 1]] for name, values in columns.items()},
            sigma8_true=float(true[i]),
        )
        for i in range(batch.n_catalogs)
    ]


def validity(likelihood: Likelihood, *, lent: bool) -> str:
    """Return for what the referee's number is a limit, in words."""
    scalars = f"the limit for {', '.join(likelihood.observables)} of each cluster"
    beyond = "; gas profiles can tell more about a cluster's mass" if lent else ""
    if likelihood.residuals.n_components > 1:
        return f"{scalars}, as far as the {likelihood.residuals.origin} describes their scatter{beyond}"
    if lent:
        return (
            "not a limit: the set borrows residuals from donors, which depend on mass and are skewed, while "
            f"{likelihood.residuals.origin} are assumed{beyond}"
        )
    return f"{scalars}, exact for {likelihood.residuals.origin}"


def _kept(drop: Sequence[str]) -> tuple[str, ...]:
    if unknown := sorted(set(drop) - set(_OBSERVED)):
        raise InputError(f"{', '.join(unknown)} cannot be dropped; choose from {', '.join(_OBSERVED)}")
    return tuple(name for name in _OBSERVED if name not in drop)


def _lent(batch: CatalogBatch) -> bool:
    return batch.clusters.get_column("donor_id").null_count() < batch.n_clusters


def _residuals(
    catalog_set: CatalogSet, survey: Preset, kind: str, *, learn_from: str, seed: int
) -> ResidualModel | None:
    """Return the learned residuals, or None for lognormal ones."""
    if kind not in ("lognormal", "learned"):
        raise InputError(f"residuals '{kind}' are not known; choose auto, lognormal or learned")
    if kind == "lognormal":
        return None
    parts, count = [], 0
    for part in catalog_set.batches(split=None if learn_from == "all" else learn_from):
        parts.append(part)
        count += part.n_clusters
        if count > _LEARN_FROM:
            break
    return learn_residuals(parts, survey, rng=generator(seed, Stage.SELF_CALIBRATION, _LEARNING))


def _refuse_outside(cases: Sequence[Case], survey: Preset) -> None:
    prior = survey.priors.sigma8
    half = 0.5 * (prior.step or 0.0) + 1e-9
    outside = [case for case in cases if not prior.low - half <= case.sigma8_true <= prior.high + half]
    outside = [case for case in outside if np.isfinite(case.sigma8_true)]
    if outside:
        raise InputError(
            f"sigma8 of {len(outside)} of {len(cases)} catalogs lies outside the prior of preset '{survey.name}', "
            f"{prior.low} to {prior.high} (first: catalog {outside[0].catalog_id}, {outside[0].sigma8_true}); name the "
            "preset that the set was made with"
        )
