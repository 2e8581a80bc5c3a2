"""What the commands of `earnest selfcal` do, callable without a command line."""

import math
from pathlib import Path
from typing import Any

from earnest_common.catalog_set import CatalogSet
from earnest_common.errors import InputError
from earnest_common.files import refuse_existing
from earnest_common.provenance import provenance
from earnest_common.schema import SPLITS
from earnest_common.section import write_section
from earnest_common.survey import Preset, preset

from earnest_selfcal.evaluate import evaluate
from earnest_selfcal.figures import require_matplotlib
from earnest_selfcal.forward import build_table
from earnest_selfcal.posterior import infer
from earnest_selfcal.recorded import preset_of, summaries_of
from earnest_selfcal.region import refusal
from earnest_selfcal.report import selfcal_section

__all__ = ["evaluated", "inferred"]


def inferred(survey: Preset, n_clusters: int, median_log10_y_x_h: float | None) -> dict[str, Any]:
    """Return sigma8 with its errors from observed numbers.

    Parameters
    ----------
    survey
        The preset.
    n_clusters
        Observed number of clusters.
    median_log10_y_x_h
        Observed median of log10 Y_X in the paper's unit [solMass/h keV], or ``None``.

    Raises
    ------
    InputError
        If the numbers lie outside the modelled region; the message says why.
    """
    table = build_table(survey)
    log10_y_x = None if median_log10_y_x_h is None else median_log10_y_x_h - math.log10(survey.cosmology.h)
    if reason := refusal(table, n_clusters, log10_y_x):
        raise InputError(reason)
    posterior = infer(table, n_clusters, log10_y_x)
    (lo68, hi68), (lo95, hi95) = posterior.interval(0.6827), posterior.interval(0.9545)
    return {
        "sigma8": posterior.mean,
        "sigma8_err": posterior.std,
        "lo68": lo68,
        "hi68": hi68,
        "lo95": lo95,
        "hi95": hi95,
        "prior_scatter": survey.priors.sigma8.std,
        "preset": survey.name,
        "n_clusters": n_clusters,
        "median_log10_y_x": median_log10_y_x_h,
    }


def evaluated(
    path: Path, *, preset_name: str | None = None, split: str = "test", section: Path | None = None
) -> dict[str, Any]:
    """Return the scores on a catalog set and, if asked, write the report section.

    Parameters
    ----------
    path
        Folder of the set.
    preset_name
        Survey preset; default: what the set's manifest records.
    split
        A split, or ``all``.
    section
        File to write.

    Raises
    ------
    InputError
        If the set cannot be evaluated.
    MissingExtraError
        If a section is asked for and matplotlib is not installed.
    """
    if split not in (*SPLITS, "all"):
        raise InputError(f"split '{split}' is not known; choose one of {', '.join((*SPLITS, 'all'))}")
    if section is not None:
        refuse_existing(section)
        require_matplotlib()
    catalog_set = CatalogSet.open(path)
    plan = catalog_set.manifest.plan
    survey = preset(preset_name) if preset_name else preset_of(plan)
    summaries = summaries_of(catalog_set, split=None if split == "all" else split)
    table = build_table(survey)
    evaluation = evaluate(table, summaries)
    if section is not None:
        origin = provenance(
            config={"preset": survey.name, "split": split}, inputs={"catalog set": catalog_set.manifest.data_hash}
        )
        write_section(section, selfcal_section(table, evaluation, provenance=origin))
    return {**evaluation.numbers(), "preset": survey.name, "split": split}
