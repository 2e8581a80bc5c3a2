"""The verdict: is a model overspecialised? Four tests, each with its null hypothesis, and one rate of false alarms."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, final

import numpy as np
import numpy.typing as npt
from earnest_common.arrays import FloatArray, IntArray
from earnest_common.catalogs.batch import CatalogBatch
from earnest_common.errors import InputError
from earnest_common.notebook import html_table
from earnest_common.run.numbers import json_ready
from earnest_common.run.seeds import Stage, generator
from earnest_common.survey.scaling import TABLE_2, ScalingRelations

from earnest_interpret.analyses.terse.correlations import sigma8_at_fixed_mass
from earnest_interpret.analyses.verdict import words
from earnest_interpret.analyses.verdict.check import Check
from earnest_interpret.analyses.verdict.donors import KnownDonors, clone_share, compare_donors
from earnest_interpret.analyses.verdict.edge import Edge, edge, excess_of_lightest
from earnest_interpret.analyses.verdict.exchange import Exchange, exchange
from earnest_interpret.analyses.verdict.grid import Clumping, clumping
from earnest_interpret.analyses.verdict.relations import Relations
from earnest_interpret.caution import caution_of
from earnest_interpret.responses.responses import Responses
from earnest_interpret.statistics.fixed_mass import PartialCorrelation
from earnest_interpret.statistics.permutation import holm

__all__ = ["ALPHA", "Evidence", "Verdict", "decide", "gather_evidence", "labelled"]

ALPHA: Final = 0.05
"""Family-wise false-alarm rate, over all tests together."""

MIN_CATALOGS: Final = 60
"""Fewest labelled catalogs for a verdict."""


@final
@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Results of the tests; None where a test is impossible.

    Attributes
    ----------
    terse_at_fixed_mass, exchange, donors, clumping
        Of the four tests.
    edge, clone_share
        Reported, not tested.
    predictions, sigma8
        Inferred and true values of each catalog, for figures.
    terse, log10_m, segment_ids
        Terse value, log10 mass [solMass] and catalog of each cluster, for figures; the first two are NaN if unknown.
    missing
        Why tests are impossible, by key.
    """

    terse_at_fixed_mass: PartialCorrelation | None
    exchange: Exchange | None
    donors: KnownDonors | None
    clumping: Clumping | None
    edge: Edge | None
    clone_share: float
    predictions: FloatArray
    sigma8: FloatArray
    terse: FloatArray
    log10_m: FloatArray
    segment_ids: IntArray
    missing: Mapping[str, str]
    n_trainings: int = 1


