"""Section "What does the terse number mean?": correlations (the form of figure 15)."""

from collections.abc import Sequence

import numpy as np
from earnest_common.arrays import FloatArray
from earnest_common.catalogs.batch import CatalogBatch
from earnest_common.report.drawing import draw
from earnest_common.report.section import DataTable, Figure, Section
from matplotlib.axes import Axes

from earnest_interpret.analyses.members import MemberFindings
from earnest_interpret.analyses.terse.correlations import TerseSummary, cluster_quantities
from earnest_interpret.caution import SECTION_CAUTION
from earnest_interpret.sections.members import members_tables, members_text
from earnest_interpret.sections.palette import SMALL, density
from earnest_interpret.statistics.correlation import Correlation
from earnest_interpret.words import enumerate_words, format_number, format_signed, name_of, probability

__all__ = ["fixed_mass_text", "terse_section"]

_FEW_VALUES = 60
_GOLDEN = (5**0.5 - 1) / 2

_LABELS = {
    "log10_m_500c": r"$\log_{10}\,M_{500}\;\,[\mathrm{M}_\odot]$",
    "log10_m_wl": r"$\log_{10}\,M_\mathrm{WL}\;\,[\mathrm{M}_\odot]$",
    "log10_m_gas": r"$\log_{10}\,M_\mathrm{gas}\;\,[\mathrm{M}_\odot]$",
    "log10_t_x": r"$\log_{10}\,T\;\,[\mathrm{keV}]$",
    "log10_y_x": r"$\log_{10}\,Y_X\;\,[\mathrm{M}_\odot\,\mathrm{keV}]$",
    "l_x_excess": r"$\Delta\log_{10}\,L_X$ at fixed mass",
    "t_x_excess": r"$\Delta\log_{10}\,T$ at fixed mass",
    "m_gas_excess": r"$\Delta\log_{10}\,M_\mathrm{gas}$ at fixed mass",
    "n_clusters": "number of clusters in the catalog",
    "sigma8": r"$\sigma_8$ of the catalog",
}


def terse_section(
    summary: TerseSummary | None,
    terse: FloatArray,
    batch: CatalogBatch,
    *,
    missing: str = "",
    caution: str = SECTION_CAUTION,
    members: Sequence[MemberFindings] = (),
) -> Section:
    """Return the section.

    Parameters
    ----------
    summary
        What was found; ``None`` for a model without terse layer.
    terse
        Terse values, shape (n_clusters,).
    batch
        The catalogs.
    missing
        Why there is no terse value.
    caution
        Over how many trainings this holds.
    members
        What each training of an ensemble finds.
    """
    title = "One number per cluster"
    if summary is None:
        return Section(key="terse.correlations", title=title, text=(f"Nothing can be shown: {missing}.",))
    quantities = cluster_quantities(batch)
    panels = [_panel(name, terse, quantities[name], found) for name, found in summary.correlations.items()]
    text: tuple[str, ...] = (
        "The encoder reduces each cluster to a single number. In a physical model that number follows the cluster's "
        "mass, or its excess of an observable at fixed mass, with which the sum over clusters can correct the "
        "observables that join later; at fixed mass it does not depend on σ₈.",
        fixed_mass_text(summary),
    )
    tables = (_correlation_table(summary), _dependence_table(summary), *members_tables(members))
    if members:
        text = (*text, members_text(members))
    lost = [name_of(name) for name in quantities if name not in summary.correlations]
    if lost:
        text = (*text, f"Not shown, because unknown or the same for all clusters here: {', '.join(lost)}.")
    return Section(key="terse.correlations", title=title, text=(caution, *text), figures=tuple(panels), tables=tables)


def fixed_mass_text(summary: TerseSummary) -> str:
    """Return the sentence on whether the terse value depends on sigma8 at fixed mass."""
    found = summary.at_fixed_mass
    if found is None:
        return (
            "Whether the terse value depends on σ₈ at fixed mass cannot be tested here: it takes true masses and at "
            "least 20 catalogs of different known σ₈."
        )
    verdict = (
        "no sign that σ₈ can be inferred from a single cluster"
        if found.p_value > 0.05
        else "σ₈ can be inferred from a single cluster, which is a sign of overspecialisation"
    )
    return (
        f"At fixed mass the terse value correlates with σ₈ by {format_signed(found.value, 3)} "
        f"({probability(found.p_value)}, "
        f"σ₈ shuffled {found.n_permutations:,} times between {found.n_catalogs} catalogs): {verdict}."
    )


