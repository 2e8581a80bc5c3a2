"""Photon lists as images, and the cluster's centre in them."""

import numpy as np
from earnest_common.arrays import FloatArray

from earnest_mocks.xray.instrument import Instrument
from earnest_mocks.xray.photon_list import PhotonList

__all__ = ["centroid", "elongation", "pixel_offsets", "pixel_radii", "sky_image"]

_ELLIPSES = 4


def sky_image(photons: PhotonList, instrument: Instrument) -> FloatArray:
    """Return the counts in each pixel, rows along declination, shape (n_pixels, n_pixels).

    Photons outside the field are left out.

    Examples
    --------
    >>> one = PhotonList(energy=np.ones(1), x=np.zeros(1), y=np.full(1, 0.05), z=0.1, area=1.0, exposure=1.0)
    >>> np.argwhere(sky_image(one, Instrument(field_of_view=2.0))).tolist()
    [[10, 10]]
    """
    n = instrument.n_pixels
    column, row = (_pixel(offset, instrument) for offset in (photons.x, photons.y))
    inside = (column >= 0) & (column < n) & (row >= 0) & (row < n)
    counts = np.bincount(row[inside] * n + column[inside], minlength=n * n)
    return counts.reshape(n, n).astype(np.float64)


def _pixel(offset: FloatArray, instrument: Instrument) -> np.ndarray:
    return np.floor(offset * (60 / instrument.pixel) + instrument.n_pixels / 2).astype(np.int64)


def pixel_offsets(n_pixels: int, centre: tuple[float, float]) -> tuple[FloatArray, FloatArray]:
    """Return x, shape (1, n), and y, shape (n, 1), of pixels relative to a centre (x, y) from the lower left corner."""
    at = np.arange(n_pixels, dtype=np.float64) + 0.5
    return at[None, :] - centre[0], at[:, None] - centre[1]


def pixel_radii(n_pixels: int, centre: tuple[float, float]) -> FloatArray:
    """Return the distance of each pixel from a centre [pixel], shape (n_pixels, n_pixels)."""
    x, y = pixel_offsets(n_pixels, centre)
    return np.sqrt(x**2 + y**2)


def centroid(image: FloatArray, *, start: tuple[float, float], radii: tuple[float, ...]) -> tuple[float, float]:
    """Return the mean position of the photons within shrinking circles [pixel], each around the last result.

    Parameters
    ----------
    image
        Counts, shape (n, n).
    start
        Where the first circle lies [pixel].
    radii
        Radii of the circles [pixel]; each is used three times.

    Returns
    -------
    (x, y); ``start`` where a circle holds no photon.
    """
    x, y = start
    for radius in np.repeat(radii, 3):
        low_x, low_y = max(int(x - radius) - 1, 0), max(int(y - radius) - 1, 0)
        part = image[low_y : int(y + radius) + 2, low_x : int(x + radius) + 2]
        at_y, at_x = np.ogrid[: part.shape[0], : part.shape[1]]
        at_x, at_y = at_x + low_x + 0.5, at_y + low_y + 0.5
        inside = part * ((at_x - x) ** 2 + (at_y - y) ** 2 < radius**2)
        total = inside.sum()
        if total == 0:
            return start
        x, y = float((inside * at_x).sum() / total), float((inside * at_y).sum() / total)
    return x, y


def elongation(smooth: FloatArray, *, centre: tuple[float, float], radius: float) -> FloatArray:
    """Return the matrix that turns a cluster's elliptical isophotes into circles, shape (2, 2).

    It is symmetric, has the determinant 1, and comes from second moments inside an ellipse found by iteration. Of each
    pixel and its mirror image about the centre the fainter one counts: half a turn leaves an ellipse as it is, but
    puts a clump where there is none.

    Parameters
    ----------
    smooth
        A smoothed image, shape (n, n).
    centre
        (x, y) [pixel].
    radius
        Mean radius of the ellipse [pixel].
    """
    reach = int(min(1.5 * radius, *centre, *(size - at for size, at in zip(smooth.shape[::-1], centre, strict=True))))
    low_x, low_y = (int(at - reach + 0.5) for at in centre)
    part = smooth[low_y : low_y + 2 * reach, low_x : low_x + 2 * reach]
    weight = np.minimum(part, part[::-1, ::-1]).ravel()
    at_y, at_x = (at.ravel() + 0.5 - reach for at in np.indices(part.shape))
    offset = np.stack([at_x, at_y])
    rounding = np.eye(2)
    for _ in range(_ELLIPSES):
        inside = weight * (np.sum((rounding @ offset) ** 2, axis=0) < radius**2)
        values, axes = np.linalg.eigh((offset * inside) @ offset.T)
        if values[0] <= 0:
            return np.eye(2)
        # Axis ratios beyond 3 are no cluster but two of them.
        ratio = min(float(np.sqrt(values[1] / values[0])), 3.0)
        rounding = (axes * np.array([ratio**0.5, ratio**-0.5])) @ axes.T
    return np.asarray(rounding)
