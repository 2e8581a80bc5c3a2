"""The section on X-ray observations: the paper's figure 2, images with their masks, and the errors of the masses."""

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from earnest_common.arrays import FloatArray
from earnest_common.errors import MissingExtraError
from earnest_common.report.drawing import BLUE, GREEN, OCHRE, draw_panels
from earnest_common.report.section import DataTable, Figure, Section
from earnest_common.run.config import as_mapping
from earnest_common.run.files import file_sha256
from earnest_common.run.provenance import provenance

from earnest_mocks.gas.emissivity import emission_per_density
from earnest_mocks.gas.profile import density
from earnest_mocks.xray.deprojection import deprojected
from earnest_mocks.xray.reduction import Reduction, ReductionConfig, reduce_photons
from earnest_mocks.xray.simput import read_photons
from earnest_mocks.xray.table import KnownCluster, KnownClusters

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["require_matplotlib", "xray_section", "xray_summary"]

_WORDS = ("flat core", "peaked core", "cool core")
_COLOURS = (BLUE, GREEN, OCHRE)
_PLACES = (0.05, 0.7, 1.0)  # quantiles of cuspiness that represent them
_PIXELS = 140  # of a drawn image along one side


def require_matplotlib() -> None:
    """Say before long work, not after it, that figures cannot be drawn.

    Raises
    ------
    MissingExtraError
        If matplotlib is not installed.
    """
    if find_spec("matplotlib") is None:
        raise MissingExtraError.of("drawing figures", "earnest-mocks", "figures")


def xray_section(
    files: Sequence[Path],
    frame: pl.DataFrame,
    *,
    config: ReductionConfig,
    known: KnownClusters | None = None,
    trust_units: bool = False,
) -> Section:
    """Return the report's section about a table of reductions.

    Parameters
    ----------
    files
        The photon lists behind it.
    frame
        The table (:func:`earnest_mocks.xray.table.reduce_files`).
    config, known
        How it was made.
    """
    chosen = _representatives(frame)
    by_name = {file.name: file for file in files}
    reductions = [_again(by_name[name], config, known or {}, trust_units=trust_units) for name in chosen]
    return Section(
        key="xray",
        title="How well do X-ray photons give the gas mass?",
        text=_text(frame),
        figures=(_profiles_figure(reductions), _images_figure(reductions, config.instrument.pixel)),
        tables=(_table(chosen, reductions),),
        summary=xray_summary(frame),
        provenance=provenance(config=as_mapping(config), inputs={f.name: file_sha256(f) for f in files}),
    )


def _representatives(frame: pl.DataFrame) -> list[str]:
    """Return the photon lists whose clusters have a flat, a peaked and the most peaked core."""
    ordered = frame.sort("cuspiness", "file")
    places = [round(share * (len(ordered) - 1)) for share in _PLACES]
    return list(dict.fromkeys(ordered["file"][i] for i in places))


def _again(file: Path, config: ReductionConfig, known: KnownClusters, *, trust_units: bool) -> Reduction:
    it = known.get(file.name, KnownCluster())
    return reduce_photons(
        read_photons(file), m_500c=it.m_500c, t_x=it.t_x, config=config, trust_units=trust_units, subject=str(file)
    )


def _text(frame: pl.DataFrame) -> tuple[str, ...]:
    error = frame["m_gas_err"] / frame["m_gas"]
    result = (
        f"The photons of {len(frame)} clusters ({_million(frame['n_photons'])} in all) give the gas mass within R_500c "
        f"with a statistical error of {100 * _median(error):.2f} % in the median and {100 * _largest(error):.2f} % at "
        f"most. In the median {100 * _median(frame['masked']):.1f} % of the area within R_500c is masked."
    )
    method = (
        "Photons are binned into an image; what stands out of a smooth elliptical model in its wavelet coefficients is "
        "masked, the core excepted, and the emission of bright neighbours beyond their masks is modelled; the "
        "brightness of the rest in annuli is fitted with a projected Vikhlinin (2006) density profile by Poisson "
        "likelihood, which gives gas masses and slopes."
    )
    emulated = _emulated(frame)
    if not emulated:
        return (result, method)
    origin = f"{emulated} of {len(frame)} observations are EMULATED: spheres of gas, clumps and groups, no simulation."
    return (result, method, origin)


def _million(counts: pl.Series) -> str:
    return f"{int(counts.sum()) / 1e6:.1f} million"


def _median(values: pl.Series) -> float:
    return float(np.median(values.to_numpy()))


def _largest(values: pl.Series) -> float:
    return float(values.to_numpy().max())


