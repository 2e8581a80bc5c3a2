"""The report page on a model, from Python."""

from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

from earnest_common.catalogs import CatalogSet
from earnest_common.errors import InputError
from earnest_common.plugins import Model, as_estimator
from earnest_common.protocols import Estimator
from earnest_common.report.section import Section, read_section
from earnest_common.run.config import as_mapping
from earnest_common.run.files import file_sha256, refuse_existing
from earnest_common.run.provenance import provenance, synthetic_note

from earnest_interpret.answers.samples import Catalogs, open_sample, sample_of
from earnest_interpret.answers.verdict import verdict_section_of
from earnest_interpret.page.interpretation import InterpretConfig, interpret
from earnest_interpret.page.report import TITLE, Report, beside_page, build_report, read_summary, write_report
from earnest_interpret.responses.responses import Responses
from earnest_interpret.words import enumerate_words, name_of

__all__ = ["model_in_words", "record_of", "report"]


def report(
    model: Model,
    catalogs: Catalogs,
    out: str | PathLike[str] | None = None,
    *,
    include: Sequence[Section | str | PathLike[str]] = (),
    summaries: Sequence[Mapping[str, Any] | str | PathLike[str]] = (),
    title: str = TITLE,
    figures: str | PathLike[str] | None = None,
    also: Sequence[Model] = (),
    compare: Model | None = None,
    config: InterpretConfig | None = None,
) -> Report:
    """Return one page that shows how accurate a model is and why, and write it with its numbers beside it.

    Parameters
    ----------
    model
        An estimator, or the folder of a bundle.
    catalogs
        In memory, on disk, or the folder of a set.
    out
        The page, such as ``page.html``; its numbers go to ``page.json``. Without it nothing is written.
    include
        Sections of other packages, or their files.
    summaries
        Headline numbers, such as ``earnest_model.evaluate(...).to_dict()``, or files with them.
    title
        Heading of the page.
    figures
        Folder for every figure as an SVG file.
    also, compare
        Other trainings of the model, and another model.
    config
        Which and how many catalogs of a set, and how much is computed.

    Raises
    ------
    OutputExistsError
        If an output is taken.
    EarnestError
        If the model, the catalogs or what is included cannot be used.

    Examples
    --------
    >>> from earnest_common.testing import toy_batch
    >>> from earnest_interpret.testing import SaturatingEstimator
    >>> report(SaturatingEstimator(), toy_batch(n_catalogs=30, seed=1), config=InterpretConfig(n_permutations=99))
    Report(30 catalogs (1,911 clusters): 25 figures)
    """
    page, folder = (Path(path) if path is not None else None for path in (out, figures))
    if folder is not None and page is None:
        raise InputError("figures go beside a page: name it with out")
    for path in (page, beside_page(page) if page else None, folder):
        if path is not None:
            refuse_existing(path)
    resolved, found, estimator = config or InterpretConfig(), open_sample(catalogs), as_estimator(model)
    sample = sample_of(found, resolved)
    origin = found if isinstance(found, CatalogSet) else None
    sections = [one if isinstance(one, Section) else read_section(Path(one)) for one in include]
    bundle = Path(model) if isinstance(model, str | PathLike) else None
    responses = Responses(estimator=estimator, batch=sample.batch, max_rows=resolved.max_rows)
    if "verdict" not in {section.key for section in sections}:
        sections += verdict_section_of(responses, sample, origin, bundle=bundle, config=resolved)
    built = build_report(
        interpret(
            responses,
            sample,
            resolved,
            also=[as_estimator(one) for one in also],
            compare=(as_estimator(compare) if compare is not None else None, "the other model"),
        ),
        model=model_in_words(estimator),
        title=title,
        include=sections,
        summaries=[one if isinstance(one, Mapping) else read_summary(Path(one)) for one in summaries],
        provenance=record_of(resolved, origin, estimator, {} if bundle is None else {"model": bundle}),
    )
    if page is not None:
        write_report(page, built, figures=folder)
    return built


def record_of(
    config: InterpretConfig, origin: CatalogSet | None, estimator: Estimator, bundles: Mapping[str, Path]
) -> dict[str, Any]:
    """Return the provenance of all results, and how the catalogs and the model were made."""
    hashes = {name: file_sha256(path / "bundle.json") for name, path in bundles.items()}
    hashes |= {"catalogs": origin.manifest.data_hash} if origin else {}
    plan, description = origin.manifest.plan if origin else None, estimator.description
    made = {"kind": plan.kind, "preset": plan.preset, "seed": plan.seed, "config": dict(plan.config)} if plan else None
    return {
        **provenance(config=as_mapping(config), seed=config.seed, inputs=hashes),
        "synthetic": synthetic_note(catalogs=plan.synthetic if plan else None, training=description.synthetic),
        "catalogs": made,
        "model": {
            "estimator": description.estimator,
            "features": list(description.features),
            "supplementary": list(description.supplementary),
            "synthetic": description.synthetic,
            "training": dict(description.training),
        },
    }


def model_in_words(estimator: Estimator) -> str:
    """Return what the model is and reads, for the head of a page.

    The architecture is taken from the training record where there is one.
    """
    description = estimator.description
    name = description.training.get("architecture", description.estimator)
    encoded = enumerate_words([name_of(column) for column in description.features])
    added = enumerate_words([name_of(column) for column in description.supplementary])
    reads = f"which encodes {encoded} of each cluster" if encoded else "which reads no column of the clusters"
    return f"The {name} model, {reads}{f' and adds {added}' if added else ''}"
