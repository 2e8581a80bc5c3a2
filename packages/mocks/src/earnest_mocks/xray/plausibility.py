r"""Whether a photon list and its keywords can belong to one cluster, judged from what all clusters share.

Slips of units shift temperature and gas mass at given mass by powers of ten; a wrong redshift or position, or photons
that are not the cluster's, change the shape of the brightness. Limits hold for a single cluster, which may depart from
the mean relations by several standard deviations.
"""

import math
from typing import TYPE_CHECKING

import numpy as np
from earnest_common.arrays import FloatArray
from earnest_common.errors import InputError
from earnest_common.survey.cosmology import Cosmology
from earnest_common.survey.scaling import TABLE_2

from earnest_mocks.gas.geometry import critical_density, kpc_per_arcmin
from earnest_mocks.gas.profile import log_slope
from earnest_mocks.xray.frame import ClusterFrame
from earnest_mocks.xray.image import centroid, pixel_radii
from earnest_mocks.xray.photon_list import PhotonList

if TYPE_CHECKING:
    from earnest_mocks.xray.reduction import Reduction

__all__ = ["refuse_implausible_gas", "refuse_implausible_image", "refuse_implausible_temperature"]

_REMEDY = "mend the keyword, its unit or the table of clusters, or reduce it as it is with --trust-units"

_LIMIT = 0.5  # of |log10(observed / expected)|, for temperature and gas mass at given mass
_NEAR = 0.35  # of the same, about the shift that a slip of units causes
_TEMPERATURE_SLIPS = {"t_x in eV rather than keV": 3.0, "t_x in kelvin rather than keV": math.log10(1.160451812e7)}
# The gas mass goes as (area x time)^-1/2.
_GAS_SLIPS = {
    "AREA in m2 rather than cm2": 2.0,
    "TIME in ks rather than s": 1.5,
    "TIME in ms rather than s": -1.5,
    "AREA in mm2 rather than cm2": -1.0,
}

_CORE, _RING = 0.15, 0.5  # R_500c
_LOWEST_PEAK = 1.25  # brightness within the core over that of the ring around it
_FARTHEST_PEAK = 0.04  # R_500c; of the photons' mean position within the core, where the middle is trusted
_WIDER = 1.15
_FILLED = (0.9, 1.02)  # width that the photons fill over that of the field
_ENOUGH = 1000  # photons from which the field is filled
_OUTSKIRTS = 1.3  # R_500c, or 0.6 of the distance to the corner if that is more
_FEWEST_PIXELS = 300
_MOST_BACKGROUND = 0.14  # share of the photons within R_500c
_SLOPES = (-6.0, -0.8)  # d ln rho_gas / d ln r at R_500c
_LARGEST_ERROR = 0.3


def refuse_implausible_temperature(frame: ClusterFrame, cosmology: Cosmology) -> None:
    r"""Refuse a temperature that no cluster of this mass has.

    Expected is the mean relation, which evolves as :math:`T \propto E(z)^{2/3}`.

    Raises
    ------
    InputError
        If the temperature is more than 0.5 dex from it; the message names the unit that would explain it.
    """
    e2 = critical_density(frame.z, cosmology) / critical_density(0.0, cosmology)
    expected = float(TABLE_2.t_x.log10_mean(math.log10(frame.m_500c))) + math.log10(e2) / 3
    ratio = math.log10(frame.t_x) - expected
    if abs(ratio) > _LIMIT:
        raise _implausible(
            frame.subject,
            f"t_x = {frame.t_x:.4g} keV is {10**ratio:.3g} times that of clusters of {frame.m_500c:.3g} solMass",
            allowed=f"{10**-_LIMIT:.2g} to {10**_LIMIT:.2g}",
            suspected=_slips(ratio, _TEMPERATURE_SLIPS) or "the unit of t_x or of m_500c",
        )


def refuse_implausible_image(photons: PhotonList, image: FloatArray, frame: ClusterFrame, cosmology: Cosmology) -> None:
    """Refuse a field of another width than the list states, and one whose middle is not the cluster's.

    Off centre is a cluster whose photons' centroid lies more than 0.15 R_500c from the middle of the field, unless the
    brightness peaks in the middle all the same, where a brighter neighbour draws the centroid away.

    Parameters
    ----------
    photons
        The observation; its keyword WIDTH is the comoving width of the field [kpc/h], unknown if absent or 0.
    image
        Counts, shape (n, n).
    frame
        The cluster in units of the image.
    cosmology
        What turns angles into lengths.

    Raises
    ------
    InputError
        If the list is refused.
    """
    _refuse_another_width(photons, frame, cosmology)
    middle, radius = (image.shape[1] / 2, image.shape[0] / 2), frame.pixels_per_radius
    centre = centroid(image, start=middle, radii=tuple(r * radius for r in (_RING, 0.3, _CORE)))
    off = math.dist(centre, middle) / radius
    at = centre if off <= _CORE else middle
    distance = pixel_radii(len(image), at) / radius
    core, ring = image[distance < _CORE].mean(), image[(distance >= _CORE) & (distance < _RING)].mean()
    inside = math.dist(centroid(image, start=at, radii=(_CORE * radius,)), at) / radius
    if (off > _CORE and inside > _FARTHEST_PEAK) or core < _LOWEST_PEAK * ring:
        arcmin = off * radius * frame.instrument.pixel / 60
        raise _implausible(
            frame.subject,
            f"the photons' centroid is {off:.2g} R_500c ({arcmin:.2g} arcmin) from the middle of the field, and the "
            f"brightness within 0.15 R_500c of the middle is {core / max(ring, 1e-9):.2g} times that around it",
            allowed=f"at most {_CORE:g} R_500c from the middle, or a peak there, of {_LOWEST_PEAK:g} times and more",
            suspected="REFRA and REFDEC, the units of RA and DEC, REDSHIFT or m_500c",
        )


