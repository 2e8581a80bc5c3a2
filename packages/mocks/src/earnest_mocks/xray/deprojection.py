"""The squared density in shells, peeled off the brightness profile without a fit's freedom: the points of figure 2."""

from dataclasses import dataclass
from typing import final

import numpy as np
from earnest_common.arrays import FloatArray

from earnest_mocks.gas.emissivity import emission_per_density
from earnest_mocks.gas.profile import density
from earnest_mocks.xray.projection import projection
from earnest_mocks.xray.reduction import Reduction

__all__ = ["Shells", "deprojected"]


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Shells:
    """Squared densities of spherical shells, each field of shape (n,).

    Attributes
    ----------
    radius
        Geometric mean radius [R_500c].
    emission, emission_err
        n_p n_e and its Poisson error [cm^-6].
    """

    radius: FloatArray
    emission: FloatArray
    emission_err: FloatArray


def deprojected(reduction: Reduction, *, fewest: int = 400, growth: float = 1.25) -> Shells:
    """Return n_p n_e in shells, by onion peeling: one unknown per annulus, solved from the outside in.

    Within a shell the emission varies as in the fit, of which each shell finds its own multiple; only beyond the last
    annulus the fit itself is believed.

    Parameters
    ----------
    reduction
        A reduced observation.
    fewest
        Annuli are joined until each has this many photons...
    growth
        ...and its outer radius exceeds the inner one by this factor.

    References
    ----------
    Fabian et al. (1981), for the method.
    """
    rings = reduction.annuli
    first = _joined(rings.counts, rings.edges, fewest=fewest, growth=growth)
    sphere = projection(r_max=reduction.edge)
    radii = np.append(rings.edges[first], rings.edges[-1]) / reduction.pixels_per_radius
    model = emission_per_density(reduction.density * density(reduction.profile, sphere.r)[0])
    counts, others = (np.add.reduceat(values, first) for values in (rings.counts, rings.background))
    response = np.add.reduceat(reduction.response, first, axis=0) * model
    shell = np.clip(np.searchsorted(radii, sphere.r, side="right") - 1, 0, len(first))
    matrix = np.stack([response[:, shell == i].sum(axis=1) for i in range(len(first))], axis=1)
    inverse = np.linalg.inv(matrix)
    multiple = inverse @ (counts - others - response[:, shell == len(first)].sum(axis=1))
    error = np.sqrt((inverse**2) @ counts)
    middle = np.sqrt(np.maximum(radii[:-1], sphere.r[0]) * radii[1:])
    middle[0] = radii[1] / 2
    at = emission_per_density(reduction.density * density(reduction.profile, middle)[0])
    return Shells(radius=middle, emission=multiple * at, emission_err=error * at)


def _joined(counts: FloatArray, edges: FloatArray, *, fewest: int, growth: float) -> np.ndarray:
    """Return the first annulus of each group of annuli."""
    first = [0]
    photons = 0.0
    for i, count in enumerate(counts[:-1]):
        photons += count
        if photons >= fewest and edges[i + 1] >= growth * edges[first[-1]]:
            first.append(i + 1)
            photons = 0.0
    return np.array(first)
