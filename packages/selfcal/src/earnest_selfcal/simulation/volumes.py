"""How self-calibration depends on the survey's volume: appendix A of the paper."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, final

import polars as pl
from earnest_common.errors import InputError
from earnest_common.survey.presets import MAGNETICUM_VOLUME, Preset

from earnest_selfcal.forward.observable import OBSERVABLES
from earnest_selfcal.forward.resolution import Resolution
from earnest_selfcal.forward.table import forward_table
from earnest_selfcal.posterior.evaluation import Evaluation, evaluate
from earnest_selfcal.simulation.binned import Binned, binned_sigma8, refuse_few
from earnest_selfcal.simulation.grid import draw_surveys

__all__ = ["APPENDIX_A_FRACTIONS", "APPENDIX_A_SMOOTHING", "VolumeResult", "at_volume", "compare_volumes"]

APPENDIX_A_FRACTIONS = (0.3, 0.5, 0.8)
APPENDIX_A_SMOOTHING = 0.076
"""The scatter of l_x in mass [dex], 0.13 / 1.74."""


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class VolumeResult:
    """What surveys of one volume tell.

    Attributes
    ----------
    fraction
        Volume in units of the simulation box.
    surveys
        All simulated surveys, one row each.
    binned
        sigma8 in bins of N and median Y_X.
    evaluation
        Posterior means of some of them against truth.
    """

    fraction: float
    surveys: pl.DataFrame
    binned: Binned
    evaluation: Evaluation

    def numbers(self) -> dict[str, Any]:
        """Return the result as names and numbers."""
        scores = {f"{name}_scatter": score.scatter for name, score in self.evaluation.scores.items()}
        errors = {f"{name}_scatter_err": score.scatter_err for name, score in self.evaluation.scores.items()}
        return {
            "mean_n_clusters": float(self.surveys.get_column("n_clusters").to_numpy().mean()),
            **scores,
            **errors,
            "binned_scatter": self.binned.scatter,
            "prior_scatter": self.evaluation.prior_scatter,
        }


def at_volume(preset: Preset, fraction: float, *, smoothing: float | None = None) -> Preset:
    """Return a preset at another share of the simulation box and, if given, another smoothing [dex].

    Examples
    --------
    >>> from earnest_common.survey.presets import preset
    >>> at_volume(preset("paper"), 0.5).survey == preset("paper").survey
    True
    """
    selection = preset.survey.selection
    if smoothing is not None:
        selection = replace(selection, smoothing=smoothing)
    return replace(preset, survey=replace(preset.survey, volume=fraction * MAGNETICUM_VOLUME, selection=selection))


def compare_volumes(
    preset: Preset,
    *,
    fractions: Sequence[float] = APPENDIX_A_FRACTIONS,
    smoothing: float | None = APPENDIX_A_SMOOTHING,
    n_surveys: int = 100_000,
    n_posteriors: int = 2_000,
    seed: int = 1,
    resolution: Resolution | None = None,
    on_done: Callable[[], object] = lambda: None,
) -> list[VolumeResult]:
    """Simulate surveys of several volumes and infer sigma8.

    Parameters
    ----------
    preset
        Everything but volume and smoothing.
    fractions
        Volumes in units of the simulation box.
    smoothing
        Blur of the selection [dex]; ``None`` as in the preset.
    n_surveys
        Surveys that are simulated and binned.
    n_posteriors
        How many of them are inferred one by one.
    seed
        Seed of all random numbers.
    resolution
        Of the forward model.
    on_done
        Called after each volume.

    Raises
    ------
    InputError
        If a number cannot be used.

    References
    ----------
    Ntampaka & Vikhlinin (arXiv:2112.05768), appendix A.
    """
    refuse_few(n_surveys)
    if not 2 <= n_posteriors <= n_surveys:
        raise InputError(f"n_posteriors = {n_posteriors} must be at least 2 and at most n_surveys = {n_surveys}")
    results = []
    for fraction in fractions:
        survey = at_volume(preset, fraction, smoothing=smoothing)
        surveys = draw_surveys(survey, n_surveys, seed=seed)
        tables = [forward_table(survey, resolution, observable=observable) for observable in OBSERVABLES]
        some = surveys.head(n_posteriors).with_row_index("catalog_id")
        results.append(
            VolumeResult(
                fraction=fraction,
                surveys=surveys,
                binned=binned_sigma8(surveys),
                evaluation=evaluate(tables, some),
            )
        )
        on_done()
    return results
