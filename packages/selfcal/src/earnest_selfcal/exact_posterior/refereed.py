"""The referee of catalogs in memory or on disk: the survey, its likelihood, and one row per catalog."""

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import polars as pl
from earnest_common.catalogs import CatalogSet
from earnest_common.catalogs.batch import CatalogBatch
from earnest_common.catalogs.reader import Catalogs, open_catalogs
from earnest_common.errors import InputError
from earnest_common.notebook import html_table, plural
from earnest_common.run.numbers import json_ready
from earnest_common.run.seeds import Stage, generator
from earnest_common.survey.presets import Preset

from earnest_selfcal.exact_posterior.learned import learn_residuals
from earnest_selfcal.exact_posterior.likelihood import OBSERVABLES, Likelihood, build_likelihood
from earnest_selfcal.exact_posterior.posterior import RefereeConfig
from earnest_selfcal.exact_posterior.residuals import ResidualModel
from earnest_selfcal.exact_posterior.run import ObservedCatalog, run_referee
from earnest_selfcal.exact_posterior.score import score
from earnest_selfcal.survey.config import named_preset
from earnest_selfcal.survey.measurement_errors import MeasurementErrors, recorded_noise
from earnest_selfcal.survey.recorded import preset_of, with_base_sample

__all__ = [
    "Refereed",
    "Refereeing",
    "cases_of",
    "kept_observables",
    "prepared",
    "referee",
    "validity",
]