def _refuse_another_width(photons: PhotonList, frame: ClusterFrame, cosmology: Cosmology) -> None:
    """Refuse photons that reach beyond the stated width, and those that end at a field which is narrower than it."""
    stated = float(photons.about.get("WIDTH") or 0.0)
    if not stated > 0 or photons.n_photons < _ENOUGH:
        return
    filled, field = max(float(np.ptp(photons.x)), float(np.ptp(photons.y))), frame.instrument.field_of_view
    width = stated / (kpc_per_arcmin(frame.z, cosmology) * cosmology.h * (1 + frame.z))
    ends_at_field = _FILLED[0] <= filled / field <= _FILLED[1]  # around a lonely cluster the edges are dark
    if filled > _WIDER * width or (ends_at_field and width > _WIDER * field):
        raise _implausible(
            frame.subject,
            f"the photons fill {filled:.4g} arcmin, and WIDTH = {stated:.4g} kpc/h (comoving) is {width:.4g} arcmin at "
            f"REDSHIFT = {frame.z:g}",
            allowed=f"equal within {100 * _WIDER - 100:.0f} %",
            suspected="REDSHIFT, the units of RA and DEC, or WIDTH (0: unknown)",
        )


def refuse_implausible_gas(found: "Reduction", frame: ClusterFrame) -> None:
    """Refuse gas that no cluster of this mass has, a background that matters, and too large an error.

    Raises
    ------
    InputError
        If the reduction is refused.
    """
    mass_ratio = math.log10(max(found.m_gas, 1e-300)) - float(TABLE_2.m_gas.log10_mean(math.log10(frame.m_500c)))
    slope = float(log_slope(found.profile, np.ones(1))[0, 0])
    share, error = _background(found, frame), found.m_gas_err / max(found.m_gas, 1e-300)
    if not abs(mass_ratio) <= _LIMIT:
        area, exposure = frame.instrument.area, frame.instrument.exposure
        raise _implausible(
            frame.subject,
            f"m_gas / m_500c = {found.m_gas / frame.m_500c:.3g} is {10**mass_ratio:.3g} times that of clusters of this "
            f"mass (with AREA = {area:g} cm2, TIME = {exposure:g} s, REDSHIFT = {frame.z:g})",
            allowed=f"{10**-_LIMIT:.2g} to {10**_LIMIT:.2g}",
            suspected=_slips(mass_ratio, _GAS_SLIPS) or "the units of AREA and TIME, REDSHIFT or m_500c",
        )
    if share > _MOST_BACKGROUND:
        raise _implausible(
            frame.subject,
            f"an even brightness of the field makes up {100 * share:.0f} % of the photons within R_500c",
            allowed=f"at most {100 * _MOST_BACKGROUND:.0f} %",
            suspected="background or other sources, which are to be taken out of the list; REDSHIFT or m_500c",
        )
    if not _SLOPES[0] <= slope <= _SLOPES[1]:
        raise _implausible(
            frame.subject,
            f"the gas density goes as r^{slope:.2f} at R_500c",
            allowed=f"r^{_SLOPES[0]:g} to r^{_SLOPES[1]:g}",
            suspected="background, REDSHIFT, m_500c or the units of RA and DEC",
        )
    if not error <= _LARGEST_ERROR:
        raise _implausible(
            frame.subject,
            f"the error of m_gas is {100 * error:.0f} % of it",
            allowed=f"at most {100 * _LARGEST_ERROR:.0f} %",
            suspected="too short an exposure, or photons that are not the cluster's",
        )


def _background(found: "Reduction", frame: ClusterFrame) -> float:
    """Return the share of the photons within R_500c that an even brightness of the field would make up.

    It is the brightness of the outskirts less that of a cluster, which falls as R^-2 at least from 0.5 to 1 R_500c on.
    """
    scale = found.pixels_per_radius
    distance = pixel_radii(len(found.image), frame.in_pixels(found.centre)) / scale
    far = (distance > max(_OUTSKIRTS, 0.6 * distance.max())) & ~found.mask
    ring = (distance > 0.5) & (distance < 1) & ~found.mask
    if min(far.sum(), ring.sum()) < _FEWEST_PIXELS:
        return 0.0
    fall = (distance[ring].mean() / distance[far].mean()) ** 2
    even = found.image[far].mean() - fall * found.image[ring].mean()
    return float(even * math.pi * scale**2 / max(found.image[distance < 1].sum(), 1.0))


def _slips(ratio: float, slips: dict[str, float]) -> str:
    """Return the slips of units that would explain a log ratio, the nearest first; empty if none would."""
    near = sorted((abs(shift - ratio), words) for words, shift in slips.items() if abs(shift - ratio) < _NEAR)
    return " or ".join(words for _, words in near)


def _implausible(subject: str, what: str, *, allowed: str, suspected: str) -> InputError:
    return InputError(f"{subject}: {what} (allowed: {allowed}); suspected: {suspected}; {_REMEDY}")