def _profiles_figure(reductions: Sequence[Reduction]) -> Figure:
    def paint(panels: Sequence["Axes"]) -> None:
        (axes,) = panels
        for found, colour, word in zip(reductions, _COLOURS, _WORDS, strict=False):
            shells = deprojected(found)
            seen = shells.emission > 0
            r = np.geomspace(shells.radius[0] / 1.3, shells.radius[-1] * 1.1, 200)
            axes.plot(r, _emission(found, r), color=colour, label=word)
            x, y, error = (values[seen] for values in (shells.radius, shells.emission, shells.emission_err))
            axes.errorbar(x, y, error, fmt="o", ms=3.2, color=colour, elinewidth=0.9)
        axes.set(xscale="log", yscale="log", xlabel=r"$r / R_{500c}$", ylabel=r"$n_p\, n_e$ [cm$^{-6}$]")
        axes.legend(loc="lower left")

    return Figure(
        name="density-squared",
        svg=draw_panels(paint, panels=1, size=(4.8, 4.0)),
        alt="Squared gas density falls with radius over many decades; the three clusters differ in their cores.",
        caption=(
            f"Squared gas density of {len(reductions)} clusters. Points: peeled off the brightness profile shell by "
            "shell, with Poisson errors. Lines: the fitted model."
        ),
    )


def _emission(found: Reduction, r: FloatArray) -> FloatArray:
    return emission_per_density(found.density * density(found.profile, r)[0])


def _images_figure(reductions: Sequence[Reduction], pixel: float) -> Figure:
    def paint(panels: Sequence["Axes"]) -> None:
        for axes, found, word in zip(panels, reductions, _WORDS, strict=False):
            reach = len(found.image) / 2 / found.pixels_per_radius
            frame = (-reach, reach, -reach, reach)
            axes.imshow(
                np.log10(_coarse(found.image) + 0.3), origin="lower", extent=frame, cmap="magma", interpolation="none"
            )
            if found.mask.any():
                outline = _coarse(found.mask.astype(np.float64)) > 0
                axes.contour(outline, levels=[0.5], extent=frame, colors="#7fd1c7", linewidths=0.8)
            angle = np.linspace(0, 2 * np.pi, 200)
            x, y = (arcmin * 60 / pixel / found.pixels_per_radius for arcmin in found.centre)
            axes.plot(x + np.cos(angle), y + np.sin(angle), color="white", lw=0.9, ls=":")
            axes.set(xlim=frame[:2], ylim=frame[2:], title=word, xlabel=r"$x\ [R_{500c}]$")
            axes.grid(visible=False)

    return Figure(
        name="xray-images",
        svg=draw_panels(paint, panels=len(reductions), size=(3.3 * len(reductions), 3.9)),
        alt="Images of the clusters; outlines mark the masked substructures, a circle R_500c.",
        caption="Photons (logarithmic) of the same clusters, masked substructures (outlined) and R_500c (dotted).",
    )


def _coarse(image: FloatArray) -> FloatArray:
    """Return an image with pixels joined, so that the drawing stays small."""
    step = max(len(image) // _PIXELS, 1)
    size = len(image) // step * step
    return np.asarray(image[:size, :size].reshape(size // step, step, size // step, step).sum(axis=(1, 3)))


def _table(names: Sequence[str], reductions: Sequence[Reduction]) -> DataTable:
    rows = tuple(
        (
            word,
            name,
            f"{found.m_500c:.3g}",
            found.n_photons,
            f"{found.m_gas:.4g}",
            round(100 * found.m_gas_err / found.m_gas, 2),
            round(100 * found.masked, 1),
            f"{found.fit.deviance:.1f} / {found.fit.degrees_of_freedom}",
        )
        for word, name, found in zip(_WORDS, names, reductions, strict=False)
    )
    return DataTable(
        name="xray-representatives",
        columns=(
            "cluster",
            "photon list",
            "m_500c [solMass]",
            "photons",
            "m_gas [solMass]",
            "error [%]",
            "masked [%]",
            "deviance / degrees of freedom",
        ),
        rows=rows,
        caption="The three clusters of the figures.",
    )


def xray_summary(frame: pl.DataFrame) -> dict[str, Any]:
    """Return the headline numbers of a table of reductions."""
    error = frame["m_gas_err"] / frame["m_gas"]
    return {
        "n_clusters": len(frame),
        "n_emulated": _emulated(frame),
        "n_photons_median": int(_median(frame["n_photons"])),
        "m_gas_err_median": round(_median(error), 5),
        "m_gas_err_max": round(_largest(error), 5),
        "masked_median": round(_median(frame["masked"]), 4),
        "reduced_deviance_median": round(_median(frame["deviance"] / frame["degrees_of_freedom"]), 3),
    }


def _emulated(frame: pl.DataFrame) -> int:
    return int((frame["simulation"] == "EMULATED").sum())
