"""The encoder's inputs as numbers that can be changed: scaled inputs of a batch, and a batch of given scaled inputs.

Methods that evaluate a model on clusters which are not in any catalog
(:mod:`earnest_interpret.analyses.saliency.attribution`) change columns of a batch in physical units and hand it to the
estimator, so that any estimator will do.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

import numpy as np
import polars as pl
from earnest_common.arrays import FloatArray
from earnest_common.catalogs.batch import CatalogBatch
from earnest_common.errors import InputError
from earnest_common.protocols import TerseEstimator
from earnest_common.schema import CLUSTERS

__all__ = ["InputSpace", "input_space"]

_LOG10 = "log10_"
_PLACE = re.compile(r"(?P<column>.+)_(?P<place>\d+)")


@final
@dataclass(frozen=True, kw_only=True)
class _Input:
    """One input: log10 or value of a column, or of one place of a profile, less ``offset`` over ``width``."""

    column: str
    place: int | None
    is_log: bool
    offset: float
    width: float


@final
@dataclass(frozen=True, kw_only=True)
class InputSpace:
    """The inputs of an encoder, in their order.

    Examples
    --------
    >>> from earnest_common.testing import toy_batch
    >>> from earnest_interpret.testing import SaturatingEstimator
    >>> space, batch = input_space(SaturatingEstimator()), toy_batch(n_catalogs=2, seed=1)
    >>> warmer = space.write(batch, space.read(batch) + np.eye(15)[0])
    >>> bool(np.allclose(warmer.column("t_x") / batch.column("t_x"), 10**1.2))  # one width of log10 T
    True
    """

    inputs: tuple[_Input, ...]

    @property
    def widths(self) -> FloatArray:
        """What one unit of each scaled input is: dex of a column, or its own unit; shape (n_features,)."""
        return np.array([one.width for one in self.inputs])

    def read(self, batch: CatalogBatch) -> FloatArray:
        """Return the scaled inputs, shape (n_clusters, n_features)."""
        return np.stack([self._value(one, batch) for one in self.inputs], axis=1)

    def read_unscaled(self, batch: CatalogBatch) -> FloatArray:
        """Return the inputs as log10 of columns, or columns, shape (n_clusters, n_features)."""
        return np.array([one.offset for one in self.inputs]) + self.widths * self.read(batch)

    def write(self, batch: CatalogBatch, scaled: FloatArray) -> CatalogBatch:
        """Return the catalogs with these scaled inputs, everything else unchanged.

        Parameters
        ----------
        batch
            The catalogs.
        scaled
            Scaled inputs, shape (n_clusters, n_features).
        """
        values: dict[str, FloatArray] = {}
        for one, column in zip(self.inputs, scaled.T, strict=True):
            physical = one.offset + one.width * column
            physical = 10**physical if one.is_log else physical
            if one.place is None:
                values[one.column] = physical
            else:
                values.setdefault(one.column, batch.column(one.column).copy())[:, one.place] = physical
        schema = batch.clusters.schema
        series = [pl.Series(name, value, dtype=schema[name]) for name, value in values.items()]
        return CatalogBatch(catalogs=batch.catalogs, clusters=batch.clusters.with_columns(series), radii=batch.radii)

    def _value(self, one: _Input, batch: CatalogBatch) -> FloatArray:
        column = batch.column(one.column)
        value = (column if one.place is None else column[:, one.place]).astype(np.float64)
        scaled: FloatArray = ((np.log10(value) if one.is_log else value) - one.offset) / one.width
        return scaled


def input_space(estimator: TerseEstimator) -> InputSpace:
    """Return the inputs that an estimator names, with the scaling of its description.

    Raises
    ------
    InputError
        If a name is no column of clusters, or its scaling is not known.
    """
    scaling = estimator.description.scaling
    return InputSpace(inputs=tuple(_input(name, scaling) for name in estimator.feature_names))


def _input(name: str, scaling: Mapping[str, tuple[float, float]]) -> _Input:
    is_log = name.startswith(_LOG10)
    column, place = name.removeprefix(_LOG10), None
    match = _PLACE.fullmatch(column)
    if column not in CLUSTERS.names and match:
        column, place = match["column"], int(match["place"]) - 1
    if column not in CLUSTERS.names or column not in scaling:
        raise InputError(
            f"the model's input '{name}' cannot be changed: a scaled column of clusters is needed, as in log10_t_x or "
            f"gas_slope_profile_3 with scaling of t_x or gas_slope_profile; scaled are {', '.join(sorted(scaling))}"
        )
    offset, width = scaling[column]
    return _Input(column=column, place=place, is_log=is_log, offset=float(offset), width=float(width))
