"""What the commands `volumes` and `figures` do with files, callable without a command line."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import polars as pl
from earnest_common.errors import InputError
from earnest_common.report.section import Section, section_text, write_section
from earnest_common.run.parts import Content
from earnest_common.run.provenance import provenance
from earnest_common.survey.presets import Preset

from earnest_selfcal.cli.answer import prepare_outputs
from earnest_selfcal.forward.resolution import Resolution
from earnest_selfcal.report.survey import figures_section, volumes_section
from earnest_selfcal.simulation.binned import refuse_few
from earnest_selfcal.simulation.grid import draw_surveys, read_grid
from earnest_selfcal.simulation.volumes import APPENDIX_A_SMOOTHING, at_volume, compare_volumes

__all__ = ["figures_answer", "volumes_answer"]


def volumes_answer(
    preset: Preset,
    fractions: Sequence[float],
    *,
    n_surveys: int,
    n_posteriors: int,
    seed: int,
    section: Path | None = None,
    resolution: Resolution | None = None,
    on_done: Callable[[], object] = lambda: None,
) -> dict[str, Any]:
    """Return the scatter of sigma8 for several volumes and, if asked, write the report section.

    Parameters
    ----------
    preset
        The survey with its smoothing.
    fractions
        Volumes in units of the simulation box.
    n_surveys, n_posteriors, seed, resolution, on_done
        As for :func:`earnest_selfcal.simulation.volumes.compare_volumes`.
    section
        File to write.
    """
    results = compare_volumes(
        preset,
        fractions=fractions,
        smoothing=None,
        n_surveys=n_surveys,
        n_posteriors=n_posteriors,
        seed=seed,
        resolution=resolution,
        on_done=on_done,
    )
    if section is not None:
        origin = _origin(preset, n_surveys=n_surveys, seed=seed)
        write_section(section, volumes_section(preset, results, provenance=origin))
    return {f"{100 * r.fraction:g}_percent": r.numbers() for r in results}


def figures_answer(
    preset: Preset,
    *,
    out: Path | None,
    section: Path | None,
    grid: Path | None = None,
    n_surveys: int = 100_000,
    seed: int = 1,
    resolution: Resolution | None = None,
    n_catalogs: int = 512,
    n_posteriors: int = 500,
) -> dict[str, Any]:
    """Draw figures 1, 13, 14, 17 and 18 of the paper for a survey.

    Parameters
    ----------
    preset
        The survey.
    out
        Folder for one SVG file per figure.
    section
        Report section with all figures.
    grid
        Folder of simulated surveys of the same survey; default: simulate ``n_surveys`` anew.
    n_surveys, seed
        Of the simulated surveys.
    resolution
        Of the forward model.
    n_catalogs
        Sets of nuisance factors that figure 13 averages over.
    n_posteriors
        Surveys of each volume that are inferred one by one.

    Raises
    ------
    InputError
        If nothing is to be written, the surveys are too few, or the grid is of another survey.
    """
    if out is None and section is None:
        raise InputError("nothing to draw: give --out FOLDER for SVG files, --section FILE.json for the report or both")
    asked = {"command": "figures", "preset": asdict(preset), "n_surveys": n_surveys, "seed": seed, "grid": grid}
    if grid is None:
        refuse_few(n_surveys)
    outputs = prepare_outputs(out, section, asked=asked)
    surveys = draw_surveys(preset, n_surveys, seed=seed) if grid is None else _surveys_of(grid, preset)
    origin = _origin(preset, n_surveys=len(surveys), seed=seed)
    first = figures_section(preset, surveys, provenance=origin, n_catalogs=n_catalogs)
    smooth = at_volume(preset, 1.0, smoothing=APPENDIX_A_SMOOTHING)
    n = min(n_surveys, len(surveys))
    results = compare_volumes(smooth, n_surveys=n, n_posteriors=min(n_posteriors, n), seed=seed, resolution=resolution)
    second = volumes_section(smooth, results, provenance=origin)
    figures = (*first.figures, *second.figures)
    contents: dict[Path, Content] = {}
    if out is not None:
        drawn = {f"{figure.name}.svg": figure.svg for figure in figures}
        contents[out] = drawn | {f"{figure.name}.txt": figure.caption + "\n" for figure in figures}
    if section is not None:
        joined = Section(
            key=first.key,
            title=first.title,
            text=(*first.text, *second.text),
            figures=figures,
            tables=second.tables,
            summary=second.summary,
            provenance=origin,
        )
        contents[section] = section_text(joined)
    outputs.write(contents)
    return {"figures": [figure.name for figure in figures], "n_surveys": len(surveys), "preset": preset.name}


def _surveys_of(grid: Path, preset: Preset) -> pl.DataFrame:
    surveys, record = read_grid(grid)
    if record["config"] != json.loads(json.dumps(asdict(preset))):
        raise InputError(f"{grid} holds surveys of another configuration; give the same --preset and --config as then")
    return surveys


def _origin(preset: Preset, *, n_surveys: int, seed: int) -> dict[str, Any]:
    return provenance(config={**asdict(preset), "n_surveys": n_surveys}, seed=seed)
