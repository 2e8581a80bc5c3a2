"""How well the referee's posteriors meet the truth."""

from typing import Any

import numpy as np
import polars as pl
from earnest_common.arrays import FloatArray
from earnest_common.errors import InputError
from earnest_common.posterior import Posterior
from earnest_common.spread import scatter_error, spread

__all__ = ["inside", "rank", "score"]

_FEW = 100.0  # effective samples below which a posterior mean is off by a tenth of its error


def inside(posterior: Posterior, true: float, share: float) -> float:
    """Return how much of the true value lies in the central interval: 0 or 1, or a part for a value on a grid.

    A cell of a gridded prior stands for a step of sigma8: the part of the truth's cell that the interval holds makes
    the expected coverage exactly ``share``.
    """
    low, high = posterior.interval(share)
    half = 0.5 * float(posterior.widths[0])
    if not _at_node(posterior, true):
        return float(low <= true <= high)
    return float(np.clip((min(high, true + half) - max(low, true - half)) / (2 * half), 0.0, 1.0))


def rank(posterior: Posterior, true: float, *, rng: np.random.Generator) -> float:
    """Return the share of the posterior below the true value, which is uniform from 0 to 1 if posteriors are right.

    A value on a grid has a cell of probability, of which a random part counts as below.

    References
    ----------
    Talts et al. 2018 (arXiv:1804.06788).
    """
    u = rng.random()
    if not _at_node(posterior, true):
        return float(posterior.cdf(true))
    below = posterior.middles < true - 0.5 * posterior.widths[0]
    nearest = int(np.argmin(np.abs(posterior.middles - true)))
    return float(posterior.probability[below].sum() + u * posterior.probability[nearest])


def _at_node(posterior: Posterior, true: float) -> bool:
    """Return whether the true value is one of a grid's."""
    return bool(np.abs(posterior.middles - true).min() <= 1e-9 * abs(true))


def score(verdicts: pl.DataFrame, *, prior_scatter: float) -> dict[str, Any]:
    """Return the numbers of many catalogs; those that need the truth are None where it is unknown.

    Parameters
    ----------
    verdicts
        One row per catalog: sigma8, sigma8_err, sigma8_true, inside_68, inside_95, ess, numerical_error.
    prior_scatter
        Standard deviation of the prior of sigma8.

    Raises
    ------
    InputError
        If there are no catalogs.
    """
    if verdicts.is_empty():
        raise InputError("there are no catalogs to referee")
    column = {name: verdicts.get_column(name).cast(pl.Float64).to_numpy() for name in _COLUMNS}
    expected = float(np.sqrt(np.mean(column["sigma8_err"] ** 2)))
    numbers: dict[str, Any] = {
        "n_catalogs": len(verdicts),
        "expected_scatter": expected,
        "expected_scatter_err": _mean_error(column["sigma8_err"] ** 2) / (2 * expected)
        if len(verdicts) > 1 and expected > 0
        else None,
        "prior_scatter": prior_scatter,
        "ess_min": float(column["ess"].min()),
        "ess_median": float(np.median(column["ess"])),
        "n_low_ess": int((column["ess"] < _FEW).sum()),
        "numerical_error": float(np.sqrt(np.mean(column["numerical_error"] ** 2))),
    }
    known = np.isfinite(column["sigma8_true"])
    return {**_against_truth(column, known), **numbers}


_COLUMNS = ("sigma8", "sigma8_err", "sigma8_true", "inside_68", "inside_95", "ess", "numerical_error")


def _against_truth(column: dict[str, FloatArray], known: FloatArray) -> dict[str, Any]:
    names = ("scatter", "scatter_err", "bias", "coverage_68", "coverage_68_err", "coverage_95")
    if known.sum() < 2:
        return dict.fromkeys(names)
    error = (column["sigma8"] - column["sigma8_true"])[known]
    coverage = float(column["inside_68"][known].mean())
    return {
        "scatter": spread(error),
        "scatter_err": scatter_error(error),
        "bias": float(error.mean()),
        "coverage_68": coverage,
        "coverage_68_err": float(np.sqrt(0.6827 * 0.3173 / len(error))),
        "coverage_95": float(column["inside_95"][known].mean()),
    }


def _mean_error(values: FloatArray) -> float:
    return float(values.std(ddof=1) / np.sqrt(len(values)))
