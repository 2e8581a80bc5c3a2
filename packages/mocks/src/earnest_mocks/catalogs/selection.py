"""The spectra from which clusters are drawn: mass function times survey selection."""

from dataclasses import dataclass
from typing import final

import numpy as np
from earnest_common.arrays import FloatArray, IntArray
from earnest_common.errors import InputError
from earnest_common.survey.presets import Survey
from earnest_common.survey.scaling import PowerLaw

from earnest_mocks.catalogs.mass_function import Abundance
from earnest_mocks.catalogs.population import LOG10_M_MAX, insert_node, mass_nodes

__all__ = ["Spectra", "flux_limited", "flux_nodes", "mass_limited", "share_at"]

_NEVER = 1e-12
"""The smallest proposed share: where no cluster can be detected hardly any is proposed."""


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Spectra:
    """Expected clusters of each catalog, before what depends on their observed luminosity.

    Attributes
    ----------
    nodes
        log10 m_500c [solMass], shape (n_catalogs, n_nodes).
    density
        Expected clusters per dex, log-linear between nodes, shape (n_catalogs, n_nodes).
    share
        For a cut in flux: the share of all clusters that ``density`` proposes, shape (n_catalogs, n_nodes).
    """

    nodes: FloatArray
    density: FloatArray
    share: FloatArray | None = None


def mass_limited(survey: Survey, abundance: Abundance, *, l_x: PowerLaw) -> Spectra:
    """Return n(M) S(M) of catalogs selected by true mass.

    The lowest mass and the break, which follows each catalog's luminosity relation, are nodes of their own.

    Parameters
    ----------
    survey
        Volume and selection.
    abundance
        The mass functions of the catalogs.
    l_x
        The luminosity relations, fields of shape (n_catalogs,) or numbers.

    References
    ----------
    Ntampaka & Vikhlinin (arXiv:2112.05768), equation 3.
    """
    common = mass_nodes(survey.selection)
    at_common = abundance(common)
    kink = np.broadcast_to(np.asarray(survey.selection.log10_m_break_of(l_x), dtype=np.float64), len(at_common))
    nodes = insert_node(common, kink)
    selected = survey.selection.probability(nodes, log10_m_break=kink[:, None])
    inside = np.clip(kink, common[0], common[-1])
    filled = _inserted(at_common, np.searchsorted(common, inside)[:, None], abundance(inside[:, None]))
    return Spectra(nodes=nodes, density=survey.volume * filled * selected)


def flux_nodes(log10_m: FloatArray) -> FloatArray:
    """Return the nodes of a cut in flux, which has no lowest mass: all tabulated masses, shape (n_nodes,)."""
    low = float(log10_m[0])
    return np.linspace(low, LOG10_M_MAX, round((LOG10_M_MAX - low) / 0.01) + 1)


def flux_limited(
    survey: Survey, abundance: Abundance, *, common: FloatArray, l_x: PowerLaw, highest: FloatArray
) -> Spectra:
    """Return spectra to draw candidates from when the selection acts on the observed luminosity.

    Each candidate is then kept with its own detection probability over the proposed share (:func:`share_at`). This
    thinning is exact for any scatter, as long as no residual exceeds the bound.

    Parameters
    ----------
    survey, abundance, l_x
        As for :func:`mass_limited`.
    common
        The nodes (:func:`flux_nodes`).
    highest
        Bound on the residual of log10 l_x within one step of each node [dex], shape (n_catalogs, n_nodes).

    Raises
    ------
    InputError
        If clusters below the mass function's table could be detected.
    """
    brightest = _column(l_x).log10_mean(common + (common[1] - common[0])) + highest
    share = np.maximum(survey.selection.probability(survey.selection.equivalent_log10_m(brightest)), _NEVER)
    if np.any(share[:, 0] > _NEVER):
        raise InputError(
            f"a cut in flux would detect clusters below 10^{common[0]:.1f} solMass, where no mass function is "
            "tabulated; raise survey.selection.log10_m_min or narrow the priors of l_x"
        )
    density = survey.volume * abundance(common) * share
    return Spectra(nodes=np.broadcast_to(common, share.shape), density=density, share=share)


def share_at(spectra: Spectra, row: IntArray, log10_m: FloatArray) -> FloatArray:
    """Return the proposed share at the mass of each candidate, log-linear between nodes, shape (n,)."""
    if spectra.share is None:
        return np.ones(len(log10_m))
    nodes, n_nodes = spectra.nodes[0], spectra.nodes.shape[1]
    cell = np.clip(np.searchsorted(nodes, log10_m, side="right") - 1, 0, n_nodes - 2)
    weight = (log10_m - nodes[cell]) / (nodes[cell + 1] - nodes[cell])
    flat = np.log(spectra.share).ravel()
    left = row * n_nodes + cell
    share: FloatArray = np.exp(flat[left] * (1 - weight) + flat[left + 1] * weight)
    return share


def _inserted(values: FloatArray, position: IntArray, extra: FloatArray) -> FloatArray:
    """Return each row with one more value at its own position, shape (n, k + 1)."""
    place = np.arange(values.shape[1] + 1)
    source = np.minimum(place - (place > position), values.shape[1] - 1)
    filled = np.take_along_axis(values, source, axis=1)
    np.put_along_axis(filled, position, extra, axis=1)
    return filled


def _column(law: PowerLaw) -> PowerLaw:
    """Return a power law whose fields broadcast against a row of masses."""
    return PowerLaw(
        log10_normalisation=np.reshape(law.log10_normalisation, (-1, 1)),
        slope=np.reshape(law.slope, (-1, 1)),
        log10_pivot=law.log10_pivot,
        scatter=np.reshape(law.scatter, (-1, 1)),
    )
