"""Table 4 as text, and as a section of the report with a figure."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from earnest_common.report.drawing import BLUE, GREY, INK, RUST, draw_canvas
from earnest_common.report.section import DataTable, Figure, Section

from earnest_model.report.footers import labelled

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["table4_section", "table4_text"]

_HEAD = ("", "paper", "here", "over seeds", "limit", "efficiency", "limit without the grid", "68 % intervals cover")


def table4_text(table: Mapping[str, Any]) -> str:
    """Return the table as lines of text, the paper's column beside ours."""
    lines = [_HEAD, *(_cells(row) for row in table["rows"].values())]
    widths = [max(len(line[i]) for line in lines) for i in range(len(_HEAD))]
    text = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    return "\n".join([*text, "", *_remarks(table)])


def table4_section(table: Mapping[str, Any]) -> Section:
    """Return the section that shows the table beside the paper's."""
    rows = table["rows"].values()
    return Section(
        key="accuracy.table_4",
        title="What each part of the catalog is worth",
        text=_remarks(table),
        figures=(_figure(table),),
        tables=(
            DataTable(
                name="model-table4",
                columns=("catalogs", *_HEAD[1:]),
                rows=tuple(_cells(row) for row in rows),
                caption="Scatter of σ₈ when information is taken away (table 4 of arXiv:2112.05768).",
            ),
        ),
        summary={name: value for name, value in table.items() if name != "rows"},
        provenance={"preset": table["preset"]},
    )


def _figure(table: Mapping[str, Any]) -> Figure:
    return Figure(
        name="model-table4",
        svg=draw_canvas(
            labelled(lambda canvas: _paint(canvas.add_subplot(), table), table["synthetic"]), size=(6.2, 3.2)
        ),
        alt="Scatter of sigma8 in each test case: the paper's, ours and the limit, against the prior's.",
        caption=(
            "Scatter of inferred minus true σ₈ in each case: here (filled; dots: single seeds), in the paper on its "
            "own mocks (open), and the best that could be done where it is known (bar). Dashed: the prior."
        ),
    )


def _paint(axes: "Axes", table: Mapping[str, Any]) -> None:
    rows = list(table["rows"].values())
    for y, row in enumerate(rows):
        paper, here, limit = ("paper", "here", "limit") if y == 0 else (None, None, None)
        if row.get("paper") is not None:
            axes.errorbar(row["paper"], y + 0.17, xerr=row["paper_err"], fmt="o", mfc="white", color=RUST, label=paper)
        if row.get("limit") is not None:
            axes.plot([row["limit"]] * 2, [y - 0.3, y + 0.3], color=INK, lw=2.2, label=limit)
        axes.errorbar(row["scatter"], y - 0.17, xerr=row["scatter_err"], fmt="o", color=BLUE, label=here)
        single = row.get("by_seed", ())
        if len(single) > 1:
            axes.plot(single, [y - 0.36] * len(single), ".", ms=3, color=BLUE)
    axes.axvline(table["prior_scatter"], color=GREY, ls="--", lw=1)
    axes.set_yticks(range(len(rows)), [row["title"] for row in rows])
    axes.set(xlabel=r"scatter of $\sigma_8$", xlim=(0, None), ylim=(len(rows) - 0.4, -0.6))
    axes.legend(loc="upper center", bbox_to_anchor=(0.4, 1.16), ncols=3)


def _cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    """Return one row in words, as many as the table has columns."""
    efficiency, coverage, spread = row.get("efficiency"), row.get("coverage_68"), row.get("spread")
    return (
        row["title"],
        _with_error(row.get("paper"), row.get("paper_err")),
        _with_error(row["scatter"], row["scatter_err"]),
        "" if spread is None else f"{spread:.5f}",
        _with_error(row.get("limit"), row.get("limit_err")),
        "" if efficiency is None else f"{efficiency:.0%}",
        _with_error(row.get("limit_without_grid"), None),
        "" if coverage is None else f"{coverage:.1%}",
    )


def _remarks(table: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what all rows have in common, and what became of shuffling, in sentences."""
    change = table["largest_change_by_shuffling"]
    shuffling = f"Shuffled over Standard: {_share(table['shuffled_over_standard'])}" + (
        "." if change is None else f": the order cannot matter, no estimate changes by more than {change:.1g}."
    )
    return (
        f"Scatter of inferred minus true sigma8 on {table['n_catalogs']:,} held-out catalogs of preset "
        f"'{table['preset']}', mean over {table['n_seeds']} seed(s); architecture '{table['architecture']}', recipe "
        f"'{table['recipe']}'.",
        *([f"{table['synthetic']}."] if table["synthetic"] else []),
        f"Always naming the prior's mean would scatter by {table['prior_scatter']:.4f}.",
        "The paper's scatter for N alone, 0.0650 +- 0.0030, is that of its prior (0.0663): its estimate took nothing "
        "from N.",
        shuffling,
    )


def _with_error(value: float | None, error: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.4f}" if error is None else f"{value:.4f} +- {error:.4f}"


def _share(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.6f}"
