"""The scatter of sigma8 with changed inputs, beside that of the same catalogs as they are."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final, Literal, final

import numpy as np
import polars as pl
from earnest_common.arrays import FloatArray
from earnest_common.catalogs.batch import CatalogBatch
from earnest_common.errors import InputError
from earnest_common.protocols import TerseEstimator
from earnest_common.spread import spread

from earnest_interpret.analyses.ablation.columns import (
    companion_columns,
    encoder_columns,
    exchanged,
    held_constant,
    order_over_all,
    order_within,
    unknown,
)
from earnest_interpret.responses.questions import Predictor, members_of, predict
from earnest_interpret.sample import MAX_ROWS

__all__ = [
    "FEWEST_CATALOGS",
    "N_SHUFFLES",
    "AblationSummary",
    "Case",
    "Effect",
    "ablate",
    "bootstrap_weights",
    "measure_effect",
]

FEWEST_CATALOGS: Final = 20
"""Fewest catalogs of known sigma8 for errors by the bootstrap."""

N_SHUFFLES: Final = 2
"""Shuffles of either kind; more of them make errors little smaller, which are those of the catalogs."""

N_RESAMPLES: Final = 400
"""Resamples of the bootstrap; an error is then known to 4 %."""

STANDARD_ERRORS: Final = 3.0
"""A change counts from this many of its standard errors on."""

NEGLIGIBLE: Final = 1e-3
"""Smallest change, relative to the scatter, that counts: sums in another order differ by rounding."""

Inputs = Literal["within", "over_all", "constant"]


@final
@dataclass(frozen=True, kw_only=True)
class Effect:
    """Errors of sigma8 with changed inputs, averaged over shuffles.

    Attributes
    ----------
    scatter, scatter_err
        Standard deviation of inferred - true, and its standard error.
    change, change_err
        Scatter less that with the inputs as they are, and the standard error of this paired difference.
    bias
        Mean of inferred - true.
    """

    scatter: float
    scatter_err: float
    change: float
    change_err: float
    bias: float

    @property
    def is_worse(self) -> bool:
        """Whether the scatter is larger than with the inputs as they are, by more than chance and rounding."""
        return _counts(self.change, self.change_err, self.scatter)


@final
@dataclass(frozen=True, kw_only=True)
class Case:
    """What the encoder's inputs are worth beside some other columns.

    Attributes
    ----------
    without
        Columns that are taken away.
    how
        For each of them ``"unknown"`` (null, of an estimator that answers without it) or ``"constant"`` (the median for
        all clusters, of one that needs a value).
    as_they_are
        Errors with the encoder's inputs as they are.
    within, over_all
        Errors with the inputs of other clusters, of the same catalog or of any.
    constant
        Errors with the median inputs for all clusters.
    distribution, distribution_err
        Scatter over_all less that within, the share that a catalog's distribution of inputs has in it.
    """

    without: tuple[str, ...]
    how: Mapping[str, Literal["unknown", "constant"]]
    as_they_are: Effect
    within: Effect
    over_all: Effect
    constant: Effect
    distribution: float
    distribution_err: float

    @property
    def needs_distribution(self) -> bool:
        """Whether the scatter is larger when shuffled over all catalogs than when shuffled within them."""
        return _counts(self.distribution, self.distribution_err, self.over_all.scatter)

    @property
    def is_used(self) -> bool:
        """Whether the scatter is larger with inputs shuffled over all catalogs, whose distribution training has met.

        Inputs held constant are like no catalog of the training: what they do is no measure of information.
        """
        return self.over_all.is_worse

    @property
    def is_answered(self) -> bool:
        """Whether the estimator answers for catalogs that lack these columns."""
        return "constant" not in self.how.values()


@final
@dataclass(frozen=True, kw_only=True)
class AblationSummary:
    """What an estimator's encoder inputs are worth.

    Attributes
    ----------
    n_catalogs
        Catalogs of known sigma8.
    columns
        Columns of the encoder, which are changed together.
    companions
        Columns beside them that are taken away in turn.
    prior_scatter
        Standard deviation of the true sigma8.
    n_shuffles
        Shuffles of either kind that are averaged.
    has_terse
        Whether the columns enter as one terse value per cluster.
    cases
        With all columns, without each companion, and without both.
    inferred
        Inferred sigma8: catalog_id, without, inputs, shuffle, sigma8.
    """

    n_catalogs: int
    columns: tuple[str, ...]
    companions: tuple[str, ...]
    prior_scatter: float
    n_shuffles: int
    has_terse: bool
    cases: tuple[Case, ...]
    inferred: pl.DataFrame

    @property
    def without_lensing(self) -> Case | None:
        """The case in which an estimator infers sigma8 without weak-lensing masses; ``None`` if it needs them."""
        if "m_wl" in self.columns:
            return None
        wanted = ("m_wl",) if "m_wl" in self.companions else ()
        return next((one for one in self.cases if one.without == wanted and one.is_answered), None)


def ablate(
    estimator: Predictor,
    batch: CatalogBatch,
    *,
    rng: np.random.Generator,
    n_shuffles: int = N_SHUFFLES,
    max_rows: int = MAX_ROWS,
) -> tuple[AblationSummary, ...]:
    """Return the scatter of sigma8 with the encoder's inputs as they are, shuffled and held constant.

    The same shuffles serve with and without the columns beside the encoder, and the errors are those of differences
    over the same catalogs. The first summary is of the model; of an ensemble, whose sigma8 is the mean of its
    members', one of each member follows.

    Parameters
    ----------
    estimator
        Anything that predicts; the names of columns in which it accepts nulls are its ``accepts_missing``.
    batch
        The catalogs; those of unknown sigma8 are set aside.
    rng
        Of shuffles and bootstrap.
    n_shuffles
        Shuffles of either kind.
    max_rows
        Most clusters handed to the estimator at a time.

    Raises
    ------
    InputError
        If fewer than 20 catalogs have a known sigma8.

    Examples
    --------
    >>> from earnest_common.testing import ToyEstimator, toy_batch
    >>> (found,) = ablate(ToyEstimator(), toy_batch(n_catalogs=30, seed=1), rng=np.random.default_rng(1))
    >>> found.cases[0].over_all.is_worse  # its sigma8 is from the number of clusters alone
    False
    """
    known = np.isfinite(batch.label("sigma8").astype(np.float64))
    if known.sum() < FEWEST_CATALOGS:
        raise InputError(
            f"an ablation needs at least {FEWEST_CATALOGS} catalogs of known sigma8, found {int(known.sum())}"
        )
    batch = batch.select(known)
    columns, companions = encoder_columns(estimator), companion_columns(estimator)
    orders = {
        "within": [order_within(batch, rng) for _ in range(n_shuffles)],
        "over_all": [order_over_all(batch, rng) for _ in range(n_shuffles)],
    }
    changed: dict[str, list[CatalogBatch]] = {
        "as_they_are": [batch],
        **{name: [exchanged(batch, columns, order) for order in every] for name, every in orders.items()},
        "constant": [held_constant(batch, columns)],
    }
    truth, weights = batch.label("sigma8").astype(np.float64), bootstrap_weights(batch.n_catalogs, rng=rng)
    trainings = members_of(estimator) or (estimator,)
    cases: list[list[Case]] = []
    frames: list[list[pl.DataFrame]] = []
    for without in [taken for n in range(len(companions) + 1) for taken in combinations(companions, n)]:
        how, take_away = _taking_away(estimator, batch, without)
        inferred = {
            name: _by_training(trainings, [take_away(one) for one in every], max_rows)
            for name, every in changed.items()
        }
        each = [dict(zip(inferred, values, strict=True)) for values in zip(*inferred.values(), strict=True)]
        cases.append([_case({name: values - truth for name, values in one.items()}, weights, how) for one in each])
        taken = "+".join(without)
        frames.append([pl.concat([_frame(batch, taken, *item) for item in one.items()]) for one in each])
    return tuple(
        AblationSummary(
            n_catalogs=batch.n_catalogs,
            columns=columns,
            companions=companions,
            prior_scatter=spread(truth, ddof=1),
            n_shuffles=n_shuffles,
            has_terse=isinstance(estimator, TerseEstimator),
            cases=of_one,
            inferred=pl.concat(tables),
        )
        for of_one, tables in zip(zip(*cases, strict=True), zip(*frames, strict=True), strict=True)
    )


def bootstrap_weights(n: int, *, rng: np.random.Generator, n_resamples: int = N_RESAMPLES) -> FloatArray:
    """Return how often each of n catalogs is drawn in each resample, shape (n_resamples, n)."""
    return rng.multinomial(n, np.full(n, 1 / n), size=n_resamples).astype(np.float64)


def measure_effect(errors: FloatArray, before: FloatArray, weights: FloatArray) -> Effect:
    """Return scatter and change of scatter, with standard errors over resampled catalogs.

    Parameters
    ----------
    errors
        Inferred - true, shape (n_shuffles, n_catalogs).
    before
        The same with the inputs as they are, shape (1, n_catalogs).
    weights
        How often each catalog is drawn, shape (n_resamples, n_catalogs).

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> before = rng.normal(0, 0.02, (1, 500))
    >>> found = measure_effect(2 * before, before, bootstrap_weights(500, rng=rng))
    >>> bool(abs(found.change / before.std(ddof=1) - 1) < 1e-9), bool(found.change_err < found.scatter_err)
    (True, True)
    """
    once = np.ones((1, weights.shape[1]))
    scatter, scatter_before = float(_scatter(errors, once)[0]), float(_scatter(before, once)[0])
    resampled = _scatter(errors, weights)
    return Effect(
        scatter=scatter,
        scatter_err=float(resampled.std(ddof=1)),
        change=scatter - scatter_before,
        change_err=float((resampled - _scatter(before, weights)).std(ddof=1)),
        bias=float(errors.mean()),
    )


def _counts(change: float, error: float, scatter: float) -> bool:
    return change > STANDARD_ERRORS * error and change > NEGLIGIBLE * scatter


def _taking_away(
    estimator: Predictor, batch: CatalogBatch, without: Sequence[str]
) -> tuple[dict[str, Literal["unknown", "constant"]], Callable[[CatalogBatch], CatalogBatch]]:
    """Return how columns are taken away, and the function that does it."""
    accepted = tuple(getattr(estimator, "accepts_missing", ()))
    nulls, needed = [c for c in without if c in accepted], [c for c in without if c not in accepted]
    how: dict[str, Literal["unknown", "constant"]] = {c: "unknown" if c in accepted else "constant" for c in without}
    return how, lambda one: unknown(held_constant(one, needed), nulls)


def _by_training(trainings: Sequence[Predictor], batches: Sequence[CatalogBatch], max_rows: int) -> FloatArray:
    """Return sigma8 of each training, of several their mean first, shape (n, n_batches, n_catalogs)."""
    found = np.array(
        [
            [
                predict(one, batch, max_rows=max_rows).get_column("sigma8").cast(pl.Float64).to_numpy()
                for batch in batches
            ]
            for one in trainings
        ]
    )
    return found if len(found) == 1 else np.concatenate([found.mean(axis=0, keepdims=True), found])


def _case(
    errors: Mapping[str, FloatArray], weights: FloatArray, how: Mapping[str, Literal["unknown", "constant"]]
) -> Case:
    before = errors["as_they_are"]
    effects = {name: measure_effect(values, before, weights) for name, values in errors.items()}
    pairing = measure_effect(errors["over_all"], errors["within"], weights)
    return Case(
        without=tuple(how), how=how, distribution=pairing.change, distribution_err=pairing.change_err, **effects
    )


def _frame(batch: CatalogBatch, without: str, inputs: str, sigma8: FloatArray) -> pl.DataFrame:
    n_shuffles, n_catalogs = sigma8.shape
    return pl.DataFrame(
        {
            "catalog_id": np.tile(batch.label("catalog_id"), n_shuffles),
            "without": [without] * sigma8.size,
            "inputs": [inputs] * sigma8.size,
            "shuffle": np.repeat(np.arange(n_shuffles), n_catalogs),
            "sigma8": sigma8.ravel(),
        }
    )


def _scatter(errors: FloatArray, weights: FloatArray) -> FloatArray:
    """Return the standard deviation of resampled errors, averaged over shuffles, shape (n_resamples,)."""
    n = errors.shape[1]
    centred = errors - errors.mean(axis=1, keepdims=True)
    sums, squares = weights @ centred.T, weights @ (centred**2).T
    variance = np.maximum(squares - sums**2 / n, 0.0) / (n - 1)
    return np.asarray(np.sqrt(variance).mean(axis=1))
