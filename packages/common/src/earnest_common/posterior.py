"""The posterior of one parameter as a histogram, whoever inferred it."""

import functools
import warnings
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Literal, final

import numpy as np

from earnest_common.arrays import FloatArray, FloatLike
from earnest_common.errors import InputError, MissingExtraError
from earnest_common.notebook import html_table

__all__ = ["Posterior"]

_ROUNDING = 1e-6


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Posterior:
    r"""Probabilities of bins of one parameter, spread evenly in each.

    .. math:: p(x) = P_k / (e_{k+1} - e_k) , \qquad e_k \le x < e_{k+1}

    Attributes
    ----------
    edges
        Edges of the bins, rising, shape (n + 1,).
    probability
        Probability of each bin, shape (n,), adding up to one.
    name
        The parameter.
    values
        ``"all"``, or ``"middles"`` where the parameter takes only the middles of the bins, as on a grid: then mean,
        standard deviation and samples are those of the middles; densities and quantiles are spread evenly all the same.
    ln_evidence
        ln of the probability (density) of the data under the whole prior, NaN if it is unknown.

    Raises
    ------
    InputError
        If edges do not rise, shapes do not fit, or probabilities are negative or do not add up to one.

    Examples
    --------
    >>> posterior = Posterior(edges=np.array([0.7, 0.8, 0.9]), probability=np.array([0.25, 0.75]))
    >>> posterior
    Posterior(sigma8 0.8250 +- 0.0520, 68 % from 0.7635 to 0.8788)
    >>> float(posterior.cdf(0.85).round(6))
    0.625
    """

    edges: FloatArray
    probability: FloatArray
    name: str = "sigma8"
    values: Literal["all", "middles"] = "all"
    ln_evidence: float = float("nan")

    def __post_init__(self) -> None:
        edges, probability = self.edges, self.probability
        if edges.ndim != 1 or probability.shape != (len(edges) - 1,) or len(probability) < 1:
            raise InputError(
                f"posterior of {self.name}: edges of shape {edges.shape} need one probability for each bin between "
                f"them, found shape {probability.shape}"
            )
        if not (np.isfinite(edges).all() and (np.diff(edges) > 0).all()):
            raise InputError(f"posterior of {self.name}: edges must be finite and rise; sort them")
        if not ((probability >= 0).all() and abs(probability.sum() - 1) <= _ROUNDING):
            raise InputError(
                f"posterior of {self.name}: probabilities must not be negative and add up to 1, found a sum of "
                f"{probability.sum():.6g} and a least of {probability.min():.3g}; divide by the sum"
            )

    @classmethod
    def of_cells(
        cls,
        nodes: FloatArray,
        step: float,
        probability: FloatArray,
        *,
        name: str = "sigma8",
        ln_evidence: float = float("nan"),
    ) -> "Posterior":
        """Return the posterior of a parameter on an even grid of nodes, each with a cell of width ``step``."""
        edges = np.append(nodes - step / 2, nodes[-1] + step / 2)
        return cls(edges=edges, probability=probability, name=name, values="middles", ln_evidence=ln_evidence)

    def __repr__(self) -> str:
        """Return one line: mean, standard deviation and the central 68 % interval."""
        low, high = self.interval(0.6827)
        return f"Posterior({self.name} {self.mean:.4f} +- {self.std:.4f}, 68 % from {low:.4f} to {high:.4f})"

    def _repr_html_(self) -> str:
        return html_table(f"Posterior of {self.name}", self.to_dict())

    @property
    def middles(self) -> FloatArray:
        """Middle of each bin, shape (n,)."""
        middles: FloatArray = (self.edges[1:] + self.edges[:-1]) / 2
        return middles

    @property
    def widths(self) -> FloatArray:
        """Width of each bin, shape (n,)."""
        return np.diff(self.edges)

    @functools.cached_property
    def _cumulative(self) -> FloatArray:
        return np.append(0.0, np.cumsum(self.probability))

    @property
    def mean(self) -> float:
        """The posterior mean."""
        return float(self.probability @ self.middles)

    @property
    def std(self) -> float:
        """The posterior standard deviation."""
        variance = self.probability @ (self.middles - self.mean) ** 2
        if self.values == "all":
            variance += self.probability @ self.widths**2 / 12
        return float(np.sqrt(variance))

    def pdf(self, x: FloatLike) -> FloatArray:
        """Return the density at values, zero outside of the bins, in the shape of ``x``."""
        density = np.concatenate(([0.0], self.probability / self.widths, [0.0]))
        return np.asarray(density[np.searchsorted(self.edges, x, side="right")])

    def cdf(self, x: FloatLike) -> FloatArray:
        """Return the probability below values, in the shape of ``x``."""
        return np.asarray(np.interp(x, self.edges, self._cumulative))

    def quantile(self, p: float) -> float:
        """Return the value below which a share p lies."""
        return float(np.interp(p, self._cumulative, self.edges))

    def interval(self, share: float) -> tuple[float, float]:
        """Return the central interval that holds a share of the posterior."""
        return self.quantile((1 - share) / 2), self.quantile((1 + share) / 2)

    def sample(self, n: int, rng: np.random.Generator) -> FloatArray:
        """Return independent draws, shape (n,)."""
        drawn = rng.choice(len(self.probability), size=n, p=self.probability / self.probability.sum())
        if self.values == "middles":
            return np.asarray(self.middles[drawn])
        return np.asarray(self.edges[drawn] + self.widths[drawn] * rng.random(n))

    def to_dict(self) -> dict[str, float]:
        """Return mean, standard deviation and the central 68.27 and 95.45 % intervals by name, ready for JSON."""
        (lo68, hi68), (lo95, hi95) = self.interval(0.6827), self.interval(0.9545)
        told = {self.name: self.mean, f"{self.name}_err": self.std}
        return {**told, "lo68": lo68, "hi68": hi68, "lo95": lo95, "hi95": hi95}

    def to_pandas(self) -> Any:  # noqa: ANN401 - pandas has no types here
        """Return one row for each bin: low, high, probability, density.

        Raises
        ------
        MissingExtraError
            If pandas is not installed.
        """
        pandas = _needed("pandas", "pip install pandas")
        columns = {"low": self.edges[:-1], "high": self.edges[1:], "probability": self.probability}
        return pandas.DataFrame({**columns, "density": self.probability / self.widths})

    def to_arviz(self, n: int, rng: np.random.Generator, *, n_chains: int = 4) -> Any:  # noqa: ANN401 - of ArviZ
        """Return draws for ArviZ, in chains of n: what its release calls InferenceData, or a DataTree.

        Raises
        ------
        MissingExtraError
            If ArviZ is not installed.
        """
        arviz = _needed("arviz", 'pip install "earnest-common[arviz]"')
        groups = {"posterior": {self.name: self.sample(n * n_chains, rng).reshape(n_chains, n)}}
        if int(arviz.__version__.split(".")[0]) < 1:
            return arviz.from_dict(**groups)
        return arviz.from_dict(groups)

    def to_getdist(self, n: int, rng: np.random.Generator) -> Any:  # noqa: ANN401 - of GetDist
        """Return draws as samples of GetDist, which keeps the bounds of the bins.

        Raises
        ------
        MissingExtraError
            If GetDist is not installed.
        """
        getdist = _needed("getdist", "pip install getdist")
        bounds = {self.name: [float(self.edges[0]), float(self.edges[-1])]}
        return getdist.MCSamples(samples=self.sample(n, rng)[:, None], names=[self.name], ranges=bounds)


def _needed(module: str, remedy: str) -> Any:  # noqa: ANN401 - a module
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # ArviZ tells of its next release on import
            return import_module(module)
    except ImportError as error:
        raise MissingExtraError(f"a posterior for {module} needs that package; install it with: {remedy}") from error
