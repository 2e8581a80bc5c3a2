"""Catalogs that list the base sample's own clusters, each with its mass, residuals and profile: appendix B."""

import numpy as np
from earnest_common.arrays import FloatArray, IntArray
from earnest_common.run.seeds import Stage, generator

from earnest_mocks.base_sample.mass_sampling import cumulative
from earnest_mocks.base_sample.sample import BaseSample
from earnest_mocks.catalogs.mass_function import Abundance
from earnest_mocks.catalogs.observables import Loan
from earnest_mocks.catalogs.population import LOG10_M_MAX, UNIFORMS_PER_CLUSTER, Population
from earnest_mocks.catalogs.selection import Spectra

__all__ = ["expected_copies", "own_clusters"]


def expected_copies(sample: BaseSample, spectra: Spectra, reference: Abundance) -> FloatArray:
    r"""Return how often each cluster of the base sample is expected in each catalog, shape (n_catalogs, n_clusters).

    .. math:: \lambda_i = \frac{V}{V_{base}} \, S_{obs}(M_i) \, \frac{n(M_i)}{n_{ref}(M_i)}

    with V_base the volume in which the reference mass function gives as many clusters above the sample's lowest mass
    as the sample has.

    Parameters
    ----------
    sample
        The base sample.
    spectra
        Expected clusters per dex of the catalogs, V S_obs n.
    reference
        Mass function of the cosmology of the base sample, one row.

    References
    ----------
    Ntampaka & Vikhlinin (arXiv:2112.05768), equation 3.
    """
    log10_m = sample.log10_m_500c
    nodes = np.linspace(log10_m[0], LOG10_M_MAX, 400)
    volume = sample.n_clusters / cumulative(nodes[None, :], reference(nodes)[:1])[0, -1]
    wanted = np.stack(
        [
            np.exp(np.interp(log10_m, own, np.log(density), left=-np.inf))
            for own, density in zip(spectra.nodes, spectra.density, strict=True)
        ]
    )
    expected: FloatArray = wanted / (volume * reference(log10_m)[:1])
    return expected


def own_clusters(
    sample: BaseSample, expected: FloatArray, *, seed: int, catalog_id: IntArray
) -> tuple[Population, Loan]:
    """Draw which clusters of the base sample are in each catalog.

    A cluster that is expected less than once is in or out, as one random number decides; one that is expected more
    than once, where abundances exceed those of the sample, is listed once for sure and again by chance.

    Parameters
    ----------
    sample
        The base sample.
    expected
        Expected copies (:func:`expected_copies`), shape (n_catalogs, n_clusters).
    seed
        Seed of the whole set.
    catalog_id
        Ids, shape (n_catalogs,).

    References
    ----------
    Ntampaka & Vikhlinin (arXiv:2112.05768), section 2.1.1: x < S decides.
    """
    members, uniform, normal = [], [], []
    for index, mean in zip(catalog_id.tolist(), expected, strict=True):
        rng = generator(seed, Stage.POPULATION, index)
        copies = np.floor(mean + rng.random(sample.n_clusters)).astype(np.int64)
        members.append(np.repeat(np.arange(sample.n_clusters), copies))
        uniform.append(rng.random((UNIFORMS_PER_CLUSTER - 1, len(members[-1]))))
        normal.append(rng.standard_normal(len(members[-1])))
    counts = np.array([len(one) for one in members], dtype=np.int64)
    donor = np.concatenate(members)
    clusters = Population(
        counts=counts,
        row=np.repeat(np.arange(len(counts)), counts),
        log10_m=sample.log10_m_500c[donor],
        uniform=np.concatenate(uniform, axis=1),
        normal=np.concatenate(normal),
    )
    loan = Loan(donor=donor, partner=donor, weight=np.zeros(len(donor)), residuals=sample.residuals.T[:, donor])
    return clusters, loan
