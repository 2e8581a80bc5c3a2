"""Saliency of a model's inputs with what belongs beside it: checks, clusters of low saliency, other models."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, final

import numpy as np
from earnest_common.arrays import FloatArray, IntArray
from earnest_common.catalogs.batch import CatalogBatch
from earnest_common.errors import InputError
from earnest_common.protocols import Estimator, TerseEstimator

from earnest_interpret.analyses.saliency.attribution import Attribution, AttributionConfig, attribute
from earnest_interpret.analyses.saliency.faint_clusters import Stripes, find_stripes
from earnest_interpret.analyses.saliency.gradients import Method, SaliencySummary, summarise_saliency
from earnest_interpret.analyses.saliency.randomisation import RandomisationCheck, randomisation_check
from earnest_interpret.bands import Band, break_band, median_band
from earnest_interpret.input_space import input_space
from earnest_interpret.responses.questions import Target
from earnest_interpret.responses.responses import Responses
from earnest_interpret.sample import Sample, mass_axis

__all__ = ["SaliencyContext", "SaliencyRequest", "run_saliency", "saliency_of"]

N_CHECKED: Final = 10_000
"""About the most clusters of the comparison with shuffled weights, in whole catalogs; at least one of them."""


@final
@dataclass(frozen=True, kw_only=True)
class SaliencyRequest:
    """Which saliency is computed.

    Attributes
    ----------
    of, method
        The output, and what stands for its gradient.
    config
        How inputs are changed.
    seed
        Seed of noise and shuffles.
    """

    of: Target = "terse"
    method: Method = "gradient"
    config: AttributionConfig = field(default_factory=AttributionConfig)
    seed: int = 1


@final
@dataclass(frozen=True, kw_only=True)
class SaliencyContext:
    """What is known besides the averages of one model's saliency.

    Attributes
    ----------
    values
        Saliencies of all clusters, shape (n_clusters, n_features).
    terse
        Their terse values, shape (n_clusters,).
    batch
        The catalogs.
    stripes
        What distinguishes faint clusters.
    check
        Comparison with shuffled weights.
    warning
        What is wrong with the values.
    also
        Saliencies of other trainings of the model.
    compare
        Saliency of another model, for instance one without weak lensing.
    compare_name
        That model in words.
    bands
        Break and median masses of the survey, by name.
    """

    values: FloatArray
    terse: FloatArray
    batch: CatalogBatch
    stripes: Stripes | None = None
    check: RandomisationCheck | None = None
    warning: str = ""
    also: tuple[SaliencySummary, ...] = ()
    compare: SaliencySummary | None = None
    compare_name: str = "the other model"
    bands: Mapping[str, Band] = field(default_factory=dict)


def saliency_of(responses: Responses, sample: Sample, request: SaliencyRequest) -> SaliencySummary:
    """Return the averages of a model's saliency alone."""
    return _summary(responses, sample, request)[0]


def run_saliency(
    responses: Responses,
    sample: Sample,
    question: SaliencyRequest | None = None,
    *,
    also: Sequence[Responses] = (),
    compare: Responses | None = None,
    compare_name: str = "the other model",
) -> tuple[SaliencySummary, SaliencyContext]:
    """Return a model's saliency on a sample, and what belongs beside it.

    Parameters
    ----------
    responses, sample
        What the model answers, and the catalogs.
    question
        Which saliency is computed.
    also
        What other trainings of the model answer; they must have the same inputs.
    compare, compare_name
        What another model answers, and how it is called.

    Raises
    ------
    InputError
        If a model has no terse layer, or another training has other inputs.
    """
    request = question or SaliencyRequest()
    summary, values, warning = _summary(responses, sample, request)
    others = []
    for number, other in enumerate(also, start=2):
        found = _summary(other, sample, request)[0]
        if found.names != summary.names:
            raise InputError(
                f"training {number} has the inputs {', '.join(found.names)}, the first one {', '.join(summary.names)}; "
                "compare different models with --compare"
            )
        others.append(found)
    batch, axis = sample.batch, mass_axis(sample.batch)
    bands = {"break": break_band(sample), "median mass": median_band(sample)}
    check = None
    if summary.is_slope:
        some, rows = _some_catalogs(batch)
        check = randomisation_check(
            responses.estimator, some, values[rows], of=request.of, seed=request.seed, max_rows=responses.max_rows
        )
    beside = SaliencyContext(
        values=values,
        terse=responses.terse,
        batch=batch,
        stripes=find_stripes(values, responses.terse, batch, axis),
        check=check,
        warning=warning,
        also=tuple(others),
        compare=_summary(compare, sample, request)[0] if compare else None,
        compare_name=compare_name,
        bands={name: band for name, band in bands.items() if band},
    )
    return summary, beside


def _some_catalogs(batch: CatalogBatch) -> tuple[CatalogBatch, IntArray]:
    """Return catalogs evenly from all, with about ``N_CHECKED`` clusters at most, and their rows."""
    n = max(1, min(batch.n_catalogs, batch.n_catalogs * N_CHECKED // batch.n_clusters))
    chosen = np.linspace(0, batch.n_catalogs - 1, n).round().astype(np.int64)
    return batch.select(chosen), np.flatnonzero(np.isin(batch.segment_ids, chosen))


def _summary(responses: Responses, sample: Sample, request: SaliencyRequest) -> tuple[SaliencySummary, FloatArray, str]:
    """Return averages, values, and what is wrong with them."""
    estimator, batch, axis = responses.estimator, sample.batch, mass_axis(sample.batch)
    if request.method == "gradient":
        found = Attribution(values=responses.gradient(request.of), method="gradient", of=request.of)
    else:
        found = attribute(
            estimator,
            batch,
            of=request.of,
            method=request.method,
            config=request.config,
            seed=request.seed,
            max_rows=responses.max_rows,
        )
    names = estimator.feature_names if isinstance(estimator, TerseEstimator) else ()
    summary = summarise_saliency(
        found.values,
        names,
        batch.radii,
        of=request.of,
        method=request.method,
        axis=axis,
        widths=_widths(estimator),
    )
    return summary, found.values, found.warning


def _widths(estimator: Estimator) -> FloatArray | None:
    """Return what one unit of each scaled input is; ``None`` where the model does not record it."""
    if not isinstance(estimator, TerseEstimator):
        return None
    try:
        return np.asarray(input_space(estimator).widths)
    except InputError:
        return None
