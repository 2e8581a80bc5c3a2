"""Power laws fitted to clusters."""

import numpy as np
from earnest_common.arrays import FloatArray
from earnest_common.survey.scaling import TABLE_2, PowerLaw, ScalingRelations

__all__ = ["OBSERVABLES", "fit_relations", "mean_observables", "power_law_of", "residuals_of"]

OBSERVABLES = ("l_x", "t_x", "m_gas")
"""The order of every array of observables or residuals in this package."""


def fit_relations(log10_m: FloatArray, observables: FloatArray) -> ScalingRelations:
    """Fit one power law per observable by least squares in the logarithms; the scatter is the rms residual.

    Parameters
    ----------
    log10_m
        log10 of m_500c [solMass], shape (n,).
    observables
        log10 of l_x, t_x and m_gas, shape (n, 3).

    References
    ----------
    Ntampaka & Vikhlinin (arXiv:2112.05768), table 1 (note a) and table 2.

    Examples
    --------
    >>> x = np.linspace(13.8, 14.8, 5)
    >>> relations = fit_relations(x, np.stack([1.74 * x, 0.61 * x, 1.16 * x], axis=1))
    >>> round(relations.l_x.slope, 9)
    1.74
    """
    return ScalingRelations(**{name: power_law_of(log10_m, observables[:, i]) for i, name in enumerate(OBSERVABLES)})


def power_law_of(log10_m: FloatArray, log10_x: FloatArray) -> PowerLaw:
    """Fit one power law as :func:`fit_relations` does; log10_x has shape (n,)."""
    pivot = TABLE_2.l_x.log10_pivot
    (slope,), (mean_y,), mean_x = _least_squares(log10_m, log10_x[:, None])
    return PowerLaw(
        log10_normalisation=float(mean_y + slope * (pivot - mean_x)),
        slope=float(slope),
        log10_pivot=pivot,
        scatter=float(np.sqrt(np.mean(residuals_of(log10_m, log10_x[:, None]) ** 2))),
    )


def residuals_of(log10_m: FloatArray, values: FloatArray) -> FloatArray:
    """Return what a straight line in log10 m leaves of each column of values, shape (n, k)."""
    slope, mean_y, mean_x = _least_squares(log10_m, values)
    return values - mean_y - slope * (log10_m - mean_x)[:, None]


def mean_observables(relations: ScalingRelations, log10_m: FloatArray) -> FloatArray:
    """Return the mean log10 of l_x, t_x and m_gas at each mass, shape (n, 3)."""
    return np.stack([np.asarray(getattr(relations, name).log10_mean(log10_m)) for name in OBSERVABLES], axis=1)


def _least_squares(log10_m: FloatArray, values: FloatArray) -> tuple[FloatArray, FloatArray, float]:
    """Return slopes (k,), mean values (k,) and the mean of log10 m."""
    mean_x = float(np.mean(log10_m))
    mean_y = np.mean(values, axis=0)
    x = (log10_m - mean_x)[:, None]
    return np.sum(x * (values - mean_y), axis=0) / np.sum(x**2), mean_y, mean_x
