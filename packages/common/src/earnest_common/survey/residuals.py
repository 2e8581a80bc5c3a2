"""Residuals about scaling relations as a function of mass: their local means and covariances."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, final

import numpy as np

from earnest_common.arrays import FloatArray
from earnest_common.errors import InputError

__all__ = ["ResidualMoments"]

_PAIRS = tuple((i, j) for i in range(3) for j in range(i, 3))


@final
@dataclass(frozen=True, kw_only=True)
class ResidualMoments:
    """First and second moments of the residuals of log10 l_x, t_x and m_gas at given masses.

    Residuals are in units of the scatter of each relation, so that a factor of the scatter changes none of them.
    Between the masses the moments are interpolated, beyond them they stay constant.

    Attributes
    ----------
    log10_m
        Rising log10 masses [solMass], n of them.
    mean
        Mean residual of each observable, n rows of three: relations that bend have means other than zero.
    covariance
        n rows of the six covariances l_x-l_x, l_x-t_x, l_x-m_gas, t_x-t_x, t_x-m_gas, m_gas-m_gas.

    Raises
    ------
    InputError
        If sizes differ, a number is not finite, masses do not rise or a variance is negative.
    """

    log10_m: tuple[float, ...]
    mean: tuple[tuple[float, ...], ...]
    covariance: tuple[tuple[float, ...], ...]

    def __post_init__(self) -> None:
        n = len(self.log10_m)
        shapes = [np.shape(self.mean) == (n, 3), np.shape(self.covariance) == (n, len(_PAIRS)), n > 0]
        if not all(shapes):
            raise InputError(
                f"residual moments of {n} masses need {n} rows of 3 means and of {len(_PAIRS)} covariances"
            )
        values = np.concatenate([np.ravel(self.log10_m), np.ravel(self.mean), np.ravel(self.covariance)])
        if not np.isfinite(values).all() or (np.diff(self.log10_m) <= 0).any():
            raise InputError("residual moments: all numbers must be finite and the masses must rise")
        if min(np.linalg.eigvalsh(matrix).min() for matrix in self._matrices(np.array(self.covariance))) < -1e-6:
            raise InputError("residual moments are impossible: a covariance has a negative eigenvalue")

    def at(self, log10_m: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return mean, shape (n, 3), and covariance, shape (n, 3, 3), at each log10 mass [solMass].

        Examples
        --------
        >>> moments = ResidualMoments(log10_m=(14.0,), mean=((0.0, 0.0, 0.1),), covariance=((1, 0, 0, 1, -0.5, 1),))
        >>> mean, covariance = moments.at(np.array([13.8, 14.5]))
        >>> mean[:, 2].tolist(), covariance[0, 1].tolist()
        ([0.1, 0.1], [0.0, 1.0, -0.5])
        """

        def interpolated(rows: tuple[tuple[float, ...], ...]) -> FloatArray:
            return np.stack([np.interp(log10_m, self.log10_m, one) for one in np.array(rows, dtype=float).T], axis=-1)

        return interpolated(self.mean), self._matrices(interpolated(self.covariance))

    @staticmethod
    def _matrices(rows: FloatArray) -> FloatArray:
        matrix = np.empty((*rows.shape[:-1], 3, 3))
        for k, (i, j) in enumerate(_PAIRS):
            matrix[..., i, j] = matrix[..., j, i] = rows[..., k]
        return matrix

    @classmethod
    def of(cls, log10_m: FloatArray, *, mean: FloatArray, covariance: FloatArray) -> "ResidualMoments":
        """Return the moments of arrays of shapes (n,), (n, 3) and (n, 3, 3), rounded to nine decimals."""
        packed = np.stack([covariance[:, i, j] for i, j in _PAIRS], axis=1)
        rows = [tuple(map(tuple, (np.round(values, 9) + 0.0).tolist())) for values in (mean, packed)]
        return cls(log10_m=tuple(np.round(log10_m, 9).tolist()), mean=rows[0], covariance=rows[1])

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> "ResidualMoments":
        """Return the moments that :meth:`to_record` wrote."""
        rows = {name: tuple(tuple(map(float, row)) for row in record[name]) for name in ("mean", "covariance")}
        return cls(log10_m=tuple(map(float, record["log10_m"])), **rows)

    def to_record(self) -> dict[str, Any]:
        """Return the moments as plain lists, ready for JSON."""
        return asdict(self)
