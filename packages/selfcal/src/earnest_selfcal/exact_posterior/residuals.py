"""How observables scatter about their scaling relations at fixed mass: a mixture of Gaussians in the logarithms."""

from dataclasses import dataclass
from typing import final

import numpy as np
from earnest_common.arrays import FloatArray
from earnest_common.survey.scaling import ResidualCorrelation, ScalingRelations

__all__ = ["ORIGIN", "X_RAY", "ResidualModel", "lognormal"]

X_RAY = ("l_x", "t_x", "m_gas")
"""The order of residuals in every array."""
ORIGIN = 14.0
"""log10 of the mass [solMass] from which masses are counted."""


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class ResidualModel:
    r"""Residuals r of log10 l_x, t_x, m_gas [dex], for scatter factors of one, given v = log10 m - ``ORIGIN``.

    .. math:: p(r | v) = \sum_k w_k(v) N(r; \mu_k + B_k v, C_k), \quad
              w_k(v) \propto \pi_k N(v; c_k, \sigma_k^2).

    Attributes
    ----------
    mean, slope
        mu_k and B_k, shape (n_components, 3).
    covariance
        C_k [dex^2], shape (n_components, 3, 3).
    share, centre, width
        pi_k, c_k and sigma_k, shape (n_components,).
    origin
        Where the model comes from, in words.
    """

    mean: FloatArray
    slope: FloatArray
    covariance: FloatArray
    share: FloatArray
    centre: FloatArray
    width: FloatArray
    origin: str

    @property
    def n_components(self) -> int:
        """The number of Gaussians."""
        return len(self.share)

    def ln_weight(self, log10_m: FloatArray) -> FloatArray:
        """Return ln w_k at each log10 mass [solMass], shape (n_components, n)."""
        v = log10_m - ORIGIN
        ln_joint = (
            np.log(self.share / self.width)[:, None] - 0.5 * ((v - self.centre[:, None]) / self.width[:, None]) ** 2
        )
        return np.asarray(ln_joint - np.logaddexp.reduce(ln_joint, axis=0))

    def draw(self, log10_m: FloatArray, *, rng: np.random.Generator) -> FloatArray:
        """Return residuals [dex], one set per log10 mass [solMass], shape (n, 3)."""
        cumulative = np.cumsum(np.exp(self.ln_weight(log10_m)), axis=0)
        which = np.minimum((rng.random(len(log10_m)) > cumulative).sum(axis=0), self.n_components - 1)
        normal = rng.standard_normal((len(log10_m), 3))
        roots = np.stack([_root(one) for one in self.covariance])
        scattered = np.einsum("nij,nj->ni", roots[which], normal)
        return np.asarray(self.mean[which] + self.slope[which] * (log10_m - ORIGIN)[:, None] + scattered)


def lognormal(relations: ScalingRelations, correlation: ResidualCorrelation) -> ResidualModel:
    """Return the analytic model: one Gaussian of constant scatter and correlation, the same at all masses.

    Examples
    --------
    >>> from earnest_common.survey.scaling import TABLE_2
    >>> lognormal(TABLE_2, ResidualCorrelation()).covariance[0].diagonal().round(4)
    array([0.0169, 0.0009, 0.01  ])
    """
    scatter = np.array([getattr(relations, name).scatter for name in X_RAY])
    return ResidualModel(
        mean=np.zeros((1, 3)),
        slope=np.zeros((1, 3)),
        covariance=(correlation.matrix * np.outer(scatter, scatter))[None],
        share=np.ones(1),
        centre=np.zeros(1),
        width=np.ones(1),
        origin="lognormal residuals of constant scatter and correlation",
    )


def _root(covariance: FloatArray) -> FloatArray:
    """Return a matrix root that also exists where a correlation is exactly one."""
    values, vectors = np.linalg.eigh(covariance)
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0.0)))
