"""sigma8 from a real flux- and volume-limited sample: the number of clusters and their median L_X."""

import math
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, final

import numpy as np
import polars as pl
from earnest_common.arrays import FloatArray
from earnest_common.errors import InputError
from earnest_common.importers import ImportReport, Mapping, import_rows, load_mapping
from earnest_common.importers.mapping import Source
from earnest_common.survey.cosmology import Cosmology
from earnest_common.survey.presets import Preset, Survey
from earnest_common.survey.priors import Priors, Uniform
from earnest_common.survey.scaling import TABLE_2, PowerLaw, ScalingRelations
from earnest_common.survey.selection import Selection

from earnest_selfcal.forward.resolution import Resolution
from earnest_selfcal.light_cone.distances import comoving_distance, comoving_volume, expansion, flux_to_luminosity
from earnest_selfcal.posterior.inference import Inference, Observed, posterior_of
from earnest_selfcal.survey.footprint import Footprint, evenness, largest_gap

__all__ = [
    "IN_BAND",
    "IN_BAND_L_X",
    "FluxLimitedSample",
    "assumptions",
    "read_sample",
    "sample_answer",
    "survey_of_sample",
]

IN_BAND = "0.1-2.4 keV"
"""The band of the relation of L_X with mass."""

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
_USUAL_POSITIONS = {
    "ra": ("RAdeg", "RA_ICRS", "_RA", "_RAJ2000", "ra_deg"),
    "dec": ("DEdeg", "DE_ICRS", "_DE", "_DEJ2000", "dec_deg"),
}
_ENOUGH = 10  # right ascensions that all end at 24 by chance: (24 / 360)^10
_UNEVEN = 0.01  # p-value
_NOT_COVERED = 10  # clusters expected where there is none


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
    min_latitude, dec_low, dec_high, ra_low, ra_high, area
        The part of the sky [deg, deg^2], see :class:`earnest_selfcal.survey.footprint.Footprint`.
    """

    flux_limit: float = 1e-11
    z_low: float = 0.01
    z_high: float = 0.07
    min_latitude: float = 20.0
    dec_low: float = -90.0
    dec_high: float = 90.0
    ra_low: float = 0.0
    ra_high: float = 360.0
    area: float | None = None

    def __post_init__(self) -> None:
        problems = []
        if not self.flux_limit > 0:
            problems.append(f"flux_limit = {self.flux_limit} erg/s/cm^2 must be positive")
        if not 0 < self.z_low < self.z_high <= 0.2:
            problems.append(f"z_low = {self.z_low} and z_high = {self.z_high}: 0 < z_low < z_high <= 0.2 must hold")
        if problems:
            raise InputError("; ".join(problems))
        _ = self.footprint  # refuses what no footprint can be

    @property
    def footprint(self) -> Footprint:
        """The part of the sky."""
        return Footprint(**{f.name: getattr(self, f.name) for f in fields(Footprint)})

    @property
    def solid_angle(self) -> float:
        """The area of the sky [sr]."""
        return math.radians(1) ** 2 * self.footprint.square_degrees


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
    One row per cluster: cluster_id (row of the source), z, l_x [1e44 erg/s] for H0 = 70, flux [erg/s/cm^2], and ra and
    dec [deg] where the table has them.

    Raises
    ------
    InputError
        If band or H0 of the luminosities are not known or not those of the relation, positions are needed and not
        known, or no cluster is left.
    """
    return _read(path, sample, mapping)[0]


def _read(path: Path, sample: FluxLimitedSample, mapping: str) -> tuple[pl.DataFrame, ImportReport]:
    plan = load_mapping(mapping)
    factor = _to_h0_of_relation(plan)
    rows, report = import_rows(path, _with_positions(_needing_only_l_x(plan)))
    rows = rows.with_columns(l_x=factor * pl.col("l_x"))
    one = flux_to_luminosity(1.0, rows.get_column("z").to_numpy(), _COSMOLOGY)
    rows = rows.with_columns(flux=pl.col("l_x") / pl.Series(one))
    clusters = rows.select(n for n in ("cluster_id", "z", "l_x", "flux", "ra", "dec") if n in rows.columns)
    chosen = clusters.filter(
        pl.col("z").is_between(sample.z_low, sample.z_high, closed="none") & (pl.col("flux") > sample.flux_limit)
    )
    if not sample.footprint.whole:
        chosen = chosen.filter(pl.Series(sample.footprint.contains(*_positions(path, chosen))))
    if chosen.is_empty():
        raise InputError(f"{path}: no cluster of {len(clusters)} is left by {sample}")
    return chosen, report


