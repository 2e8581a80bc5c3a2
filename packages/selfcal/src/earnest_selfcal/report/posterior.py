"""The posterior of one catalog as a figure and a report section."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from earnest_common.posterior import Posterior
from earnest_common.report.drawing import BLUE, GREY, INK, draw
from earnest_common.report.section import DataTable, Figure, Section

from earnest_selfcal.posterior.inference import Inference

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["posterior_figure", "posterior_section"]

_SYMBOLS = {"y_x": "Y_X", "l_x": "L_X"}


def posterior_figure(inference: Inference) -> Figure:
    """Return the posterior of sigma8, with that from the number alone and the prior beside it."""
    posterior, observed = inference.posterior, inference.observed
    low, high = posterior.interval(0.6827)
    symbol = _SYMBOLS[observed.observable]
    has_median = observed.median_log10_x is not None
    label = f"N and median ${symbol}$" if has_median else "N alone"

    def paint(axes: "Axes") -> None:
        flat = 1 / np.ptp(posterior.edges)
        axes.axhline(flat, color=GREY, lw=0.8, ls=":", label="prior")
        if has_median:
            _steps(axes, inference.n_only, color=GREY, label="N alone")
        _steps(axes, posterior, color=BLUE, label=label)
        axes.axvspan(low, high, color=BLUE, alpha=0.12, lw=0)
        if observed.truth is not None:
            axes.axvline(observed.truth, color=INK, lw=0.9, label="truth")
        axes.set(xlabel=r"$\sigma_8$", ylabel="posterior density", ylim=(0, None))
        axes.legend(loc="best")

    return Figure(
        name="selfcal-posterior",
        svg=draw(paint),
        alt="Posterior density of sigma8 with the prior and the posterior from the number of clusters alone",
        caption=(
            f"Posterior of σ₈ for {observed.n_clusters} clusters: {posterior.mean:.3f} ± {posterior.std:.3f}, 68 % "
            f"between {low:.3f} and {high:.3f} (band); from the number alone {inference.n_only.mean:.3f} ± "
            f"{inference.n_only.std:.3f}. Steps are the cells of the prior."
        ),
    )


def posterior_section(inference: Inference, *, provenance: Mapping[str, Any]) -> Section:
    """Return the section of one inference.

    Parameters
    ----------
    inference
        The posteriors.
    provenance
        How they were made.
    """
    numbers = inference.numbers()
    survey = inference.preset.survey
    rows = (_row("N alone", inference.n_only), _row("all numbers", inference.posterior))
    return Section(
        key="counts.posterior",
        title="σ₈ of one catalog by self-calibration",
        text=(
            f"{inference.observed.n_clusters} clusters in {survey.volume:.4g} Mpc³ (comoving) at redshift {survey.z}, "
            f"cut in {survey.cut}; the factors of the scaling relations are marginalised over the priors of the "
            f"preset '{inference.preset.name}' and the changes recorded in the provenance.",
        ),
        figures=(posterior_figure(inference),),
        tables=(
            DataTable(
                name="selfcal-posterior",
                columns=("data", "mean", "±", "68 % from", "to", "95 % from", "to"),
                rows=rows,
                caption="Posteriors of σ₈; intervals are central.",
            ),
        ),
        summary=numbers,
        provenance=provenance,
    )


def _row(name: str, posterior: Posterior) -> tuple[str | float | int | None, ...]:
    ends = (*posterior.interval(0.6827), *posterior.interval(0.9545))
    return (name, round(posterior.mean, 4), round(posterior.std, 4), *(round(end, 4) for end in ends))


def _steps(axes: "Axes", posterior: Posterior, *, color: str, label: str) -> None:
    axes.stairs(posterior.probability / posterior.widths, posterior.edges, color=color, label=label, lw=1.3)
