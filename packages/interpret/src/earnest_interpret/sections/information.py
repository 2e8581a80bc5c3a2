"""What leaving clusters out should do and what leaving groups out does: for the section "Which clusters matter?"."""

import numpy as np
from earnest_common.report.drawing import BLUE, GREY, OCHRE, RUST, draw
from earnest_common.report.section import DataTable, Figure
from matplotlib.axes import Axes

from earnest_interpret.analyses.leave_one_out.groups import GroupRemoval
from earnest_interpret.analyses.leave_one_out.information import InformationByMass
from earnest_interpret.analyses.leave_one_out.removal import MASSIVE
from earnest_interpret.sample import MassAxis
from earnest_interpret.words import format_signed, percent

__all__ = ["group_figure", "group_table", "information_figure", "information_table", "information_text"]


def information_text(found: InformationByMass) -> str:
    """Return where the model finds information, beside where the mass function has it."""
    heavy = found.edges[:-1] > MASSIVE - 0.01
    ours = percent(float(found.systematic[heavy].sum()))
    text = f"Of the systematic change (clusters times mean change squared) {ours} lies above 10^{MASSIVE:.2f} M☉"
    if not np.isfinite(found.fisher).all():
        return f"{text}; what the mass function holds is unknown, because the set does not record its survey."
    return (
        f"{text}. Of the Fisher information that counts of known masses hold on σ₈ in this survey, "
        f"{percent(float(found.fisher[heavy].sum()))} lies there. Both are shares, which do not measure how much "
        "information the model uses."
    )


def information_figure(found: InformationByMass, axis: MassAxis) -> Figure:
    """Return shares of information by mass."""

    def paint(axes: Axes) -> None:
        axes.stairs(found.systematic, found.edges, color=BLUE, linewidth=1.8, label="model, mean change")
        axes.stairs(found.total, found.edges, color=GREY, linewidth=1.3, label="model, with scatter")
        if np.isfinite(found.fisher).all():
            axes.stairs(found.fisher, found.edges, color=RUST, linewidth=1.8, label="Fisher information")
        axes.set(xlabel=axis.label, ylabel="share per bin")
        axes.set_ylim(bottom=0)
        axes.figure.legend(loc="outside lower center", ncols=2, fontsize=9.5, columnspacing=1.1)

    peak = int(np.argmax(found.systematic))
    caption = (
        f"Largest share of the systematic change: 10^{found.edges[peak]:.2f} to 10^{found.edges[peak + 1]:.2f} M☉ "
    )
    caption += f"({percent(float(found.systematic[peak]))})"
    if np.isfinite(found.fisher).all():
        best = int(np.argmax(found.fisher))
        caption += (
            f"; of the information of the mass function: 10^{found.edges[best]:.2f} to 10^{found.edges[best + 1]:.2f} "
        )
        caption += f"M☉ ({percent(float(found.fisher[best]))})"
    alt = "Shares of information on sigma8 per bin of cluster mass: of leave-one-out and of the mass function."
    return Figure(name="leave-one-out-information", svg=draw(paint), alt=alt, caption=f"{caption}.")


def information_table(found: InformationByMass) -> DataTable:
    """Return the same as numbers."""
    rows = tuple(
        (
            f"{found.edges[k]:.2f} to {found.edges[k + 1]:.2f}",
            int(found.counts[k]),
            format_signed(float(found.mean_delta[k]), 5),
            percent(float(found.systematic[k])),
            percent(float(found.total[k])),
            percent(float(found.fisher[k])) if np.isfinite(found.fisher[k]) else "",
        )
        for k in range(len(found.counts))
        if found.counts[k]
    )
    return DataTable(
        name="information-by-mass",
        columns=("log₁₀ M [M☉]", "clusters", "mean Δσ₈", "share, mean change", "share, with scatter", "Fisher"),
        rows=rows,
        caption="Information on σ₈ by mass.",
    )


def group_figure(groups: tuple[GroupRemoval, ...]) -> Figure:
    """Return the change of sigma8 when groups are taken away."""
    shown = groups[::-1]

    def paint(axes: Axes) -> None:
        axes.axvline(0, color=GREY, linewidth=0.8)
        for row, group in enumerate(shown):
            colour = BLUE if group.kind == "mass" else OCHRE
            axes.plot([group.low68, group.high68], [row, row], color=colour, linewidth=2.2, alpha=0.5)
            axes.plot(group.median, row, "o", color=colour, markersize=5)
        axes.set_yticks(range(len(shown)), [_name(group, short=True) for group in shown])
        axes.set(xlabel=r"$\Delta\sigma_8$ without the group", ylim=(-0.6, len(shown) - 0.4))
        if any(group.kind == "mass" for group in shown):
            axes.set_ylabel(r"$\log_{10}\,M\;[\mathrm{M}_\odot]$, or share")
        axes.locator_params(axis="x", nbins=5)
        axes.grid(visible=False, axis="y")
        axes.tick_params(axis="y", length=0, labelsize=10)

    first = max(groups, key=lambda group: abs(group.median) / max(group.removed, 1e-9))
    caption = (
        f"Change of σ₈ (dots: median, bars: 68 % of catalogs) without whole groups; per cluster most for "
        f"{_name(first)}: {format_signed(first.median)} for {first.removed:.1f} clusters."
    )
    alt = "Median and 68 % range of the change of sigma8 when all clusters of a mass bin or a random share are removed."
    return Figure(name="leave-group-out", svg=draw(paint), alt=alt, caption=caption)


def group_table(groups: tuple[GroupRemoval, ...]) -> DataTable:
    """Return the same as numbers."""
    rows = tuple(
        (
            _name(g),
            g.n_catalogs,
            round(g.removed, 1),
            format_signed(g.median),
            f"{format_signed(g.low68)} to {format_signed(g.high68)}",
        )
        for g in groups
    )
    return DataTable(
        name="leave-group-out",
        columns=("group", "catalogs", "clusters taken", "median Δσ₈", "68 % of catalogs"),
        rows=rows,
        caption="Change of σ₈ when all clusters of a group are taken from a catalog that has some.",
    )


def _name(group: GroupRemoval, *, short: bool = False) -> str:
    if group.kind == "random":
        return f"{percent(group.low)} at random" if not short else f"{100 * group.low:.0f} % random"
    if np.isinf(group.low):
        return f"< {group.high:.2f}" if short else f"masses below 10^{group.high:.2f} M☉"
    if np.isinf(group.high):
        return f"> {group.low:.2f}" if short else f"masses above 10^{group.low:.2f} M☉"
    if short:
        return f"{group.low:.2f}-{group.high:.2f}"
    return f"masses from 10^{group.low:.2f} to 10^{group.high:.2f} M☉"
