"""What a survey's catalogs vary, and over which range."""

import math
from dataclasses import dataclass, fields
from typing import final

import numpy as np

from earnest_common.arrays import FloatArray
from earnest_common.errors import InputError

__all__ = ["LATER", "Priors", "Uniform"]

LATER = ("m_wl_bias", "t_x_calibration", "profile_stretch", "profile_trend")
"""Parameters that catalog sets of earlier releases do not have: all of them at the values that change nothing."""

_MOST_STEPS = 1_000_000
_HIGHEST = 100
_ROUNDING = 1e-6
_STEEPEST = 2.0


@final
@dataclass(frozen=True, kw_only=True)
class Uniform:
    """A flat prior between two bounds, continuous or, with a step, on a grid that includes both.

    In a configuration file ``step = "none"`` makes a preset's grid continuous.

    Examples
    --------
    >>> Uniform(low=0.8, high=1.3, step=0.1).values
    array([0.8, 0.9, 1. , 1.1, 1.2, 1.3])
    """

    low: float
    high: float
    step: float | None = None

    def __post_init__(self) -> None:
        if not self.low <= self.high or (self.step is not None and not self.step > 0):
            raise InputError(f"prior {self}: low must not exceed high and a step must be positive")
        if self.step is not None:
            steps = (self.high - self.low) / self.step
            if steps > _MOST_STEPS:
                raise InputError(f"prior {self}: {steps:.4g} steps are more than {_MOST_STEPS:,}; make the step larger")
            if abs(steps - round(steps)) > _ROUNDING:
                raise InputError(f"prior {self}: the step must lead from low to high, and takes {steps:.4g} steps")

    @property
    def values(self) -> FloatArray:
        """The grid, shape (n,).

        Raises
        ------
        InputError
            If the prior is continuous.
        """
        if self.step is None:
            raise InputError(f"prior {self} is continuous and has no grid of values")
        n = round((self.high - self.low) / self.step) + 1
        return np.linspace(self.low, self.high, n).round(12)

    @property
    def std(self) -> float:
        """The standard deviation: the scatter of an estimate that uses no data."""
        if self.step is None:
            return (self.high - self.low) / math.sqrt(12)
        return float(self.values.std())

    def quantile(self, u: FloatArray) -> FloatArray:
        """Return the value below which a share u of the prior lies, 0 <= u < 1."""
        if self.step is None:
            return self.low + (self.high - self.low) * u
        values = self.values
        return values[(u * len(values)).astype(np.int64)]


@final
@dataclass(frozen=True, kw_only=True)
class Priors:
    """The parameters of a catalog: sigma8, seven factors of the scaling relations, the weak-lensing scatter.

    The defaults are the paper's: 23 x 6 x 6 x 6 = 4,968 grid points, the others drawn at random. Its text counts
    seven varied parameters, its section 2.2.2 eight; we vary the slope and scatters that it names.

    Attributes
    ----------
    sigma8
        The paper: 0.70 to 0.92 by 0.01.
    l_x_normalisation, t_x_normalisation, m_gas_normalisation
        Factors of the normalisations. The paper: 0.8 to 1.3 by 0.1.
    l_x_slope, l_x_scatter, t_x_scatter, m_gas_scatter
        Factors of the slope and scatters. The paper: 0.7 to 1.3 at random.
    m_wl_scatter
        Scatter of ln m_wl. The paper: 0.10 to 0.30 in the text, 0.20 to 0.40 in its table 1.
    m_wl_bias
        Factor of all weak-lensing masses of a catalog. The paper: 1.
    t_x_calibration
        Factor of all measured temperatures of a catalog. The paper: 1.
    profile_stretch, profile_trend
        Gas profiles of a catalog are stretched in radius by stretch (m / pivot)^trend at fixed gas mass within R_500c,
        with the pivot of the scaling relations: how far a simulation's shapes can be trusted. The paper: 1 and 0.
    """

    sigma8: Uniform = Uniform(low=0.70, high=0.92, step=0.01)
    l_x_normalisation: Uniform = Uniform(low=0.8, high=1.3, step=0.1)
    t_x_normalisation: Uniform = Uniform(low=0.8, high=1.3, step=0.1)
    m_gas_normalisation: Uniform = Uniform(low=0.8, high=1.3, step=0.1)
    l_x_slope: Uniform = Uniform(low=0.7, high=1.3)
    l_x_scatter: Uniform = Uniform(low=0.7, high=1.3)
    t_x_scatter: Uniform = Uniform(low=0.7, high=1.3)
    m_gas_scatter: Uniform = Uniform(low=0.7, high=1.3)
    m_wl_scatter: Uniform = Uniform(low=0.10, high=0.30)
    m_wl_bias: Uniform = Uniform(low=1.0, high=1.0)
    t_x_calibration: Uniform = Uniform(low=1.0, high=1.0)
    profile_stretch: Uniform = Uniform(low=1.0, high=1.0)
    profile_trend: Uniform = Uniform(low=0.0, high=0.0)

    def __post_init__(self) -> None:
        trend = self.profile_trend
        if max(abs(trend.low), abs(trend.high)) > _STEEPEST:
            raise InputError(
                f"priors: profile_trend from {trend.low} to {trend.high} must lie within {_STEEPEST:g} of 0"
            )
        lowest = {name: self.of(name).low for name in self.names() if name != "profile_trend"}
        # Only weak lensing may be exact; all else is a factor of what must not vanish.
        wrong = [f"{name} from {x}" for name, x in lowest.items() if x < 0 or (x == 0 and name != "m_wl_scatter")]
        if wrong:
            raise InputError(f"priors: {', '.join(wrong)} must be positive")
        if wide := [f"{name} to {self.of(name).high}" for name in self.names() if self.of(name).high > _HIGHEST]:
            raise InputError(f"priors: {', '.join(wide)} must not exceed {_HIGHEST}, as factors of the reference")

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """Return the parameters' names, which are columns of the catalogs table."""
        return tuple(f.name for f in fields(cls))

    def of(self, name: str) -> Uniform:
        """Return the prior of one parameter."""
        prior: Uniform = getattr(self, name)
        return prior

    @property
    def grid(self) -> bool:
        """Whether any parameter lies on a grid."""
        return any(self.of(name).step is not None for name in self.names())

    def grid_points(self) -> dict[str, FloatArray]:
        """Return the full grid, one array of shape (n_points,) per gridded parameter.

        Examples
        --------
        >>> {name: len(values) for name, values in Priors().grid_points().items()}["sigma8"]  # 23 * 6**3
        4968
        """
        names = [name for name in self.names() if self.of(name).step is not None]
        axes = np.meshgrid(*(self.of(name).values for name in names), indexing="ij")
        return {name: axis.ravel() for name, axis in zip(names, axes, strict=True)}

    def draw(self, n: int, *, rng: np.random.Generator) -> dict[str, FloatArray]:
        """Draw n independent sets of parameters, one array of shape (n,) per parameter."""
        return {name: self.of(name).quantile(u) for name, u in self.uniform(n, rng=rng).items()}

    def uniform(self, n: int, *, rng: np.random.Generator) -> dict[str, FloatArray]:
        """Return n random numbers in [0, 1) for every parameter; what is fixed and came later than the paper's takes 0.

        So that surveys without the later parameters draw the same numbers as before there were any.
        """
        needed = {name: name not in LATER or self.of(name).low < self.of(name).high for name in self.names()}
        return {name: rng.random(n) if drawn else np.zeros(n) for name, drawn in needed.items()}
