"""How well a model infers sigma8 on catalogs whose true value is known."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, final

import numpy as np
import numpy.typing as npt
import polars as pl
from earnest_common.errors import InputError
from earnest_common.notebook import html_table, plural
from earnest_common.run.numbers import json_ready
from earnest_common.run.seeds import Stage, generator
from earnest_common.spread import SAME_SIGMA8, is_single, skill, spread

from earnest_model.evaluation.labelled_predictions import LabelledPredictions
from earnest_model.evaluation.ranks import ranks, uniformity

__all__ = ["Accuracy", "OtherAccuracy", "accuracy", "bootstrap_error", "thirds"]

FloatArray = npt.NDArray[np.float64]
Three = tuple[float, float, float]
_FEWEST_AT_END = 20
_NAN = float("nan")  # one object, so that results that do not know the same are equal
_UNKNOWN: Three = (_NAN, _NAN, _NAN)


@final
@dataclass(frozen=True, kw_only=True)
class OtherAccuracy:
    """Quality of the estimates of another label; fields as in :class:`Accuracy`."""

    scatter: float
    scatter_err: float
    bias: float
    prior_scatter: float
    skill: float
    coverage_68: float


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
    edge_slope, edge_bias_low, edge_bias_high
        Slope of inferred on true sigma8, and bias in the lowest and highest tenth of its range. A posterior mean
        shrinks to the prior's middle: its slope is near the skill, and the bias positive below and negative above.
    coverage_68, coverage_95
        Share of catalogs whose true value lies in the interval.
    coverage_68_thirds, coverage_95_thirds
        The same in the lower, middle and upper third of the range of true sigma8.
    coverage_68_inferred
        Coverage of the 68 % interval in the lower, middle and upper third of the range of inferred sigma8. A posterior
        promises its coverage to catalogs of one inferred value.
    coverage_68_ends
        The same in the lowest and highest fortieth of the range of true sigma8, on the paper's grid its end values;
        NaN of fewer than 20 catalogs.
    sbc_p_value, tarp_p_value
        Probability of ranks, and of coverage of random regions, as uneven as these if all distributions are right.
    n_catalogs
        Number of catalogs.
    referee_scatter, referee_scatter_err, efficiency
        Scatter of the exact posterior's mean and (referee / scatter)^2, where a referee is at hand.
    referee_scatter_without_grid, efficiency_without_grid
        The same for an estimate that does not use that parameters of the catalogs lie on a grid, where they do.
    referee
        Of what that is the limit.
    catalogs, split, met_in_training
        What the catalogs are called, of which split they are, and whether training met them, where that is known.
    synthetic
        What is emulated in them or in the training.
    note
        What a reader must know besides: that training met the catalogs, some were set aside, or lie far outside what
        the model was trained on.
    undefined
        Why skill, slope, thirds and the tests of ranks are not numbers, where they are not.
    others
        Quality of the other labels that are inferred, each with the scatter of its own prior.
    """

    scatter: float
    scatter_err: float
    bias: float
    prior_scatter: float
    skill: float
    edge_slope: float
    edge_bias_low: float
    edge_bias_high: float
    coverage_68: float
    coverage_95: float
    coverage_68_thirds: Three
    coverage_95_thirds: Three
    coverage_68_inferred: Three
    coverage_68_ends: tuple[float, float]
    sbc_p_value: float
    tarp_p_value: float
    n_catalogs: int
    referee_scatter: float | None = None
    referee_scatter_err: float | None = None
    efficiency: float | None = None
    referee_scatter_without_grid: float | None = None
    efficiency_without_grid: float | None = None
    referee: str | None = None
    catalogs: str = "catalogs"
    split: str | None = None
    met_in_training: bool | None = None
    synthetic: str | None = None
    note: str | None = None
    undefined: str | None = None
    others: Mapping[str, "OtherAccuracy"] = field(default_factory=dict)

    def __repr__(self) -> str:
        """Return one line: scatter with its error beside the prior's, bias, coverage and on what."""
        told = [f"scatter {self.scatter:.4f} +- {self.scatter_err:.4f} (prior {self.prior_scatter:.4f})"]
        told += [f"bias {self.bias:.4f}", f"68 % intervals cover {100 * self.coverage_68:.1f} %"]
        told += [plural(self.n_catalogs, "catalog") + (f" of split {self.split}" if self.split else "")]
        return f"Accuracy({', '.join(told)}{', with emulated parts' if self.synthetic else ''})"

    def _repr_html_(self) -> str:
        shown = ("scatter", "scatter_err", "prior_scatter", "bias", "skill", "coverage_68", "coverage_95")
        more = ("referee_scatter", "efficiency", "catalogs", "n_catalogs", "split", "synthetic", "note")
        return html_table("Accuracy of sigma8", {name: getattr(self, name) for name in (*shown, *more)})

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers by name, ``None`` for those that are undefined."""
        plain: dict[str, Any] = json_ready(dataclasses.asdict(self))
        return plain


def accuracy(found: LabelledPredictions, *, n_resamples: int = 400, seed: int = 0) -> Accuracy:
    """Return scatter, bias, skill, coverage and the tests of the distributions.

    Parameters
    ----------
    found
        True and inferred values.
    n_resamples
        Number of bootstrap samples for the error of the scatter.
    seed
        Seed of the bootstrap and of the random parts of the tests.

    Raises
    ------
    InputError
        If there are fewer than two catalogs.
    """
    residual = found.sigma8 - found.true
    if len(residual) < 2:
        raise InputError(f"scatter needs at least two catalogs, found {len(residual)}")
    prior, scatter = spread(found.true), spread(residual)
    slope, low, high = _edges(found)
    inside = _inside(found.true, found.interval_68)
    sbc, tarp = _rank_tests(found, seed=seed)
    return Accuracy(
        scatter=scatter,
        scatter_err=bootstrap_error(residual, n_resamples=n_resamples, seed=seed),
        bias=float(residual.mean()),
        prior_scatter=prior,
        skill=skill(scatter, prior),
        edge_slope=slope,
        edge_bias_low=low,
        edge_bias_high=high,
        coverage_68=float(inside.mean()),
        coverage_95=float(_inside(found.true, found.interval_95).mean()),
        coverage_68_thirds=_by_third(found.true, inside),
        coverage_95_thirds=_by_third(found.true, _inside(found.true, found.interval_95)),
        coverage_68_inferred=_by_third(found.sigma8, inside),
        coverage_68_ends=_at_ends(found.true, inside),
        sbc_p_value=sbc,
        tarp_p_value=tarp,
        n_catalogs=len(residual),
        undefined=SAME_SIGMA8 if prior == 0 else None,
        others={
            name: _other(found.predictions, name, true, n_resamples=n_resamples, seed=seed)
            for name, true in found.others.items()
        },
    )


def thirds(true: FloatArray) -> npt.NDArray[np.int64]:
    """Return 0, 1 or 2 for the lower, middle or upper third of the range of the true values, shape (n,)."""
    low, high = true.min(), true.max()
    return np.searchsorted(np.linspace(low, high, 4)[1:3], true, side="right").astype(np.int64)


def bootstrap_error(residual: FloatArray, *, n_resamples: int = 400, seed: int = 0) -> float:
    """Return the standard deviation of the scatter over resampled catalogs."""
    rng = generator(seed, Stage.RESAMPLING)
    draws = (residual[rng.integers(len(residual), size=len(residual))] for _ in range(n_resamples))
    return float(np.std([draw.std() for draw in draws]))


def _other(predictions: pl.DataFrame, name: str, true: FloatArray, *, n_resamples: int, seed: int) -> OtherAccuracy:
    value, low, high = (predictions.get_column(name + end).to_numpy() for end in ("", "_lo68", "_hi68"))
    residual = value - true
    scatter, prior = spread(residual), spread(true)
    return OtherAccuracy(
        scatter=scatter,
        scatter_err=bootstrap_error(residual, n_resamples=n_resamples, seed=seed),
        bias=float(residual.mean()),
        prior_scatter=prior,
        skill=skill(scatter, prior),
        coverage_68=float(_inside(true, (low, high)).mean()),
    )


def _inside(true: FloatArray, interval: tuple[FloatArray, FloatArray]) -> npt.NDArray[np.bool_]:
    low, high = interval
    inside: npt.NDArray[np.bool_] = (true >= low) & (true <= high)
    return inside


def _by_third(sigma8: FloatArray, inside: npt.NDArray[np.bool_]) -> Three:
    if is_single(sigma8):
        return _UNKNOWN
    low, middle, high = (_mean(inside[thirds(sigma8) == third].astype(np.float64)) for third in range(3))
    return low, middle, high


def _rank_tests(found: LabelledPredictions, *, seed: int) -> tuple[float, float]:
    """Return the p-values of ranks and of random regions; ranks of one value that is always true are not even."""
    if is_single(found.true):
        return _NAN, _NAN
    told = ranks(found, seed=seed)
    return uniformity(told.pit), uniformity(told.tarp)


def _at_ends(true: FloatArray, inside: npt.NDArray[np.bool_]) -> tuple[float, float]:
    """Return the share inside in the outer fortieths of the range of the true values."""
    width = np.ptp(true) / 40
    low, high = inside[true <= true.min() + width], inside[true >= true.max() - width]
    enough = min(len(low), len(high)) >= _FEWEST_AT_END
    return (float(low.mean()), float(high.mean())) if enough else (_NAN, _NAN)


def _edges(found: LabelledPredictions) -> Three:
    """Return the slope of inferred on true sigma8, and the bias in the outer tenths of its range."""
    true, residual = found.true, found.sigma8 - found.true
    if is_single(true):
        return _UNKNOWN
    tenth = (true.max() - true.min()) / 10
    slope = float(np.cov(true, found.sigma8)[0, 1] / true.var(ddof=1))
    low, high = true <= true.min() + tenth, true >= true.max() - tenth
    return slope, _mean(residual[low]), _mean(residual[high])


def _mean(values: FloatArray) -> float:
    return float(values.mean()) if len(values) else _NAN
