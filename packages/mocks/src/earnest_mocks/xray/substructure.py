"""The mask of substructures: what stands out of the cluster's own smooth emission at any scale, its core excepted."""

import numpy as np
from earnest_common.arrays import FloatArray

from earnest_mocks.xray.annuli import annulus_edges
from earnest_mocks.xray.image import elongation, pixel_offsets, pixel_radii
from earnest_mocks.xray.wavelet import Detection, significant_structures, smoothed_images

__all__ = ["smooth_model", "substructure_mask"]

_GROWTH = 1.2  # annuli of the smooth model, wide enough for hundreds of photons
_SECTORS = 12
_STEPS_PER_PIXEL = 8
_SHAPE_SCALE = 3  # the elongation is measured on the image smoothed over 8 pixels


def substructure_mask(
    image: FloatArray,
    *,
    centre: tuple[float, float],
    core_radius: float,
    shape_radius: float,
    detection: Detection | None = None,
) -> np.ndarray:
    """Return the pixels that substructures cover, shape (n, n).

    They stand out of a smooth elliptical model of the cluster, see :func:`smooth_model`, in the wavelet coefficients of
    at least one scale. Nothing within the core radius is masked: there the cluster itself stands out.

    Parameters
    ----------
    image
        Counts, shape (n, n).
    centre
        (x, y) of the cluster [pixel].
    core_radius
        Radius that is protected [pixel].
    shape_radius
        Mean radius of the ellipse that gives the model its elongation [pixel].
    detection
        What counts as a structure.

    References
    ----------
    Vikhlinin et al. (1998), arXiv:astro-ph/9803099, introduced wavelets to this end.
    """
    detection = detection or Detection()
    smooth = smoothed_images(image.astype(np.float32), _SHAPE_SCALE)[-1]
    rounding = elongation(smooth, centre=centre, radius=shape_radius)
    core = pixel_radii(len(image), centre) < core_radius
    # In the core the image is its own model: whatever it holds must not spill over at the wide scales.
    model = np.where(core, image, smooth_model(image, centre=centre, rounding=rounding))
    return significant_structures(image, model, detection) & ~core


def smooth_model(image: FloatArray, *, centre: tuple[float, float], rounding: FloatArray) -> FloatArray:
    """Return the brightness of a smooth elliptical cluster at each pixel, shape of ``image``.

    On each elliptical annulus it is the mean of the middle half of twelve sectors, so that clumps and neighbours leave
    no trace unless they fill a quarter of it; between annuli it is interpolated in ln brightness and ln radius.

    Parameters
    ----------
    image
        Counts, shape (n, n).
    centre
        (x, y) of the cluster [pixel].
    rounding
        Turns its isophotes into circles, shape (2, 2).
    """
    x, y = pixel_offsets(len(image), centre)
    u, v = (np.float32(a) * x.astype(np.float32) + np.float32(b) * y.astype(np.float32) for a, b in rounding)
    place = (np.hypot(u, v) * _STEPS_PER_PIXEL).astype(np.int32)
    sector = ((np.arctan2(v, u) / (2 * np.pi) + 0.5) * _SECTORS).astype(np.int32) % _SECTORS
    fine = (np.arange(int(place.max()) + 1) + 0.5) / _STEPS_PER_PIXEL
    edges = annulus_edges(float(fine[-1]) + 1.0, growth=_GROWTH)
    cell = (np.searchsorted(edges, fine, side="right") - 1)[place] * _SECTORS + sector
    size = (len(edges) - 1) * _SECTORS
    area, counts = (
        np.bincount(cell.ravel(), weights=w.ravel(), minlength=size).reshape(-1, _SECTORS).astype(np.float64)
        for w in (np.ones_like(image), image)
    )
    brightness = _middle_half(counts, area)
    seen = brightness > 0
    if not seen.any():
        return np.zeros_like(image)
    middle = (edges[1:] + edges[:-1]) / 2
    at_fine = np.exp(np.interp(np.log(fine), np.log(middle[seen]), np.log(brightness[seen])))
    return np.asarray(at_fine[place])


def _middle_half(counts: FloatArray, area: FloatArray) -> FloatArray:
    """Return the mean over the middle half of each row of sectors inside of the image, shape (n,)."""
    sector = np.where(area > 0, counts / np.maximum(area, 1), np.nan)
    ordered = np.sort(sector, axis=1)  # nan last
    n = np.sum(area > 0, axis=1)
    low, high = n // 4, n - n // 4
    at = np.arange(_SECTORS)
    middle = (at >= low[:, None]) & (at < high[:, None])
    return np.asarray(np.sum(np.where(middle, ordered, 0.0), axis=1) / np.maximum(high - low, 1))
