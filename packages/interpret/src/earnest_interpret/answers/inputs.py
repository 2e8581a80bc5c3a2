"""Which inputs a model is most sensitive to."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, final

import polars as pl
from earnest_common.arrays import FloatArray
from earnest_common.notebook import html_table
from earnest_common.plugins import Model, as_estimator
from earnest_common.report.section import Section

from earnest_interpret.analyses.saliency.examination import SaliencyContext, SaliencyRequest, run_saliency
from earnest_interpret.analyses.saliency.gradients import Method, SaliencySummary, saliency_table
from earnest_interpret.answers.samples import Catalogs, result_dict, sample_of, synthetic_of
from earnest_interpret.caution import caution_of, section_caution_of
from earnest_interpret.page.agreement import agreed
from earnest_interpret.page.brief import saliency_rows
from earnest_interpret.page.interpretation import InterpretConfig
from earnest_interpret.page.numbers import beside_numbers, saliency_numbers
from earnest_interpret.page.reasons import input_reasons
from earnest_interpret.responses.questions import Target
from earnest_interpret.responses.responses import Responses
from earnest_interpret.sample import Sample, mass_axis

__all__ = ["Saliency", "saliency"]


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Saliency:
    """What the inputs of each cluster do to its terse value or to sigma8.

    Attributes
    ----------
    sample
        The catalogs.
    summary
        Averages of every input.
    beside
        What belongs beside them: checks, faint clusters, other models.
    synthetic
        What is emulated in the catalogs or the training.
    trainings
        The averages of each training, of an ensemble or of ``also``; empty where there is one.
    """

    sample: Sample
    summary: SaliencySummary
    beside: SaliencyContext
    synthetic: str | None
    trainings: tuple[SaliencySummary, ...] = ()

    def __repr__(self) -> str:
        """Return one line: on what, of what, and the quantity with the largest share."""
        share, largest = max((self.summary.share(group), group.name) for group in self.summary.groups)
        emulated = ", with emulated parts" if self.synthetic else ""
        what = f"{self.summary.method} of {self.summary.of}, {100 * share:.0f} % of it {largest}"
        return f"Saliency({self.sample.text}: {what}{emulated})"

    def _repr_html_(self) -> str:
        return html_table("Saliency", {**saliency_rows(self.to_dict()), "synthetic": self.synthetic})

    @property
    def values(self) -> FloatArray:
        """Signed values of all clusters, shape (n_clusters, n_features), in the order of ``summary.names``."""
        return self.beside.values

    @property
    def warning(self) -> str:
        """What is wrong with the values; empty if nothing is."""
        return self.beside.warning

    @property
    def table(self) -> pl.DataFrame:
        """The columns catalog_id, cluster_id and one for each input."""
        names, of, method = self.summary.names, self.summary.of, self.summary.method
        return saliency_table(self.sample.batch, self.values, names, of=of, method=method)

    @property
    def reasons(self) -> tuple[str, ...]:
        """The findings in words."""
        by_training = [input_reasons(one) for one in self.trainings]
        return tuple(reason.text for reason in agreed(input_reasons(self.summary), by_training))

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers by name, ready for JSON, without those of single clusters."""
        numbers = {
            **saliency_numbers(self.summary),
            **beside_numbers(self.beside),
            "caution": caution_of(len(self.trainings)),
            "reasons": list(self.reasons),
        }
        return result_dict(self.sample, self.synthetic, numbers)

    def section(self) -> Section:
        """Return the figures and tables, for the report."""
        from earnest_interpret.sections import inputs_section

        caution = section_caution_of(len(self.trainings))
        return inputs_section(self.summary, mass_axis(self.sample.batch), beside=self.beside, caution=caution)


def saliency(
    model: Model,
    catalogs: Catalogs,
    *,
    of: Target = "terse",
    method: Method = "gradient",
    also: Sequence[Model] = (),
    compare: Model | None = None,
    compare_name: str = "the other model",
    config: InterpretConfig | None = None,
) -> Saliency:
    r"""Return the response of the terse value, or of sigma8, to each scaled input of each cluster.

    .. math:: g_{ij} = \partial\,\mathrm{terse}_i / \partial x_{ij}
              \quad\text{or}\quad \partial \hat\sigma_8 / \partial x_{ij}

    Parameters
    ----------
    model
        An estimator with a terse layer, or the folder of its bundle.
    catalogs
        In memory, on disk, or the folder of a set.
    of
        ``"terse"`` or ``"sigma8"``.
    method
        What stands for the gradient: ``"gradient"``, ``"smoothgrad"``, ``"integrated"`` or ``"occlusion"``.
    also
        Other trainings of the model, with the same inputs.
    compare, compare_name
        Another model, such as one without weak lensing, and how it is called.
    config
        Which and how many catalogs of a set, the seed, and how inputs are changed.

    Raises
    ------
    InputError
        If the model has no terse layer or cannot use the catalogs, or another training has other inputs.

    References
    ----------
    Ntampaka & Vikhlinin, section 5.2, arXiv:2112.05768.

    Examples
    --------
    >>> from earnest_common.testing import toy_batch
    >>> from earnest_interpret.testing import SaturatingEstimator
    >>> found = saliency(SaturatingEstimator(weights={"log10_t_x": 0.5}), toy_batch(n_catalogs=3, seed=1))
    >>> found
    Saliency(3 catalogs (209 clusters): gradient of terse, 100 % of it log10_t_x)
    >>> found.values.shape
    (209, 15)
    """
    resolved = config or InterpretConfig()
    sample, estimator = sample_of(catalogs, resolved), as_estimator(model)
    request = SaliencyRequest(of=of, method=method, config=resolved.attribution, seed=resolved.seed)
    responses = Responses(estimator=estimator, batch=sample.batch, max_rows=resolved.max_rows)
    summary, beside = run_saliency(
        responses,
        sample,
        request,
        also=[replace(responses, estimator=as_estimator(one)) for one in also] or responses.members,
        compare=replace(responses, estimator=as_estimator(compare)) if compare is not None else None,
        compare_name=compare_name,
    )
    first = () if responses.members and not also else (summary,)
    return Saliency(
        sample=sample,
        summary=summary,
        beside=beside,
        synthetic=synthetic_of(estimator, sample),
        trainings=(*first, *beside.also) if beside.also else (),
    )
