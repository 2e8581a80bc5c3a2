"""What the terse value is worth."""

from dataclasses import dataclass
from typing import Any, cast, final

import polars as pl
from earnest_common.notebook import html_table
from earnest_common.plugins import Model, as_estimator
from earnest_common.protocols import Estimator
from earnest_common.report.section import Section
from earnest_common.run.provenance import synthetic_note
from earnest_common.run.seeds import Stage, generator

from earnest_interpret.analyses.ablation.effect import AblationSummary, ablate
from earnest_interpret.answers.samples import Catalogs, result_dict, sample_of
from earnest_interpret.caution import caution_of, section_caution_of
from earnest_interpret.page.agreement import agreed
from earnest_interpret.page.brief import ablation_rows
from earnest_interpret.page.interpretation import ABLATION_STREAM, InterpretConfig
from earnest_interpret.page.numbers import ablation_numbers
from earnest_interpret.page.reasons import ablation_reasons
from earnest_interpret.responses.questions import Predictor
from earnest_interpret.sample import Sample

__all__ = ["Ablation", "ablation"]


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Ablation:
    """The scatter of sigma8 with the encoder's inputs exchanged or held constant.

    Attributes
    ----------
    sample
        The catalogs.
    summary
        Scatters and their changes, with and without the columns beside the encoder.
    synthetic
        What is emulated in the catalogs or the training.
    members
        The same of each training of an ensemble; empty for a model that was trained once.
    """

    sample: Sample
    summary: AblationSummary
    synthetic: str | None
    members: tuple[AblationSummary, ...] = ()

    def __repr__(self) -> str:
        """Return one line: on what, and the scatter with the inputs as they are and shuffled over all catalogs."""
        first = self.summary.cases[0]
        emulated = ", with emulated parts" if self.synthetic else ""
        scatters = f"scatter {first.as_they_are.scatter:.4f}, shuffled over all {first.over_all.scatter:.4f}"
        return f"Ablation({self.sample.text}: {scatters}{emulated})"

    def _repr_html_(self) -> str:
        return html_table("Ablation", {**ablation_rows(self.to_dict()), "synthetic": self.synthetic})

    @property
    def table(self) -> pl.DataFrame:
        """Inferred sigma8: catalog_id, without, inputs, shuffle, sigma8."""
        return self.summary.inferred

    @property
    def reasons(self) -> tuple[str, ...]:
        """The findings in words."""
        by_member = [ablation_reasons(one) for one in self.members]
        return tuple(reason.text for reason in agreed(ablation_reasons(self.summary), by_member))

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers by name, ready for JSON, without those of single catalogs."""
        more = {"caution": caution_of(len(self.members)), "reasons": list(self.reasons)}
        numbers = {**ablation_numbers(self.summary), **more}
        return result_dict(self.sample, self.synthetic, {"n_labelled": self.summary.n_catalogs, **numbers})

    def section(self) -> Section:
        """Return the figure and the table, for the report."""
        from earnest_interpret.sections import ablation_section

        return ablation_section(self.summary, caution=section_caution_of(len(self.members)))


def ablation(model: Model | Predictor, catalogs: Catalogs, *, config: InterpretConfig | None = None) -> Ablation:
    """Return the scatter of sigma8 with the encoder's inputs as they are, shuffled and held constant.

    Shuffled within catalogs, what is lost is which cluster has which terse value; shuffled over all catalogs, the
    distribution of terse values in a catalog is lost too. Each is measured with all columns, and without M_WL and L_X
    where the model reads them.

    Parameters
    ----------
    model
        Anything that predicts, or the folder of a bundle. Without a description, T, M_gas and the gas profiles are
        exchanged. Where its ``accepts_missing`` names M_WL or L_X they are taken away, else held constant.
    catalogs
        At least 20 of known sigma8: in memory, on disk, or the folder of a set.
    config
        Which and how many catalogs of a set, the seed, and the number of shuffles.

    Raises
    ------
    InputError
        If there are fewer catalogs of known sigma8, or the model cannot use them.

    References
    ----------
    Breiman 2001, doi:10.1023/A:1010933404324, section 10 (importance by permutation); Ntampaka & Vikhlinin, section
    5.2.1 (self-calibration), arXiv:2112.05768.

    Examples
    --------
    >>> from earnest_common.testing import ToyEstimator, toy_batch
    >>> ablation(ToyEstimator(), toy_batch(n_catalogs=30, seed=1))  # sigma8 from the number of clusters alone
    Ablation(30 catalogs (1,911 clusters): scatter 0.0226, shuffled over all 0.0226)
    """
    resolved = config or InterpretConfig()
    sample, estimator = sample_of(catalogs, resolved), as_estimator(cast(Estimator, model))
    summary, *members = ablate(
        estimator,
        sample.batch,
        rng=generator(resolved.seed, Stage.RESAMPLING, index=ABLATION_STREAM),
        n_shuffles=resolved.n_shuffles,
        max_rows=resolved.max_rows,
    )
    return Ablation(sample=sample, summary=summary, synthetic=_synthetic(estimator, sample), members=tuple(members))


def _synthetic(estimator: Predictor, sample: Sample) -> str | None:
    """Return what is emulated in the catalogs and, of a model that has a description, in its training."""
    description = getattr(estimator, "description", None)
    return synthetic_note(catalogs=sample.synthetic, training=getattr(description, "synthetic", None))
