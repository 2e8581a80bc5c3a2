"""From photons to gas: image, mask, brightness profile, fit, and the gas mass and slope with their errors."""

import math
from dataclasses import dataclass, field
from typing import Any, Final, final

import numpy as np
from earnest_common.arrays import FloatArray
from earnest_common.errors import InputError
from earnest_common.notebook import html_table
from earnest_common.schema import RADII_R500C
from earnest_common.survey.cosmology import MAGNETICUM, Cosmology

from earnest_mocks.gas.profile import GasProfile, log_slope
from earnest_mocks.xray.annuli import Annuli, annuli, annulus_edges
from earnest_mocks.xray.counts import counts_per_emission
from earnest_mocks.xray.fit import EmissionFit, fit_emission
from earnest_mocks.xray.frame import ClusterFrame, cluster_frame
from earnest_mocks.xray.gas import gas_of
from earnest_mocks.xray.image import centroid, pixel_radii, sky_image
from earnest_mocks.xray.instrument import Instrument
from earnest_mocks.xray.neighbours import neighbour_emission
from earnest_mocks.xray.photon_list import PhotonList
from earnest_mocks.xray.plausibility import (
    refuse_implausible_gas,
    refuse_implausible_image,
    refuse_implausible_temperature,
)
from earnest_mocks.xray.projection import projection
from earnest_mocks.xray.substructure import substructure_mask
from earnest_mocks.xray.wavelet import Detection

__all__ = ["Reduction", "ReductionConfig", "reduce_photons"]

_CUSPINESS_RADIUS: Final = 0.04  # R_500c; Vikhlinin et al. 2007
_FEWEST_PHOTONS = 200
_CENTRE_RADII = (0.5, 0.3, 0.15)  # R_500c
_FARTHEST_CENTRE = 0.15  # R_500c


