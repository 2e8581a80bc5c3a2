"""The parameters of a catalog as coordinates in which their posterior is close to Gaussian."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np
from earnest_common.arrays import FloatArray
from earnest_common.errors import InputError
from earnest_common.survey.priors import Priors, Uniform
from numpy.typing import NDArray

__all__ = ["ParameterSpace"]

_LINEAR = ("sigma8", "l_x_slope", "profile_trend")  # the others enter observables through their logarithm
_MAX_GRID = 200_000


@final
@dataclass(frozen=True, kw_only=True)
class ParameterSpace:
    """What is known before the data: free parameters with their priors, and fixed ones.

    Coordinates are sigma8, the slope's factor, and the natural logarithms of the others. A gridded parameter is
    either discrete or, if asked, spread evenly over the cells around its grid values.

    Attributes
    ----------
    priors
        The prior of every parameter.
    spread
        Gridded parameters to be taken as continuous.
    unused
        Parameters that the data do not depend on.

    Examples
    --------
    >>> space = ParameterSpace(priors=Priors(), unused=("m_wl_scatter",))
    >>> space.free[:3], space.grid.shape
    (('sigma8', 'l_x_normalisation', 't_x_normalisation'), (4968, 4))
    """

    priors: Priors
    spread: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        size = int(np.prod([len(self.priors.of(name).values) for name in self.free if self._gridded(name)]))
        if size > _MAX_GRID:
            raise InputError(
                f"the gridded priors have {size} points together, more than the {_MAX_GRID} that the referee sums "
                "over; make some of them continuous (leave out their step)"
            )

    @cached_property
    def free(self) -> tuple[str, ...]:
        """The parameters that vary, sigma8 first if it does."""
        names = (name for name in Priors.names() if name not in self.unused)
        return tuple(name for name in names if self.priors.of(name).low < self.priors.of(name).high)

    @cached_property
    def discrete(self) -> NDArray[np.bool_]:
        """Whether each free parameter lies on a grid, shape (n_free,)."""
        return np.array([self._gridded(name) for name in self.free], dtype=np.bool_)

    @cached_property
    def bounds(self) -> FloatArray:
        """Lowest and highest coordinate of each free parameter, shape (2, n_free)."""
        ends = [self._ends(name) for name in self.free]
        pairs = [[_coordinate(name, one) for one in pair] for name, pair in zip(self.free, ends, strict=True)]
        return np.array(pairs).reshape(-1, 2).T

    @cached_property
    def grid(self) -> FloatArray:
        """Coordinates of all combinations of discrete parameters, shape (n_points, n_discrete)."""
        axes = [_coordinate(n, self.priors.of(n).values) for n in self.free if self._gridded(n)]
        mesh = np.meshgrid(*axes, indexing="ij")
        return np.stack([axis.ravel() for axis in mesh], axis=1) if axes else np.zeros((1, 0))

    def values(self, coordinates: FloatArray) -> dict[str, FloatArray]:
        """Return every parameter by name, each of shape (n,), at coordinates of shape (n, n_free)."""
        found = {name: np.full(len(coordinates), self.priors.of(name).low) for name in Priors.names()}
        for column, name in zip(coordinates.T, self.free, strict=True):
            found[name] = column if name in _LINEAR else np.exp(column)
        return found

    def coordinates(self, values: Mapping[str, FloatArray]) -> FloatArray:
        """Return the coordinates, shape (n, n_free), of parameters given by name."""
        return np.stack([_coordinate(name, values[name]) for name in self.free], axis=1)

    def ln_prior(self, coordinates: FloatArray) -> FloatArray:
        """Return the ln prior density in the continuous coordinates, -inf outside; discrete points count as inside.

        A flat prior of x is a density proportional to x in ln x.
        """
        low, high = self.bounds
        inside = ((coordinates >= low - 1e-12) & (coordinates <= high + 1e-12)).all(axis=1)
        ln_density = np.zeros(len(coordinates))
        for i, name in enumerate(self.free):
            if not self.discrete[i]:
                bottom, top = self._ends(name)
                ln_density += (0.0 if name in _LINEAR else coordinates[:, i]) - np.log(top - bottom)
        return np.where(inside, ln_density, -np.inf)

    def draw(self, n: int, *, rng: np.random.Generator) -> dict[str, FloatArray]:
        """Return n independent draws of all parameters from the prior."""
        return {name: self._quantile(name, u) for name, u in self.priors.uniform(n, rng=rng).items()}

    def _gridded(self, name: str) -> bool:
        return self.priors.of(name).step is not None and name not in self.spread

    def _ends(self, name: str) -> tuple[float, float]:
        prior = self.priors.of(name)
        half = 0.5 * prior.step if prior.step is not None and name in self.spread else 0.0
        return prior.low - half, prior.high + half

    def _quantile(self, name: str, u: FloatArray) -> FloatArray:
        if self._gridded(name):
            return self.priors.of(name).quantile(u)
        bottom, top = self._ends(name)
        return Uniform(low=bottom, high=top).quantile(u)


def _coordinate(name: str, value: float | FloatArray) -> FloatArray:
    return np.asarray(value if name in _LINEAR else np.log(value), dtype=np.float64)
