"""The mask of substructures: what stands out of the cluster's own smooth emission at any scale, its core excepted."""

import numpy as np
from earnest_common.arrays import FloatArray

from earnest_mocks.xray.image import elongation, pixel_radii
from earnest_mocks.xray.sectors import sectored_annuli
from earnest_mocks.xray.wavelet import Detection, significant_structures, smoothed_images

__all__ = ["smooth_model", "substructure_mask"]

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
    rings = sectored_annuli(len(image), centre=centre, rounding=rounding)
    return rings.spread(rings.brightness(image))
