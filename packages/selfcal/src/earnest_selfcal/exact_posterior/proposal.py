"""The distribution from which parameters are drawn before they are weighted by their true posterior."""

from dataclasses import dataclass
from typing import final

import numpy as np
from earnest_common.arrays import FloatArray, IntArray
from numpy.typing import NDArray

from earnest_selfcal.exact_posterior.mode import Peak, root_of
from earnest_selfcal.exact_posterior.parameters import ParameterSpace

__all__ = ["Draws", "Proposal", "first_proposal"]

_WIDTHS = (1.0, 1.6, 3.0)
_SHARES = (0.65, 0.25, 0.07)  # the rest is drawn from the prior, so that no weight exceeds ~30 times the likelihood's
_LEARNED = 0.7


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Draws:
    """Points of the parameter space.

    Attributes
    ----------
    coordinates
        Shape (n, n_free).
    point
        Which combination of discrete parameters each has, shape (n,).
    """

    coordinates: FloatArray
    point: IntArray


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Proposal:
    """A mixture over widths of a Gaussian that is conditioned on the discrete parameters, and the prior.

    Attributes
    ----------
    space
        The parameters.
    centre
        Mean of the continuous coordinates for each combination of discrete ones, shape (n_points, n_continuous).
    root
        Lower Cholesky factor of their covariance, shape (n_continuous, n_continuous).
    pmf
        Probability of each combination in each width, shape (n_widths, n_points).
    """

    space: ParameterSpace
    centre: FloatArray
    root: FloatArray
    pmf: FloatArray

    def draw(self, n: int, *, rng: np.random.Generator) -> Draws:
        """Return n draws; some lie outside the prior."""
        space, discrete = self.space, self.space.discrete
        part = np.searchsorted(np.cumsum(_SHARES), rng.random(n), side="right")
        point = self._draw_points(part, rng=rng)
        width = np.append(_WIDTHS, 0.0)[part]
        normal = rng.standard_normal((n, len(self.root)))
        coordinates = np.empty((n, len(space.free)))
        coordinates[:, discrete] = space.grid[point]
        coordinates[:, ~discrete] = self.centre[point] + width[:, None] * (normal @ self.root.T)
        from_prior = part == len(_WIDTHS)
        flat = space.coordinates(space.draw(n, rng=rng))
        coordinates[np.ix_(from_prior, ~discrete)] = flat[np.ix_(from_prior, ~discrete)]
        return Draws(coordinates=coordinates, point=point)

    def ln_density(self, draws: Draws) -> FloatArray:
        """Return ln of the density (probability, for the discrete part) of draws, shape (n,)."""
        offset = draws.coordinates[:, ~self.space.discrete] - self.centre[draws.point]
        d = offset.shape[1]
        square = (np.linalg.solve(self.root, offset.T) ** 2).sum(axis=0) if d else np.zeros(len(offset))
        ln_volume = np.log(np.diag(self.root)).sum() + 0.5 * d * np.log(2 * np.pi)
        with np.errstate(divide="ignore"):
            ln_pmf = np.log(self.pmf[:, draws.point])
        parts = [
            np.log(share) + ln_pmf[i] - 0.5 * square / width**2 - d * np.log(width) - ln_volume
            for i, (share, width) in enumerate(zip(_SHARES, _WIDTHS, strict=True))
        ]
        prior = self.space.ln_prior(draws.coordinates) - np.log(len(self.space.grid))
        return np.asarray(np.logaddexp.reduce([*parts, np.log(1 - sum(_SHARES)) + prior]))

    def learn(self, draws: Draws, weight: FloatArray) -> "Proposal":
        """Return a proposal that resembles weighted draws more closely.

        Parameters
        ----------
        draws
            Draws from this proposal.
        weight
            Their weights, adding up to one, shape (n,).
        """
        offset = draws.coordinates[:, ~self.space.discrete] - self.centre[draws.point]
        shift = weight @ offset
        rest = offset - shift
        size = 1 / (weight**2).sum()
        trust = size / (size + 3 * offset.shape[1] + 3)
        covariance = trust * (rest.T * weight) @ rest + (1 - trust) * self.root @ self.root.T
        learned = np.bincount(draws.point, weights=weight, minlength=len(self.space.grid))
        return Proposal(
            space=self.space,
            centre=self.centre + trust * shift,
            root=_root(covariance),
            pmf=_LEARNED * trust * learned + (1 - _LEARNED * trust) * self.pmf,
        )

    def _draw_points(self, part: IntArray, *, rng: np.random.Generator) -> IntArray:
        n_points = len(self.space.grid)
        uniform = rng.random(len(part))
        point = np.minimum((uniform * n_points).astype(np.int64), n_points - 1)
        for i, pmf in enumerate(self.pmf):
            here = part == i
            point[here] = np.minimum(np.searchsorted(np.cumsum(pmf), uniform[here], side="right"), n_points - 1)
        return point


def first_proposal(space: ParameterSpace, peak: Peak) -> Proposal:
    """Return the proposal of a Gaussian in all coordinates, conditioned on the discrete ones."""
    discrete = space.discrete
    centre, covariance = peak.centre, peak.covariance
    of_discrete = covariance[np.ix_(discrete, discrete)]
    of_both = covariance[np.ix_(~discrete, discrete)]
    off = space.grid - centre[discrete]
    gain = np.linalg.solve(of_discrete, of_both.T).T if discrete.any() else of_both
    conditional = covariance[np.ix_(~discrete, ~discrete)] - gain @ of_both.T
    square = (off * np.linalg.solve(of_discrete, off.T).T).sum(axis=1) if discrete.any() else np.zeros(1)
    return Proposal(
        space=space,
        centre=centre[~discrete] + off @ gain.T,
        root=_root(conditional),
        pmf=np.stack([_softmax(-0.5 * square / width**2) for width in _WIDTHS]),
    )


def _root(covariance: FloatArray) -> FloatArray:
    return root_of(covariance) if len(covariance) else covariance


def _softmax(ln_value: FloatArray) -> NDArray[np.float64]:
    value = np.exp(ln_value - ln_value.max())
    return np.asarray(value / value.sum())
