"""Intervals that cover what they say: a conformal factor on their width, fitted on validation catalogs."""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import numpy.typing as npt

from earnest_model.data.arrays import Arrays
from earnest_model.data.missing import lacking
from earnest_model.networks.distribution import Histogram

__all__ = ["Calibration", "calibration_for", "fit_calibration", "missing_key"]

FloatArray = npt.NDArray[np.float64]


@final
@dataclass(frozen=True, kw_only=True)
class Calibration:
    """Factors on the distance between the median and the ends of the central 68 % and 95 % intervals.

    Attributes
    ----------
    factor_68, factor_95
        Above 1 where the network is too sure of itself; numbers, or one for each catalog, shape (n,).
    n_catalogs
        Number of validation catalogs they were fitted on; 0 if not fitted.
    """

    factor_68: float | FloatArray = 1.0
    factor_95: float | FloatArray = 1.0
    n_catalogs: int = 0

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> "Calibration":
        """Return the calibration stored in a bundle."""
        return cls(**{field.name: record[field.name] for field in dataclasses.fields(cls)})

    def as_dict(self) -> dict[str, Any]:
        """Return the numbers by name."""
        return dataclasses.asdict(self)

    def interval(
        self, histogram: Histogram, probability: FloatArray, *, level: float = 0.68
    ) -> tuple[FloatArray, FloatArray]:
        """Return the ends of the central interval of level 0.68 or 0.95, each of shape (n,)."""
        factor = {0.68: self.factor_68, 0.95: self.factor_95}[level]
        low, median, high = _central(histogram, probability, level)
        floor, ceiling = histogram.edges[0], histogram.edges[-1]
        return (
            np.maximum(median - factor * (median - low), floor),
            np.minimum(median + factor * (high - median), ceiling),
        )


def fit_calibration(histogram: Histogram, probability: FloatArray, sigma8: FloatArray) -> Calibration:
    r"""Return the factors with which the intervals cover validation catalogs (split conformal prediction).

    The score of a catalog is the factor that would just reach its true value; the factor for level L is the
    :math:`\lceil (n + 1) L \rceil`-th smallest of n scores, which covers a new catalog with probability at least L.

    Parameters
    ----------
    histogram, probability
        Predictive distributions of validation catalogs, shape (n, n_bins).
    sigma8
        Their true values, shape (n,).

    References
    ----------
    Romano, Patterson, Candes 2019 (arXiv:1905.03222), in its multiplicative form.
    """
    factors = {}
    for level in (0.68, 0.95):
        low, median, high = _central(histogram, probability, level)
        below = (median - sigma8) / np.maximum(median - low, 1e-12)
        above = (sigma8 - median) / np.maximum(high - median, 1e-12)
        scores = np.sort(np.maximum(below, above))
        position = min(int(np.ceil((len(scores) + 1) * level)), len(scores)) - 1
        factors[level] = float(max(scores[position], 1e-3))
    return Calibration(factor_68=factors[0.68], factor_95=factors[0.95], n_catalogs=len(sigma8))


def missing_key(columns: Sequence[str], missing: Iterable[bool]) -> str:
    """Return under which name a bundle keeps the constants of catalogs that lack some columns.

    Examples
    --------
    >>> missing_key(("l_x", "m_wl"), (True, True))
    'l_x+m_wl'
    """
    return "+".join(name for name, gone in zip(columns, missing, strict=True) if gone)


def calibration_for(record: Mapping[str, Any], arrays: Arrays, columns: Sequence[str]) -> Mapping[str, Any]:
    """Return the constants of a bundle for each catalog, by the columns that it lacks.

    Parameters
    ----------
    record
        Constants of catalogs that have all columns, and under ``without`` those of others, by :func:`missing_key`.
    arrays
        The catalogs.
    columns
        Columns that may be missing: none, or all supplementary ones.
    """
    missing = lacking(arrays)
    if not columns or not missing.any():
        return record
    keys = [missing_key(columns, row) for row in missing]
    records = [record["without"][key] if key else record for key in keys]
    return _stacked(records, [name for name in record if name != "without"])


def _stacked(records: Sequence[Mapping[str, Any]], names: Iterable[str]) -> dict[str, Any]:
    """Return one record of arrays from a record for each catalog."""
    return {
        name: _stacked([one[name] for one in records], records[0][name])
        if isinstance(records[0][name], Mapping)
        else np.array([one[name] for one in records])
        for name in names
    }


def _central(histogram: Histogram, probability: FloatArray, level: float) -> tuple[FloatArray, FloatArray, FloatArray]:
    tail = (1 - level) / 2
    low, median, high = (histogram.quantile(probability, q) for q in (tail, 0.5, 1 - tail))
    return low, median, high
