"""What `earnest selfcal nulls` does, callable without a command line."""

from concurrent.futures import Executor
from dataclasses import asdict
from pathlib import Path
from typing import Any

from earnest_common.report.drawing import require_matplotlib
from earnest_common.report.section import section_text
from earnest_common.run.config import as_mapping
from earnest_common.run.parts import Outputs
from earnest_common.run.progress import progress
from earnest_common.run.provenance import provenance
from earnest_common.survey.presets import Preset

from earnest_selfcal.information.scatter import Effort, InformationPoint, measure
from earnest_selfcal.information.variants import REAL, Variant, mass_prior, survey_variants, width_variants
from earnest_selfcal.report.information import information_section
from earnest_selfcal.report.information_words import sentences

__all__ = ["WIDTHS", "information_map"]

WIDTHS = (0.0, 0.1, 0.2, 0.3, 0.5)
"""Half widths of the normalisations' priors that are compared."""


def information_map(
    preset: Preset,
    *,
    widths: tuple[float, ...] = WIDTHS,
    seed: int = 1,
    executor: Executor | None = None,
    section: Path | None = None,
    effort: Effort | None = None,
) -> dict[str, Any]:
    """Return the scatter of sigma8 for each survey variant and each part of the data.

    Parameters
    ----------
    preset
        Where the variants start from.
    widths
        Half widths of the normalisations' priors.
    seed
        Seed of all random numbers.
    executor
        Runs the referee.
    section
        File to write; until it is whole, finished numbers are kept beside it and the same call goes on with them.
    effort
        How many surveys, how finely; default ``Effort()``.

    Raises
    ------
    InputError
        If numbers of another computation are in the way.
    """
    effort = effort or Effort()
    variants = (
        *survey_variants(preset),
        *width_variants(preset, widths, cut="flux"),
        *width_variants(preset, widths, cut="mass"),
    )
    record = {"preset": as_mapping(preset), "effort": asdict(effort), "widths": list(widths)}
    if section is not None:
        require_matplotlib()
    outputs = Outputs.open((section,), {**record, "seed": seed})
    folder = outputs.keep() if outputs.paths else None
    points: list[InformationPoint] = []
    with progress(effort.n_catalogs * sum(len(one.data) for one in variants), "posteriors") as bar:
        for one in variants:
            points += measure(one, effort=effort, seed=seed, executor=executor, folder=folder, on_done=bar.advance)
    answer = _answer(preset, variants, points)
    if section is not None:
        origin = provenance(config=record, seed=seed)
        made = information_section(preset, variants, points, summary=answer["headline"], provenance=origin)
        outputs.write({section: section_text(made)})
    return answer


def _answer(preset: Preset, variants: tuple[Variant, ...], points: list[InformationPoint]) -> dict[str, Any]:
    priors = {one.key: {"title": one.title, "mass_prior": mass_prior(one.preset)} for one in variants}
    surveys: dict[str, dict[str, Any]] = {key: {**about, "data": {}} for key, about in priors.items()}
    for point in points:
        plain = asdict(point)
        surveys[plain.pop("survey")]["data"][plain.pop("data")] = {k: v for k, v in plain.items() if k != "width"}
    headline = {"prior_scatter": preset.priors.sigma8.std}
    headline |= {f"{REAL}_{name}_scatter": value["scatter"] for name, value in surveys[REAL]["data"].items()}
    headline |= {f"mass_{name}_scatter": value["scatter"] for name, value in surveys["mass"]["data"].items()}
    return {
        "preset": preset.name,
        "headline": headline,
        "surveys": surveys,
        "text": list(sentences(preset, variants, points)),
    }
