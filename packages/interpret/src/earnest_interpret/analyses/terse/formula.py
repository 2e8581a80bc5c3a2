"""A short formula for the terse value: linear in the logarithms that the encoder reads (paper, section 5.3).

Y_X weights temperature and gas mass alike, 1:1 in the logarithm; what does the encoder do?
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from earnest_common.arrays import FloatArray
from earnest_common.spread import is_single

__all__ = ["ClosedForm", "ClosedForms", "closed_forms"]


_SURE = 3.0
"""Errors by which a slope must differ from zero before something is divided by it."""

_TINY = 1e-3
"""Smallest slope, relative to the other, that is divided by, however well it is known."""


@final
@dataclass(frozen=True, kw_only=True)
class ClosedForm:
    """terse = constant + sum of slope times input.

    Attributes
    ----------
    names, slopes, errors
        Inputs, change of the terse value per dex (or unit) of each, and its standard error if clusters are independent.
    constant
        Terse value where all inputs are zero.
    r_squared
        Share of the variance of the terse value that the formula explains.
    """

    names: tuple[str, ...]
    slopes: tuple[float, ...]
    errors: tuple[float, ...]
    constant: float
    r_squared: float

    def __call__(self, inputs: FloatArray, names: Sequence[str]) -> FloatArray:
        """Return the formula's terse values for inputs of shape (n_clusters, n_features)."""
        columns = [list(names).index(name) for name in self.names]
        return np.asarray(self.constant + inputs[:, columns] @ np.array(self.slopes), dtype=np.float64)

    @property
    def gas_per_temperature(self) -> float:
        """Summed slope with gas mass over the slope with temperature: 1 for Y_X.

        It is NaN without a temperature, and where the slope with temperature is within three of its errors of zero.
        """
        slopes = dict(zip(self.names, self.slopes, strict=True))
        gas = sum(slope for name, slope in slopes.items() if name.startswith("log10_m_gas"))
        temperature, error = slopes.get("log10_t_x", 0.0), dict(zip(self.names, self.errors, strict=True))
        is_known = abs(temperature) > max(_SURE * error.get("log10_t_x", 0.0), _TINY * abs(gas))
        return gas / temperature if is_known else float("nan")


@final
@dataclass(frozen=True, kw_only=True)
class ClosedForms:
    """Formulas from short to long.

    Attributes
    ----------
    pair, gas
        The temperature and the gas mass within the best single radius, or within all; ``None`` if the encoder lacks
        one of them.
    best
        The best one, two and three inputs, each added to those before.
    all_inputs
        All inputs.
    """

    pair: ClosedForm | None
    gas: ClosedForm | None
    best: tuple[ClosedForm, ...]
    all_inputs: ClosedForm


def closed_forms(
    terse: FloatArray, inputs: FloatArray, names: Sequence[str], *, longest: int = 3
) -> ClosedForms | None:
    """Return least-squares formulas; ``None`` if the terse value does not vary or there are too few clusters.

    Parameters
    ----------
    terse
        Terse values, shape (n_clusters,).
    inputs
        Unscaled inputs (log10 where the encoder reads a logarithm), shape (n_clusters, n_features).
    names
        Names of the inputs.
    longest
        Most inputs of a short formula.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> inputs = rng.normal(size=(100, 3))
    >>> names = ["log10_t_x", "log10_m_gas_profile_1", "log10_m_gas_profile_2"]
    >>> found = closed_forms(2 * inputs[:, 0] + inputs[:, 2], inputs, names)
    >>> found.pair.names, round(found.pair.gas_per_temperature, 6), round(found.pair.r_squared, 6)
    (('log10_t_x', 'log10_m_gas_profile_2'), 0.5, 1.0)
    """
    if len(terse) <= inputs.shape[1] + 1 or is_single(terse):
        return None
    gas = tuple(j for j, name in enumerate(names) if name.startswith("log10_m_gas"))
    pair = whole = None
    if "log10_t_x" in names and gas:
        temperature = list(names).index("log10_t_x")
        pair = max((_fit(terse, inputs, names, (temperature, j)) for j in gas), key=lambda form: form.r_squared)
        whole = _fit(terse, inputs, names, (temperature, *gas))
    best: list[ClosedForm] = []
    chosen: tuple[int, ...] = ()
    for _ in range(min(longest, len(names))):
        rest = [j for j in range(len(names)) if j not in chosen]
        fits = {j: _fit(terse, inputs, names, (*chosen, j)) for j in rest}
        added = max(fits, key=lambda j: fits[j].r_squared)
        chosen = (*chosen, added)
        best.append(fits[added])
    everything = _fit(terse, inputs, names, tuple(range(len(names))))
    return ClosedForms(pair=pair, gas=whole, best=tuple(best), all_inputs=everything)


def _fit(terse: FloatArray, inputs: FloatArray, names: Sequence[str], columns: tuple[int, ...]) -> ClosedForm:
    x = inputs[:, list(columns)]
    mean, height = x.mean(axis=0), float(terse.mean())
    slopes = np.linalg.lstsq(x - mean, terse - height, rcond=None)[0]
    left = terse - height - (x - mean) @ slopes
    variance = float(left @ left) / max(len(terse) - len(columns) - 1, 1)
    return ClosedForm(
        names=tuple(names[j] for j in columns),
        slopes=tuple(float(slope) for slope in slopes),
        errors=tuple(float(error) for error in np.sqrt(variance) * _unit_errors(x - mean)),
        constant=height - float(mean @ slopes),
        r_squared=1 - float(left @ left) / float(np.sum((terse - height) ** 2)),
    )


def _unit_errors(x: FloatArray) -> FloatArray:
    """Return the standard errors of slopes for residuals of variance 1: the root of the diagonal of 1 / (x^T x)."""
    _, size, axes = np.linalg.svd(x, full_matrices=False)
    kept = size > np.finfo(np.float64).eps * max(x.shape) * size.max()
    return np.asarray(np.sqrt(np.sum((axes[kept] / size[kept, None]) ** 2, axis=0)), dtype=np.float64)
