"""The part of the sky that a sample covers: its area, which positions lie in it, and whether they fill it evenly."""

import functools
import math
from dataclasses import dataclass
from typing import final

import numpy as np
from earnest_common.arrays import FloatArray
from earnest_common.errors import InputError
from numpy.typing import NDArray
from scipy.special import chdtrc

__all__ = ["WHOLE_SKY", "Footprint", "evenness", "largest_gap"]

WHOLE_SKY = 4 * math.pi * (180 / math.pi) ** 2
"""Area of the sphere [deg^2]."""

_NORTH_POLE = math.radians(192.85948), math.radians(27.12825)  # of the Galaxy, J2000
_CLUSTERING = 0.5  # scatter of the density of clusters between parts of the nearby sky
_N_DEC, _N_RA = 720, 1440  # cells of equal area; good to 0.1 % of the sky


@final
@dataclass(frozen=True, kw_only=True)
class Footprint:
    """A region of the sky between limits in equatorial (J2000) and Galactic coordinates.

    Attributes
    ----------
    min_latitude
        Smallest distance from the Galactic plane [deg].
    dec_low, dec_high
        Range of declination [deg].
    ra_low, ra_high
        Range of right ascension [deg]; from 300 to 60 is across zero.
    area
        Area [deg^2] where holes make it smaller than these limits; ``None`` for what they enclose.
    """

    min_latitude: float = 20.0
    dec_low: float = -90.0
    dec_high: float = 90.0
    ra_low: float = 0.0
    ra_high: float = 360.0
    area: float | None = None

    def __post_init__(self) -> None:
        problems = []
        if not 0 <= self.min_latitude < 90:
            problems.append(f"min_latitude = {self.min_latitude} deg must lie from 0 to 90")
        if not -90 <= self.dec_low < self.dec_high <= 90:
            problems.append(f"dec_low = {self.dec_low}, dec_high = {self.dec_high}: -90 <= low < high <= 90 must hold")
        if not (0 <= self.ra_low < 360 and 0 < self.ra_high <= 360 and self.ra_low != self.ra_high):
            problems.append(f"ra_low = {self.ra_low}, ra_high = {self.ra_high}: both in 0 to 360 deg, not equal")
        if not problems and self.area is not None and not 0 < self.area <= 1.01 * self.enclosed:
            problems.append(
                f"area = {self.area} deg^2 must be positive and at most the {self.enclosed:.0f} deg^2 that the limits "
                f"in position enclose"
            )
        if problems:
            raise InputError("; ".join(problems))

    @property
    def whole(self) -> bool:
        """Whether nothing of the sky is cut away, so that no positions are needed."""
        return self == Footprint(min_latitude=0.0, area=self.area)

    @functools.cached_property
    def enclosed(self) -> float:
        """The area that the limits enclose [deg^2]."""
        if (self.dec_low, self.dec_high, self.ra_low, self.ra_high) == (-90.0, 90.0, 0.0, 360.0):
            return WHOLE_SKY * (1 - math.sin(math.radians(self.min_latitude)))
        return WHOLE_SKY * float(self.contains(*_grid()).mean())

    @property
    def square_degrees(self) -> float:
        """The area [deg^2], as stated or else as enclosed."""
        return self.enclosed if self.area is None else self.area

    def contains(self, ra: FloatArray, dec: FloatArray) -> NDArray[np.bool_]:
        """Return which positions [deg] lie in the region."""
        turned = np.mod(ra, 360.0)
        across = self.ra_low > self.ra_high
        east, west = turned >= self.ra_low, turned <= self.ra_high
        inside = (east | west) if across else (east & west)
        return np.asarray(
            inside
            & (dec >= self.dec_low)
            & (dec <= self.dec_high)
            & (np.abs(_galactic_latitude(ra, dec)) >= self.min_latitude)
        )

    def words(self) -> str:
        """Describe the region."""
        parts = [f"|b| > {self.min_latitude:g} deg"] if self.min_latitude else []
        if (self.dec_low, self.dec_high) != (-90.0, 90.0):
            parts.append(f"declination {self.dec_low:g} to {self.dec_high:g} deg")
        if (self.ra_low, self.ra_high) != (0.0, 360.0):
            parts.append(f"right ascension {self.ra_low:g} to {self.ra_high:g} deg")
        stated = "" if self.area is None else " as stated"
        return f"{' and '.join(parts) or 'the whole sky'}, {self.square_degrees:.0f} deg^2{stated}"


