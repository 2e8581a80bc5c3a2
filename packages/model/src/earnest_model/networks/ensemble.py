"""Several networks as one: the mean of their distributions."""

from collections.abc import Callable, Sequence
from typing import final

import numpy as np

from earnest_model.data.arrays import Arrays, FloatArray
from earnest_model.networks.heads import AbstractHead
from earnest_model.networks.queries import AbstractInference

__all__ = ["EnsembleInference"]


@final
class EnsembleInference(AbstractInference):
    """Questions to the members of an ensemble.

    Its distribution is the mean of theirs, so that sigma8, its gradient and the effect of leaving a cluster out are
    means over members. So is the terse value; that mean has a meaning only where training anchors it to the mass.

    Parameters
    ----------
    members
        Questions to each network.
    head
        How outputs are read, the same for all.
    """

    def __init__(self, members: Sequence[AbstractInference], head: AbstractHead) -> None:
        self._members, self._head = tuple(members), head

    def outputs(self, arrays: Arrays) -> FloatArray:
        """Return the outputs of the ensemble, shape (n_catalogs, size)."""
        return self._head.combine([member.outputs(arrays) for member in self._members])

    def sigma8(self, arrays: Arrays) -> FloatArray:
        """Return the inferred value of each catalog, shape (n_catalogs,)."""
        return self._mean(lambda member: member.sigma8(arrays))

    def terse(self, arrays: Arrays) -> FloatArray:
        """Return the terse value of each cluster, shape (n_clusters,)."""
        return self._mean(lambda member: member.terse(arrays))

    def terse_gradient(self, arrays: Arrays) -> FloatArray:
        """Return d terse / d encoder inputs, shape (n_clusters, n_features)."""
        return self._mean(lambda member: member.terse_gradient(arrays))

    def sigma8_gradient(self, arrays: Arrays) -> FloatArray:
        """Return d (its catalog's sigma8) / d encoder inputs of each cluster, shape (n_clusters, n_features)."""
        return self._mean(lambda member: member.sigma8_gradient(arrays))

    def leave_one_out(self, arrays: Arrays) -> FloatArray:
        """Return sigma8 without each cluster minus with all, shape (n_clusters,); NaN where undefined."""
        return self._mean(lambda member: member.leave_one_out(arrays))

    def _mean(self, ask: Callable[[AbstractInference], FloatArray]) -> FloatArray:
        mean: FloatArray = np.mean([ask(member) for member in self._members], axis=0)
        return mean
