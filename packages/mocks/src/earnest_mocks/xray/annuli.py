"""Surface-brightness annuli: photons and unmasked area, and what a model of the emission predicts for them."""

from dataclasses import dataclass
from typing import final

import numpy as np
from earnest_common.arrays import FloatArray, IntArray

from earnest_mocks.xray.image import pixel_radii
from earnest_mocks.xray.projection import Projection, interpolation

__all__ = ["Annuli", "annuli", "annulus_edges"]

_FINE_RADIUS = 12  # pixel; inside it brightness changes within a pixel
_STEPS_PER_PIXEL = 32
_FINE = 6  # such pixels are divided into this many parts a side


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Annuli:
    """A surface-brightness profile.

    Attributes
    ----------
    edges
        Radii between annuli [pixel], shape (n + 1,).
    counts
        Photons in the unmasked pixels of each annulus, shape (n,).
    area
        Number of unmasked pixels, shape (n,).
    radius
        Mean distance of these pixels from the centre [pixel], shape (n,).
    response
        Takes surface brightness [counts per pixel] at the radii of the projection to expected counts, shape (n, k).
    background
        Counts among ``counts`` that are expected of anything but the cluster, shape (n,).
    """

    edges: FloatArray
    counts: FloatArray
    area: FloatArray
    radius: FloatArray
    response: FloatArray
    background: FloatArray


def annulus_edges(r_max: float, *, growth: float = 1.1) -> FloatArray:
    """Return radii that grow by a factor, in steps of a pixel at least, from 0 to beyond ``r_max`` [pixel].

    Examples
    --------
    >>> annulus_edges(5.0).tolist()
    [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]
    """
    edges = [0.0]
    while edges[-1] < r_max:
        edges.append(max(edges[-1] + 1.0, edges[-1] * growth))
    return np.array(edges)


def annuli(
    image: FloatArray,
    kept: np.ndarray,
    *,
    centre: tuple[float, float],
    edges: FloatArray,
    pixels_per_radius: float,
    sphere: Projection,
    background: FloatArray | None = None,
) -> Annuli:
    """Return the profile of an image around a centre, without the masked pixels.

    A pixel belongs to the annulus of its middle. The expected counts integrate the brightness over exactly the pixels
    that were counted, so that masks, pixels and the edge of the field bias nothing.

    Parameters
    ----------
    image
        Counts, shape (ny, nx).
    kept
        Pixels to use, shape (ny, nx).
    centre
        (x, y) [pixel].
    edges
        Radii between annuli [pixel].
    pixels_per_radius
        Pixels in the unit of the projection's radii.
    sphere
        The projection, for its radii.
    background
        Counts in each pixel that are expected of anything but the cluster, shape (ny, nx); default none.
    """
    distance = pixel_radii(len(image), centre)
    # Pixels beyond the central ones count by their distance to a 32nd of a pixel, and as points.
    place = (distance * _STEPS_PER_PIXEL).astype(np.int32)
    at = (np.arange(int(edges[-1] * _STEPS_PER_PIXEL)) + 0.5) / _STEPS_PER_PIXEL
    used = kept & (place < len(at))
    area_at = np.bincount(place[used], minlength=len(at)).astype(np.float64)
    counts_at, others_at = (
        np.zeros(len(at)) if one is None else np.bincount(place[used], weights=one[used], minlength=len(at))
        for one in (image, background)
    )
    n, owner = len(edges) - 1, np.searchsorted(edges, at, side="right") - 1
    area, counts, others, moment = (
        np.bincount(owner, weights=w, minlength=n).astype(np.float64)
        for w in (area_at, counts_at, others_at, area_at * at)
    )
    near = np.argwhere(used & (distance < _FINE_RADIUS))
    parts = _divided(near, centre)
    points = (at >= _FINE_RADIUS) & (area_at > 0)
    response = _response(
        np.concatenate([at[points], parts.ravel()]) / pixels_per_radius,
        share=np.concatenate([area_at[points], np.full(parts.size, 1 / _FINE**2)]),
        owner=np.concatenate([owner[points], np.repeat(owner[place[tuple(near.T)]], _FINE**2)]),
        shape=(n, len(sphere.r)),
        sphere=sphere,
    )
    radius = moment / np.maximum(area, 1.0)
    return Annuli(edges=edges, counts=counts, area=area, radius=radius, response=response, background=others)


def _response(
    radii: FloatArray, *, share: FloatArray, owner: IntArray, shape: tuple[int, int], sphere: Projection
) -> FloatArray:
    """Return the sums over each annulus of the interpolation to its pixels, or parts of pixels."""
    first, weights = interpolation(radii, sphere.r)
    response = np.zeros(shape[0] * shape[1])
    for j in range(weights.shape[1]):
        response += np.bincount(owner * shape[1] + first + j, weights=share * weights[:, j], minlength=len(response))
    return response.reshape(shape)


def _divided(pixels: np.ndarray, centre: tuple[float, float]) -> FloatArray:
    """Return the distances of the parts of pixels (row, column) from the centre [pixel], shape (n, parts)."""
    offset = (np.arange(_FINE) + 0.5) / _FINE
    y = pixels[:, 0, None] + offset - centre[1]
    x = pixels[:, 1, None] + offset - centre[0]
    return np.hypot(y[:, :, None], x[:, None, :]).reshape(len(pixels), -1)