def evenness(footprint: Footprint, ra: FloatArray, dec: FloatArray) -> float:
    """Return the p-value of the counts in parts of the region if the region is covered evenly.

    Chi-square over four quarters in right ascension times up to four bands of declination, with the variance of Poisson
    counts and, because clusters cluster, half of the expected number in addition.

    Parameters
    ----------
    footprint
        The region; all positions lie in it.
    ra, dec
        Positions [deg], shape (n,).
    """
    grid_ra, grid_dec = _grid()
    inside = footprint.contains(grid_ra, grid_dec)
    n_bands = int(np.clip(len(ra) // 20, 1, 4))
    edges = np.quantile(grid_dec[inside], np.linspace(0, 1, n_bands + 1)[1:-1])

    def parts(some_ra: FloatArray, some_dec: FloatArray) -> FloatArray:
        cell = np.searchsorted(edges, some_dec) * 4 + (np.mod(some_ra, 360.0) // 90).astype(np.int64)
        return np.bincount(cell, minlength=4 * n_bands).astype(np.float64)

    share = parts(grid_ra[inside], grid_dec[inside])
    expected = len(ra) * share / share.sum()
    counted, expected = parts(ra, dec)[share > 0], expected[share > 0]
    return float(
        chdtrc(
            max(len(expected) - 1, 1), ((counted - expected) ** 2 / (expected + (_CLUSTERING * expected) ** 2)).sum()
        )
    )


def largest_gap(footprint: Footprint, ra: FloatArray, dec: FloatArray) -> tuple[float, str]:
    """Return the largest share of the region without a cluster at an end in declination or between right ascensions.

    Parameters
    ----------
    footprint, ra, dec
        As for :func:`evenness`.

    Returns
    -------
    The share of the region's area, and where it is.
    """
    grid_ra, grid_dec = _grid()
    inside = footprint.contains(grid_ra, grid_dec)
    grid_ra, grid_dec = grid_ra[inside], grid_dec[inside]
    gaps = [
        (float((grid_dec > dec.max()).mean()), f"above declination {dec.max():.4g} deg"),
        (float((grid_dec < dec.min()).mean()), f"below declination {dec.min():.4g} deg"),
    ]
    east = np.sort(np.mod(ra, 360.0))
    for low, high in zip(east, np.roll(east, -1), strict=True):
        between = (grid_ra > low) & (grid_ra < high) if low < high else (grid_ra > low) | (grid_ra < high)
        gaps.append((float(between.mean()), f"between right ascension {low:.4g} and {high:.4g} deg"))
    return max(gaps)


@functools.cache
def _grid() -> tuple[FloatArray, FloatArray]:
    """Return the centres of cells of equal area [deg]."""
    ra = (np.arange(_N_RA) + 0.5) * 360 / _N_RA
    dec = np.degrees(np.arcsin((np.arange(_N_DEC) + 0.5) * 2 / _N_DEC - 1))
    rows, columns = np.meshgrid(dec, ra, indexing="ij")
    return columns.ravel(), rows.ravel()


def _galactic_latitude(ra: FloatArray, dec: FloatArray) -> FloatArray:
    pole_ra, pole_dec = _NORTH_POLE
    alpha, delta = np.radians(ra), np.radians(dec)
    sine = np.sin(delta) * math.sin(pole_dec) + np.cos(delta) * math.cos(pole_dec) * np.cos(alpha - pole_ra)
    return np.asarray(np.degrees(np.arcsin(np.clip(sine, -1.0, 1.0))))
