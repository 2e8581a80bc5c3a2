"""All interpretation results for one model and sample."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from itertools import zip_longest
from typing import Any, final

import numpy as np
import polars as pl
from earnest_common.arrays import FloatArray
from earnest_common.catalogs.batch import CatalogBatch
from earnest_common.errors import InputError
from earnest_common.protocols import Estimator
from earnest_common.report.section import Section
from earnest_common.run.provenance import synthetic_note
from earnest_common.run.seeds import Stage, generator
from earnest_common.spread import is_single
from earnest_common.survey.mass_function import mass_function_of

from earnest_interpret.accuracy import Accuracy, summarise_accuracy
from earnest_interpret.analyses.ablation.effect import FEWEST_CATALOGS, N_SHUFFLES, AblationSummary, ablate
from earnest_interpret.analyses.leave_one_out.groups import GroupRemoval, leave_groups_out
from earnest_interpret.analyses.leave_one_out.information import Ideal, ideal_leave_one_out
from earnest_interpret.analyses.leave_one_out.removal import LeaveOneOutSummary, summarise_leave_one_out
from earnest_interpret.analyses.members import MemberFindings, find_members
from earnest_interpret.analyses.saliency.attribution import AttributionConfig
from earnest_interpret.analyses.saliency.examination import SaliencyContext, SaliencyRequest, run_saliency
from earnest_interpret.analyses.saliency.gradients import SaliencySummary
from earnest_interpret.analyses.terse.correlations import TerseSummary, summarise_terse
from earnest_interpret.analyses.terse.proxy import ProxyFindings, find_proxy
from earnest_interpret.caution import caution_of, section_caution_of
from earnest_interpret.page.agreement import agreed
from earnest_interpret.page.numbers import (
    ablation_numbers,
    beside_numbers,
    closed_form_numbers,
    group_numbers,
    leave_one_out_numbers,
    members_numbers,
    saliency_numbers,
    terse_numbers,
)
from earnest_interpret.page.reasons import Reason, top_reasons
from earnest_interpret.responses.responses import Responses
from earnest_interpret.sample import MAX_ROWS, MassAxis, Sample, mass_axis

__all__ = [
    "ABLATION_STREAM",
    "InterpretConfig",
    "Interpretation",
    "ideal_of",
    "interpret",
]


ABLATION_STREAM = 30
"""Index of the random numbers of an ablation."""

_FEWEST_PERMUTATIONS = 99
_ABLATION_CATALOGS = 300
"""Most catalogs of the ablation on a page, which infers sigma8 of each some twenty times."""


@final
@dataclass(frozen=True, kw_only=True)
class InterpretConfig:
    """Which catalogs are interpreted, and how much is computed at a time.

    Attributes
    ----------
    split
        Part of the set, or ``all``; by default ``test`` where the set has one, else all.
    max_catalogs
        Most catalogs, drawn at random where there are more.
    max_rows
        Most clusters handed to the model at a time.
    n_permutations
        Shuffles of the test at fixed mass.
    n_shuffles
        Shuffles of the ablation.
    seed
        Seed of draws, bootstraps and permutations.
    attribution
        How inputs are changed for SmoothGrad and integrated gradients.
    """

    split: str | None = None
    max_catalogs: int = 500
    max_rows: int = MAX_ROWS
    n_permutations: int = 9_999
    n_shuffles: int = N_SHUFFLES
    seed: int = 1
    attribution: AttributionConfig = field(default_factory=AttributionConfig)

    def __post_init__(self) -> None:
        small = [name for name in ("max_catalogs", "max_rows", "n_shuffles") if getattr(self, name) < 1]
        if small:
            raise InputError(f"{', '.join(small)} must be at least 1; found {[getattr(self, name) for name in small]}")
        if self.n_permutations < _FEWEST_PERMUTATIONS:
            raise InputError(
                f"n_permutations must be at least {_FEWEST_PERMUTATIONS}, found {self.n_permutations}: no p-value can "
                "be smaller than 1 / (n_permutations + 1)"
            )


@final
@dataclass(frozen=True, kw_only=True)
class Interpretation:
    """All results; ``None`` where the model or the catalogs do not allow one.

    Attributes
    ----------
    sample
        The catalogs.
    axis
        Masses of the clusters.
    predictions, accuracy
        Inferred sigma8 and its errors.
    delta, clusters
        Leave-one-out per cluster and in summary.
    ideal
        What an analysis of known masses would do.
    groups
        Leave-group-out.
    inputs, beside_inputs
        Saliency of the terse value, and what belongs beside it.
    ablation
        The scatter of sigma8 with the encoder's inputs exchanged or held constant.
    terse_values, terse
        Terse value per cluster and in summary.
    proxy
        The terse value as a mass proxy and as a formula.
    members, member_ablations
        What each training of an ensemble finds; empty for a model that was trained once, the second also without an
        ablation.
    beside
        Columns that join after the encoder.
    missing
        Why there is no saliency or terse value.
    no_ablation
        Why there is no ablation.
    synthetic
        What is emulated in the catalogs and in the training of the model; ``None`` if nothing is.
    """

    sample: Sample
    axis: MassAxis | None
    predictions: pl.DataFrame
    accuracy: Accuracy | None
    delta: FloatArray
    clusters: LeaveOneOutSummary
    ideal: Ideal | None
    groups: tuple[GroupRemoval, ...]
    inputs: SaliencySummary | None
    beside_inputs: SaliencyContext | None
    ablation: AblationSummary | None
    terse_values: FloatArray
    terse: TerseSummary | None
    proxy: ProxyFindings | None
    members: tuple[MemberFindings, ...] = ()
    member_ablations: tuple[AblationSummary, ...] = ()
    beside: tuple[str, ...] = ()
    missing: str = ""
    no_ablation: str = ""
    synthetic: str | None = None

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """The findings as sentences; of an ensemble those that all its trainings share."""
        own = top_reasons(
            clusters=self.clusters,
            inputs=self.inputs,
            ablation=self.ablation,
            terse=self.terse,
            beside=self.beside,
            missing=self.missing,
        )
        by_member = [
            top_reasons(
                clusters=one.clusters, inputs=one.inputs, ablation=ablation, terse=one.terse, beside=self.beside
            )
            for one, ablation in zip_longest(self.members, self.member_ablations)
        ]
        return agreed(own, by_member)

    def sections(self) -> tuple[Section, ...]:
        """Return the findings as sections of the report."""
        # Imported here because numbers need no matplotlib.
        from earnest_interpret.sections import (
            ablation_section,
            accuracy_section,
            clusters_section,
            inputs_section,
            proxy_section,
            terse_section,
        )

        found, caution = self.proxy, section_caution_of(len(self.members))
        more: tuple[Section, ...] = ()
        if found:
            values = (self.terse_values, found.formula_values)
            more = (proxy_section(found.proxies, found.forms, *values, radii=self.sample.batch.radii, caution=caution),)
        sigma8 = self.sample.batch.label("sigma8").astype(np.float64)
        return (
            accuracy_section(self.accuracy, self.predictions, sigma8, sample=self.sample.text),
            clusters_section(self.clusters, self.axis, self.delta, ideal=self.ideal, groups=self.groups),
            inputs_section(self.inputs, self.axis, beside=self.beside_inputs, missing=self.missing, caution=caution),
            ablation_section(self.ablation, missing=self.no_ablation, caution=caution),
            terse_section(
                self.terse,
                self.terse_values,
                self.sample.batch,
                missing=self.missing,
                caution=caution,
                members=self.members,
            ),
            *more,
        )

    def numbers(self) -> dict[str, Any]:
        """Return the findings as plain numbers by name, ready for JSON."""
        caution = caution_of(len(self.members))
        return {
            "sample": self.sample.text,
            "n_catalogs": self.sample.batch.n_catalogs,
            "n_clusters": self.sample.batch.n_clusters,
            "synthetic": self.synthetic,
            "accuracy": asdict(self.accuracy) if self.accuracy else None,
            "leave_one_out": leave_one_out_numbers(self.clusters, self.delta, self.axis, self.ideal),
            "leave_group_out": group_numbers(self.groups, column=self.clusters.column),
            "saliency": {**saliency_numbers(self.inputs), **beside_numbers(self.beside_inputs), "caution": caution}
            if self.inputs and self.beside_inputs
            else None,
            "ablation": {**ablation_numbers(self.ablation), "caution": caution} if self.ablation else None,
            "terse": {**terse_numbers(self.terse), "caution": caution} if self.terse else None,
            "members": members_numbers(self.members),
            "formula": closed_form_numbers(self.proxy.forms) if self.proxy else None,
            "missing": self.missing or None,
        }


def interpret(
    model: Estimator | Responses,
    sample: Sample,
    config: InterpretConfig,
    *,
    also: Sequence[Estimator] = (),
    compare: tuple[Estimator | None, str] = (None, ""),
    advance: Callable[[str], None] = lambda _: None,
) -> Interpretation:
    """Return all interpretation results of a model on a sample.

    Parameters
    ----------
    model
        The model, or what it answers to the sample; without a terse layer, saliency and terse value are left out and
        the reason is kept.
    sample
        The catalogs.
    config
        How much is computed at a time.
    also
        Other trainings of the model.
    compare
        Another model, and how it is called.
    advance
        Called with a word after each of the five steps.
    """
    batch = sample.batch
    responses = model if isinstance(model, Responses) else _responses(model, batch, config)
    estimator, axis = responses.estimator, mass_axis(batch)
    predictions = responses.predictions
    advance("predictions")
    delta = responses.leave_one_out
    groups = leave_groups_out(responses, axis, seed=config.seed)
    advance("leave-one-out")
    inputs = beside = terse = proxy = None
    values = np.empty(0)
    members: tuple[MemberFindings, ...] = ()
    missing = f"the model '{estimator.description.estimator}' has no terse layer"
    if responses.has_terse:
        values, missing = responses.terse, ""
        question = SaliencyRequest(config=config.attribution, seed=config.seed)
        inputs, beside = run_saliency(
            responses,
            sample,
            question,
            also=[_responses(one, batch, config) for one in also] or responses.members,
            compare=_responses(compare[0], batch, config) if compare[0] else None,
            compare_name=compare[1],
        )
        members = find_members(responses, sample, question, n_permutations=config.n_permutations)
    advance("saliency")
    ablations, no_ablation = _ablations_of(estimator, batch, config)
    advance("ablation")
    if responses.has_terse:
        proxy = find_proxy(estimator, values, batch, axis)
        terse = summarise_terse(values, batch, axis, seed=config.seed, n_permutations=config.n_permutations)
    advance("terse value")
    return Interpretation(
        sample=sample,
        axis=axis,
        predictions=predictions,
        accuracy=summarise_accuracy(predictions, batch.label("sigma8").astype(np.float64)),
        delta=delta,
        clusters=summarise_leave_one_out(delta, axis),
        ideal=ideal_of(sample),
        groups=groups,
        inputs=inputs,
        beside_inputs=beside,
        ablation=ablations[0] if ablations else None,
        terse_values=values,
        terse=terse,
        proxy=proxy,
        members=members,
        member_ablations=ablations[1:],
        beside=tuple(estimator.description.supplementary),
        missing=missing,
        no_ablation=no_ablation,
        synthetic=synthetic_note(catalogs=sample.synthetic, training=estimator.description.synthetic),
    )


def _responses(estimator: Estimator, batch: CatalogBatch, config: InterpretConfig) -> Responses:
    return Responses(estimator=estimator, batch=batch, max_rows=config.max_rows)


def _ablations_of(
    estimator: Estimator, batch: CatalogBatch, config: InterpretConfig
) -> tuple[tuple[AblationSummary, ...], str]:
    """Return the ablation on some catalogs of known sigma8, of a model and its members, or why there is none."""
    rng = generator(config.seed, Stage.RESAMPLING, index=ABLATION_STREAM)
    known = np.flatnonzero(np.isfinite(batch.label("sigma8").astype(np.float64)))
    if len(known) < FEWEST_CATALOGS:
        return (), f"it takes at least {FEWEST_CATALOGS} catalogs of known σ₈"
    if len(known) > _ABLATION_CATALOGS:
        known = np.sort(rng.choice(known, size=_ABLATION_CATALOGS, replace=False))
    some = batch.select(known)
    return ablate(estimator, some, rng=rng, n_shuffles=config.n_shuffles, max_rows=config.max_rows), ""


def ideal_of(sample: Sample) -> Ideal | None:
    """Return the ideal analysis of a sample's survey; ``None`` where survey or sigma8 are unknown.

    Counts are differentiated at the sample's mean sigma8, and the prior is as wide as the sample's.
    """
    sigma8 = sample.batch.label("sigma8").astype(np.float64)
    known = sigma8[np.isfinite(sigma8)]
    if sample.survey is None or is_single(known):
        return None
    return ideal_leave_one_out(
        sample.survey,
        sample.cosmology,
        sigma8=float(known.mean()),
        prior_scatter=float(known.std(ddof=1)),
        l_x=sample.relations.l_x,
        table=mass_function_of(sample.cosmology, sample.survey.z, sample.mass_function),
    )
