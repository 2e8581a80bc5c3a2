"""What a model says of catalogs whose true sigma8 is known."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol, final, runtime_checkable

import numpy as np
import numpy.typing as npt
import polars as pl
from earnest_common.catalogs.batch import CatalogBatch
from earnest_common.errors import InputError
from earnest_common.protocols import Estimator
from scipy.special import ndtr, ndtri

from earnest_model.evaluation.predictions import other_labels

__all__ = [
    "Cumulative",
    "GivesDistribution",
    "LabelledPredictions",
    "Predicts",
    "as_trained",
    "predict_labelled",
    "true_sigma8",
]

FloatArray = npt.NDArray[np.float64]
Interval = tuple[FloatArray, FloatArray]
Cumulative = Callable[[FloatArray], FloatArray]
"""Returns the probability below n values, one for each catalog."""


class Distribution(Protocol):
    """Predictive distributions of some catalogs."""

    @property
    def interval_95(self) -> Interval:
        """Ends of the central 95 % intervals, each of shape (n,)."""

    @property
    def cumulative(self) -> Cumulative:
        """Returns the probability below n values, one for each catalog."""


class Predicts(Protocol):
    """Anything that infers sigma8."""

    def predict(self, batch: CatalogBatch) -> pl.DataFrame:
        """Return one row per catalog (schema ``PREDICTIONS``), in the order of the batch."""


@runtime_checkable
class GivesDistribution(Protocol):
    """An estimator that tells more than the columns of a prediction."""

    def infer(self, batch: CatalogBatch) -> tuple[pl.DataFrame, Distribution]:
        """Return predictions (schema ``PREDICTIONS``) and the distributions behind them."""


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class LabelledPredictions:
    """True and inferred sigma8, one entry per catalog.

    Attributes
    ----------
    true
        True values, shape (n,).
    predictions
        One row per catalog (schema ``PREDICTIONS``).
    interval_68, interval_95
        Ends of central intervals, each of shape (n,).
    cumulative
        Returns the probability below n values, one for each catalog.
    others
        True values of the other labels that are inferred, where they are known, each of shape (n,).
    """

    true: FloatArray
    predictions: pl.DataFrame
    interval_68: Interval
    interval_95: Interval
    cumulative: Cumulative
    others: Mapping[str, FloatArray] = field(default_factory=dict)

    @property
    def sigma8(self) -> FloatArray:
        """Inferred sigma8, shape (n,)."""
        return self.predictions.get_column("sigma8").to_numpy()


def predict_labelled(estimator: Predicts, batches: Iterable[CatalogBatch]) -> LabelledPredictions:
    """Return the estimates of labelled catalogs.

    Parameters
    ----------
    estimator
        Any estimator; one that tells only a mean and an error is taken as Gaussian.
    batches
        The catalogs, in as many parts as memory asks for.

    Raises
    ------
    InputError
        If a true value is unknown or the model cannot use the catalogs.
    """
    true, predictions, wide, cumulative, labels = [], [], [], [], []
    for batch in batches:
        if not batch.n_catalogs:
            continue
        true.append(true_sigma8(batch))
        table, interval, below = _asked(estimator, batch)
        predictions.append(table)
        labels.append({name: batch.label(name).astype(np.float64) for name in other_labels(table)})
        wide.append(interval)
        cumulative.append(below)
    if not predictions:
        raise InputError("there are no catalogs to evaluate")
    table = pl.concat(predictions)
    return LabelledPredictions(
        true=np.concatenate(true),
        predictions=table,
        interval_68=(table.get_column("sigma8_lo68").to_numpy(), table.get_column("sigma8_hi68").to_numpy()),
        interval_95=(np.concatenate([low for low, _ in wide]), np.concatenate([high for _, high in wide])),
        cumulative=partial(_by_part, cumulative, np.cumsum([len(part) for part in true])[:-1]),
        others=_known(labels),
    )


def as_trained(estimator: Estimator) -> str:
    """Return the variant of catalogs that an estimator was trained on."""
    variant: str = estimator.description.training.get("config", {}).get("variant", "standard")
    return variant


def _known(parts: Sequence[Mapping[str, FloatArray]]) -> dict[str, FloatArray]:
    """Return the labels of all parts together, those that are known everywhere."""
    together = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return {name: values for name, values in together.items() if np.isfinite(values).all()}


def _asked(estimator: Predicts, batch: CatalogBatch) -> tuple[pl.DataFrame, Interval, Cumulative]:
    if isinstance(estimator, GivesDistribution):
        table, found = estimator.infer(batch)
        return table, found.interval_95, found.cumulative
    table = estimator.predict(batch)
    mean, error = (table.get_column(name).to_numpy() for name in ("sigma8", "sigma8_err"))
    half = ndtri(0.975) * error
    return table, (mean - half, mean + half), partial(_gaussian, mean, error)


def _gaussian(mean: FloatArray, error: FloatArray, values: FloatArray) -> FloatArray:
    below: FloatArray = ndtr((values - mean) / np.maximum(error, 1e-12))
    return below


def _by_part(parts: Sequence[Cumulative], at: npt.NDArray[np.int64], values: FloatArray) -> FloatArray:
    return np.concatenate([part(some) for part, some in zip(parts, np.split(values, at), strict=True)])


def true_sigma8(batch: CatalogBatch) -> FloatArray:
    """Return the labels of catalogs, shape (n_catalogs,).

    Raises
    ------
    InputError
        If one is unknown.
    """
    true = batch.label("sigma8").astype(np.float64)
    if unknown := int((~np.isfinite(true)).sum()):
        raise InputError(
            f"{unknown} of {len(true)} catalogs have no true sigma8; only labelled catalogs can be evaluated, "
            "for others use: earnest model predict"
        )
    return true
