"""What observables say about a cluster's mass: one Gaussian in log10 m per cluster and set of parameters.

With v = log10 m - ``ORIGIN`` and a cluster's data vector d (``data_terms``),

    p(y | v) = exp(ln_norm - (precision v^2 - 2 v (linear . d) + square . d) / 2),

so that all clusters and all sets of parameters are two products of matrices.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, final

import numpy as np
from earnest_common.arrays import FloatArray, FloatLike
from earnest_common.survey.scaling import FACTORS, ScalingRelations, with_factors

from earnest_selfcal.exact_posterior.residuals import ORIGIN, X_RAY, ResidualModel
from earnest_selfcal.survey.measurement_errors import MeasurementErrors

__all__ = ["SHAPE_SCATTER", "MassGaussians", "data_terms", "mass_gaussians"]

SHAPE_SCATTER: Final = 0.71
"""Scatter of ln M as the shapes of gas profiles tell it, in mocks of preset ``paper`` with the EMULATED base sample.

A regression on shapes alone, of clusters of other donors than those it is fitted to (``benchmarks/profile_shapes.py``);
``realistic``, whose apertures are observed, has 0.86. Taken as independent of the residuals of L_X, T and M_gas.
"""

_LN_10 = float(np.log(10.0))
_PERFECT = 1e-4  # dex: the width given to a perfectly known mass


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class MassGaussians:
    """Coefficients for n sets of parameters.

    Attributes
    ----------
    precision, ln_norm
        Shape (n,).
    linear, square
        Shape (n, n_terms).
    """

    precision: FloatArray
    linear: FloatArray
    square: FloatArray
    ln_norm: FloatArray


def data_terms(log10_x: FloatArray, log10_m: FloatArray) -> FloatArray:
    """Return the data vector of each cluster: 1, X-ray observables, their products, masses, their squares.

    Parameters
    ----------
    log10_x
        log10 of the X-ray observables, shape (n_x_ray, n_clusters).
    log10_m
        log10 of the observed masses [solMass], shape (n_masses, n_clusters).

    Returns
    -------
    Shape (n_terms, n_clusters).
    """
    v = log10_m - ORIGIN
    products = [log10_x[i] * log10_x[j] for i, j in _pairs(len(log10_x))]
    return np.stack([np.ones(log10_x.shape[1]), *log10_x, *products, *v, *v**2])


def mass_gaussians(
    values: Mapping[str, FloatArray],
    relations: ScalingRelations,
    residuals: ResidualModel,
    component: int,
    *,
    noise: MeasurementErrors,
    x_ray: tuple[str, ...],
    masses: tuple[str, ...],
) -> MassGaussians:
    """Return the coefficients of one component of the residuals.

    Parameters
    ----------
    values
        Parameters by name, each of shape (n,).
    relations
        The reference relations.
    residuals, component
        The Gaussians of the residuals, and which of them.
    noise
        Errors of measurement.
    x_ray, masses
        The observables in the order of ``data_terms``.
    """
    n, used = len(values["sigma8"]), [X_RAY.index(name) for name in x_ray]
    laws = [getattr(with_factors(relations, {name: values[name] for name in FACTORS}), name) for name in x_ray]
    scatter = _columns([values[f"{name}_scatter"] for name in x_ray], n)
    covariance = residuals.covariance[component][np.ix_(used, used)] * scatter[:, :, None] * scatter[:, None, :]
    inverse = np.linalg.inv(covariance + noise.covariance(x_ray))
    # A residual is log10 x - offset - steep v, of this covariance.
    offset = _columns([law.log10_mean(ORIGIN) + noise.offset(x) for law, x in zip(laws, x_ray, strict=True)], n)
    offset += scatter * residuals.mean[component, used]
    steep = _columns([law.slope for law in laws], n) + scatter * residuals.slope[component, used]
    pulled, held = (np.einsum("ni,nij->nj", one, inverse) for one in (steep, offset))
    pairs = _pairs(len(used))
    products = _columns([(2 - (i == j)) * inverse[:, i, j] for i, j in pairs], n)
    of_mass = _columns([_precision(name, values) for name in masses], n)
    bias = _columns([np.log10(values["m_wl_bias"]) if name == "m_wl" else 0.0 for name in masses], n)
    nothing = np.zeros_like(of_mass)
    # An observed mass less its bias is v, of this precision.
    constant = [
        -(pulled * offset).sum(axis=1) - (of_mass * bias).sum(axis=1),
        (held * offset).sum(axis=1) + (of_mass * bias**2).sum(axis=1),
    ]
    ln_norm = 0.5 * np.linalg.slogdet(inverse)[1] + 0.5 * np.log(of_mass).sum(axis=1)
    return MassGaussians(
        precision=(pulled * steep).sum(axis=1) + of_mass.sum(axis=1),
        linear=np.column_stack([constant[0], pulled, np.zeros_like(products), of_mass, nothing]),
        square=np.column_stack([constant[1], -2 * held, products, -2 * of_mass * bias, of_mass]),
        ln_norm=ln_norm - 0.5 * np.log(2 * np.pi) * (len(x_ray) + len(masses)),
    )


def _precision(name: str, values: Mapping[str, FloatArray]) -> FloatArray:
    """Return 1 / variance [dex^-2] of an observed log10 mass."""
    fixed = {"m_shape": SHAPE_SCATTER / _LN_10, "m_500c": _PERFECT}
    scatter = values["m_wl_scatter"] / _LN_10 if name == "m_wl" else np.full(len(values["sigma8"]), fixed[name])
    return np.asarray(1 / np.maximum(scatter, _PERFECT) ** 2)


def _columns(values: list[FloatLike] | list[FloatArray], n: int) -> FloatArray:
    """Return numbers or arrays of shape (n,) side by side, shape (n, n_columns)."""
    return np.stack([np.broadcast_to(one, (n,)) for one in values], axis=1) if values else np.zeros((n, 0))


def _pairs(n: int) -> list[tuple[int, int]]:
    return [(i, j) for i in range(n) for j in range(i, n)]
