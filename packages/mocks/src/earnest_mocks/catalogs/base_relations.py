"""What a set of mocks records of its base sample: relations, moments of lent residuals, redshift and cosmology."""

import numpy as np
from earnest_common.catalogs.base_relations import BaseRelations
from earnest_common.survey.cosmology import Cosmology
from earnest_common.survey.evolution import evolution_in_words
from earnest_common.survey.residuals import ResidualMoments
from earnest_common.survey.scaling import ResidualCorrelation

from earnest_mocks.base_sample.evolution import at_redshift, om0_of
from earnest_mocks.base_sample.sample import BaseSample
from earnest_mocks.catalogs.config import DonorRule
from earnest_mocks.catalogs.donors import DonorPool, nearby
from earnest_mocks.catalogs.population import LOG10_M_MAX

__all__ = ["base_relations", "other_cosmology"]

_LOWEST, _STEP = 12.5, 0.05
"""Masses at which the moments of lent residuals are recorded [log10 solMass, dex]."""


def base_relations(sample: BaseSample, rule: DonorRule, *, z: float) -> BaseRelations:
    """Return what a set of mocks records of its base sample.

    Parameters
    ----------
    sample
        The base sample at its own redshift.
    rule
        How residuals are lent, which decides their means and covariances at each mass.
    z
        Redshift of the survey.
    """
    moved = at_redshift(sample, z)
    om0 = om0_of(sample.source)
    return BaseRelations(
        relations=moved.relations,
        correlation=_correlation(moved),
        moments=_lent_moments(moved, rule),
        z=sample.z,
        evolution=None if sample.z == z else evolution_in_words(from_z=sample.z, to_z=z, Om0=om0),
        cosmology=dict(sample.source.get("cosmology") or {}),
        l_x="bolometric, within r_500c" if sample.emulated else sample.source.get("l_x"),
        n_clusters=sample.n_clusters,
    )


def other_cosmology(sample: BaseSample, reference: Cosmology) -> str | None:
    """Return how the base sample's cosmology differs from the survey's, in words; ``None`` if it is equal or unknown.

    Relations at fixed mass are kept as they are: gas masses follow the baryon fraction of the base sample.
    """
    own = {name: value for name, value in dict(sample.source.get("cosmology") or {}).items() if value is not None}
    wanted = vars(reference)
    differences = [
        f"{name} = {value:g} (survey {wanted[name]:g})"
        for name, value in own.items()
        if name in wanted and abs(value - wanted[name]) > 1e-6 * abs(wanted[name])
    ]
    if not differences:
        return None
    return f"{', '.join(differences)}; its relations at fixed mass are used as they are"


def _correlation(sample: BaseSample) -> ResidualCorrelation:
    """Return the correlations over all clusters; zero where an observable does not scatter."""
    covariance = sample.residuals.T @ sample.residuals / sample.n_clusters
    scatter = np.sqrt(np.diag(covariance))
    scale = np.outer(scatter, scatter)
    matrix = np.divide(covariance, scale, out=np.zeros_like(scale), where=scale > 0) * (1 - 1e-9)
    return ResidualCorrelation(
        l_x_t_x=round(float(matrix[0, 1]), 9),
        l_x_m_gas=round(float(matrix[0, 2]), 9),
        t_x_m_gas=round(float(matrix[1, 2]), 9),
    )


def _lent_moments(sample: BaseSample, rule: DonorRule) -> ResidualMoments:
    """Return mean and covariance of the residuals that clusters of each mass borrow, in units of the scatter."""
    scatter = np.sqrt(np.mean(sample.residuals**2, axis=0))
    standardised = np.divide(sample.residuals, scatter, out=np.zeros_like(sample.residuals), where=scatter > 0)
    everyone = DonorPool(log10_m=sample.log10_m_500c, index=np.arange(sample.n_clusters))
    nodes = np.arange(_LOWEST, LOG10_M_MAX + _STEP / 2, _STEP)
    first, last = nearby(everyone, nodes, rule)
    runs = [standardised[a:b] for a, b in zip(first, last, strict=True)]
    return ResidualMoments.of(
        nodes,
        mean=np.stack([run.mean(axis=0) for run in runs]),
        covariance=np.stack([np.cov(run.T, bias=True) if len(run) > 1 else np.zeros((3, 3)) for run in runs]),
    )
