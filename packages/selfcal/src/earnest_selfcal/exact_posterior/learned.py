"""Residuals learned from catalogs whose masses and factors are known, as a smooth density.

Mocks that borrow residuals from simulated clusters have scatter that depends on mass, is skewed and correlated. A
mixture of Gaussians in (log10 m, residuals) follows that, and is smooth, so that it does not recognise the individual
clusters that were borrowed from.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import final

import numpy as np
from earnest_common.arrays import FloatArray
from earnest_common.catalogs.batch import CatalogBatch
from earnest_common.errors import InputError
from earnest_common.survey.presets import Preset
from earnest_common.survey.scaling import FACTORS, with_factors

from earnest_selfcal.exact_posterior.residuals import ORIGIN, X_RAY, ResidualModel

__all__ = ["KnownClusters", "fit_mixture", "learn_residuals", "standardised"]

_FEWEST = 2000
_MOST = 40_000
_LARGEST_WEIGHT = 30.0
_FLOOR = 1e-6  # dex^2, added to the variances
_ROUNDS = 200
_CONVERGED = 1e-5


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class KnownClusters:
    """Clusters with true masses.

    Attributes
    ----------
    v
        log10 m - ``ORIGIN``, shape (n,).
    residuals
        Offsets of log10 l_x, t_x, m_gas from their catalogs' relations, divided by the catalogs' scatter factors [dex],
        shape (n, 3).
    weight
        How many clusters of the volume each stands for, shape (n,).
    """

    v: FloatArray
    residuals: FloatArray
    weight: FloatArray


def standardised(batch: CatalogBatch, preset: Preset) -> KnownClusters:
    """Return the residuals of a batch whose truth is known.

    Parameters
    ----------
    batch
        Catalogs with their factors, clusters with m_500c.
    preset
        The relations that the factors multiply, and the selection.
    """
    row = batch.segment_ids
    factors = {name: batch.label(name)[row] for name in FACTORS}
    factors["t_x_calibration"] = np.nan_to_num(factors["t_x_calibration"], nan=1.0)  # sets of earlier releases
    relations = with_factors(preset.relations, factors)
    log10_m = np.log10(batch.column("m_500c"))
    log10_x = {name: np.log10(batch.column(name)) for name in X_RAY}
    residuals = [
        (log10_x[name] - getattr(relations, name).log10_mean(log10_m)) / factors[f"{name}_scatter"] for name in X_RAY
    ]
    weight = np.ones(len(log10_m))
    if preset.survey.cut == "flux":
        # A selected luminosity says something about its residual; what was selected less often counts for more.
        share = preset.survey.detection_probability(log10_m, log10_x["l_x"], relations.l_x)
        weight = np.minimum(1 / np.maximum(share, 1e-9), _LARGEST_WEIGHT)
    return KnownClusters(v=log10_m - ORIGIN, residuals=np.stack(residuals, axis=1), weight=weight)


def learn_residuals(
    batches: Iterable[CatalogBatch], preset: Preset, *, n_components: int = 6, rng: np.random.Generator
) -> ResidualModel:
    """Return the residual model of catalogs, such as the training split of a set of mocks (some seconds).

    Parameters
    ----------
    batches
        Catalogs whose truth is known.
    preset
        Their survey.
    n_components
        Gaussians of the mixture.
    rng
        Chooses clusters where there are more than 40,000.

    Raises
    ------
    InputError
        If masses or factors are unknown, or there are fewer than 2,000 clusters.
    """
    parts = [standardised(batch, preset) for batch in batches if batch.n_clusters]
    if not parts:
        raise InputError("there are no clusters to learn residuals from; use lognormal residuals")
    v, weight = np.concatenate([p.v for p in parts]), np.concatenate([p.weight for p in parts])
    residuals = np.concatenate([p.residuals for p in parts])
    known = np.isfinite(v) & np.isfinite(residuals).all(axis=1)
    if known.sum() < _FEWEST:
        raise InputError(
            f"residuals can be learned from {_FEWEST} clusters or more whose mass, observables and factors are known; "
            f"found {int(known.sum())} of {len(v)}; use lognormal residuals"
        )
    chosen = np.flatnonzero(known)
    if len(chosen) > _MOST:
        chosen = np.sort(rng.choice(chosen, _MOST, replace=False))
    flat = weight[chosen] * _flattening(v[chosen], weight[chosen])
    return fit_mixture(v[chosen], residuals[chosen], weight=flat, n_components=n_components)


def fit_mixture(v: FloatArray, residuals: FloatArray, *, weight: FloatArray, n_components: int) -> ResidualModel:
    """Fit a mixture of Gaussians in (v, residuals) by expectation maximisation, and condition it on v.

    Parameters
    ----------
    v
        log10 m - ``ORIGIN``, shape (n,).
    residuals
        Shape (n, 3) [dex].
    weight
        Weight of each cluster, shape (n,).
    n_components
        Gaussians.
    """
    x = np.column_stack([v, residuals])
    weight = weight / weight.sum()
    ranks = np.argsort(np.argsort(v)) * n_components // len(v)
    member = np.eye(n_components)[ranks].T
    last = -np.inf
    for _ in range(_ROUNDS):
        share, mean, covariance = _moments(x, member * weight)
        ln_joint = np.stack([_ln_gaussian(x, *one) for one in zip(share, mean, covariance, strict=True)])
        ln_total = np.logaddexp.reduce(ln_joint, axis=0)
        member = np.exp(ln_joint - ln_total)
        if (now := float(weight @ ln_total)) - last < _CONVERGED:
            break
        last = now
    variance = covariance[:, 0, 0]
    slope = covariance[:, 0, 1:] / variance[:, None]
    return ResidualModel(
        mean=mean[:, 1:] - slope * mean[:, :1],
        slope=slope,
        covariance=covariance[:, 1:, 1:] - slope[:, :, None] * covariance[:, :1, 1:],
        share=share,
        centre=mean[:, 0],
        width=np.sqrt(variance),
        origin=f"mixture of {n_components} Gaussians fitted to the residuals of {len(v)} clusters of known mass",
    )


def _moments(x: FloatArray, weight: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return share, mean and covariance of each component from weights of shape (n_components, n)."""
    share = weight.sum(axis=1)
    mean = weight @ x / share[:, None]
    covariance = np.stack([((x - m).T * w) @ (x - m) / s for m, w, s in zip(mean, weight, share, strict=True)])
    return share, mean, covariance + _FLOOR * np.eye(x.shape[1])


def _ln_gaussian(x: FloatArray, share: float, mean: FloatArray, covariance: FloatArray) -> FloatArray:
    root = np.linalg.cholesky(covariance)
    z = np.linalg.solve(root, (x - mean).T)
    ln_volume = np.log(np.diag(root)).sum() + 0.5 * x.shape[1] * np.log(2 * np.pi)
    return np.asarray(np.log(share) - 0.5 * (z**2).sum(axis=0) - ln_volume)


def _flattening(v: FloatArray, weight: FloatArray) -> FloatArray:
    """Return factors that make all masses count alike, within limits: rare massive clusters matter too."""
    edges = np.linspace(v.min(), v.max() + 1e-9, 25)
    cell = np.clip(np.searchsorted(edges, v, side="right") - 1, 0, len(edges) - 2)
    density = np.bincount(cell, weights=weight, minlength=len(edges) - 1)
    return np.asarray(np.minimum(density.max() / density[cell], _LARGEST_WEIGHT))
