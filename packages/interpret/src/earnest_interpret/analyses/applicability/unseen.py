"""What cannot be seen in a table: errors common to all clusters, and clusters that are not in it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, final

import numpy as np
import polars as pl
from earnest_common.catalogs.batch import CatalogBatch
from earnest_common.protocols import Estimator

from earnest_interpret.analyses.leave_one_out.groups import leave_groups_out
from earnest_interpret.responses.responses import Responses
from earnest_interpret.sample import MAX_ROWS

__all__ = ["SIZE", "Unseen", "measure_unseen"]

SIZE: Final = 0.1
"""By how much a column is changed, and the share of clusters that is missed."""

_LINEAR: Final = ("gas_slope_profile", "z")


@final
@dataclass(frozen=True, kw_only=True)
class Unseen:
    """Mean change of the inferred sigma8.

    Attributes
    ----------
    columns
        If all values of a column were larger by ``SIZE``, by column.
    missed
        If the share ``SIZE`` of the clusters, whatever their mass, were missing; NaN where a catalog has too few.
    error
        Median half-width of the 68 % interval, for comparison; NaN if the model gives none.
    """

    columns: Mapping[str, float]
    missed: float
    error: float

    def numbers(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {"size": SIZE, "columns": dict(self.columns), "missed": self.missed, "error": self.error}


def measure_unseen(estimator: Estimator, batch: CatalogBatch, *, max_rows: int = MAX_ROWS, seed: int = 1) -> Unseen:
    """Return what a common error of each column, and missed clusters, would do to the inferred sigma8.

    Where normalisations vary from catalog to catalog in training, no distance can notice such errors: they have to be
    known from elsewhere.

    Parameters
    ----------
    estimator
        The model.
    batch
        Catalogs with all columns that it reads.
    max_rows
        Most clusters handed to the model at a time.
    seed
        Seed of the missed clusters.

    Examples
    --------
    >>> from earnest_common.testing import toy_batch
    >>> from earnest_interpret.testing import SaturatingEstimator
    >>> estimator = SaturatingEstimator(weights={"log10_t_x": 1.0}, saturation=1e6)
    >>> found = measure_unseen(estimator, toy_batch(n_catalogs=3, seed=1))
    >>> round(found.columns["t_x"], 4)  # log10(1.1) over the width of 1.2 dex
    0.0345
    """
    description = estimator.description
    read = dict.fromkeys((*description.features, *description.supplementary))
    whole = Responses(estimator=estimator, batch=batch, max_rows=max_rows)
    error = whole.predictions.get_column("sigma8_err").cast(pl.Float64).to_numpy()
    columns = {}
    for name in read:
        if name not in _LINEAR:
            raised = replace(whole, batch=_raised(batch, name))
            columns[name] = float(np.mean(raised.sigma8 - whole.sigma8))
    lost = leave_groups_out(whole, None, fractions=(SIZE,), seed=seed)
    return Unseen(
        columns=columns,
        missed=lost[0].median if lost else float("nan"),
        error=float(np.median(error)) if np.isfinite(error).all() else float("nan"),
    )


def _raised(batch: CatalogBatch, name: str) -> CatalogBatch:
    dtype = batch.clusters.schema[name]
    values = pl.Series(name, (1 + SIZE) * np.asarray(batch.column(name), dtype=np.float64), dtype=dtype)
    return CatalogBatch(catalogs=batch.catalogs, clusters=batch.clusters.with_columns(values), radii=batch.radii)
