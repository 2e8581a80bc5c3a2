"""Labels of catalog sets against the prior that the sets were made with."""

import polars as pl
from earnest_common.catalogs import CatalogSet
from earnest_common.catalogs.understood import Understood, refuse_unread
from earnest_common.errors import InputError

__all__ = ["UNDERSTOOD", "refuse_outside_prior"]

UNDERSTOOD = Understood(consumer="earnest model")
"""A model learns from catalogs as they are: it reads priors and the division of donors, the others change nothing."""

_ROUNDING = 1e-6


def refuse_outside_prior(catalog_set: CatalogSet) -> None:
    """Refuse a set of mocks with labels that its own prior excludes: a wrong one would stretch every estimate.

    Sets that record no prior, as those of real tables, are not judged; nor are unknown labels.

    Raises
    ------
    InputError
        If a label lies outside, or the set's configuration has fields that this release does not know; the message
        lists all of them.
    """
    refuse_unread(catalog_set.manifest.plan, UNDERSTOOD)
    catalogs = catalog_set.scan_catalogs().collect()
    priors = catalog_set.manifest.plan.config.get("priors", {})
    known = {name: (prior["low"], prior["high"]) for name, prior in priors.items() if name in catalogs.columns}
    problems = [text for name, ends in known.items() for text in _outside(catalogs, name, ends)]
    if problems:
        raise InputError("\n  - ".join([f"catalog set {catalog_set.path} has labels outside its own prior", *problems]))


def _outside(catalogs: pl.DataFrame, name: str, ends: tuple[float, float]) -> list[str]:
    low, high = ends
    found = catalogs.filter(~pl.col(name).is_between(low - _ROUNDING, high + _ROUNDING)).select("catalog_id", name)
    if found.is_empty():
        return []
    first, value = found.row(0)
    return [
        f"{name}: {found.height} of {catalogs.height} catalogs are not within {low:.4g} to {high:.4g} (first: "
        f"catalog_id {first}, {value:.4g}); correct them or leave them out"
    ]
