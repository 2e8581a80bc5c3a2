"""What `earnest selfcal referee` does, callable without a command line."""

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import asdict
from pathlib import Path
from typing import Any

from earnest_common.catalogs import CatalogSet
from earnest_common.errors import InputError
from earnest_common.report.drawing import require_matplotlib
from earnest_common.report.section import section_text
from earnest_common.run.config import as_mapping
from earnest_common.run.parquet import parquet_bytes
from earnest_common.run.parts import Content, Outputs
from earnest_common.run.progress import progress
from earnest_common.run.provenance import provenance
from earnest_common.schema import SPLITS
from earnest_common.survey.presets import Preset

from earnest_selfcal.exact_posterior.posterior import RefereeConfig
from earnest_selfcal.exact_posterior.refereed import kept_observables, prepared
from earnest_selfcal.exact_posterior.run import run_referee
from earnest_selfcal.report.referee import referee_section

__all__ = ["referee_set"]


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
        As for :func:`earnest_selfcal.exact_posterior.run.run_referee`.
    section
        Section of the report to write.

    Raises
    ------
    InputError
        If the set cannot be refereed; the message says why.
    """
    _prepare(split, learn_from, section)
    observables = kept_observables(drop)
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
    ready = prepared(
        catalog_set,
        survey,
        split=split,
        max_catalogs=max_catalogs,
        observables=observables,
        residuals=residuals,
        learn_from=learn_from,
        continuous=continuous,
        seed=seed,
    )
    record = {
        **ready.known,
        "data": catalog_set.manifest.data_hash,
        "survey": as_mapping(survey),
        "learn_from": learn_from,
        "noise": asdict(ready.likelihood.noise),
        "continuous": continuous,
        "config": asdict(config or RefereeConfig()),
    }
    folder = outputs.keep() if outputs.paths else None
    with progress(len(ready.cases), "refereed catalogs") as bar:
        table = run_referee(
            ready.likelihood,
            ready.cases,
            seed=seed,
            config=config,
            executor=executor,
            folder=folder,
            on_done=bar.advance,
        )
    told = dict(ready.answer(table).numbers)
    contents: dict[Path, Content] = {} if out is None else {out: parquet_bytes(table)}
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
