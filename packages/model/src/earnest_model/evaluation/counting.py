"""sigma8 from the number of clusters alone, by a binned regression: what a network must beat."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
import numpy.typing as npt
import polars as pl
from earnest_common.catalogs.batch import CatalogBatch
from earnest_common.errors import InputError
from earnest_common.schema import PREDICTIONS

__all__ = ["BinnedRegression", "fit_counts"]

FloatArray = npt.NDArray[np.float64]


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class BinnedRegression:
    """The median sigma8 of training catalogs with about as many clusters.

    Attributes
    ----------
    edges
        Ends of the bins in the number of clusters, shape (n_bins + 1,).
    quantiles
        16, 50 and 84 % quantiles of sigma8 in each bin, shape (n_bins, 3).
    spread
        Standard deviation of sigma8 in each bin, shape (n_bins,).

    References
    ----------
    Ntampaka & Vikhlinin (arXiv:2112.05768), section 4.2.2.
    """

    edges: FloatArray
    quantiles: FloatArray
    spread: FloatArray

    def predict(self, batch: CatalogBatch) -> pl.DataFrame:
        """Return one row per catalog (schema ``PREDICTIONS``); beyond the outer bins these are taken."""
        found = np.searchsorted(self.edges[1:-1], np.diff(batch.row_splits), side="right")
        low, median, high = self.quantiles[found].T
        columns = {
            "catalog_id": batch.catalogs.get_column("catalog_id"),
            "sigma8": median,
            "sigma8_err": self.spread[found],
            "sigma8_lo68": low,
            "sigma8_hi68": high,
        }
        return pl.DataFrame(columns, schema=PREDICTIONS.polars_schema)


def fit_counts(
    n_clusters: Sequence[int] | npt.NDArray[np.int64], sigma8: FloatArray, *, width: int = 10
) -> BinnedRegression:
    """Return the regression for training catalogs; bins without any are joined to the one below.

    Parameters
    ----------
    n_clusters, sigma8
        Clusters and true sigma8 of each catalog, shape (n,).
    width
        Width of the bins; 10 in the paper.

    Raises
    ------
    InputError
        If a label is unknown.

    Examples
    --------
    >>> fit_counts([11, 12, 13, 25], np.array([0.7, 0.8, 0.9, 0.9])).quantiles[:, 1].tolist()
    [0.8, 0.9]
    """
    counts = np.asarray(n_clusters)
    if not np.isfinite(sigma8).all():
        unknown = int((~np.isfinite(sigma8)).sum())
        raise InputError(f"{unknown} of {len(sigma8)} training catalogs have no sigma8; label all of them")
    bins = np.unique(counts // width)
    groups = [sigma8[counts // width == place] for place in bins]
    return BinnedRegression(
        edges=np.append(bins, bins[-1] + 1) * float(width),
        quantiles=np.array([np.quantile(group, (0.16, 0.5, 0.84)) for group in groups]),
        spread=np.array([group.std() for group in groups]),
    )
