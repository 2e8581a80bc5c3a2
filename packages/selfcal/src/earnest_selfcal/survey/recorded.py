"""The survey model and the observed numbers of a catalog set."""

import dataclasses
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import polars as pl
from earnest_common.catalogs import CatalogSet, Plan
from earnest_common.catalogs.base_relations import recorded_relations
from earnest_common.catalogs.reader import Catalogs, open_catalogs
from earnest_common.catalogs.understood import Understood, refuse_unread
from earnest_common.errors import InputError
from earnest_common.run.config import as_mapping
from earnest_common.survey.presets import Preset
from earnest_common.survey.priors import LATER, Priors

from earnest_selfcal.survey.config import named_preset

__all__ = ["preset_of", "refuse_not_understood", "summaries_of", "with_base_sample"]

_RECORDED = ("survey", "priors", "cosmology", "mass_function")

_UNDERSTOOD = Understood(
    consumer="the forward model of earnest selfcal",
    only={"Om0": None, "prescription": None, "donors.own_clusters": False},
    why={
        "Om0": "its catalogs differ in Om0, which this forward model holds fixed; look at single catalogs with "
        "earnest selfcal contours",
        "prescription": "its relations know nothing of sigma8",
        "donors.own_clusters": "its masses follow the mass function, not a list of clusters",
    },
)


def preset_of(plan: Plan) -> Preset:
    """Return the preset of a catalog set of mocks, with whatever its configuration and its base sample changed.

    Raises
    ------
    InputError
        If the set names no known preset, its configuration has fields that this forward model does not understand, or
        it does not record the relations of a base sample of its own.
    """
    start = named_preset(plan.preset)
    refuse_not_understood(plan)
    recorded = {name: plan.config[name] for name in _RECORDED if name in plan.config}
    if "priors" in recorded:  # of an earlier release: what it did not know changed nothing
        recorded["priors"] = {**{name: as_mapping(getattr(Priors(), name)) for name in LATER}, **recorded["priors"]}
    try:
        changed: Preset = _replaced(start, recorded)
    except TypeError as error:
        raise InputError(
            f"the set's configuration does not fit this release ({error}); use the release that made the set"
        ) from error
    return with_base_sample(changed, plan)


def refuse_not_understood(plan: Plan) -> None:
    """Refuse mocks whose configuration has fields that this forward model does not understand.

    Raises
    ------
    InputError
        The message lists them.
    """
    refuse_unread(plan, _UNDERSTOOD)


def with_base_sample(preset: Preset, plan: Plan) -> Preset:
    """Return a survey with the relations and residuals that a set of mocks was drawn from.

    Raises
    ------
    InputError
        As :func:`preset_of`.
    """
    base = recorded_relations(plan)
    if not plan.base_sample:  # of an earlier release: the built-in sample's residuals are approximated by the preset's
        return replace(preset, relations=base.relations)
    return replace(preset, relations=base.relations, correlation=base.correlation, moments=base.moments)


def _replaced(value: Any, recorded: Any) -> Any:  # noqa: ANN401 - a configuration or one of its fields
    if not (dataclasses.is_dataclass(value) and isinstance(recorded, Mapping)):
        return recorded
    fields = {name: _replaced(getattr(value, name, None), item) for name, item in recorded.items()}
    return dataclasses.replace(value, **fields)  # type: ignore[type-var]  # an instance, not a class


def summaries_of(catalogs: Catalogs, *, split: str | None = None) -> pl.DataFrame:
    """Return the number of clusters and the medians of each catalog; a set may be larger than memory.

    Parameters
    ----------
    catalogs
        In memory, on disk, or the folder of a set.
    split
        Only catalogs of this split; ``None`` for all.

    Returns
    -------
    One row per catalog: catalog_id, sigma8 (null if unknown), n_clusters, z (mean redshift), median_log10_y_x [solMass
    keV] (null if t_x or m_gas of a cluster is unknown), median_log10_l_x [1e44 erg/s], lowest_log10_l_x.

    Raises
    ------
    InputError
        If no catalog is left.

    Examples
    --------
    >>> from earnest_common.testing import toy_batch
    >>> summaries_of(toy_batch(n_catalogs=2, seed=1)).select("n_clusters", pl.col("median_log10_y_x").round(2)).rows()
    [(56, 13.63), (106, 13.6)]
    """
    opened = open_catalogs(catalogs)
    if isinstance(opened, CatalogSet):
        labels, clusters = opened.scan_catalogs(), opened.scan_clusters("catalog_id", "z", "t_x", "m_gas", "l_x")
    else:
        labels, clusters = opened.catalogs.lazy(), opened.clusters.lazy()
    if split is not None:
        labels = labels.filter(pl.col("split") == split)
    log10_y_x, log10_l_x = pl.col("t_x").log10() + pl.col("m_gas").log10(), pl.col("l_x").log10()
    medians = clusters.group_by("catalog_id").agg(
        pl.col("z").mean(),
        # A median over the clusters that happen to be known would be biased: then there is none.
        pl.when(log10_y_x.null_count() == 0).then(log10_y_x.median()).alias("median_log10_y_x"),
        log10_l_x.median().alias("median_log10_l_x"),
        log10_l_x.min().alias("lowest_log10_l_x"),
    )
    found = (
        labels.select("catalog_id", "sigma8", "n_clusters")
        .join(medians, on="catalog_id", how="left")
        .sort("catalog_id")
        .collect()
    )
    if found.is_empty():
        name = f"catalog set {opened.path}" if isinstance(opened, CatalogSet) else "the batch of catalogs"
        raise InputError(f"{name} has no catalogs" + (f" of split '{split}'" if split else ""))
    return found