@final
@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The answer.

    Attributes
    ----------
    overspecialised
        Whether any test fails at the level ``alpha`` after Holm's correction.
    p_value
        The smallest corrected p-value.
    alpha
        The rate of false alarms.
    checks
        The tests, then what is reported besides.
    evidence
        The numbers behind them.
    sample
        On which catalogs, in words.
    synthetic
        What is emulated in them or in the training of the model.
    """

    overspecialised: bool
    p_value: float
    alpha: float
    checks: tuple[Check, ...]
    evidence: Evidence
    sample: str = ""
    synthetic: str | None = None

    def __repr__(self) -> str:
        """Return one line: the answer, the smallest p-value, and which tests failed or were impossible."""
        outcomes = {what: [c.key for c in self.checks if c.outcome == what] for what in ("failed", "impossible")}
        others = "".join(f", {what}: {' '.join(keys)}" for what, keys in outcomes.items() if keys)
        answer = "overspecialised" if self.overspecialised else "not found overspecialised"
        emulated = ", with emulated parts" if self.synthetic else ""
        return f"Verdict({answer}, p = {self.p_value:.2g} at alpha = {self.alpha:g}{others}{emulated})"

    def _repr_html_(self) -> str:
        rows: dict[str, Any] = {"overspecialised": self.overspecialised, "p-value": self.p_value, "alpha": self.alpha}
        rows |= {f"{check.key}: {check.outcome}": check.text for check in self.checks}
        return html_table("Verdict", {**rows, "catalogs": self.sample, "synthetic": self.synthetic})

    def to_dict(self) -> dict[str, Any]:
        """Return the verdict as plain values for JSON."""
        numbers = {
            "overspecialised": self.overspecialised,
            "p_value": self.p_value,
            "alpha": self.alpha,
            "reasons": [check.text for check in self.checks],
            "checks": [
                {
                    "key": check.key,
                    "outcome": check.outcome,
                    "text": check.text,
                    "null": check.null or None,
                    "p_value": check.p_value,
                    "numbers": dict(check.numbers),
                }
                for check in self.checks
            ],
            "sample": self.sample,
            "synthetic": self.synthetic,
        }
        return dict(json_ready(numbers))


def gather_evidence(
    responses: Responses,
    *,
    known: CatalogBatch | None = None,
    no_known: str = "",
    seed: int = 1,
    n_permutations: int = 9_999,
    relations: ScalingRelations = TABLE_2,
) -> Evidence:
    """Return what the four tests find.

    Parameters
    ----------
    responses
        What the model answers to labelled mock catalogs that it was not trained on; with ``known``, of donors that it
        never met.
    known
        Catalogs whose donors are those of its training.
    no_known
        Why there are none.
    seed, n_permutations
        Of random choices and shuffles.
    relations
        Those that the catalogs' factors multiply.

    Raises
    ------
    InputError
        If fewer than ``MIN_CATALOGS`` catalogs have a known sigma8: observed catalogs have none.
    """
    known_sigma8, sigma8 = labelled(responses.batch), responses.batch.label("sigma8").astype(np.float64)
    if known_sigma8.sum() < MIN_CATALOGS or np.ptp(sigma8[known_sigma8]) == 0:
        raise InputError(
            f"a verdict takes at least {MIN_CATALOGS} catalogs of different known sigma8, found "
            f"{int(known_sigma8.sum())}; observed catalogs do not allow the tests: use mocks "
            "that it was not trained on"
        )
    if not known_sigma8.all():
        responses = replace(responses, batch=responses.batch.select(known_sigma8))
    batch, sigma8 = responses.batch, sigma8[known_sigma8]
    rngs = [generator(seed, Stage.RESAMPLING, index=10 + i) for i in range(3)]
    inferred = responses.sigma8
    masses = np.log10(batch.column("m_500c"))
    has_masses = bool(np.isfinite(masses).all())
    terse, missing = np.full(batch.n_clusters, np.nan), {"terse": "the model has no terse layer"}
    if responses.has_terse:
        terse, missing = responses.terse, {"terse": "true masses are unknown"}
    missing["exchange"] = "no mass is found at every sigma8" if has_masses else "true masses are unknown"
    donors = None
    if known is not None:
        errors = replace(responses, batch=known).sigma8 - known.label("sigma8").astype(np.float64)
        donors = compare_donors(errors, inferred - sigma8, rng=rngs[0], n_permutations=n_permutations)
    else:
        missing["donors"] = no_known or "no catalogs with the donors of training were given"
    clumps = clumping(inferred, sigma8)
    if clumps is None:
        missing["grid"] = "estimates lie beyond the labels, or closer to labels on a grid than its step: use others"
    swapped = None
    if has_masses:
        swapped = exchange(responses.estimator, batch, rng=rngs[1], relations=relations, max_rows=responses.max_rows)
    return Evidence(
        terse_at_fixed_mass=_at_fixed_mass(terse, batch, seed=seed, n_permutations=n_permutations),
        exchange=swapped,
        donors=donors,
        clumping=clumps,
        edge=_edge(responses, known, relations) if has_masses else None,
        clone_share=clone_share(batch, rng=rngs[2]),
        predictions=inferred,
        sigma8=sigma8,
        terse=terse,
        log10_m=masses,
        segment_ids=batch.segment_ids,
        missing=missing,
        n_trainings=max(len(responses.members), 1),
    )


def labelled(batch: CatalogBatch) -> npt.NDArray[np.bool_]:
    """Return which catalogs have a known sigma8, shape (n_catalogs,)."""
    return np.isfinite(batch.label("sigma8").astype(np.float64))


def _edge(responses: Responses, known: CatalogBatch | None, relations: ScalingRelations) -> Edge | None:
    seen = [one for one in (responses.batch, known) if one is not None]
    masses = [np.log10(one.column("m_500c")) for one in seen]
    residual = np.concatenate([Relations.of(one, relations).residual("l_x") for one in seen])
    excess = excess_of_lightest(np.concatenate(masses), residual)
    return edge(masses[0], responses.leave_one_out, excess=excess)


def _at_fixed_mass(
    terse: FloatArray, batch: CatalogBatch, *, seed: int, n_permutations: int
) -> PartialCorrelation | None:
    if not np.isfinite(terse).any():
        return None
    return sigma8_at_fixed_mass(terse, batch, seed=seed, n_permutations=n_permutations)


def decide(evidence: Evidence, *, alpha: float = ALPHA) -> Verdict:
    """Return the verdict: overspecialised if any test fails after Holm's correction.

    Parameters
    ----------
    evidence
        What the tests found.
    alpha
        Largest family-wise false-alarm rate.

    Raises
    ------
    InputError
        If no test was possible.
    """
    tests = {
        "terse": evidence.terse_at_fixed_mass,
        "exchange": evidence.exchange,
        "donors": evidence.donors,
        "grid": evidence.clumping,
    }
    done = {key: found for key, found in tests.items() if found is not None}
    if not done:
        raise InputError(f"no test of overspecialisation is possible: {'; '.join(evidence.missing.values())}")
    adjusted = holm({key: found.p_value for key, found in done.items()})
    checks = [words.describe(found, failed=adjusted[key] <= alpha) for key, found in done.items()]
    checks = [
        replace(check, text=f"{check.text} [{caution_of(evidence.n_trainings)}]") if check.key == "terse" else check
        for check in checks
    ]
    checks += [words.impossible(key, evidence.missing.get(key, "")) for key in tests if key not in done]
    smallest = min(adjusted.values())
    return Verdict(
        overspecialised=smallest <= alpha,
        p_value=smallest,
        alpha=alpha,
        checks=(*checks, *words.findings(evidence.edge, evidence.clone_share)),
        evidence=evidence,
    )
