"""The answer: yes, with care or no, from distances in the space of inputs, summaries, terse values and predictions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, final

import numpy as np
from earnest_common.arrays import FloatArray
from earnest_common.catalogs.batch import CatalogBatch
from earnest_common.errors import InputError
from earnest_common.protocols import Estimator, TerseEstimator

from earnest_interpret.analyses.applicability.answer import Answer, Applicability, Comparison, Range
from earnest_interpret.analyses.applicability.distance import TOGETHER, Cloud, conformal_p_value, together_p_value
from earnest_interpret.analyses.applicability.quantities import (
    MIN_CLUSTERS,
    cluster_matrix,
    column_names,
    known_columns,
    summary_matrix,
    summary_names,
)
from earnest_interpret.analyses.applicability.unseen import Unseen, measure_unseen
from earnest_interpret.analyses.applicability.words import reasons_for
from earnest_interpret.responses.questions import encode, predict
from earnest_interpret.sample import MAX_ROWS
from earnest_interpret.statistics.permutation import holm

__all__ = ["Reference", "apply_to", "learn"]

ALPHA: Final = 0.05
"""A catalog like those of the training gets "with care" or "no" at most this often."""

MIN_TRAINING: Final = 100
"""Fewest training catalogs; half of them calibrate."""

_FAR_Z: Final = 0.05
"""Redshifts outside the training from which the answer is no."""

_CARE_Z: Final = 0.01
"""Those from which it takes care; less is not worth a sentence."""

_ANSWERS: Final[tuple[Answer, ...]] = ("no", "with care", "yes")


@final
@dataclass(frozen=True, kw_only=True)
class Reference:
    """What a model was trained on, as far as a comparison needs it.

    Attributes
    ----------
    fitted, calibration
        Two halves of the training catalogs: one defines the distances, one their usual size.
    columns
        Cluster columns that are compared: those that the model reads, with l_x and m_gas.
    """

    fitted: CatalogBatch
    calibration: CatalogBatch
    columns: tuple[str, ...]


def learn(estimator: Estimator, training: CatalogBatch, *, rng: np.random.Generator) -> Reference:
    """Return what catalogs are compared with.

    Raises
    ------
    InputError
        If there are fewer than ``MIN_TRAINING`` catalogs with enough clusters.
    """
    usable = np.flatnonzero(np.diff(training.row_splits) >= MIN_CLUSTERS)
    if len(usable) < MIN_TRAINING:
        raise InputError(
            f"the training set has {len(usable)} catalogs of at least {MIN_CLUSTERS} clusters, a comparison takes "
            f"{MIN_TRAINING}; give the set that the model was trained on, or one like it"
        )
    order = rng.permutation(usable)
    half = len(order) // 2
    description = estimator.description
    columns = tuple(dict.fromkeys((*description.features, *description.supplementary, "l_x", "m_gas")))
    return Reference(
        fitted=training.select(np.sort(order[:half])),
        calibration=training.select(np.sort(order[half:])),
        columns=known_columns(training, columns),
    )


def apply_to(
    estimator: Estimator, batch: CatalogBatch, training: Reference, *, max_rows: int = MAX_ROWS
) -> Applicability:
    """Return whether a model may be applied to catalogs.

    Parameters
    ----------
    estimator
        The model.
    batch
        Observed or foreign catalogs.
    training
        From :func:`learn`.
    max_rows
        Most clusters handed to the model at a time.
    """
    description = estimator.description
    read = (*description.features, *description.supplementary)
    known = known_columns(batch, training.columns)
    missing = tuple(name for name in read if name not in known)
    found = [_inputs(batch, training, known), _summary(batch, training, known)]
    sigma8 = np.empty(0)
    unseen: Unseen | None = None
    if not missing:
        unseen = measure_unseen(estimator, batch, max_rows=max_rows)
        sigma8, prediction = _prediction(estimator, batch, training, max_rows)
        found += [*_terse(estimator, batch, training, max_rows), prediction]
    comparisons = tuple(one for one in found if one is not None)
    beyond = _redshift(batch, training.fitted)
    answers = tuple(
        _answer({one.space: float(one.p_values[i]) for one in comparisons}, comparisons, missing, beyond)
        for i in range(batch.n_catalogs)
    )
    return Applicability(
        answer=_overall(answers, comparisons),
        answers=answers,
        reasons=reasons_for(
            comparisons,
            missing=missing,
            known=known,
            redshift=beyond if beyond > _CARE_Z else 0.0,
            radii=batch.radii,
            n_catalogs=batch.n_catalogs,
            unseen=unseen,
        ),
        comparisons=comparisons,
        ranges=_ranges(batch, training.fitted, (*known, "z")),
        missing=missing,
        radii=batch.radii,
        sigma8=sigma8,
        unseen=unseen,
    )


def _overall(answers: Sequence[Answer], comparisons: Sequence[Comparison]) -> Answer:
    """Return the answer of most catalogs; a yes takes care where all together lie farther out than the training."""
    most: Answer = max(_ANSWERS, key=answers.count)
    together = any(one.together <= TOGETHER for one in comparisons)
    return "with care" if most == "yes" and together else most


def _answer(
    p_values: Mapping[str, float], comparisons: Sequence[Comparison], missing: Sequence[str], beyond: float
) -> Answer:
    """Return no beyond all catalogs of the training, with care where one in twenty lies, else yes."""
    unseen = [one.space for one in comparisons if p_values[one.space] * (1 + len(one.calibration)) < 1.5]
    if missing or unseen or beyond > _FAR_Z or not comparisons:
        return "no"
    return "with care" if min(holm(dict(p_values)).values()) <= ALPHA or beyond > _CARE_Z else "yes"


def _compare(
    space: str, values: FloatArray, calibration: FloatArray, farthest: tuple[tuple[str, float], ...] = ()
) -> Comparison:
    p_values = np.array([conformal_p_value(value, calibration) for value in values])
    return Comparison(
        space=space,
        values=values,
        calibration=calibration,
        p_values=p_values,
        farthest=farthest,
        together=together_p_value(values, calibration),
    )


def _per_catalog(values: FloatArray, batch: CatalogBatch) -> FloatArray:
    counts = np.maximum(np.diff(batch.row_splits), 1)
    return np.asarray(np.bincount(batch.segment_ids, weights=values, minlength=batch.n_catalogs) / counts)


def _inputs(batch: CatalogBatch, training: Reference, columns: Sequence[str]) -> Comparison | None:
    if not columns:
        return None
    points = cluster_matrix(training.fitted, columns)
    cloud, values = Cloud.of(points), cluster_matrix(batch, columns)
    near, far = (
        _per_catalog(cloud.distance2(cluster_matrix(one, columns)), one) for one in (training.calibration, batch)
    )
    deviation = (np.median(values, axis=0) - points.mean(axis=0)) / np.maximum(points.std(axis=0), 1e-9)
    return _compare("inputs", far, near, _largest(column_names(columns, len(batch.radii)), deviation))


def _summary(batch: CatalogBatch, training: Reference, columns: Sequence[str]) -> Comparison | None:
    values = summary_matrix(batch, columns)
    if not np.isfinite(values).all():
        return None
    points = summary_matrix(training.fitted, columns)
    cloud = Cloud.of(points)
    deviation = (np.median(values, axis=0) - points.mean(axis=0)) / np.maximum(points.std(axis=0), 1e-9)
    near = cloud.distance2(summary_matrix(training.calibration, columns))
    names = summary_names(columns, len(batch.radii))
    return _compare("summary", cloud.distance2(values), near, _largest(names, deviation))


def _largest(names: Sequence[str], deviation: FloatArray) -> tuple[tuple[str, float], ...]:
    order = np.argsort(-np.abs(deviation))[:3]
    return tuple((names[j], float(deviation[j])) for j in order)


def _terse(estimator: Estimator, batch: CatalogBatch, training: Reference, max_rows: int) -> list[Comparison]:
    if not isinstance(estimator, TerseEstimator):
        return []
    fitted, near, far = (
        encode(estimator, one, max_rows=max_rows)[:, None] for one in (training.fitted, training.calibration, batch)
    )
    cloud = Cloud.of(fitted)
    own = _per_catalog(cloud.distance2(near), training.calibration)
    deviation = (np.median(far) - fitted.mean()) / max(float(fitted.std()), 1e-9)
    farthest = (("median terse value", float(deviation)),)
    return [_compare("terse", _per_catalog(cloud.distance2(far), batch), own, farthest)]


def _prediction(
    estimator: Estimator, batch: CatalogBatch, training: Reference, max_rows: int
) -> tuple[FloatArray, Comparison]:
    fitted, near, far = (_answers(estimator, one, max_rows) for one in (training.fitted, training.calibration, batch))
    cloud = Cloud.of(fitted)
    deviation = (np.median(far, axis=0) - fitted.mean(axis=0)) / np.maximum(fitted.std(axis=0), 1e-9)
    names = ("inferred sigma8", "its error")[: far.shape[1]]
    return far[:, 0], _compare("prediction", cloud.distance2(far), cloud.distance2(near), _largest(names, deviation))


def _answers(estimator: Estimator, batch: CatalogBatch, max_rows: int) -> FloatArray:
    """Return sigma8 and the logarithm of its error, if there is one, shape (n, 1 or 2)."""
    predicted = predict(estimator, batch, max_rows=max_rows)
    sigma8 = predicted.get_column("sigma8").to_numpy()
    error = predicted.get_column("sigma8_err").cast(float).to_numpy()
    usable = np.isfinite(error).all() and bool((error > 0).all())
    return np.stack([sigma8, np.log(error)], axis=1) if usable else sigma8[:, None]


def _redshift(batch: CatalogBatch, fitted: CatalogBatch) -> float:
    """Return by how much the typical redshift lies outside the range of the training."""
    z, trained = np.asarray(batch.column("z"), dtype=np.float64), np.asarray(fitted.column("z"), dtype=np.float64)
    outside = np.maximum(np.maximum(trained.min() - z, z - trained.max()), 0)
    return float(np.median(outside))


def _ranges(batch: CatalogBatch, fitted: CatalogBatch, columns: Sequence[str]) -> tuple[Range, ...]:
    own, trained = cluster_matrix(batch, columns), cluster_matrix(fitted, columns)
    found = []
    for j, name in enumerate(column_names(columns, len(batch.radii))):
        low, high = np.quantile(trained[:, j], [0.001, 0.999])
        outside = float(np.mean((own[:, j] < low - 1e-9) | (own[:, j] > high + 1e-9)))
        a, b = (np.quantile(one[:, j], [0.01, 0.5, 0.99]) for one in (own, trained))
        quantiles, training = (tuple(float(v) for v in one) for one in (a, b))
        found.append(Range(name=name, quantiles=_three(quantiles), training=_three(training), outside=outside))
    return tuple(found)


def _three(values: tuple[float, ...]) -> tuple[float, float, float]:
    return values[0], values[1], values[2]
