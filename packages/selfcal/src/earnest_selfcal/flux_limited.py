"""sigma8 from a real flux- and volume-limited sample: the number of clusters and their median L_X."""

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, final

import numpy as np
import polars as pl
from earnest_common.arrays import FloatArray
from earnest_common.cosmology import Cosmology
from earnest_common.errors import InputError
from earnest_common.importers import Mapping, import_table, load_mapping
from earnest_common.importers.source_table import read_table
from earnest_common.priors import Priors, Uniform
from earnest_common.scaling import TABLE_2, PowerLaw, ScalingRelations
from earnest_common.selection import Selection
from earnest_common.survey import Preset, Survey

from earnest_selfcal.config import GridConfig
from earnest_selfcal.distances import comoving_distance, comoving_volume, expansion, flux_to_luminosity
from earnest_selfcal.inference import Inference, Observed, inferred

__all__ = ["IN_BAND_L_X", "FluxLimitedSample", "assumptions", "read_sample", "sample_answer", "survey_of_sample"]

IN_BAND_L_X = PowerLaw(log10_normalisation=0.274, slope=1.64, log10_pivot=math.log10(3e14), scatter=0.17)
"""L_X in 0.1-2.4 keV within R_500c [1e44 erg/s] at z = 0, H0 = 70: the relation behind MCXC's masses (Piffaretti et
al. 2011, Arnaud et al. 2010), with the 38 % scatter of REXCESS (Pratt et al. 2009). Its masses are hydrostatic."""

_COSMOLOGY = Cosmology(Om0=0.3, Ob0=0.0469, H0=70.0, ns=0.965, sigma8=0.8)
_FIXED = Uniform(low=1.0, high=1.0)
_PRIORS = Priors(
    sigma8=Uniform(low=0.60, high=1.04),
    l_x_normalisation=Uniform(low=0.5, high=1.15),
    t_x_normalisation=_FIXED,
    m_gas_normalisation=_FIXED,
    l_x_slope=Uniform(low=0.9, high=1.1),
    l_x_scatter=Uniform(low=0.7, high=1.3),
    t_x_scatter=_FIXED,
    m_gas_scatter=_FIXED,
)
_NORTH_POLE = math.radians(192.85948), math.radians(27.12825)  # of the Galaxy, J2000


@final
@dataclass(frozen=True, kw_only=True)
class FluxLimitedSample:
    """How clusters are chosen from a table.

    Attributes
    ----------
    flux_limit
        In the band of the table's luminosities [erg/s/cm^2].
    z_low, z_high
        Redshift range.
    min_latitude
        Smallest distance from the Galactic plane [deg].
    """

    flux_limit: float = 1e-11
    z_low: float = 0.01
    z_high: float = 0.07
    min_latitude: float = 20.0

    def __post_init__(self) -> None:
        problems = []
        if not self.flux_limit > 0:
            problems.append(f"flux_limit = {self.flux_limit} erg/s/cm^2 must be positive")
        if not 0 < self.z_low < self.z_high <= 0.2:
            problems.append(f"z_low = {self.z_low} and z_high = {self.z_high}: 0 < z_low < z_high <= 0.2 must hold")
        if not 0 <= self.min_latitude < 90:
            problems.append(f"min_latitude = {self.min_latitude} deg must lie from 0 to 90")
        if problems:
            raise InputError("; ".join(problems))

    @property
    def solid_angle(self) -> float:
        """The area of the sky [sr]."""
        return 4 * math.pi * (1 - math.sin(math.radians(self.min_latitude)))


def survey_of_sample(sample: FluxLimitedSample) -> Preset:
    """Return the survey that such a sample is, with priors on sigma8 and on the luminosity relation.

    A cluster of luminosity L is seen out to d ~ L^(1/2), in a volume ~ L^(3/2) up to that of the redshift range: the
    paper's selection function with A = 3/2 times the slope of the relation.
    """
    l_x = _evolved(IN_BAND_L_X, _effective_z(sample))
    ends = flux_to_luminosity(sample.flux_limit, np.array([sample.z_low, sample.z_high]), _COSMOLOGY)
    log10_m_min, log10_m_break = (float(x) for x in np.asarray(l_x.log10_mass(np.log10(ends))))
    volume = comoving_volume(sample.z_low, sample.z_high, solid_angle=sample.solid_angle, cosmology=_COSMOLOGY)
    selection = Selection(log10_m_break=log10_m_break, log10_m_min=log10_m_min, slope=1.5 * float(l_x.slope), l_x=l_x)
    return Preset(
        name="flux-limited sample",
        survey=Survey(volume=volume, z=round(_effective_z(sample), 4), selection=selection, cut="flux"),
        priors=_PRIORS,
        cosmology=_COSMOLOGY,
        relations=ScalingRelations(l_x=l_x, t_x=TABLE_2.t_x, m_gas=TABLE_2.m_gas),
    )


