"""Elliptical annuli divided into sectors: what is smooth about a centre, whatever stands out of it on one side."""

from dataclasses import dataclass
from typing import final

import numpy as np
import numpy.typing as npt
from earnest_common.arrays import FloatArray

from earnest_mocks.xray.annuli import annulus_edges
from earnest_mocks.xray.image import pixel_offsets

__all__ = ["SectoredAnnuli", "sectored_annuli"]

_GROWTH = 1.2  # wide enough for hundreds of photons
_SECTORS = 12
_STEPS_PER_PIXEL = 8


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class SectoredAnnuli:
    """Which pixel of an image belongs where.

    Attributes
    ----------
    middle
        Middle radius of each annulus [pixel], shape (n,).
    radius
        Radii at which brightness is interpolated, shape (k,).
    place
        The radius of each pixel, as an index, shape of the image.
    cell
        Annulus and sector of each pixel, as one index, shape of the image.
    area
        Pixels in each annulus and sector, shape (n, 12).
    """

    middle: FloatArray
    radius: FloatArray
    place: npt.NDArray[np.int32]
    cell: npt.NDArray[np.int64]
    area: FloatArray

    def brightness(self, image: FloatArray) -> FloatArray:
        """Return the mean counts per pixel of each annulus over the middle half of its sectors, shape (n,).

        Clumps and neighbours leave no trace in it unless they fill a quarter of the annulus.
        """
        counts = np.bincount(self.cell.ravel(), weights=image.ravel(), minlength=self.area.size)
        inside = self.area > 0
        sector = np.where(inside, counts.reshape(self.area.shape) / np.maximum(self.area, 1), np.nan)
        ordered = np.sort(sector, axis=1)  # nan last
        n = np.sum(inside, axis=1)
        low, high = n // 4, n - n // 4
        at = np.arange(_SECTORS)
        middle = (at >= low[:, None]) & (at < high[:, None])
        return np.asarray(np.sum(np.where(middle, ordered, 0.0), axis=1) / np.maximum(high - low, 1))

    def spread(self, brightness: FloatArray, *, beyond: float | None = None) -> FloatArray:
        """Return an image of the brightness, interpolated in ln brightness and ln radius.

        Parameters
        ----------
        brightness
            Counts per pixel of each annulus; values that are not positive are left out, shape (n,).
        beyond
            Outside of the last positive value brightness falls with this power of radius; ``None``: it stays.
        """
        seen = brightness > 0
        if not seen.any():
            return np.zeros(self.place.shape)
        ln_r, ln_middle, ln_seen = np.log(self.radius), np.log(self.middle[seen]), np.log(brightness[seen])
        ln_brightness = np.interp(ln_r, ln_middle, ln_seen)
        if beyond is not None:
            ln_brightness -= beyond * np.maximum(ln_r - ln_middle[-1], 0.0)
        return np.asarray(np.exp(ln_brightness)[self.place])


def sectored_annuli(n_pixels: int, *, centre: tuple[float, float], rounding: FloatArray) -> SectoredAnnuli:
    """Return the annuli around a centre (x, y) [pixel]; ``rounding`` turns their ellipses into circles, (2, 2)."""
    x, y = pixel_offsets(n_pixels, centre)
    u, v = (np.float32(a) * x.astype(np.float32) + np.float32(b) * y.astype(np.float32) for a, b in rounding)
    place = (np.hypot(u, v) * _STEPS_PER_PIXEL).astype(np.int32)
    sector = ((np.arctan2(v, u) / (2 * np.pi) + 0.5) * _SECTORS).astype(np.int32) % _SECTORS
    radius = (np.arange(int(place.max()) + 1) + 0.5) / _STEPS_PER_PIXEL
    edges = annulus_edges(float(radius[-1]) + 1.0, growth=_GROWTH)
    cell = (np.searchsorted(edges, radius, side="right") - 1)[place] * _SECTORS + sector
    area = np.bincount(cell.ravel(), minlength=(len(edges) - 1) * _SECTORS).reshape(-1, _SECTORS)
    return SectoredAnnuli(
        middle=(edges[1:] + edges[:-1]) / 2, radius=radius, place=place, cell=cell, area=area.astype(np.float64)
    )
