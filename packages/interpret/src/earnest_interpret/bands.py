"""Masses at which a survey changes: its break and its median, from the smallest to the largest over catalogs."""

import itertools
from dataclasses import dataclass
from typing import Final, final

import numpy as np
from earnest_common.survey.scaling import with_factors

from earnest_interpret.sample import Sample

__all__ = ["Band", "break_band", "median_band"]

_FACTORS: Final = ("l_x_normalisation", "l_x_slope")


@final
@dataclass(frozen=True, kw_only=True)
class Band:
    """A range of log10 mass [solMass]."""

    low: float
    high: float


def break_band(sample: Sample) -> Band | None:
    """Return the masses where catalogs turn from flux- to volume-limited; ``None`` where the survey is unknown.

    The flux limit is one luminosity; each catalog's own relation turns it into a mass.
    """
    if sample.survey is None:
        return None
    selection = sample.survey.selection
    factors = {name: np.nan_to_num(sample.batch.label(name).astype(np.float64), nan=1.0) for name in _FACTORS}
    l_x = with_factors(sample.relations, factors).l_x
    masses = np.asarray(selection.log10_m_break_of(l_x))
    return Band(low=float(masses.min()), high=float(masses.max()))


def median_band(sample: Sample) -> Band | None:
    """Return the median masses of catalogs; ``None`` where true masses are unknown."""
    batch = sample.batch
    log10_m, splits = np.log10(batch.column("m_500c")), batch.row_splits
    if not np.isfinite(log10_m).all():
        return None
    medians = [np.median(log10_m[a:b]) for a, b in itertools.pairwise(splits) if b > a]
    return Band(low=float(min(medians)), high=float(max(medians)))
