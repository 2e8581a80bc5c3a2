"""What the terse value follows."""

from dataclasses import dataclass
from typing import Any, final

import polars as pl
from earnest_common.arrays import FloatArray
from earnest_common.notebook import html_table
from earnest_common.plugins import Model, as_estimator
from earnest_common.report.section import Section

from earnest_interpret.analyses.members import MemberFindings, find_members
from earnest_interpret.analyses.saliency.examination import SaliencyRequest
from earnest_interpret.analyses.terse.correlations import TerseSummary, summarise_terse
from earnest_interpret.answers.samples import Catalogs, result_dict, sample_of, synthetic_of
from earnest_interpret.caution import caution_of, section_caution_of
from earnest_interpret.page.agreement import agreed
from earnest_interpret.page.brief import terse_rows
from earnest_interpret.page.interpretation import InterpretConfig
from earnest_interpret.page.numbers import members_numbers, terse_numbers
from earnest_interpret.page.reasons import terse_reasons
from earnest_interpret.responses.responses import Responses
from earnest_interpret.sample import Sample, mass_axis

__all__ = ["TerseValues", "terse"]


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class TerseValues:
    """The terse value of each cluster, and what it follows.

    Attributes
    ----------
    sample
        The catalogs.
    values
        Terse values, shape (n_clusters,).
    summary
        Correlations, the test at fixed mass, and mass proxies.
    supplementary
        Columns that join the terse value after the encoder.
    synthetic
        What is emulated in the catalogs or the training.
    members
        What each training of an ensemble finds; empty for a model that was trained once.
    """

    sample: Sample
    values: FloatArray
    summary: TerseSummary
    supplementary: tuple[str, ...]
    synthetic: str | None
    members: tuple[MemberFindings, ...] = ()

    def __repr__(self) -> str:
        """Return one line: on what, and what the terse value follows most closely."""
        pearson = {name: found.pearson for name, found in self.summary.correlations.items()}
        closest = max(pearson, key=lambda name: abs(pearson[name]), default=None)
        follows = f"r = {pearson[closest]:.2f} with {closest}" if closest else "nothing known to compare with"
        return f"TerseValues({self.sample.text}: {follows}{', with emulated parts' if self.synthetic else ''})"

    def _repr_html_(self) -> str:
        return html_table("Terse values", {**terse_rows(self.to_dict()), "synthetic": self.synthetic})

    @property
    def table(self) -> pl.DataFrame:
        """The columns catalog_id, cluster_id and terse."""
        return self.sample.batch.clusters.select("catalog_id", "cluster_id").with_columns(
            pl.Series("terse", self.values)
        )

    @property
    def reasons(self) -> tuple[str, ...]:
        """The findings in words."""
        by_member = [terse_reasons(one.terse, self.supplementary) for one in self.members]
        return tuple(reason.text for reason in agreed(terse_reasons(self.summary, self.supplementary), by_member))

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers by name, ready for JSON, without those of single clusters."""
        more = {"caution": caution_of(len(self.members)), "members": members_numbers(self.members)}
        return result_dict(
            self.sample, self.synthetic, {**terse_numbers(self.summary), **more, "reasons": list(self.reasons)}
        )

    def section(self) -> Section:
        """Return the figures and tables, for the report."""
        from earnest_interpret.sections import terse_section

        caution = section_caution_of(len(self.members))
        return terse_section(self.summary, self.values, self.sample.batch, caution=caution, members=self.members)


def terse(model: Model, catalogs: Catalogs, *, config: InterpretConfig | None = None) -> TerseValues:
    """Return the terse value of each cluster, what it correlates with, and whether it depends on sigma8 at fixed mass.

    Parameters
    ----------
    model
        An estimator with a terse layer, or the folder of its bundle.
    catalogs
        In memory, on disk, or the folder of a set.
    config
        Which and how many catalogs of a set, the seed, and the number of permutations.

    Raises
    ------
    InputError
        If the model has no terse layer or cannot use the catalogs.

    References
    ----------
    Ntampaka & Vikhlinin, section 5.3 and appendix B, arXiv:2112.05768.

    Examples
    --------
    >>> from earnest_common.testing import toy_batch
    >>> from earnest_interpret.testing import SaturatingEstimator
    >>> terse(SaturatingEstimator(), toy_batch(n_catalogs=30, seed=1), config=InterpretConfig(n_permutations=99))
    TerseValues(30 catalogs (1,911 clusters): r = 0.99 with log10_t_x)
    """
    resolved = config or InterpretConfig()
    sample, estimator = sample_of(catalogs, resolved), as_estimator(model)
    batch = sample.batch
    responses = Responses(estimator=estimator, batch=batch, max_rows=resolved.max_rows)
    return TerseValues(
        sample=sample,
        values=responses.terse,
        summary=summarise_terse(
            responses.terse, batch, mass_axis(batch), seed=resolved.seed, n_permutations=resolved.n_permutations
        ),
        supplementary=tuple(estimator.description.supplementary),
        synthetic=synthetic_of(estimator, sample),
        members=find_members(
            responses, sample, SaliencyRequest(seed=resolved.seed), n_permutations=resolved.n_permutations
        ),
    )
