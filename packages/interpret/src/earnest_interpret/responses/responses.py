"""What a model answers to a sample: each question is put to it once, whatever asks."""

from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np
import polars as pl
from earnest_common.arrays import FloatArray
from earnest_common.catalogs.batch import CatalogBatch
from earnest_common.protocols import Estimator, TerseEstimator

from earnest_interpret.responses.leave_one_out import leave_one_out
from earnest_interpret.responses.questions import Target, encode, gradient, members_of, predict
from earnest_interpret.sample import MAX_ROWS

__all__ = ["Responses"]


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Responses:
    """What a model answers to catalogs, computed when it is first asked for and kept.

    An ensemble's terse values, gradients and leave-one-out are the means of its members' (:class:`Ensemble`), so that
    each network is asked once.

    Attributes
    ----------
    estimator
        The model.
    batch
        The catalogs.
    max_rows
        Most clusters handed to the model at a time.

    Examples
    --------
    >>> from earnest_common.testing import toy_batch
    >>> from earnest_interpret.testing import SaturatingEnsemble, SaturatingEstimator
    >>> trainings = (SaturatingEstimator(per_terse=1.0), SaturatingEstimator(per_terse=0.8))
    >>> responses = Responses(estimator=SaturatingEnsemble(members=trainings), batch=toy_batch(n_catalogs=3, seed=1))
    >>> first, second = (member.leave_one_out for member in responses.members)
    >>> np.allclose(responses.leave_one_out, (first + second) / 2)
    True
    """

    estimator: Estimator
    batch: CatalogBatch
    max_rows: int = MAX_ROWS

    @cached_property
    def members(self) -> tuple["Responses", ...]:
        """What each training of an ensemble answers; empty for a model that was trained once."""
        trainings = members_of(self.estimator)
        return tuple(Responses(estimator=one, batch=self.batch, max_rows=self.max_rows) for one in trainings)

    @property
    def has_terse(self) -> bool:
        """Whether the model has a terse layer."""
        return isinstance(self.estimator, TerseEstimator)

    @cached_property
    def predictions(self) -> pl.DataFrame:
        """One row per catalog (schema ``PREDICTIONS``)."""
        return predict(self.estimator, self.batch, max_rows=self.max_rows)

    @property
    def sigma8(self) -> FloatArray:
        """Inferred sigma8, shape (n_catalogs,)."""
        return np.asarray(self.predictions.get_column("sigma8").to_numpy(), dtype=np.float64)

    @cached_property
    def terse(self) -> FloatArray:
        """Terse values, shape (n_clusters,); an InputError without a terse layer."""
        return self._mean("terse") if self.members else encode(self.estimator, self.batch, max_rows=self.max_rows)

    @cached_property
    def leave_one_out(self) -> FloatArray:
        """sigma8 without each cluster minus sigma8 with all, NaN for a lone cluster, shape (n_clusters,)."""
        if self.members:
            return self._mean("leave_one_out")
        return leave_one_out(self.estimator, self.batch, max_rows=self.max_rows)

    def gradient(self, of: Target) -> FloatArray:
        """Return d terse / d scaled inputs, or d sigma8, shape (n_clusters, n_features).

        Raises
        ------
        InputError
            If the model has no terse layer.
        """
        return self.terse_gradient if of == "terse" else self.sigma8_gradient

    @cached_property
    def terse_gradient(self) -> FloatArray:
        """D terse / d scaled inputs, shape (n_clusters, n_features)."""
        if self.members:
            return self._mean("terse_gradient")
        return gradient(self.estimator, self.batch, of="terse", max_rows=self.max_rows)

    @cached_property
    def sigma8_gradient(self) -> FloatArray:
        """D (its catalog's sigma8) / d scaled inputs of each cluster, shape (n_clusters, n_features)."""
        if self.members:
            return self._mean("sigma8_gradient")
        return gradient(self.estimator, self.batch, of="sigma8", max_rows=self.max_rows)

    def _mean(self, answer: str) -> FloatArray:
        mean: FloatArray = np.mean([getattr(member, answer) for member in self.members], axis=0)
        return mean