def _correlation_table(summary: TerseSummary) -> DataTable:
    rows = [
        (name_of(name), c.n, _with_error(c), format_number(c.spearman, 3)) for name, c in summary.correlations.items()
    ]
    found = summary.at_fixed_mass
    if found:
        rows.append(
            (
                "σ₈ at fixed M₅₀₀",
                found.n_catalogs,
                f"{format_signed(found.value, 3)} ({probability(found.p_value)})",
                "",
            )
        )
    return DataTable(
        name="terse-correlations",
        columns=("terse value with", "number", "Pearson", "Spearman"),
        rows=tuple(rows),
        caption="Correlations over clusters; errors by resampling catalogs. At fixed mass the number is of catalogs.",
    )


def _dependence_table(summary: TerseSummary) -> DataTable:
    rows = tuple(
        (
            name_of(name),
            format_number(found.distance, 3),
            format_number(found.information, 3),
            _chance(found.p_value),
            format_signed(summary.partial[name], 3) if name in summary.partial else "",
        )
        for name, found in summary.dependence.items()
    )
    return DataTable(
        name="terse-dependence",
        columns=("terse value with", "distance correlation", "mutual information [nat]", "p-value", "r at fixed mass"),
        rows=rows,
        caption=f"Dependence of any form. {_p_values(summary)} Catalogs of higher σ₈ hold more massive clusters, so "
        "that only what is left at fixed mass counts against a model. The last column is Pearson's r of what a "
        "function of the true mass leaves over.",
    )


def _p_values(summary: TerseSummary) -> str:
    """Return which p-values are counted from shuffles, and which are a formula."""
    counted = {name: found.n_shuffles for name, found in summary.dependence.items() if found.n_shuffles}
    text = (
        "P-values of properties of clusters are a formula, the normal limit of the rank correlation over all shuffles "
        "within catalogs"
    )
    if not counted:
        return f"{text}."
    names = enumerate_words([f"the {name_of(name)}" if name != "sigma8" else name_of(name) for name in counted])
    return f"{text}; those of {names} are counted from {max(counted.values())} shuffles between catalogs."


def _chance(p_value: float) -> str:
    if not np.isfinite(p_value):
        return ""
    return "< 10^\N{MINUS SIGN}6" if p_value < 1e-6 else f"{p_value:.2g}"


def _with_error(found: Correlation) -> str:
    text = format_number(found.pearson, 3)
    return f"{text} ± {format_number(found.pearson_err, 3)}" if np.isfinite(found.pearson_err) else text


def _over_cells(values: FloatArray) -> FloatArray:
    """Return values of a grid spread evenly over its cells, since hexagons and a grid would interfere."""
    grid = np.unique(values[np.isfinite(values)])
    if not 1 < len(grid) <= _FEW_VALUES:
        return values
    place = np.arange(len(values)) * _GOLDEN % 1 - 0.5
    return np.asarray(values + place * np.diff(grid).min())


def _panel(name: str, terse: FloatArray, values: FloatArray, found: Correlation) -> Figure:
    known = np.isfinite(values) & np.isfinite(terse)
    values = _over_cells(values)

    def paint(axes: Axes) -> None:
        axes.hexbin(
            values[known],
            terse[known],
            gridsize=36,
            bins="log",
            mincnt=1,
            cmap=density(),
            linewidths=0,
            rasterized=True,
        )
        axes.set(xlabel=_LABELS[name], ylabel="terse value")
        axes.grid(visible=False)

    caption = (
        f"With {name_of(name)}: Pearson r = {format_number(found.pearson, 2)}, Spearman "
        f"{format_number(found.spearman, 2)}."
    )
    alt = f"Two-dimensional histogram of the terse value against {name_of(name)} of {found.n} clusters."
    return Figure(name=f"terse-{name.replace('_', '-')}", svg=draw(paint, size=SMALL), alt=alt, caption=caption)