@final
@dataclass(frozen=True, kw_only=True)
class ReductionConfig:
    """How photons are reduced.

    Attributes
    ----------
    instrument
        Band, field and pixels; area and exposure come with the photons.
    cosmology
        What turns angles into lengths.
    detection
        What counts as substructure.
    mask
        Whether substructures are masked.
    neighbours
        Whether the emission of bright masked structures is modelled, which reaches beyond any mask.
    recentre
        Whether the centre is the photons' centroid instead of the middle of the field.
    core
        Radius that is never masked [R_500c].
    fit_radius
        The profile is fitted out to here, or to the corner of the field [R_500c].
    edge
        Where the gas of the model ends [R_500c]; beyond the accretion shock there is none.
    reach
        Radii may lie this much farther than the farthest corner of the field, where the fit is extrapolated: in the
        paper's field 1.4 R_500c of a cluster of 1.4e15 solMass is 4 % beyond the corner.
    metallicity
        Metals of the gas in solar units; default what the photon list states (keyword METALS), or 0.3.
    radii
        Radii of the results [R_500c].

    References
    ----------
    Ntampaka & Vikhlinin (arXiv:2112.05768), section 2.1.2.
    """

    instrument: Instrument = field(default_factory=Instrument)
    cosmology: Cosmology = MAGNETICUM
    detection: Detection = field(default_factory=Detection)
    mask: bool = True
    neighbours: bool = True
    recentre: bool = True
    core: float = 0.1
    fit_radius: float = 2.0
    edge: float = 5.0
    reach: float = 1.1
    metallicity: float | None = None
    radii: tuple[float, ...] = RADII_R500C

    def __post_init__(self) -> None:
        if not 0 < self.core < self.fit_radius < self.edge:
            raise InputError(
                f"reduction: 0 < core = {self.core} < fit_radius = {self.fit_radius} < edge = {self.edge} must hold"
            )
        if not self.radii or not all(a < b for a, b in zip((0.0, *self.radii), self.radii, strict=False)):
            raise InputError(f"reduction: radii = {self.radii} must be positive and rise")


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Reduction:
    """What the photons of one cluster say about its gas.

    Attributes
    ----------
    m_500c, t_x, z, r_500c
        Mass [solMass], temperature [keV] and redshift that were given, and the radius that follows [kpc].
    n_photons
        Photons in band and field.
    centre
        (x, y) of the cluster [arcmin from the middle of the field].
    masked
        Share of the area within R_500c that is masked.
    m_gas, m_gas_err
        Gas mass within R_500c and its statistical error [solMass].
    l_x, l_x_err
        Bolometric luminosity of that gas at the temperature t_x and its statistical error [1e44 erg/s].
    m_gas_profile, m_gas_profile_err
        Gas mass within each of the radii and errors [solMass], shape (k,).
    gas_slope_profile, gas_slope_profile_err
        d ln rho_gas / d ln r at the radii and errors, shape (k,).
    profile
        The fitted model, one cluster, radii in R_500c.
    density
        Its density of the main component's amplitude [solMass kpc^-3].
    image, mask
        Counts in each pixel, and the pixels that were masked, shape (n_pixels, n_pixels).
    pixels_per_radius
        R_500c in pixels.
    edge
        Where the gas of the model ends [R_500c].
    annuli
        The brightness profile that was fitted.
    fit
        The fit.
    response
        Matrix from n_p n_e [cm^-6] at the radii of the projection to the expected counts of the annuli, shape (n, k).
    """

    m_500c: float
    t_x: float
    z: float
    r_500c: float
    n_photons: int
    centre: tuple[float, float]
    masked: float
    m_gas: float
    m_gas_err: float
    l_x: float
    l_x_err: float
    m_gas_profile: FloatArray
    m_gas_profile_err: FloatArray
    gas_slope_profile: FloatArray
    gas_slope_profile_err: FloatArray
    profile: GasProfile
    density: float
    image: FloatArray
    mask: np.ndarray
    pixels_per_radius: float
    edge: float
    annuli: Annuli
    fit: EmissionFit
    response: FloatArray

    def __repr__(self) -> str:
        """Return one line: the gas mass with its error, and what it rests on."""
        mass = f"m_gas {self.m_gas:.4g} +- {self.m_gas_err:.2g} solMass"
        return f"Reduction({mass}, {self.n_photons:,} photons, {100 * self.masked:.1f} % masked)"

    def _repr_html_(self) -> str:
        shown = ("m_500c", "t_x", "z", "n_photons", "masked", "m_gas", "m_gas_err", "deviance", "degrees_of_freedom")
        return html_table("Reduction", {name: self.to_dict()[name] for name in shown})

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers by name, in the units of the table of reductions."""
        same = ("z", "m_500c", "r_500c", "t_x", "n_photons", "masked", "m_gas", "m_gas_err", "l_x", "l_x_err")
        profiles = ("m_gas_profile", "m_gas_profile_err", "gas_slope_profile", "gas_slope_profile_err")
        return {
            **{name: getattr(self, name) for name in same},
            **{name: getattr(self, name).tolist() for name in profiles},
            "centre_x": self.centre[0],
            "centre_y": self.centre[1],
            "cuspiness": -float(log_slope(self.profile, np.array([_CUSPINESS_RADIUS]))[0, 0]),
            "n_components": self.fit.n_components,
            "deviance": self.fit.deviance,
            "degrees_of_freedom": self.fit.degrees_of_freedom,
        }


def reduce_photons(
    photons: PhotonList,
    *,
    m_500c: float | None = None,
    t_x: float | None = None,
    config: ReductionConfig | None = None,
    trust_units: bool = False,
    subject: str = "photon list",
) -> Reduction:
    r"""Return gas masses and slopes of a cluster from its photons.

    The brightness :math:`S(R) \propto \Lambda(T) \int n_p n_e\, dl` of a sphere is fitted, its density is
    :math:`1.252\, m_p \sqrt{n_p n_e}`; errors follow from the Fisher information of the Poisson likelihood.

    Parameters
    ----------
    photons
        The observation.
    m_500c, t_x
        Mass [solMass], which sets R_500c, and temperature [keV], which sets the emissivity; default what the list says.
    config
        How to reduce; default the paper's.
    trust_units
        Reduce even what no cluster can be, see :mod:`earnest_mocks.xray.plausibility`.
    subject
        Name of the observation in messages.

    Raises
    ------
    InputError
        If mass or temperature is unknown, there are too few photons, a radius lies outside of the field of view, no
        model fits, or temperature, place, gas mass or background are implausible.

    Examples
    --------
    >>> from earnest_mocks.base_sample.emulator import emulate
    >>> from earnest_mocks.xray.photons import emulate_photons
    >>> clusters = emulate(n_clusters=20)
    >>> found = reduce_photons(emulate_photons(clusters, 10, seed=1))
    >>> found
    Reduction(m_gas 8.031e+12 +- 2.8e+10 solMass, 102,181 photons, 0.0 % masked)
    >>> bool(abs(found.m_gas / 10 ** clusters.observables[10, 2] - 1) < 0.05)
    True
    """
    config = config or ReductionConfig()
    frame = cluster_frame(
        photons,
        m_500c=m_500c,
        t_x=t_x,
        metallicity=config.metallicity,
        instrument=config.instrument,
        cosmology=config.cosmology,
        subject=subject,
    )
    seen = photons.within(frame.instrument, subject=subject)
    image = sky_image(seen, frame.instrument)
    centre, masked = _prepared(image, frame.pixels_per_radius, config)
    _refuse_unseen(image, centre, frame, config)
    if not trust_units:
        refuse_implausible_temperature(frame, config.cosmology)
        refuse_implausible_image(photons, image, frame, config.cosmology)
    rings, response = _brightness(image, masked, centre=centre, frame=frame, config=config)
    seen_at = rings.area > 0
    try:
        fit = fit_emission(
            rings.counts[seen_at],
            response[seen_at],
            projection(r_max=config.edge).r,
            background=rings.background[seen_at],
        )
    except np.linalg.LinAlgError as error:
        raise InputError(
            f"{subject}: no model of the gas fits the brightness ({error}); look at m_500c, t_x = {frame.t_x:g} keV, "
            f"REDSHIFT = {frame.z:g}, AREA = {photons.area:g} cm2 and TIME = {photons.exposure:g} s"
        ) from error
    found = Reduction(
        m_500c=frame.m_500c,
        t_x=frame.t_x,
        z=photons.z,
        r_500c=frame.r_500c,
        n_photons=seen.n_photons,
        centre=frame.in_arcmin(centre),
        masked=float(masked[pixel_radii(len(image), centre) < frame.pixels_per_radius].mean()),
        image=image,
        mask=masked,
        pixels_per_radius=frame.pixels_per_radius,
        edge=config.edge,
        annuli=rings,
        response=response,
        fit=fit,
        **gas_of(fit, frame, config.radii),
    )
    if not trust_units:
        refuse_implausible_gas(found, frame)
    return found


def _prepared(
    image: FloatArray, pixels_per_radius: float, config: ReductionConfig
) -> tuple[tuple[float, float], np.ndarray]:
    """Return the centre [pixel] and the masked pixels."""
    middle = (image.shape[1] / 2, image.shape[0] / 2)
    circles = tuple(r * pixels_per_radius for r in _CENTRE_RADII)
    centre = centroid(image, start=middle, radii=circles) if config.recentre else middle
    if math.dist(centre, middle) > _FARTHEST_CENTRE * pixels_per_radius:
        centre = middle  # a brighter neighbour took the circles away
    if not config.mask:
        return centre, np.zeros(image.shape, dtype=bool)
    masked = substructure_mask(
        image,
        centre=centre,
        core_radius=config.core * pixels_per_radius,
        shape_radius=0.5 * pixels_per_radius,
        detection=config.detection,
    )
    return centre, masked


def _refuse_unseen(
    image: FloatArray, centre: tuple[float, float], frame: ClusterFrame, config: ReductionConfig
) -> None:
    """Refuse radii of which the field shows nothing, and images too poor for a profile."""
    corner = _corner(image, centre)
    outermost = max(*config.radii, 1.0)
    arcmin = frame.instrument.pixel / 60
    if outermost * frame.pixels_per_radius > config.reach * corner:
        raise InputError(
            f"{frame.subject}: the radius {outermost:.3g} R_500c is {outermost * frame.pixels_per_radius * arcmin:.1f} "
            f"arcmin and lies outside of the field of view (farthest corner {corner * arcmin:.1f} arcmin away); "
            "ask for smaller radii, or give the field_of_view of the file"
        )
    inside = image[pixel_radii(len(image), centre) < frame.pixels_per_radius].sum()
    if inside < _FEWEST_PHOTONS:
        raise InputError(
            f"{frame.subject}: {inside:.0f} photons within R_500c, at least {_FEWEST_PHOTONS} are needed; "
            "look at m_500c, REDSHIFT, REFRA, REFDEC and the unit of RA and DEC, or expose longer"
        )


def _corner(image: FloatArray, centre: tuple[float, float]) -> float:
    """Return the distance from the centre to the farthest corner [pixel]."""
    x, y = (max(at, size - at) for at, size in zip(centre, image.shape[::-1], strict=True))
    return math.hypot(x, y)


def _brightness(
    image: FloatArray, masked: np.ndarray, *, centre: tuple[float, float], frame: ClusterFrame, config: ReductionConfig
) -> tuple[Annuli, FloatArray]:
    """Return the annuli and the matrix from n_p n_e [cm^-6] at the radii of the projection to their expected counts."""
    sphere = projection(r_max=config.edge)
    in_pixels = frame.pixels_per_radius
    edges = annulus_edges(min(config.fit_radius * in_pixels, _corner(image, centre)))
    others = None
    if config.neighbours:
        others = neighbour_emission(image, masked, centre=centre, core_radius=config.core * in_pixels, radius=in_pixels)
    rings = annuli(
        image, ~masked, centre=centre, edges=edges, pixels_per_radius=in_pixels, sphere=sphere, background=others
    )
    counts = counts_per_emission(
        frame.instrument, t_x=frame.t_x, z=frame.z, cosmology=config.cosmology, metallicity=frame.metallicity
    )
    return rings, rings.response @ sphere.matrix * (counts * frame.kpc_per_pixel**2 * frame.r_500c)
