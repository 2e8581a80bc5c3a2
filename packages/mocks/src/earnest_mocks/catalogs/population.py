"""How many clusters a catalog has, and their masses: Poisson numbers and exact draws from n(M) S(M).

Everything is computed for many catalogs at once; only the random numbers are drawn catalog by catalog, each from its
own generator, so that a catalog is the same in whatever company it is made.
"""

from dataclasses import dataclass
from typing import final

import numpy as np
import numpy.typing as npt
from earnest_common.arrays import FloatArray, IntArray
from earnest_common.errors import InputError
from earnest_common.run.seeds import Stage, generators
from earnest_common.survey.selection import Selection

from earnest_mocks.base_sample.mass_sampling import cumulative, draw

__all__ = ["Population", "expected_number", "insert_node", "mass_nodes", "populate"]

LOG10_M_MAX = 15.9
"""Upper end of every spectrum [log10 solMass]; above it even sigma8 = 1 leaves less than 10^-4 clusters per box."""

_STEP = 0.01
_BLUR = 6.0
"""A blurred selection reaches this many widths below its nominal lowest mass."""

UNIFORMS_PER_CLUSTER = 5
"""Mass, donor, second donor, its weight, detection: all are drawn always, so no option shifts another's numbers."""


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Population:
    """Masses and random numbers of the clusters of some catalogs.

    Attributes
    ----------
    counts
        Clusters per catalog, shape (n_catalogs,).
    row
        Catalog of each cluster, by its place in the batch, shape (n,).
    log10_m
        log10 of m_500c [solMass], shape (n,).
    uniform
        Numbers in [0, 1) for the choices still to be made: donor, second donor, its weight, detection; shape (4, n).
    normal
        Standard normal numbers for the weak-lensing scatter, shape (n,).
    """

    counts: IntArray
    row: IntArray
    log10_m: FloatArray
    uniform: FloatArray
    normal: FloatArray

    def keep(self, detected: npt.NDArray[np.bool_]) -> "Population":
        """Return the population with only the detected clusters."""
        counts = np.bincount(self.row[detected], minlength=len(self.counts))
        return Population(
            counts=counts,
            row=self.row[detected],
            log10_m=self.log10_m[detected],
            uniform=self.uniform[:, detected],
            normal=self.normal[detected],
        )


def mass_nodes(selection: Selection) -> FloatArray:
    """Return nodes from the selection's lowest mass to 10^15.9 solMass, 0.01 dex or less apart.

    Parameters
    ----------
    selection
        Its ``log10_m_min`` is the first node, less six times its smoothing.

    Raises
    ------
    InputError
        If the selection begins above the highest mass.
    """
    low = selection.log10_m_min - _BLUR * selection.smoothing
    if low > LOG10_M_MAX - 1:
        raise InputError(
            f"selection: log10_m_min = {selection.log10_m_min} leaves no clusters; choose a value below "
            f"{LOG10_M_MAX - 1}"
        )
    step = min(_STEP, selection.smoothing / 15) if selection.smoothing else _STEP
    return np.linspace(low, LOG10_M_MAX, int(np.ceil((LOG10_M_MAX - low) / step)) + 1)


def insert_node(nodes: FloatArray, extra: FloatArray) -> FloatArray:
    """Return the nodes with one more for each spectrum, kept in order, shape (n_spectra, n_nodes + 1).

    Parameters
    ----------
    nodes
        Common nodes, rising, shape (n_nodes,).
    extra
        One more node per spectrum, where its density has a kink, shape (n_spectra,); moved to an end if outside.
    """
    inside = np.clip(extra, nodes[0], nodes[-1])
    position = np.searchsorted(nodes, inside)[:, None]
    place = np.arange(len(nodes) + 1)
    shifted = nodes[np.minimum(place - (place > position), len(nodes) - 1)]
    return np.where(place == position, inside[:, None], shifted)


def expected_number(nodes: FloatArray, density: FloatArray) -> FloatArray:
    """Return the integral of each spectrum: the mean of the Poisson number of clusters, shape (n_spectra,)."""
    return cumulative(nodes, density)[:, -1]


def populate(nodes: FloatArray, density: FloatArray, *, seed: int, catalog_id: IntArray) -> Population:
    """Draw the clusters of catalogs from their spectra.

    Parameters
    ----------
    nodes, density
        Expected clusters per dex at the nodes of each catalog, shape (n_catalogs, n_nodes).
    seed
        Seed of the whole set.
    catalog_id
        Ids, shape (n_catalogs,).
    """
    mean = expected_number(nodes, density)
    counts = np.empty(len(catalog_id), dtype=np.int64)
    uniform, normal = [], []
    streams = generators(seed, Stage.POPULATION, catalog_id)
    for place, (rng, expected) in enumerate(zip(streams, mean.tolist(), strict=True)):
        n = counts[place] = rng.poisson(expected)
        uniform.append(rng.random((UNIFORMS_PER_CLUSTER, n)))
        normal.append(rng.standard_normal(n))
    row = np.repeat(np.arange(len(counts)), counts)
    flat = np.concatenate([np.empty((UNIFORMS_PER_CLUSTER, 0)), *uniform], axis=1)
    return Population(
        counts=counts,
        row=row,
        log10_m=draw(nodes, density, row, flat[0]),
        uniform=flat[1:],
        normal=np.concatenate([np.empty(0), *normal]),
    )
