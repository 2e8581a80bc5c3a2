"""Section "What does the terse number mean?": correlations and the mass proxy (the form of figures 15 and 16)."""

import numpy as np
from earnest_common.arrays import FloatArray
from earnest_common.batch import CatalogBatch
from earnest_common.drawing import BLUE, GREEN, RUST, draw
from earnest_common.section import DataTable, Figure, Section
from matplotlib.axes import Axes

from earnest_interpret.palette import SMALL, density
from earnest_interpret.statistics import Correlation
from earnest_interpret.terse import PAPER_PROXY_SCATTER, MassProxy, TerseSummary, cluster_quantities
from earnest_interpret.words import fixed, percent, plain, probability, signed

__all__ = ["fixed_mass_text", "terse_section"]

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
_PROXY_COLOURS = {"terse": BLUE, "m_gas": GREEN, "y_x": RUST}
_PROXY_LABELS = {"terse": "terse value", "m_gas": r"$M_\mathrm{gas}$", "y_x": "$Y_X$"}
_PROXY_WORDS = {"terse": "terse value", "m_gas": "M_gas", "y_x": "Y_X"}


def terse_section(
    summary: TerseSummary | None, terse: FloatArray, batch: CatalogBatch, *, missing: str = ""
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
    """
    title = "One number per cluster"
    if summary is None:
        return Section(key="terse.correlations", title=title, text=(f"Nothing can be shown: {missing}.",))
    quantities = cluster_quantities(batch)
    panels = [_panel(name, terse, quantities[name], found) for name, found in summary.correlations.items()]
    tables = [_correlation_table(summary)]
    if summary.proxies:
        panels.append(_proxy_figure(summary.proxies))
        tables.append(_proxy_table(summary.proxies))
    text: tuple[str, ...] = (
        "The encoder sees one cluster at a time and passes a single number on. If the model works as an astronomer "
        "would, that number follows the cluster's mass, or what the cluster has too much of for its mass, which mends "
        "the observables that join later; of σ₈ it says nothing beyond that.",
        fixed_mass_text(summary),
    )
    lost = [plain(name) for name in quantities if name not in summary.correlations]
    if lost:
        text = (*text, f"Not shown, because unknown or the same for all clusters here: {', '.join(lost)}.")
    return Section(key="terse.correlations", title=title, text=text, figures=tuple(panels), tables=tuple(tables))


def fixed_mass_text(summary: TerseSummary) -> str:
    """Return the sentence on whether the terse value knows sigma8 at fixed mass."""
    found = summary.at_fixed_mass
    if found is None:
        return (
            "Whether the terse value knows σ₈ at fixed mass cannot be tested here: it takes true masses and at least "
            "20 catalogs of different known σ₈."
        )
    verdict = (
        "no sign that a single cluster betrays the cosmology"
        if found.p_value > 0.05
        else "a single cluster betrays the cosmology, which is a mark of overspecialisation"
    )
    return (
        f"At fixed mass the terse value correlates with σ₈ by {signed(found.value, 3)} ({probability(found.p_value)}, "
        f"σ₈ shuffled {found.n_permutations:,} times between {found.n_catalogs} catalogs): {verdict}."
    )


def _correlation_table(summary: TerseSummary) -> DataTable:
    rows = [(plain(name), c.n, _with_error(c), fixed(c.spearman, 3)) for name, c in summary.correlations.items()]
    found = summary.at_fixed_mass
    if found:
        rows.append(
            ("σ₈ at fixed M₅₀₀", found.n_catalogs, f"{signed(found.value, 3)} ({probability(found.p_value)})", "")
        )
    return DataTable(
        name="terse-correlations",
        columns=("terse value with", "number", "Pearson", "Spearman"),
        rows=tuple(rows),
        caption="Correlations over clusters; errors by resampling catalogs. At fixed mass the number is of catalogs.",
    )


def _with_error(found: Correlation) -> str:
    text = fixed(found.pearson, 3)
    return f"{text} ± {fixed(found.pearson_err, 3)}" if np.isfinite(found.pearson_err) else text


def _panel(name: str, terse: FloatArray, values: FloatArray, found: Correlation) -> Figure:
    known = np.isfinite(values) & np.isfinite(terse)

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

    caption = f"With {plain(name)}: Pearson r = {fixed(found.pearson, 2)}, Spearman {fixed(found.spearman, 2)}."
    alt = f"Two-dimensional histogram of the terse value against {plain(name)} of {found.n} clusters."
    return Figure(name=f"terse-{name.replace('_', '-')}", svg=draw(paint, size=SMALL), alt=alt, caption=caption)


def _proxy_figure(proxies: tuple[MassProxy, ...]) -> Figure:
    reach = 3.2 * max(min(proxy.scatter for proxy in proxies), 0.6 * max(proxy.scatter for proxy in proxies), 1e-6)
    edges = np.linspace(-reach, reach, 81)

    def paint(axes: Axes) -> None:
        for proxy in proxies:
            density_, _ = np.histogram(proxy.error, bins=edges, density=True)
            label = _PROXY_LABELS[proxy.name]
            axes.stairs(density_, edges, color=_PROXY_COLOURS[proxy.name], linewidth=1.5, label=label)
        axes.set(
            xlabel=r"$\ln\,(M_\mathrm{predicted} / M_\mathrm{true})$",
            ylabel="probability density",
            xlim=(-reach, reach),
        )
        axes.legend(loc="upper left", fontsize=9.5, handlelength=1)

    scatters = ", ".join(f"{_PROXY_WORDS[p.name]} {percent(p.scatter, 1)}" for p in proxies)
    caption = f"Mass scatter after each catalog's mean error is taken away: {scatters} (paper: 16.1, 17.9, 7.3 %)."
    alt = "Distributions of the logarithmic mass error of the terse value, of the gas mass and of Y_X as mass proxies."
    return Figure(name="terse-proxy", svg=draw(paint, size=SMALL), alt=alt, caption=caption)


def _proxy_table(proxies: tuple[MassProxy, ...]) -> DataTable:
    rows = tuple(
        (
            _PROXY_WORDS[p.name],
            percent(p.scatter, 1),
            percent(p.scatter_within, 1),
            percent(PAPER_PROXY_SCATTER[p.name], 1),
        )
        for p in proxies
    )
    return DataTable(
        name="mass-proxies",
        columns=("proxy", "scatter of M", "with the slope within catalogs", "paper"),
        rows=rows,
        caption="Scatter of ln M predicted by a power law of each proxy, catalog means removed.",
    )
