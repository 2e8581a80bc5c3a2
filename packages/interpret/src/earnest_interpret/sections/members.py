"""What each training of an ensemble finds, side by side."""

from collections.abc import Sequence

import numpy as np
from earnest_common.report.section import DataTable

from earnest_interpret.analyses.members import MemberFindings, rank_correlations
from earnest_interpret.words import format_number, format_signed, name_of, percent

__all__ = ["members_tables", "members_text"]

_MASSES = ("log10_m_500c", "log10_m_wl")


def members_text(members: Sequence[MemberFindings]) -> str:
    """Return how far the terse values of the trainings agree."""
    ranks = rank_correlations([member.terse_values for member in members])
    low, high = format_number(ranks.min(), 3), format_number(ranks.max(), 3)
    return (
        f"The terse values of any two of {len(members)} trainings have a rank correlation of {low} to {high} over "
        "clusters."
    )


def members_tables(members: Sequence[MemberFindings]) -> tuple[DataTable, ...]:
    """Return a row of numbers for each training; none for a model that was trained once."""
    if not members:
        return ()
    known = [name for name in _MASSES if all(name in member.terse.correlations for member in members)][:1]
    groups = members[0].inputs.groups
    columns = (
        "training",
        *(f"r with {name_of(name)}" for name in known),
        "scatter as mass proxy",
        *(f"saliency of {name_of(group.name)}" for group in groups),
        "partial r with σ₈",
        "|Δσ₈| in 68 % below",
    )
    rows = []
    for number, member in enumerate(members, start=1):
        scatter = next((proxy.scatter for proxy in member.terse.proxies if proxy.name == "terse"), np.nan)
        fixed = member.terse.at_fixed_mass
        rows.append(
            (
                str(number),
                *(format_number(member.terse.correlations[name].pearson, 3) for name in known),
                percent(scatter, 1) if np.isfinite(scatter) else "unknown",
                *(percent(member.inputs.share(group), 1) for group in groups),
                format_signed(fixed.value, 3) if fixed else "unknown",
                format_number(member.clusters.stability_68, 4),
            )
        )
    caption = "Each training by itself, on the same catalogs."
    return (DataTable(name="terse-members", columns=columns, rows=tuple(rows), caption=caption),)
