"""The terse value as a mass proxy, and as a formula: for the section "What does the terse number mean?" (figure 16)."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from earnest_common.arrays import FloatArray
from earnest_common.report.drawing import BLUE, GREEN, RUST, draw
from earnest_common.report.section import DataTable, Figure, Section
from matplotlib.axes import Axes

from earnest_interpret.analyses.terse.correlations import PAPER_PROXY_SCATTER, MassProxy
from earnest_interpret.analyses.terse.formula import ClosedForm, ClosedForms
from earnest_interpret.caution import SECTION_CAUTION
from earnest_interpret.sections.formulas import formula_text, weights
from earnest_interpret.sections.palette import SMALL, density
from earnest_interpret.words import enumerate_words, format_number, format_signed, name_of, percent

__all__ = ["proxy_section"]

_PROXY_COLOURS: Final = {"terse": BLUE, "m_gas": GREEN, "y_x": RUST}
_PROXY_LABELS: Final = {"terse": "terse value", "m_gas": r"$M_\mathrm{gas}$", "y_x": "$Y_X$"}
_PROXY_WORDS: Final = {"terse": "terse value", "m_gas": "M_gas", "y_x": "Y_X"}


def proxy_section(
    proxies: tuple[MassProxy, ...],
    forms: ClosedForms | None,
    terse: FloatArray,
    formula_values: FloatArray,
    *,
    radii: Sequence[float],
    caution: str = SECTION_CAUTION,
) -> Section:
    """Return the section.

    Parameters
    ----------
    proxies
        Mass proxies; empty without true masses.
    forms
        Formulas; ``None`` where none can be fitted.
    terse, formula_values
        Terse values, and those of the best short formula, shape (n_clusters,).
    radii
        Radii of the profiles [R_500c].
    caution
        Over how many trainings this holds.
    """
    text, figures, tables = [], [], []
    if proxies:
        figures.append(_proxy_figure(proxies))
        tables.append(_proxy_table(proxies))
        text.append(_proxy_text(proxies))
    else:
        text.append("True masses are unknown, so no proxy of them can be tested.")
    if forms:
        figures.append(_formula_figure(forms.best[-1], terse, formula_values))
        tables.append(_formula_table(forms, radii))
        text.append(formula_text(forms, radii))
    else:
        text.append("No formula can be fitted: the terse value does not vary, or the model does not name its inputs.")
    return Section(
        key="terse.proxy",
        title="A mass proxy, and a formula for it",
        text=(caution, *text),
        figures=tuple(figures),
        tables=tuple(tables),
    )


def _proxy_text(proxies: tuple[MassProxy, ...]) -> str:
    ordered = sorted(proxies, key=lambda proxy: proxy.scatter)
    ranking = " < ".join(f"{_PROXY_WORDS[p.name]} {percent(p.scatter, 1)}" for p in ordered)
    return (
        f"Mass scatter within catalogs when a power law predicts mass, the best first: {ranking}. ln M itself scatters "
        f"by {percent(max(p.spread for p in proxies), 1)} within catalogs: a proxy without any relation to mass leaves "
        "that much. A terse value need not be a good proxy, since luminosity and weak-lensing mass join later and can "
        "carry the mass."
    )


def _formula_table(forms: ClosedForms, radii: Sequence[float]) -> DataTable:
    pairs = {"temperature and one gas mass": forms.pair, "temperature and all gas masses": forms.gas}
    rows = [(words, form) for words, form in pairs.items() if form]
    rows += [(enumerate_words([name_of(name, radii) for name in form.names]), form) for form in forms.best]
    rows.append(("all inputs", forms.all_inputs))
    return DataTable(
        name="terse-formula",
        columns=("inputs", "slopes", "R²", "gas mass to temperature"),
        rows=tuple(
            (
                words,
                "; ".join(format_signed(slope, 2) for slope in form.slopes) if len(form.names) < 4 else "",
                format_number(form.r_squared, 3),
                weights(form),
            )
            for words, form in rows
        ),
        caption="Linear formulas of the terse value: the pairs of Y_X, the best one to three inputs, and all; slopes "
        "per dex or unit, gas masses summed over radii in the last column.",
    )


def _formula_figure(form: ClosedForm, terse: FloatArray, formula_values: FloatArray) -> Figure:
    def paint(axes: Axes) -> None:
        axes.hexbin(
            formula_values, terse, gridsize=36, bins="log", mincnt=1, cmap=density(), linewidths=0, rasterized=True
        )
        ends = [float(terse.min()), float(terse.max())]
        axes.plot(ends, ends, color=RUST, linewidth=1.2, dashes=(4, 3))
        axes.set(xlabel="formula", ylabel="terse value")
        axes.grid(visible=False)

    caption = f"Terse value against its formula of {len(form.names)} inputs: R² = {format_number(form.r_squared, 3)}."
    alt = "Two-dimensional histogram of the terse value against the value of a linear formula."
    return Figure(name="terse-formula", svg=draw(paint, size=SMALL), alt=alt, caption=caption)


def _proxy_figure(proxies: tuple[MassProxy, ...]) -> Figure:
    reach = 3.2 * max(min(proxy.scatter for proxy in proxies), 0.6 * max(proxy.scatter for proxy in proxies), 1e-6)
    edges = np.linspace(-reach, reach, 81)

    def paint(axes: Axes) -> None:
        for proxy in proxies:
            density_, _ = np.histogram(proxy.error[np.isfinite(proxy.error)], bins=edges, density=True)
            label = _PROXY_LABELS[proxy.name]
            axes.stairs(density_, edges, color=_PROXY_COLOURS[proxy.name], linewidth=1.5, label=label)
        axes.set(
            xlabel=r"$\ln\,(M_\mathrm{predicted} / M_\mathrm{true})$",
            ylabel="probability density",
            xlim=(-reach, reach),
        )
        axes.legend(loc="upper left", fontsize=9.5, handlelength=1)

    scatters = ", ".join(f"{_PROXY_WORDS[p.name]} {percent(p.scatter, 1)}" for p in proxies)
    caption = (
        f"Mass scatter after each catalog's mean error is taken away: {scatters} (paper: 16.1, 17.9, 7.3 %); ln M "
        f"itself: {percent(max(p.spread for p in proxies), 1)}."
    )
    alt = "Distributions of the logarithmic mass error of the terse value, of the gas mass and of Y_X as mass proxies."
    return Figure(name="terse-proxy", svg=draw(paint, size=SMALL), alt=alt, caption=caption)


def _proxy_table(proxies: tuple[MassProxy, ...]) -> DataTable:
    rows = tuple(
        (
            _PROXY_WORDS[p.name],
            percent(p.scatter, 1),
            percent(p.scatter_within, 1),
            percent(p.spread, 1),
            percent(PAPER_PROXY_SCATTER[p.name], 1),
        )
        for p in proxies
    )
    return DataTable(
        name="mass-proxies",
        columns=("proxy", "scatter of M", "with the slope within catalogs", "ln M itself", "paper"),
        rows=rows,
        caption="Scatter of ln M predicted by a power law of each proxy, catalog means removed.",
    )
