"""Measured limits: how well sigma8 could be told at best from the presets' catalogs."""

import functools
import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from importlib import resources
from typing import Any, final

from earnest_common.survey.limits import Limit
from earnest_common.survey.presets import own_name

__all__ = ["MEDIAN_Y_X", "MeasuredLimit", "known_limit", "measured_limits"]

MEDIAN_Y_X = "median_y_x"
"""Stands in the place of columns for the median Y_X of the catalog, beside the number of clusters."""

_FILE = "limits.json"
_SAME = {"m_gas_profile": "m_gas"}  # a profile tells the total, and more that these limits do not know
_PROFILES = frozenset({"m_gas_profile", "gas_slope_profile"})
_SCALARS = frozenset({"l_x", "t_x", "m_gas", "m_wl", MEDIAN_Y_X})


@final
@dataclass(frozen=True, kw_only=True)
class MeasuredLimit:
    """A limit and what it was measured for.

    Attributes
    ----------
    preset
        The preset of the catalogs.
    columns
        What is known of every cluster; none: the number of clusters alone.
    limit
        The limit.
    """

    preset: str
    columns: frozenset[str]
    limit: Limit


@functools.cache
def measured_limits() -> tuple[MeasuredLimit, ...]:
    """Return the limits that are shipped with the package; ``benchmarks/selfcal_limits.py`` measures them anew."""
    return _read(json.loads((resources.files("earnest_selfcal") / "data" / _FILE).read_text(encoding="utf-8")))


def known_limit(preset: str, *, columns: Iterable[str]) -> Limit | None:
    """Return the limit for what an estimate sees of each cluster (entry point of the group ``earnest.limits``).

    Where none was measured for exactly these observables, it is that of the fewest that include them, which holds for
    them too. Shapes of gas profiles are in none of them: the limit of an estimate that sees profiles says so, and gives
    no efficiency.

    Parameters
    ----------
    preset
        Name or alias of the preset of the catalogs.
    columns
        Cluster columns in any order; none for the number of clusters alone, and ``median_y_x`` with it for N and the
        median.

    Examples
    --------
    >>> both, x_ray = (known_limit("paper", columns=c) for c in (("t_x", "m_gas_profile", "m_wl"), ("t_x", "l_x")))
    >>> both.scatter < x_ray.scatter
    True
    >>> known_limit("another", columns=()) is None
    True
    """
    columns = tuple(columns)
    seen = {_SAME.get(name, name) for name in columns} & _SCALARS
    enough = [one for one in measured_limits() if one.preset == own_name(preset) and seen <= one.columns]
    if not enough:
        return None
    limit = min(enough, key=lambda one: len(one.columns)).limit
    if _PROFILES.isdisjoint(columns):
        return limit
    return replace(limit, fewer_inputs=True, text=f"{limit.text}; shapes of gas profiles are not in this limit")


def _read(record: dict[str, Any]) -> tuple[MeasuredLimit, ...]:
    found = []
    for one in record["limits"]:
        known = {name: one[name] for name in ("scatter", "scatter_err", "n_catalogs", "text")}
        limit = Limit(**known, without_grid=one.get("without_grid", {}).get("scatter"))
        found.append(MeasuredLimit(preset=one["preset"], columns=frozenset(one["columns"]), limit=limit))
    return tuple(found)
