"""What each training of an ensemble finds, and how far their terse values agree."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final, final

import numpy as np
from earnest_common.arrays import FloatArray
from scipy.stats import rankdata

from earnest_interpret.analyses.leave_one_out.removal import LeaveOneOutSummary, summarise_leave_one_out
from earnest_interpret.analyses.saliency.examination import SaliencyRequest, saliency_of
from earnest_interpret.analyses.saliency.gradients import SaliencySummary
from earnest_interpret.analyses.terse.correlations import TerseSummary, summarise_terse
from earnest_interpret.responses.responses import Responses
from earnest_interpret.sample import Sample, mass_axis

__all__ = ["MemberFindings", "find_members", "rank_correlations"]

_MOST_PERMUTATIONS: Final = 999
"""Shuffles of a member's tests; those of the ensemble have all that were asked for."""


@final
@dataclass(frozen=True, kw_only=True)
class MemberFindings:
    """What one training finds.

    Attributes
    ----------
    clusters
        Leave-one-out.
    inputs
        Saliency of its terse value.
    terse_values, terse
        Its terse values, shape (n_clusters,), and their summary.
    """

    clusters: LeaveOneOutSummary
    inputs: SaliencySummary
    terse_values: FloatArray
    terse: TerseSummary


def find_members(
    responses: Responses, sample: Sample, request: SaliencyRequest, *, n_permutations: int
) -> tuple[MemberFindings, ...]:
    """Return what each training of an ensemble finds on a sample; empty for a model that was trained once.

    Parameters
    ----------
    responses, sample
        What the model answers, and the catalogs.
    request
        How saliency is computed.
    n_permutations
        Shuffles of the test at fixed mass, of which a member takes at most 999.
    """
    axis, n = mass_axis(sample.batch), min(n_permutations, _MOST_PERMUTATIONS)
    return tuple(
        MemberFindings(
            clusters=summarise_leave_one_out(member.leave_one_out, axis),
            inputs=saliency_of(member, sample, request),
            terse_values=member.terse,
            terse=summarise_terse(
                member.terse, sample.batch, axis, seed=request.seed, n_permutations=n, dependence=False
            ),
        )
        for member in responses.members
    )


def rank_correlations(values: Sequence[FloatArray]) -> FloatArray:
    """Return the rank correlation of the terse values of each pair of trainings, shape (n_pairs,).

    Examples
    --------
    >>> rank_correlations([np.array([0.1, 0.2, 0.4]), np.array([1.0, 5.0, 6.0]), np.array([3.0, 2.0, 1.0])]).round(6)
    array([ 1., -1., -1.])
    """
    ranks = [rankdata(one) for one in values]
    return np.array([np.corrcoef(one, other)[0, 1] for one, other in combinations(ranks, 2)])
