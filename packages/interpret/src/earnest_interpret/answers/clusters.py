"""Which clusters move sigma8."""

from dataclasses import dataclass
from typing import Any, final

import polars as pl
from earnest_common.arrays import FloatArray
from earnest_common.notebook import html_table
from earnest_common.plugins import Model, as_estimator
from earnest_common.report.section import Section

from earnest_interpret.analyses.leave_one_out import removal
from earnest_interpret.analyses.leave_one_out.groups import GroupRemoval, leave_groups_out
from earnest_interpret.analyses.leave_one_out.information import Ideal
from earnest_interpret.answers.samples import Catalogs, result_dict, sample_of, synthetic_of
from earnest_interpret.page.brief import leave_one_out_rows
from earnest_interpret.page.interpretation import InterpretConfig, ideal_of
from earnest_interpret.page.numbers import group_numbers, leave_one_out_numbers
from earnest_interpret.page.reasons import cluster_reason
from earnest_interpret.responses.responses import Responses
from earnest_interpret.sample import MassAxis, Sample, mass_axis

__all__ = ["LeaveOneOut", "leave_one_out"]


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class LeaveOneOut:
    """How sigma8 moves when clusters are left out.

    Attributes
    ----------
    sample
        The catalogs.
    delta
        Change of sigma8 without each cluster, NaN for the only one of a catalog, shape (n_clusters,).
    summary
        The changes in summary.
    axis
        Masses of the clusters, if known.
    ideal
        What an analysis of known masses would do, where the survey is known.
    groups
        Changes without whole groups of clusters.
    synthetic
        What is emulated in the catalogs or the training.
    """

    sample: Sample
    delta: FloatArray
    summary: removal.LeaveOneOutSummary
    axis: MassAxis | None
    ideal: Ideal | None
    groups: tuple[GroupRemoval, ...]
    synthetic: str | None

    def __repr__(self) -> str:
        """Return one line: on what, and how stable sigma8 is."""
        emulated = ", with emulated parts" if self.synthetic else ""
        stable = f"68 % of changes of sigma8 below {self.summary.stability_68:.4f}"
        return f"LeaveOneOut({self.sample.text}: {stable}{emulated})"

    def _repr_html_(self) -> str:
        return html_table("Leave-one-out", {**leave_one_out_rows(self.to_dict()), "synthetic": self.synthetic})

    @property
    def table(self) -> pl.DataFrame:
        """The columns catalog_id, cluster_id and delta_sigma8."""
        return removal.leave_one_out_table(self.sample.batch, self.delta)

    @property
    def reasons(self) -> tuple[str, ...]:
        """The finding in words."""
        return (cluster_reason(self.summary).text,)

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers by name, ready for JSON, without those of single clusters."""
        numbers = leave_one_out_numbers(self.summary, self.delta, self.axis, self.ideal)
        numbers |= {"groups": group_numbers(self.groups, column=self.summary.column), "reasons": list(self.reasons)}
        return result_dict(self.sample, self.synthetic, numbers)

    def section(self) -> Section:
        """Return the figures and tables, for the report."""
        from earnest_interpret.sections import clusters_section

        return clusters_section(self.summary, self.axis, self.delta, ideal=self.ideal, groups=self.groups)


def leave_one_out(model: Model, catalogs: Catalogs, *, config: InterpretConfig | None = None) -> LeaveOneOut:
    r"""Return how the inferred sigma8 moves when each cluster is left out, and when whole groups are.

    .. math:: \Delta\sigma_{8,i} = \hat\sigma_8(\text{all but } i) - \hat\sigma_8(\text{all})

    Parameters
    ----------
    model
        An estimator, or the folder of a bundle.
    catalogs
        In memory, on disk, or the folder of a set.
    config
        Which and how many catalogs of a set, and the seed of the draw; default 500 of split ``test``.

    Raises
    ------
    InputError
        If there are no clusters, or the model cannot use them.

    References
    ----------
    Ntampaka & Vikhlinin, section 5.1, arXiv:2112.05768.

    Examples
    --------
    >>> from earnest_common.testing import toy_batch
    >>> from earnest_interpret.testing import SaturatingEstimator
    >>> found = leave_one_out(SaturatingEstimator(), toy_batch(n_catalogs=3, seed=1))
    >>> found
    LeaveOneOut(3 catalogs (209 clusters): 68 % of changes of sigma8 below 0.0014)
    >>> found.table.columns
    ['catalog_id', 'cluster_id', 'delta_sigma8']
    """
    estimator, resolved = as_estimator(model), config or InterpretConfig()
    sample = sample_of(catalogs, resolved)
    axis = mass_axis(sample.batch)
    responses = Responses(estimator=estimator, batch=sample.batch, max_rows=resolved.max_rows)
    return LeaveOneOut(
        sample=sample,
        delta=responses.leave_one_out,
        summary=removal.summarise_leave_one_out(responses.leave_one_out, axis),
        axis=axis,
        ideal=ideal_of(sample),
        groups=leave_groups_out(responses, axis, seed=resolved.seed),
        synthetic=synthetic_of(estimator, sample),
    )
