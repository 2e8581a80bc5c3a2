"""The parameters of each catalog, a pure function of the seed and the catalog's id."""

import functools
from dataclasses import dataclass
from typing import final

import numpy as np
import numpy.typing as npt
from earnest_common.arrays import FloatArray, FloatLike, IntArray
from earnest_common.errors import InputError
from earnest_common.run.seeds import Stage, generator, generators
from earnest_common.schema import SPLITS
from earnest_common.survey.cosmology import MAGNETICUM
from earnest_common.survey.priors import LATER, Priors, Uniform
from earnest_common.survey.scaling import FACTORS

__all__ = ["Design", "design"]

_GRID_ORDER = 2**63
"""Index of the grid's first shuffling; catalog ids are 64-bit and never reach it."""

_REFERENCE_OM0 = Uniform(low=MAGNETICUM.Om0, high=MAGNETICUM.Om0)

_SPLIT_OF_TEN = np.array([0] * 8 + [1, 2])
"""Of any ten successive catalogs eight train, one validates, one tests (the paper: 80, 10 and 10 %).

The order of the grid is random, so the last digit of an id says nothing about its parameters.
"""


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Design:
    """Parameters of some catalogs.

    Attributes
    ----------
    catalog_id
        Ids, shape (n,).
    parameters
        One array of shape (n,) per name of ``Priors.names()``, and ``Om0``.
    """

    catalog_id: IntArray
    parameters: dict[str, FloatArray]

    @property
    def factors(self) -> dict[str, FloatLike]:
        """The factors of the scaling relations, each of shape (n,)."""
        return {name: self.parameters[name] for name in FACTORS}

    @property
    def split(self) -> npt.NDArray[np.intp]:
        """The position of each catalog's use in ``SPLITS``, shape (n,)."""
        return _SPLIT_OF_TEN[self.catalog_id % len(_SPLIT_OF_TEN)]

    @property
    def split_names(self) -> list[str]:
        """The use of each catalog."""
        return [SPLITS[i] for i in self.split]


def design(priors: Priors, *, seed: int, catalog_id: IntArray, Om0: Uniform = _REFERENCE_OM0) -> Design:
    """Return the parameters of catalogs.

    Gridded parameters walk through every point of their common grid in random order, cycle after cycle, each cycle in
    a new order: the paper's 4,968 points are catalogs 0 to 4,967. The others are drawn for each catalog.

    Parameters
    ----------
    priors
        What varies.
    seed
        Seed of the whole set.
    catalog_id
        Which catalogs, none negative, shape (n,).
    Om0
        Prior of the matter density; never part of the common grid.

    Raises
    ------
    InputError
        If an id is negative.

    References
    ----------
    Ntampaka & Vikhlinin (arXiv:2112.05768), section 2.2.2.

    Examples
    --------
    >>> found = design(Priors(), seed=1, catalog_id=np.arange(4968))
    >>> len(set(zip(*(found.parameters[name] for name in Priors().grid_points()))))
    4968
    """
    if len(catalog_id) and catalog_id.min() < 0:
        raise InputError(f"catalog ids must not be negative, found {catalog_id.min()}")
    names = Priors.names()
    columns = [*(name for name in names if name not in LATER), "Om0", *LATER]  # later ones take later numbers
    uniform = np.empty((len(catalog_id), len(columns)))
    for rng, row in zip(generators(seed, Stage.DESIGN, catalog_id), uniform, strict=True):
        rng.random(out=row)
    # One number per parameter even where the grid decides: gridding one parameter leaves the others as they were.
    drawn = dict(zip(columns, uniform.T, strict=True))
    parameters = {name: priors.of(name).quantile(drawn[name]) for name in names}
    if priors.grid:
        points = _grid_points(priors)
        size = len(next(iter(points.values())))
        order = _grid_order(seed, size, catalog_id)
        parameters |= {name: values[order] for name, values in points.items()}
    parameters["Om0"] = Om0.quantile(drawn["Om0"])
    return Design(catalog_id=catalog_id, parameters=parameters)


@functools.lru_cache(maxsize=8)
def _grid_points(priors: Priors) -> dict[str, FloatArray]:
    return priors.grid_points()


def _grid_order(seed: int, size: int, catalog_id: IntArray) -> IntArray:
    """Return the grid point of each catalog."""
    cycle, step = np.divmod(catalog_id, size)
    order = np.empty(len(catalog_id), dtype=np.int64)
    for one in np.unique(cycle).tolist():
        here = cycle == one
        order[here] = _shuffled(seed, size, one)[step[here]]
    return order


@functools.lru_cache(maxsize=64)
def _shuffled(seed: int, size: int, cycle: int) -> IntArray:
    return generator(seed, Stage.DESIGN, _GRID_ORDER + cycle).permutation(size)