def read_sample(path: Path, sample: FluxLimitedSample, *, mapping: str = "mcxc") -> pl.DataFrame:
    """Return redshift, luminosity and flux of the table's clusters that belong to the sample.

    Parameters
    ----------
    path
        The table with luminosities in 0.1-2.4 keV and positions, as its authors publish it.
    sample
        The choice.
    mapping
        How its columns are named; see ``earnest catalogs import``.

    Returns
    -------
    One row per cluster: cluster_id (row of the source), z, l_x [1e44 erg/s], flux [erg/s/cm^2].

    Raises
    ------
    InputError
        If the table has no positions but they are needed, or no cluster is left.
    """
    batch, _ = import_table(path, _needing_only_l_x(load_mapping(mapping)))
    clusters = batch.clusters.select("cluster_id", "z", "l_x")
    one = flux_to_luminosity(1.0, clusters.get_column("z").to_numpy(), _COSMOLOGY)
    clusters = clusters.with_columns(flux=pl.col("l_x") / pl.Series(one))
    chosen = clusters.filter(
        pl.col("z").is_between(sample.z_low, sample.z_high, closed="none") & (pl.col("flux") > sample.flux_limit)
    )
    if sample.min_latitude > 0:
        latitude = _latitudes(path, mapping)[chosen.get_column("cluster_id").to_numpy()]
        chosen = chosen.filter(pl.Series(np.abs(latitude) > sample.min_latitude))
    if chosen.is_empty():
        raise InputError(f"{path}: no cluster of {len(clusters)} is left by {sample}")
    return chosen


def sample_answer(
    path: Path, sample: FluxLimitedSample, *, mapping: str = "mcxc", resolution: GridConfig | None = None
) -> tuple[Inference, dict[str, Any]]:
    """Return sigma8 of a real sample, with everything that was assumed.

    Parameters
    ----------
    path, sample, mapping
        As for :func:`read_sample`.
    resolution
        Of the forward model.

    Raises
    ------
    InputError
        If the sample is empty or lies outside what the survey can show.
    """
    clusters = read_sample(path, sample, mapping=mapping)
    preset = survey_of_sample(sample)
    median = float(clusters.get_column("l_x").log10().median() or 0.0)  # type: ignore[arg-type]  # a number here
    observed = Observed(n_clusters=len(clusters), observable="l_x", median_log10_x=median)
    try:
        inference = inferred(preset, observed, resolution)
    except InputError as error:
        raise InputError(
            f"{error}. For a sample from a table this says that the table is not complete down to "
            f"{sample.flux_limit:.3g} erg/s/cm^2, or that its luminosities are in another band; raise --flux-limit"
        ) from error
    selection = preset.survey.selection
    survey = {
        "volume": preset.survey.volume,
        "z": preset.survey.z,
        "log10_m_break": selection.log10_m_break,
        "log10_m_min": selection.log10_m_min,
    }
    told = {name: value for name, value in inference.numbers().items() if value is not None}
    return inference, {**told, "units": inference.units(), "survey": survey, "assumptions": list(assumptions(sample))}


def assumptions(sample: FluxLimitedSample) -> tuple[str, ...]:
    """Return what the result rests on, one sentence each."""
    return (
        f"The table is complete above {sample.flux_limit:.3g} erg/s/cm^2 (0.1-2.4 keV) for |b| > "
        f"{sample.min_latitude:g} deg and {sample.z_low} < z < {sample.z_high}; a compilation of surveys need not be.",
        "Luminosities stay in 0.1-2.4 keV: selection, relation and median are in that band, so none is converted to "
        "bolometric; K-corrections (below 5 % here) are left out.",
        "The relation of L_X with mass is the one behind the table's own masses, L = 10^0.274 E^(7/3) (M / 3e14)^1.64, "
        "with 0.17 dex of scatter; its normalisation is uncertain by 0.5 to 1.15, hydrostatic masses being 0.65 to "
        "1.09 of the true ones, its slope by 10 % and its scatter by 30 %.",
        "The table has neither temperatures nor gas masses. Values from scaling relations would repeat L_X, so no Y_X "
        "is formed: N and the median L_X are all that is used.",
        "Flat universe with Om0 = 0.3, H0 = 70, ns = 0.965 held fixed; sigma8 would move with Om0.",
        "No sample variance, which within 300 Mpc is no smaller than the Poisson noise of a few hundred clusters.",
    )


def _effective_z(sample: FluxLimitedSample) -> float:
    """Return the redshift at which half of the volume is enclosed."""
    z = np.linspace(sample.z_low, sample.z_high, 200)
    cubed = comoving_distance(z, _COSMOLOGY) ** 3
    return float(np.interp((cubed[0] + cubed[-1]) / 2, cubed, z))


def _evolved(law: PowerLaw, z: float) -> PowerLaw:
    growth = 7 / 3 * float(np.log10(expansion(z, _COSMOLOGY)))
    return PowerLaw(
        log10_normalisation=float(law.log10_normalisation) + growth,
        slope=law.slope,
        log10_pivot=law.log10_pivot,
        scatter=law.scatter,
    )


def _needing_only_l_x(mapping: Mapping) -> Mapping:
    """Return the mapping with everything optional that a flux-limited sample does without."""
    columns = {name: replace(source, optional=name not in {"z", "l_x"}) for name, source in mapping.columns.items()}
    return replace(mapping, columns=columns)


def _latitudes(path: Path, mapping: str) -> FloatArray:
    """Return the Galactic latitude [deg] of every row of the source."""
    table = read_table(path, load_mapping(mapping).reader)
    names = [next((n for n in table.frame.columns if n.lower().startswith(kind)), None) for kind in ("ra", "de")]
    if None in names:
        raise InputError(f"{path} has no columns RA... and DE..., so latitudes are unknown; use --min-latitude 0")
    ra, dec = (np.radians(table.frame.get_column(str(n)).cast(pl.Float64).to_numpy()) for n in names)
    pole_ra, pole_dec = _NORTH_POLE
    sine = np.sin(dec) * math.sin(pole_dec) + np.cos(dec) * math.cos(pole_dec) * np.cos(ra - pole_ra)
    return np.asarray(np.degrees(np.arcsin(sine)))
