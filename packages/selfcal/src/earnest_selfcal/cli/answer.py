"""What the commands of `earnest selfcal` do with files, callable without a command line."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, final

from earnest_common.catalogs import CatalogSet
from earnest_common.errors import InputError
from earnest_common.report.drawing import require_matplotlib, require_svg
from earnest_common.report.section import section_text, write_section
from earnest_common.run.parts import Content, Outputs
from earnest_common.run.provenance import provenance
from earnest_common.schema import SPLITS
from earnest_common.survey.presets import Preset

from earnest_selfcal.forward.observable import OBSERVABLES
from earnest_selfcal.forward.resolution import Resolution
from earnest_selfcal.forward.table import forward_table
from earnest_selfcal.posterior.evaluation import evaluate
from earnest_selfcal.posterior.inference import Inference, Observed, observed_in_set, observed_numbers
from earnest_selfcal.posterior.inference import posterior_of as infer_one
from earnest_selfcal.report.accuracy import selfcal_section
from earnest_selfcal.report.posterior import posterior_figure, posterior_section
from earnest_selfcal.survey.config import resolve_survey, states_relations
from earnest_selfcal.survey.measurement_errors import recorded_noise
from earnest_selfcal.survey.recorded import preset_of, refuse_not_understood, summaries_of, with_base_sample

__all__ = ["InferenceRequest", "evaluate_set", "infer_from", "prepare_outputs", "survey_of_set", "write_inference"]


def survey_of_set(
    catalog_set: CatalogSet, *, config: Path | None = None, options: Mapping[str, Any] | None = None
) -> Preset:
    """Return the survey of a set: what is given by file or options, else what mocks recorded.

    Mocks keep the relations and residuals of their base sample unless the file gives others.

    Raises
    ------
    InputError
        If nothing is given for an observed set, which does not know its survey, or mocks were made with what the
        forward model does not understand.
    """
    plan = catalog_set.manifest.plan
    if config is not None or any(value is not None for value in (options or {}).values()):
        given = resolve_survey(file=config, options=options)
        refuse_not_understood(plan)
        return given if plan.kind != "mock" or states_relations(config) else with_base_sample(given, plan)
    if plan.kind == "mock":
        return preset_of(plan)
    raise InputError(
        f"catalog set {catalog_set.path} is {plan.kind} and does not say how it was surveyed; "
        "describe volume, redshift and selection with --config FILE.toml or name a preset with --preset"
    )


@final
@dataclass(frozen=True, kw_only=True)
class InferenceRequest:
    """One survey's numbers as the command line gives them: stated, or to be read from a catalog set.

    Attributes
    ----------
    n_clusters
        Observed number of clusters.
    median_log10_y_x
        Median of log10 Y_X in the paper's unit [solMass/h keV].
    median_log10_l_x
        Median of log10 L_X [1e44 erg/s].
    catalog_set
        Folder of a set, instead of numbers.
    catalog_id, median
        Which catalog of the set, and whose median: ``y_x`` or ``l_x``.
    """

    n_clusters: int | None = None
    median_log10_y_x: float | None = None
    median_log10_l_x: float | None = None
    catalog_set: Path | None = None
    catalog_id: int | None = None
    median: str | None = None


def infer_from(
    question: InferenceRequest,
    *,
    config: Path | None = None,
    options: Mapping[str, Any] | None = None,
    resolution: Resolution | None = None,
) -> Inference:
    """Return the posterior of sigma8 for stated numbers or one catalog of a set.

    Parameters
    ----------
    question
        The numbers, or where they are.
    config, options
        The survey; default: what mocks recorded, or the preset ``paper`` for stated numbers.
    resolution
        Of the forward model.

    Raises
    ------
    InputError
        If the set, the numbers or the survey cannot be used, or contradict each other.
    """
    if question.n_clusters is None and question.catalog_set is None:
        raise InputError("the number of clusters is not given; give --n-clusters, alone or with a median, or --set SET")
    if question.n_clusters is not None and question.catalog_set is not None:
        raise InputError("--n-clusters is given beside --set, which has its own number; leave one of them out")
    if question.catalog_set is None:
        return infer_one(*_stated(question, resolve_survey(file=config, options=options)), resolution)
    catalog_set = CatalogSet.open(question.catalog_set)
    preset, observed = _in_set(question, catalog_set, config=config, options=options)
    return infer_one(preset, observed, resolution, noise=recorded_noise(catalog_set.manifest.plan.config))


def _stated(question: InferenceRequest, preset: Preset) -> tuple[Preset, Observed]:
    if question.catalog_id is not None or question.median is not None:
        raise InputError("--catalog-id and --median belong to --set; with --n-clusters give the median itself")
    observed = observed_numbers(
        preset,
        question.n_clusters or 0,
        median_log10_y_x_h=question.median_log10_y_x,
        median_log10_l_x=question.median_log10_l_x,
    )
    return preset, observed


def _in_set(
    question: InferenceRequest, catalog_set: CatalogSet, *, config: Path | None, options: Mapping[str, Any] | None
) -> tuple[Preset, Observed]:
    if question.median_log10_y_x is not None or question.median_log10_l_x is not None:
        raise InputError("a median is given beside --set, which has its own; leave one of them out")
    if question.median not in (None, *OBSERVABLES):
        raise InputError(f"median '{question.median}' is not known; choose one of {', '.join(OBSERVABLES)}")
    preset = survey_of_set(catalog_set, config=config, options=options)
    chosen = next((name for name in OBSERVABLES if name == question.median), None)
    return preset, observed_in_set(catalog_set, preset.survey, catalog_id=question.catalog_id, observable=chosen)


def prepare_outputs(*paths: Path | None, figure: Path | None = None, asked: Mapping[str, Any] | None = None) -> Outputs:
    """Refuse before any work if an output cannot be written or drawn, or a figure's name is not that of an SVG file.

    Parameters
    ----------
    paths, figure
        Where the outputs go; ``None`` where one is not wanted.
    asked
        What determines them, ready for JSON.
    """
    if figure is not None:
        require_svg(figure)
    outputs = Outputs.open((*paths, figure), asked or {})
    if outputs.paths:
        require_matplotlib()
    return outputs


def write_inference(
    inference: Inference,
    *,
    figure: Path | None = None,
    section: Path | None = None,
    outputs: Outputs | None = None,
) -> None:
    """Write the posterior as an SVG figure and a report section, as asked, together."""
    contents: dict[Path, Content] = {}
    if figure is not None:
        contents[figure] = posterior_figure(inference).svg
    if section is not None:
        numbers, preset = inference.numbers(), inference.preset
        origin = provenance(
            config={
                "preset": preset.name,
                "survey": asdict(preset.survey),
                "priors": asdict(preset.priors),
                "observed": {"n_clusters": numbers["n_clusters"], **dict(inference.observed.origin)},
            }
        )
        contents[section] = section_text(posterior_section(inference, provenance=origin))
    (outputs or Outputs.open((figure, section), inference.numbers())).write(contents)


def evaluate_set(
    path: Path,
    *,
    split: str = "test",
    config: Path | None = None,
    options: Mapping[str, Any] | None = None,
    section: Path | None = None,
    resolution: Resolution | None = None,
) -> dict[str, Any]:
    """Return the scores on a catalog set and, if asked, write the report section.

    Parameters
    ----------
    path
        Folder of the set.
    split
        A split, or ``all``.
    config, options
        The survey; default: what the set's manifest records.
    section
        File to write.
    resolution
        Of the forward model.

    Raises
    ------
    InputError
        If the set cannot be evaluated.
    MissingExtraError
        If a section is asked for and matplotlib is not installed.
    """
    if split not in (*SPLITS, "all"):
        raise InputError(f"split '{split}' is not known; choose one of {', '.join((*SPLITS, 'all'))}")
    prepare_outputs(section)
    catalog_set = CatalogSet.open(path)
    survey = survey_of_set(catalog_set, config=config, options=options)
    summaries = summaries_of(catalog_set, split=None if split == "all" else split)
    noise = recorded_noise(catalog_set.manifest.plan.config)
    tables = [forward_table(survey, resolution, observable=observable, noise=noise) for observable in OBSERVABLES]
    evaluation = evaluate(tables, summaries)
    if section is not None:
        origin = provenance(
            config={"preset": survey.name, "split": split}, inputs={"catalog set": catalog_set.manifest.data_hash}
        )
        write_section(section, selfcal_section(tables[0], evaluation, provenance=origin))
    return {**evaluation.to_dict(), "preset": survey.name, "split": split}
