"""How well a model infers sigma8 on catalogs whose true value is known."""

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol, final, runtime_checkable

import numpy as np
import numpy.typing as npt
import polars as pl
from earnest_common.batch import CatalogBatch
from earnest_common.errors import InputError
from earnest_common.protocols import Estimator
from earnest_common.seeds import Stage, generator

__all__ = ["Accuracy", "Estimates", "InfersIntervals", "accuracy", "estimates"]

FloatArray = npt.NDArray[np.float64]


@runtime_checkable
class InfersIntervals(Protocol):
    """An estimator that also tells the central 95 % interval."""

    def infer(self, batch: CatalogBatch) -> tuple[pl.DataFrame, tuple[FloatArray, FloatArray]]:
        """Return predictions (schema ``PREDICTIONS``) and the ends of the 95 % intervals."""


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Estimates:
    """True and inferred sigma8 with central intervals, one entry per catalog."""

    true: FloatArray
    predictions: pl.DataFrame
    interval_68: tuple[FloatArray, FloatArray]
    interval_95: tuple[FloatArray, FloatArray]

    @property
    def sigma8(self) -> FloatArray:
        """Inferred sigma8, shape (n,)."""
        return self.predictions.get_column("sigma8").to_numpy()


@final
@dataclass(frozen=True, kw_only=True)
class Accuracy:
    r"""Quality of estimates of sigma8.

    With residuals :math:`\delta_i = \hat\sigma_{8,i} - \sigma_{8,i}` the scatter is their standard deviation (the
    paper's, section 4.1), the bias their mean, and the skill :math:`1 - s^2 / s_\mathrm{prior}^2`.

    Attributes
    ----------
    scatter, scatter_err, bias
        Scatter with its bootstrap error over catalogs, and bias.
    prior_scatter, skill
        Standard deviation of the true values, and the share of their variance that is explained.
    coverage_68, coverage_95
        Share of catalogs whose true value lies in the interval.
    n_catalogs
        Number of catalogs.
    referee_scatter, efficiency
        Scatter of the exact posterior and (referee / scatter)^2, where a referee is at hand.
    """

    scatter: float
    scatter_err: float
    bias: float
    prior_scatter: float
    skill: float
    coverage_68: float
    coverage_95: float
    n_catalogs: int
    referee_scatter: float | None = None
    efficiency: float | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the numbers by name."""
        return dataclasses.asdict(self)


def estimates(estimator: Estimator, batches: Iterable[CatalogBatch]) -> Estimates:
    """Return the estimates of labelled catalogs.

    Parameters
    ----------
    estimator
        Any estimator; one that tells only a mean and an error is taken as Gaussian for the 95 % interval.
    batches
        The catalogs, in as many parts as memory asks for.

    Raises
    ------
    InputError
        If a true value is unknown or the model cannot use the catalogs.
    """
    true, predictions, wide = [], [], []
    for batch in batches:
        if not batch.n_catalogs:
            continue
        true.append(_labels(batch))
        if isinstance(estimator, InfersIntervals):
            found, interval = estimator.infer(batch)
        else:
            found = estimator.predict(batch)
            middle, error = (found.get_column(name).to_numpy() for name in ("sigma8", "sigma8_err"))
            interval = (middle - 1.96 * error, middle + 1.96 * error)
        predictions.append(found)
        wide.append(interval)
    if not predictions:
        raise InputError("there are no catalogs to evaluate")
    table = pl.concat(predictions)
    return Estimates(
        true=np.concatenate(true),
        predictions=table,
        interval_68=(table.get_column("sigma8_lo68").to_numpy(), table.get_column("sigma8_hi68").to_numpy()),
        interval_95=(np.concatenate([low for low, _ in wide]), np.concatenate([high for _, high in wide])),
    )


def _labels(batch: CatalogBatch) -> FloatArray:
    true = batch.label("sigma8").astype(np.float64)
    if unknown := int((~np.isfinite(true)).sum()):
        raise InputError(
            f"{unknown} of {len(true)} catalogs have no true sigma8; only labelled catalogs can be evaluated, "
            "for others use: earnest model predict"
        )
    return true


def accuracy(found: Estimates, *, n_resamples: int = 400, seed: int = 0) -> Accuracy:
    """Return scatter, bias, skill and coverage.

    Parameters
    ----------
    found
        True and inferred values.
    n_resamples
        Number of bootstrap samples for the error of the scatter.
    seed
        Seed of the bootstrap.

    Raises
    ------
    InputError
        If there are fewer than two catalogs.
    """
    residual = found.sigma8 - found.true
    n = len(residual)
    if n < 2:
        raise InputError(f"scatter needs at least two catalogs, found {n}")
    prior = float(found.true.std())
    scatter = float(residual.std())
    return Accuracy(
        scatter=scatter,
        scatter_err=_bootstrap_error(residual, n_resamples=n_resamples, seed=seed),
        bias=float(residual.mean()),
        prior_scatter=prior,
        skill=1 - (scatter / prior) ** 2 if prior > 0 else float("nan"),
        coverage_68=_coverage(found.true, found.interval_68),
        coverage_95=_coverage(found.true, found.interval_95),
        n_catalogs=n,
    )


def _coverage(true: FloatArray, interval: tuple[FloatArray, FloatArray]) -> float:
    low, high = interval
    return float(np.mean((true >= low) & (true <= high)))


def _bootstrap_error(residual: FloatArray, *, n_resamples: int, seed: int) -> float:
    """Return the standard deviation of the scatter over resampled catalogs."""
    rng = generator(seed, Stage.RESAMPLING)
    draws = (residual[rng.integers(len(residual), size=len(residual))] for _ in range(n_resamples))
    return float(np.std([draw.std() for draw in draws]))