def sample_answer(
    path: Path, sample: FluxLimitedSample, *, mapping: str = "mcxc", resolution: Resolution | None = None
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
    clusters, report = _read(path, sample, mapping)
    sky = _sky(path, sample, clusters)
    preset = survey_of_sample(sample)
    median = float(clusters.get_column("l_x").log10().median() or 0.0)  # type: ignore[arg-type]  # a number here
    observed = Observed(n_clusters=len(clusters), observable="l_x", median_log10_x=median)
    try:
        inference = posterior_of(preset, observed, resolution)
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
    return inference, {
        **told,
        "units": inference.units(),
        "survey": survey,
        "sky": sky,
        "luminosity": {
            "band": IN_BAND,
            "aperture": report.aperture or "not stated",
            "H0_of_the_table": report.cosmology["H0"],
            "factor_to_H0_of_the_relation": _to_h0_of_relation(load_mapping(mapping)),
        },
        "assumptions": [*assumptions(sample), *_of_the_table(report, sky)],
        "warnings": _warnings(sky),
    }


def assumptions(sample: FluxLimitedSample) -> tuple[str, ...]:
    """Return what the result rests on, one sentence each."""
    return (
        f"The table is complete above {sample.flux_limit:.3g} erg/s/cm^2 (0.1-2.4 keV) for "
        f"{sample.footprint.words()} and {sample.z_low} < z < {sample.z_high}; a compilation of surveys need not be.",
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


def _with_positions(mapping: Mapping) -> Mapping:
    """Return the mapping with positions of usual names and units where it says nothing of them."""
    usual = {n: Source(source=names, unit="deg", optional=True) for n, names in _USUAL_POSITIONS.items()}
    return mapping if {"ra", "dec"} & set(mapping.columns) else replace(mapping, columns={**mapping.columns, **usual})


def _to_h0_of_relation(mapping: Mapping) -> float:
    """Return what brings luminosities of the table, ~ H0^-2, to the H0 of the relation; another band is refused."""
    band = mapping.band or (IN_BAND if IN_BAND.removesuffix(" keV") in mapping.l_x else mapping.l_x)
    if band != IN_BAND:
        raise InputError(
            f"format {mapping.name}: its luminosities are '{band}', the relation with mass is for {IN_BAND}, and no "
            f'spectrum is at hand to convert them; take a column in that band, and state band = "{IN_BAND}" in a '
            "mapping of your own"
        )
    if mapping.cosmology.H0 is None:
        raise InputError(
            f"format {mapping.name} does not state the H0 of its luminosities, which go with H0^-2; state H0 in "
            "[cosmology] of a mapping of your own"
        )
    return (mapping.cosmology.H0 / _COSMOLOGY.H0) ** 2


def _positions(path: Path, clusters: pl.DataFrame) -> tuple[FloatArray, FloatArray]:
    """Return right ascension and declination [deg]."""
    if not {"ra", "dec"} <= set(clusters.columns):
        raise InputError(
            f"{path}: no positions in degrees are known ({', '.join(_USUAL_POSITIONS['ra'])} and the declinations were "
            'sought); name them in a mapping of your own, ra = { source = "...", unit = "deg" } (or "hourangle") and '
            "dec alike, or leave the sky uncut with --min-latitude 0 and state its area with --area"
        )
    if unknown := int(clusters.select(pl.any_horizontal(pl.col("ra", "dec").is_null()).sum()).item()):
        raise InputError(f"{path}: {unknown} clusters have no position; complete the table")
    ra, dec = (clusters.get_column(name).to_numpy() for name in ("ra", "dec"))
    if len(ra) >= _ENOUGH and ra.min() >= 0 and ra.max() <= 24:
        raise InputError(
            f"{path}: right ascensions of {len(ra)} clusters end at {ra.max():.4g}, as hours do; state the unit in a "
            'mapping of your own, ra = { source = "...", unit = "hourangle" }'
        )
    return ra, dec


def _sky(path: Path, sample: FluxLimitedSample, clusters: pl.DataFrame) -> dict[str, Any]:
    """Return area and evenness of the sample's sky; one that is mostly not covered is refused."""
    footprint = sample.footprint
    told: dict[str, Any] = {"footprint": footprint.words(), "area_deg2": footprint.square_degrees}
    if footprint.whole and not {"ra", "dec"} <= set(clusters.columns):
        if sample.area is None:
            raise InputError(
                f"{path}: no positions are known, so whether it covers the whole sky cannot be seen; state its area "
                "[deg^2] with --area"
            )
        return {**told, "evenness_p_value": None}
    positions = _positions(path, clusters)
    share, where = largest_gap(footprint, *positions)
    if share * len(clusters) > _NOT_COVERED:
        raise InputError(
            f"{path}: {footprint.words()} is not covered: none of {len(clusters)} clusters lies {where}, where "
            f"{share * len(clusters):.0f} are expected; state what the table covers with --dec-low, --dec-high, "
            "--ra-low, --ra-high and --min-latitude, and with --area where it has holes"
        )
    p_value = evenness(footprint, *positions)
    return {**told, "evenness_p_value": p_value}


def _of_the_table(report: ImportReport, sky: dict[str, Any]) -> list[str]:
    """Return what has to be assumed because of the table itself."""
    aperture = report.aperture or ("r_500c" if "r_500c" in report.l_x else "not stated")
    sentences = []
    if aperture != "r_500c":
        sentences.append(
            f"The aperture of the table's luminosities is: {aperture}. The relation's are within r_500c; nothing is "
            "converted, and larger luminosities raise sigma8."
        )
    if sky["evenness_p_value"] is None:
        sentences.append("Whether the sky is covered evenly could not be tested: the table has no positions.")
    return sentences


def _warnings(sky: dict[str, Any]) -> list[str]:
    p_value = sky["evenness_p_value"]
    if p_value is None or p_value >= _UNEVEN:
        return []
    return [f"the clusters are spread unevenly over the sky (p = {p_value:.1g}): large structures, or uneven depth"]