NORMALISATIONS = ("l_x_normalisation", "t_x_normalisation", "m_gas_normalisation")
_OBSERVED = OBSERVABLES[:4]
_LEARN_FROM = 200_000  # clusters read at most
_LEARNING = 2**40  # far above any catalog id, so that learning has random numbers of its own


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Refereed:
    """What the exact posterior says of some catalogs: the limit for any other estimate.

    Attributes
    ----------
    table
        One row per catalog: sigma8 and its intervals, the truth where it is known, and how sure the numbers are.
    numbers
        Scatter, bias and coverage over all catalogs, and for what they are a limit.
    """

    table: pl.DataFrame
    numbers: Mapping[str, Any]

    def __repr__(self) -> str:
        """Return one line: the scatter beside the prior's, what the posteriors expect, and of how many catalogs."""
        told, scatter = self.numbers, self.numbers["scatter"]
        known = f"scatter {scatter:.4f}, " if scatter is not None else ""
        expected = f"expected {told['expected_scatter']:.4f} (prior {told['prior_scatter']:.4f})"
        return f"Refereed({known}{expected}, {plural(told['n_catalogs'], 'catalog')}, preset {told['preset']})"

    def _repr_html_(self) -> str:
        return html_table("Exact posterior of sigma8", self.numbers)

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers by name, ready for JSON."""
        return dict(json_ready(self.numbers))


def referee(
    catalogs: Catalogs,
    *,
    survey: Preset | str | None = None,
    split: str | None = None,
    max_catalogs: int | None = None,
    drop: Sequence[str] = (),
    residuals: str = "auto",
    continuous: bool = False,
    seed: int = 1,
    config: RefereeConfig | None = None,
    executor: Executor | None = None,
) -> Refereed:
    """Return the posterior of sigma8 from every cluster of each catalog, as well as it can be done.

    Parameters
    ----------
    catalogs
        In memory, on disk, or the folder of a set.
    survey
        How they were surveyed, with the priors; default: as a set of mocks recorded it.
    split
        Only catalogs of this split; default ``test`` of a set that has one, else all.
    max_catalogs
        Only the first so many.
    drop
        Observables to leave out, of l_x, t_x, m_gas, m_wl.
    residuals
        ``lognormal``; ``learned`` from split ``train`` of a set; ``auto``: learned where donors lent the residuals.
    continuous
        Take gridded normalisations as continuous: what an analysis can know that does not exploit the grid.
    seed, config, executor
        As for :func:`earnest_selfcal.exact_posterior.run.run_referee`.

    Raises
    ------
    InputError
        If the catalogs cannot be refereed; the message says why.

    Examples
    --------
    >>> from earnest_common.testing import toy_batch
    >>> quick = RefereeConfig(n_draws=300, max_rounds=1)
    >>> found = referee(toy_batch(n_catalogs=2, seed=1, mean_n_clusters=100), survey="paper", config=quick)
    >>> found.table["n_clusters"].to_list()
    [96, 172]
    """
    opened = open_catalogs(catalogs)
    named = named_preset(survey) if isinstance(survey, str) else survey
    if isinstance(opened, CatalogSet):
        plan = opened.manifest.plan
        known = named if named and (plan.kind != "mock" or not isinstance(survey, str)) else None
        chosen = known or (with_base_sample(named, plan) if named else _recorded(opened))
        if split is None and (opened.scan_catalogs().select("split").collect()["split"] == "test").any():
            split = "test"
    elif named is None:
        raise InputError("catalogs in memory do not say how they were surveyed; name a preset with survey")
    else:
        chosen = named
    ready = prepared(
        opened,
        chosen,
        split=split or "all",
        max_catalogs=max_catalogs,
        observables=kept_observables(drop),
        residuals=residuals,
        learn_from="train",
        continuous=continuous,
        seed=seed,
    )
    table = run_referee(ready.likelihood, ready.cases, seed=seed, config=config, executor=executor)
    return ready.answer(table)


def _recorded(opened: CatalogSet) -> Preset:
    if opened.manifest.plan.kind == "mock":
        return preset_of(opened.manifest.plan)
    raise InputError(f"catalog set {opened.path} does not say how it was surveyed; name a preset with survey")


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Refereeing:
    """All that is needed to referee some catalogs.

    Attributes
    ----------
    likelihood, cases
        The survey's density of observables, and the catalogs.
    survey
        The survey.
    known
        What is said of the catalogs beside the numbers.
    continuous
        Whether gridded normalisations are taken as continuous.
    lent
        Whether donors lent residuals and profiles.
    """

    likelihood: Likelihood
    cases: Sequence[ObservedCatalog]
    survey: Preset
    known: Mapping[str, Any]
    continuous: bool
    lent: bool

    def answer(self, table: pl.DataFrame) -> Refereed:
        """Return the answer from one row per catalog."""
        return Refereed(
            table=table,
            numbers={
                **score(table, prior_scatter=self.survey.priors.sigma8.std),
                **self.known,
                "preset": self.survey.name,
                "normalisations": "continuous" if self.continuous else "as drawn",
                "validity": validity(self.likelihood, lent=self.lent),
            },
        )


def prepared(
    catalogs: CatalogBatch | CatalogSet,
    survey: Preset,
    *,
    split: str,
    max_catalogs: int | None,
    observables: Sequence[str],
    residuals: str,
    learn_from: str,
    continuous: bool,
    seed: int,
) -> Refereeing:
    """Return likelihood and catalogs, after everything that can be wrong with them was looked at.

    Raises
    ------
    InputError
        If the catalogs cannot be refereed; the message says why.
    """
    batch = _read(catalogs, None if split == "all" else split, max_catalogs)
    cases, lent = cases_of(batch, observables), _lent(batch)
    _refuse_outside(cases, survey)
    on_disk = isinstance(catalogs, CatalogSet)
    kind = residuals if residuals != "auto" else "learned" if lent and on_disk else "lognormal"
    model = _residuals(catalogs, survey, kind, learn_from=learn_from, seed=seed)
    # Learned residuals are those of measured values: the errors of measurement are in them.
    recorded = recorded_noise(catalogs.manifest.plan.config) if isinstance(catalogs, CatalogSet) else None
    noise = MeasurementErrors() if model is not None else recorded
    spread = NORMALISATIONS if continuous else ()
    likelihood = build_likelihood(survey, observables=tuple(observables), residuals=model, noise=noise, spread=spread)
    likelihood.data(cases[0].observed)  # bad values are refused before the work begins
    known = {"split": split, "observables": list(observables), "residuals": likelihood.residuals.origin}
    return Refereeing(likelihood=likelihood, cases=cases, survey=survey, known=known, continuous=continuous, lent=lent)


def _read(catalogs: CatalogBatch | CatalogSet, split: str | None, limit: int | None) -> CatalogBatch:
    if isinstance(catalogs, CatalogSet):
        return catalogs.read(split=split, limit=limit)
    wanted = np.ones(catalogs.n_catalogs, dtype=bool)
    if split is not None:
        wanted = (catalogs.catalogs["split"] == split).fill_null(value=False).to_numpy()
    if not wanted.any():
        raise InputError("there are no catalogs to referee" + (f" of split '{split}'" if split else ""))
    return catalogs.select(np.flatnonzero(wanted)[:limit])


def cases_of(batch: CatalogBatch, observables: Sequence[str]) -> list[ObservedCatalog]:
    """Return the catalogs of a batch as the referee takes them."""
    columns = {name: batch.column(name).astype(np.float64) for name in observables}
    true = batch.label("sigma8").astype(np.float64)
    ids = batch.label("catalog_id").tolist()
    splits = batch.row_splits
    return [
        ObservedCatalog(
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


def kept_observables(drop: Sequence[str]) -> tuple[str, ...]:
    """Return the observables that are left; an unknown one is refused."""
    if unknown := sorted(set(drop) - set(_OBSERVED)):
        raise InputError(f"{', '.join(unknown)} cannot be dropped; choose from {', '.join(_OBSERVED)}")
    return tuple(name for name in _OBSERVED if name not in drop)


def _lent(batch: CatalogBatch) -> bool:
    return batch.clusters.get_column("donor_id").null_count() < batch.n_clusters


def _residuals(
    catalogs: CatalogBatch | CatalogSet, survey: Preset, kind: str, *, learn_from: str, seed: int
) -> ResidualModel | None:
    """Return the learned residuals, or None for lognormal ones."""
    if kind not in ("lognormal", "learned"):
        raise InputError(f"residuals '{kind}' are not known; choose auto, lognormal or learned")
    if kind == "lognormal":
        return None
    if not isinstance(catalogs, CatalogSet):
        raise InputError("residuals are learned from the splits of a catalog set; give one, or residuals 'lognormal'")
    parts, count = [], 0
    for part in catalogs.batches(split=None if learn_from == "all" else learn_from):
        parts.append(part)
        count += part.n_clusters
        if count > _LEARN_FROM:
            break
    return learn_residuals(parts, survey, rng=generator(seed, Stage.SELF_CALIBRATION, _LEARNING))


def _refuse_outside(cases: Sequence[ObservedCatalog], survey: Preset) -> None:
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
