"""Report sections on surveys: the paper's figures 1, 13 and 14, and appendix A with figures 17 and 18."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
from earnest_common.report.section import DataTable, Section
from earnest_common.survey.presets import Preset

from earnest_selfcal.report.abundance import abundance_figure, medians_figure
from earnest_selfcal.report.volumes import binned_figure, volumes_figure
from earnest_selfcal.simulation.volumes import APPENDIX_A_FRACTIONS, VolumeResult, at_volume

__all__ = ["figures_section", "volumes_section"]


def figures_section(
    preset: Preset, surveys: pl.DataFrame, *, provenance: Mapping[str, Any], n_catalogs: int = 512
) -> Section:
    """Return figures 1, 13 and 14 of the paper for a survey.

    Parameters
    ----------
    preset
        The survey.
    surveys
        Simulated surveys of it.
    provenance
        How they were made.
    n_catalogs
        Sets of nuisance factors that figure 13 averages over.
    """
    figures = (
        abundance_figure([preset], name="selfcal-abundance"),
        medians_figure(preset, n_catalogs=n_catalogs),
        binned_figure(surveys, h=preset.cosmology.h),
    )
    return Section(
        key="counts.survey",
        title="What the survey sees, and where σ₈ is in it",
        text=(
            "The break between the flux- and the volume-limited part makes a peak in the number of detected clusters. "
            "Its mass moves with the luminosity relation; a tight mass proxy follows it, the luminosity does not.",
        ),
        figures=figures,
        provenance=provenance,
    )


def volumes_section(preset: Preset, results: Sequence[VolumeResult], *, provenance: Mapping[str, Any]) -> Section:
    """Return appendix A of the paper: figures 17 and 18, and the scatter of sigma8 for each volume.

    Parameters
    ----------
    preset
        The survey, with the smoothing that was used.
    results
        One for each volume.
    provenance
        How they were made.
    """
    numbers = {f"{100 * r.fraction:.0f}_percent": r.numbers() for r in results}
    rows = tuple(_row(result) for result in results)
    ends = [at_volume(preset, f) for f in (APPENDIX_A_FRACTIONS[0], APPENDIX_A_FRACTIONS[-1])]
    return Section(
        key="counts.volumes",
        title="How self-calibration depends on the survey's volume",
        text=(
            "The paper's appendix A smooths the break by 0.076 dex, the scatter of L_X in mass, and varies the volume; "
            "it finds about 0.03 for all volumes, and bins that must not be used for another volume than their own.",
        ),
        figures=(
            abundance_figure(ends, name="selfcal-abundance-volumes"),
            volumes_figure(results, h=preset.cosmology.h),
        ),
        tables=(
            DataTable(
                name="selfcal-volumes",
                columns=("volume [% of the box]", "mean N", "N alone", "N and Y_X", "N and L_X", "about bins", "±"),
                rows=rows,
                caption=(
                    "Scatter of the posterior mean of σ₈ about the truth, and of σ₈ about its bin's mean in N and "
                    "median Y_X; the last column is the standard error of N and Y_X."
                ),
            ),
        ),
        summary=numbers,
        provenance=provenance,
    )


def _row(result: VolumeResult) -> tuple[str | float | int | None, ...]:
    scores = result.evaluation.scores
    scatters = tuple(round(scores[name].scatter, 4) for name in ("n_only", "n_median_y_x", "n_median_l_x"))
    mean_n = round(result.numbers()["mean_n_clusters"], 1)
    binned, error = round(result.binned.scatter, 4), round(scores["n_median_y_x"].scatter_err, 4)
    return (round(100 * result.fraction), mean_n, *scatters, binned, error)
