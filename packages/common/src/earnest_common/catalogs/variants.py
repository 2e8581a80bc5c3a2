"""The catalogs with which the paper tests what a network uses: views of a batch, made in memory and never stored."""

from collections.abc import Callable, Mapping

import numpy as np
import polars as pl

from earnest_common.catalogs.batch import CatalogBatch
from earnest_common.errors import InputError
from earnest_common.run.seeds import Stage, generator
from earnest_common.schema import CLUSTERS

__all__ = ["VARIANTS", "array_of_ones", "shuffled", "view", "without_weak_lensing"]

_KEPT = ("catalog_id", "cluster_id", "rank", "z", "m_500c", "donor_id")
"""What an array of ones keeps: who the clusters are, but nothing that is measured of them."""


def standard(batch: CatalogBatch) -> CatalogBatch:
    """Return the batch itself."""
    return batch


def shuffled(batch: CatalogBatch) -> CatalogBatch:
    """Return the catalogs with their clusters in random order, each with all its values and its rank in luminosity.

    The order depends on the catalog's id alone. Because rows no longer follow ``rank`` such a batch is not stored.

    References
    ----------
    Ntampaka & Vikhlinin (arXiv:2112.05768), section 4.2.1.

    Examples
    --------
    >>> from earnest_common.testing import toy_batch
    >>> batch = toy_batch(n_catalogs=3, seed=1)
    >>> rank = shuffled(batch).column("rank")
    >>> bool((rank == batch.column("rank")).all()), sorted(rank) == sorted(batch.column("rank"))
    (False, True)
    """
    splits, ids = batch.row_splits, batch.catalogs.get_column("catalog_id").to_list()
    orders = [
        begin + generator(0, Stage.SHUFFLING, index).permutation(end - begin)
        for index, begin, end in zip(ids, splits[:-1], splits[1:], strict=True)
    ]
    rows = np.concatenate([np.zeros(0, dtype=np.int64), *orders])
    return CatalogBatch(catalogs=batch.catalogs, clusters=batch.clusters[rows], radii=batch.radii)


def without_weak_lensing(batch: CatalogBatch) -> CatalogBatch:
    """Return the catalogs with unknown weak-lensing masses; a network then drops the column ``m_wl``.

    References
    ----------
    Ntampaka & Vikhlinin (arXiv:2112.05768), sections 4.2.3 and 5.2.1.
    """
    clusters = batch.clusters.with_columns(m_wl=pl.lit(None, dtype=pl.Float64))
    return CatalogBatch(catalogs=batch.catalogs, clusters=clusters, radii=batch.radii)


def array_of_ones(batch: CatalogBatch) -> CatalogBatch:
    """Return the catalogs with every measured value equal to one: only the number of clusters is left.

    References
    ----------
    Ntampaka & Vikhlinin (arXiv:2112.05768), section 4.2.2.
    """
    measured = [c for c in CLUSTERS.columns if c.name not in _KEPT]
    width = len(batch.radii)
    ones = {
        c.name: pl.lit([1.0] * width, dtype=c.dtype) if isinstance(c.dtype, pl.Array) else pl.lit(1.0) for c in measured
    }
    clusters = batch.clusters.with_columns(
        **{name: pl.when(pl.col(name).is_not_null()).then(one) for name, one in ones.items()}
    )
    return CatalogBatch(catalogs=batch.catalogs, clusters=clusters, radii=batch.radii)


VARIANTS: Mapping[str, Callable[[CatalogBatch], CatalogBatch]] = {
    "standard": standard,
    "shuffled": shuffled,
    "no-wl": without_weak_lensing,
    "ones": array_of_ones,
}
"""The words for configurations and the command line; the overspecialised catalogs are a preset of earnest-mocks."""


def view(batch: CatalogBatch, variant: str) -> CatalogBatch:
    """Return a variant of catalogs; columns that it leaves alone are shared, not copied.

    Parameters
    ----------
    batch
        The catalogs.
    variant
        ``"standard"``, ``"shuffled"``, ``"no-wl"`` or ``"ones"``.

    Raises
    ------
    InputError
        If the variant is not one of ``VARIANTS``.

    Examples
    --------
    >>> from earnest_common.testing import toy_batch
    >>> bool(np.isnan(view(toy_batch(n_catalogs=1, seed=1), "no-wl").column("m_wl")).all())
    True
    """
    if variant not in VARIANTS:
        raise InputError(f"variant '{variant}' is not known; choose one of {', '.join(VARIANTS)}")
    return VARIANTS[variant](batch)
