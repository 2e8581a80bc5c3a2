"""Exchange: observables at fixed mass are taken from catalogs of another sigma8; numbers and masses stay.

Catalogs whose observables are taken are *sources*, those that take them over *receivers*; neither has to do with the
donors of the mocks, the base-sample clusters whose residuals they borrow.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, final

import numpy as np
import numpy.typing as npt
import polars as pl
from earnest_common.arrays import FloatArray, IntArray
from earnest_common.catalogs.batch import CatalogBatch
from earnest_common.protocols import Estimator
from earnest_common.survey.scaling import TABLE_2, ScalingRelations

from earnest_interpret.analyses.verdict.relations import OBSERVABLES, Relations
from earnest_interpret.responses.questions import predict
from earnest_interpret.sample import MAX_ROWS
from earnest_interpret.statistics.permutation import permutation_p_value

__all__ = ["Exchange", "equal_groups", "exchange", "exchanged"]

_NEAREST: Final = 10
"""A cluster takes over the observables of one of this many clusters nearest in mass."""
_WITHIN: Final = 0.05
"""They must be this near in log10 mass, in every group: at low sigma8 the heaviest clusters have no equals."""
_CLUSTERS_PER_GROUP: Final = 150
"""Fewer would leave the lightest clusters without equals."""
_FEWEST_GROUPS: Final = 6
"""Shuffling fewer could not reach a p-value of 0.003."""


@final
@dataclass(frozen=True, kw_only=True)
class Exchange:
    """How the inferred sigma8 follows the origin of the clusters' observables.

    Attributes
    ----------
    sigma8
        Mean true sigma8 of each group of source catalogs, shape (n_groups,).
    shift
        Mean inferred sigma8 of the receiving catalogs with the observables of each group, less its mean, shape
        (n_groups,).
    slope
        Change of the inferred per change of the sources' sigma8: 0 for a sound model, 1 if the exchanged clusters
        determine it.
    share
        Share of the receiving clusters that have equals in every group; the others keep their own observables.
    p_value
        Chance of an absolute correlation as large when the groups are shuffled.
    """

    sigma8: FloatArray
    shift: FloatArray
    slope: float
    share: float
    p_value: float


def exchange(
    estimator: Estimator,
    batch: CatalogBatch,
    *,
    rng: np.random.Generator,
    n_receivers: int = 60,
    n_groups: int = 16,
    relations: ScalingRelations = TABLE_2,
    max_rows: int = MAX_ROWS,
) -> Exchange | None:
    r"""Return whether clusters of equal mass and nuisances reveal the sigma8 of the catalog that they come from.

    Sources are groups of catalogs of neighbouring sigma8. A receiving catalog keeps N, its masses and its scaling
    relations; residuals, profile shapes and lensing errors come from clusters of nearly the same mass in one group.
    Nature's model of the mocks gives them one distribution whatever the sigma8, so that the inferred value must not
    follow the group: the null hypothesis is that groups can be shuffled. Residuals depend on mass, so only clusters
    that have equals in every group are exchanged; it returns None if there are none.

    Parameters
    ----------
    estimator
        The model; only ``predict`` is used.
    batch
        Labelled catalogs with true masses, at least ``3 n_groups``.
    rng
        Generator of all choices.
    n_receivers, n_groups
        Receiving catalogs (at most a third of all) and groups of sources (fewer, but at least six, if there are less
        than 150 clusters for each).
    relations
        Those that the catalogs' factors multiply.
    max_rows
        Most clusters handed to the model at a time.
    """
    order = rng.permutation(batch.n_catalogs)
    n = min(n_receivers, batch.n_catalogs // 3)
    receivers, sources = batch.select(np.sort(order[:n])), order[n:]
    n_source = int(np.diff(batch.row_splits)[sources].sum())
    n_groups = min(n_groups, max(_FEWEST_GROUPS, n_source // _CLUSTERS_PER_GROUP))
    groups = [batch.select(group) for group in equal_groups(batch, sources, n_groups)]
    sigma8 = np.array([group.label("sigma8").mean() for group in groups])
    mass = receivers.column("m_500c")
    equal = np.all([_has_equals(mass, group.column("m_500c")) for group in groups], axis=0)
    if not equal.any():
        return None
    replaced = (exchanged(receivers, group, rng=rng, which=equal, relations=relations) for group in groups)
    inferred = np.array([_mean(estimator, one, max_rows) for one in replaced])
    shift = inferred - inferred.mean()
    x = sigma8 - sigma8.mean()
    return Exchange(
        sigma8=sigma8,
        shift=shift,
        slope=float(x @ shift / (x @ x)),
        share=float(equal.mean()),
        p_value=permutation_p_value(x, shift, rng=rng),
    )


def equal_groups(batch: CatalogBatch, catalogs: IntArray, n_groups: int) -> list[IntArray]:
    """Return groups of catalogs, in rising sigma8, that hold about equally many clusters.

    Groups of equally many catalogs would hold few clusters where sigma8 is low and give the same few observables
    again and again: their means would vary more than others, and shuffling would underestimate the effect of chance.

    Examples
    --------
    >>> from earnest_common.testing import toy_batch
    >>> batch = toy_batch(n_catalogs=90, seed=1)
    >>> [len(group) for group in equal_groups(batch, np.arange(90), 3)]
    [42, 26, 22]
    """
    by_sigma8 = catalogs[np.argsort(batch.label("sigma8")[catalogs], kind="stable")]
    counts = np.diff(batch.row_splits)[by_sigma8]
    middle = np.cumsum(counts) - counts / 2
    place = (n_groups * middle / counts.sum()).astype(np.int64)
    return [np.sort(by_sigma8[place == group]) for group in np.unique(place)]


def _mean(estimator: Estimator, batch: CatalogBatch, max_rows: int) -> float:
    return float(predict(estimator, batch, max_rows=max_rows).get_column("sigma8").to_numpy().mean())


def exchanged(
    receivers: CatalogBatch,
    sources: CatalogBatch,
    *,
    rng: np.random.Generator,
    which: npt.NDArray[np.bool_] | None = None,
    relations: ScalingRelations = TABLE_2,
) -> CatalogBatch:
    r"""Return the receiving catalogs with the observables of the sources' clusters of nearly the same mass.

    .. math:: \log X' = \mu_r(m_r) + \frac{s_r}{s_l} \left(\log X_l - \mu_l(m_l)\right)

    with the mean relation (its factors times ``relations``) and scatter factor of the receiving and the source catalog.
    Clusters not in ``which`` keep their own observables.

    Examples
    --------
    >>> from earnest_common.testing import toy_batch
    >>> batch = toy_batch(n_catalogs=6, seed=1)
    >>> found = exchanged(batch.select([0, 1]), batch.select([2, 3, 4, 5]), rng=np.random.default_rng(1))
    >>> sorted(found.column("m_500c")) == sorted(batch.select([0, 1]).column("m_500c")), found.problems()
    (True, [])
    """
    chosen = _of_similar_mass(receivers.column("m_500c"), sources.column("m_500c"), rng)
    own, source = Relations.of(receivers, relations), Relations.of(sources, relations)
    new = {
        name: 10 ** (own.mean[name] + own.scatter[name] / source.scatter[name][chosen] * source.residual(name)[chosen])
        for name in OBSERVABLES
    }
    thermal = (own.mean["t_x"] + own.mean["m_gas"]) - (source.mean["t_x"] + source.mean["m_gas"])[chosen]
    new["y_500"] = sources.column("y_500")[chosen] * 10**thermal
    lensing = np.log(sources.column("m_wl") / sources.column("m_500c") / source.m_wl_bias)[chosen]
    new["m_wl"] = own.m_wl_bias * receivers.column("m_500c") * np.exp(own.m_wl / source.m_wl[chosen] * lensing)
    shape = (sources.column("m_gas_profile") / sources.column("m_gas")[:, None])[chosen]
    profiles = {
        "m_gas_profile": new["m_gas"][:, None] * shape,
        "gas_slope_profile": sources.column("gas_slope_profile")[chosen],
    }
    replaced = {**new, **profiles}
    if which is not None:
        replaced = {name: _where(which, look, receivers.column(name)) for name, look in replaced.items()}
    return _sorted(receivers, replaced)


def _where(which: npt.NDArray[np.bool_], new: FloatArray, own: FloatArray) -> FloatArray:
    return np.where(which if new.ndim == 1 else which[:, None], new, own)


def _of_similar_mass(wanted: FloatArray, offered: FloatArray, rng: np.random.Generator) -> IntArray:
    """Return for each mass one of the nearest offered ones, drawn at random, shape (n,)."""
    order, first, run = _nearest(wanted, offered)
    return np.asarray(order[first + rng.integers(run, size=len(wanted))], dtype=np.int64)


def _has_equals(wanted: FloatArray, offered: FloatArray) -> npt.NDArray[np.bool_]:
    """Return for each mass whether the nearest offered ones lie within ``_WITHIN`` on both sides, shape (n,)."""
    order, first, run = _nearest(wanted, offered)
    sorted_ = np.log10(offered[order])
    own = np.log10(wanted)
    near: npt.NDArray[np.bool_] = (own - sorted_[first] <= _WITHIN) & (sorted_[first + run - 1] - own <= _WITHIN)
    return near


def _nearest(wanted: FloatArray, offered: FloatArray) -> tuple[IntArray, IntArray, int]:
    """Return the order of the offered masses, where in it the nearest ones of each wanted one begin, and their number.

    They are as many above as below, except beyond the ends.
    """
    order = np.argsort(offered, kind="stable")
    run = min(_NEAREST, len(offered))
    first = np.clip(np.searchsorted(offered[order], wanted) - run // 2, 0, len(offered) - run)
    return order, first, run


def _sorted(batch: CatalogBatch, values: Mapping[str, FloatArray]) -> CatalogBatch:
    """Return the batch with other values, each catalog in falling luminosity."""
    columns = [_series(name, value, batch.clusters.schema[name]) for name, value in values.items()]
    order = np.lexsort((-values["l_x"], batch.segment_ids))
    clusters = batch.clusters.with_columns(columns)[order].with_columns(batch.clusters.get_column("rank"))
    return CatalogBatch(catalogs=batch.catalogs, clusters=clusters, radii=batch.radii)


def _series(name: str, values: FloatArray, dtype: Any) -> pl.Series:  # noqa: ANN401 - polars types its types loosely
    if values.ndim == 1:
        return pl.Series(name, values, dtype=dtype).fill_nan(None)
    return pl.Series(name, values.astype(np.float32), dtype=dtype)
