"""Cluster numbers per mass bin where sigma8 and the luminosity relation are extreme (the paper's figure 1)."""

from dataclasses import dataclass
from typing import Any, final

import numpy as np
import polars as pl
from earnest_common.arrays import FloatArray
from earnest_common.catalogs import CatalogSet
from earnest_common.survey.priors import Uniform
from earnest_common.survey.scaling import FACTORS, with_factors
from scipy.integrate import trapezoid

from earnest_mocks.catalogs.population import LOG10_M_MAX
from earnest_mocks.catalogs.selection import mass_limited
from earnest_mocks.catalogs.source import MockSource

__all__ = ["BIN", "Selected", "corner_counts", "everything"]

BIN = 0.01
"""Width of the paper's mass bins [dex]."""

_EDGES = np.arange(13.0, LOG10_M_MAX + 0.05, 0.1)
_NEAR_END = 0.1
"""Catalogs within this share of a prior's width of its end count as extreme."""


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Selected:
    """Numbers of clusters of catalogs from one corner of the priors.

    Attributes
    ----------
    sigma8, l_x_normalisation
        The corner.
    n_catalogs
        Catalogs of the set near that corner.
    edges, per_bin, per_bin_err
        Their mean number of clusters per 0.01 dex in wider bins of log10 m_500c [solMass], and its Poisson error.
    log10_m, expected
        The same from mass function and selection, averaged over these catalogs (over the corner itself where the set
        has none); absent for a cut in flux, which has no closed form.
    mean_number, expected_number
        Mean number of clusters of a catalog, found and expected.
    """

    sigma8: float
    l_x_normalisation: float
    n_catalogs: int
    edges: FloatArray
    per_bin: FloatArray
    per_bin_err: FloatArray
    log10_m: FloatArray
    expected: FloatArray | None
    mean_number: float
    expected_number: float | None


def corner_counts(opened: CatalogSet, source: MockSource) -> tuple[Selected, ...]:
    """Return the numbers of clusters in the four corners of sigma8 and the normalisation of L_X-M."""
    priors = source.config.priors
    catalogs = opened.scan_catalogs().collect()
    corners = [(s, b) for s in _ends(priors.sigma8) for b in _ends(priors.l_x_normalisation)]
    return tuple(_corner(opened, source, catalogs, sigma8=s, bias=b) for s, b in corners)


def everything(source: MockSource, sigma8: float) -> tuple[FloatArray, FloatArray]:
    """Return log10 m_500c [solMass] and the number of all clusters in the volume per 0.01 dex."""
    log10_m = np.linspace(_EDGES[0], LOG10_M_MAX, 300)
    abundance = source.abundance(np.array([sigma8]), np.array([source.config.cosmology.Om0]))
    return log10_m, BIN * source.config.survey.volume * abundance(log10_m)[0]


def _ends(prior: Uniform) -> tuple[float, ...]:
    return (prior.low,) if prior.low == prior.high else (prior.low, prior.high)


def _near(values: pl.Series, end: float, prior: Uniform) -> pl.Series:
    return (values - end).abs() <= _NEAR_END * (prior.high - prior.low) + 1e-9


def _corner(opened: CatalogSet, source: MockSource, catalogs: pl.DataFrame, *, sigma8: float, bias: float) -> Selected:
    priors = source.config.priors
    here = catalogs.filter(
        _near(catalogs["sigma8"], sigma8, priors.sigma8)
        & _near(catalogs["l_x_normalisation"], bias, priors.l_x_normalisation)
    )
    n = here.height
    ids = here.get_column("catalog_id")
    masses = (
        opened.scan_clusters("catalog_id", "m_500c")
        .filter(pl.col("catalog_id").is_in(ids.implode()))
        .select("m_500c")
        .collect()
    )
    found, _ = np.histogram(np.log10(masses.get_column("m_500c").to_numpy()), _EDGES)
    scale = BIN / np.diff(_EDGES) / max(n, 1)
    log10_m, expected = _expected(source, here, sigma8=sigma8, bias=bias)
    return Selected(
        sigma8=sigma8,
        l_x_normalisation=bias,
        n_catalogs=n,
        edges=_EDGES,
        per_bin=found * scale,
        per_bin_err=np.sqrt(found) * scale,
        log10_m=log10_m,
        expected=expected,
        mean_number=found.sum() / n if n else float("nan"),
        expected_number=None if expected is None else float(trapezoid(expected / BIN, log10_m)),
    )


def _expected(
    source: MockSource, catalogs: pl.DataFrame, *, sigma8: float, bias: float
) -> tuple[FloatArray, FloatArray | None]:
    """Return the mean expected number per 0.01 dex of the catalogs, or of the corner itself if there are none."""
    log10_m = np.linspace(source.config.survey.selection.log10_m_min, LOG10_M_MAX, 600)
    if source.config.survey.cut == "flux":
        return log10_m, None
    names = ("sigma8", "Om0", *FACTORS)
    parameters: dict[str, Any] = {name: catalogs.get_column(name).to_numpy() for name in names}
    if not catalogs.height:
        one = {"sigma8": sigma8, "Om0": source.config.cosmology.Om0, "l_x_normalisation": bias}
        parameters = {name: np.array([value]) for name, value in one.items()}
    factors = {name: values for name, values in parameters.items() if name in FACTORS}
    l_x = with_factors(source.sample.relations, factors).l_x
    abundance = source.abundance(parameters["sigma8"], parameters["Om0"])
    spectra = mass_limited(source.config.survey, abundance, l_x=l_x)
    rows = [np.interp(log10_m, x, np.log(f)) for x, f in zip(spectra.nodes, spectra.density, strict=True)]
    return log10_m, BIN * np.mean(np.exp(rows), axis=0)
