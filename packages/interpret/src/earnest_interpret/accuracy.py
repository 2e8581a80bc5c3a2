"""How far the inferred sigma8 is from the truth, beside how far a guess from the prior would be."""

from dataclasses import dataclass
from typing import final

import numpy as np
import polars as pl
from earnest_common.arrays import FloatArray
from earnest_common.spread import skill, spread

__all__ = ["Accuracy", "summarise_accuracy"]


@final
@dataclass(frozen=True, kw_only=True)
class Accuracy:
    """Errors of the inferred sigma8 over labelled catalogs.

    Attributes
    ----------
    n_catalogs
        Catalogs with a known sigma8.
    scatter, scatter_err
        Standard deviation of inferred - true, and its standard error for normal errors.
    bias, bias_err
        Mean of inferred - true, and its standard error.
    prior_scatter
        Standard deviation of the true values: the scatter of a guess that ignores the data.
    skill
        1 - (scatter / prior_scatter)^2; NaN if all true values are the same.
    coverage_68
        Fraction of true values inside the 68 % interval; NaN if the model gives none.
    """

    n_catalogs: int
    scatter: float
    scatter_err: float
    bias: float
    bias_err: float
    prior_scatter: float
    skill: float
    coverage_68: float


def summarise_accuracy(predictions: pl.DataFrame, sigma8: FloatArray) -> Accuracy | None:
    """Return the accuracy over catalogs with a known sigma8; None if fewer than three have one.

    Parameters
    ----------
    predictions
        One row per catalog (schema ``PREDICTIONS``).
    sigma8
        True values, NaN where unknown, shape (n_catalogs,).

    Examples
    --------
    >>> truth = np.array([0.7, 0.8, 0.9])
    >>> frame = pl.DataFrame({"sigma8": truth + 0.01, "sigma8_lo68": truth - 0.1, "sigma8_hi68": truth + 0.1})
    >>> found = summarise_accuracy(frame, truth)
    >>> round(found.bias, 6), round(found.skill, 6), found.coverage_68
    (0.01, 1.0, 1.0)
    """
    known = np.isfinite(sigma8)
    n = int(known.sum())
    if n < 3:
        return None
    truth = sigma8[known]
    inferred, low, high = (
        predictions.get_column(name).to_numpy()[known] for name in ("sigma8", "sigma8_lo68", "sigma8_hi68")
    )
    error = inferred - truth
    scatter, prior = spread(error, ddof=1), spread(truth, ddof=1)
    given = np.isfinite(low) & np.isfinite(high)
    inside = (truth >= low) & (truth <= high)
    return Accuracy(
        n_catalogs=n,
        scatter=scatter,
        scatter_err=scatter / np.sqrt(2 * (n - 1)),
        bias=float(error.mean()),
        bias_err=scatter / np.sqrt(n),
        prior_scatter=prior,
        skill=skill(scatter, prior),
        coverage_68=float(inside[given].mean()) if given.any() else float("nan"),
    )
