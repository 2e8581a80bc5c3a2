"""Bright neighbours in the field: their own smooth emission reaches under the cluster, where no mask can hold it."""

import numpy as np
from earnest_common.arrays import FloatArray
from scipy import ndimage

from earnest_mocks.xray.image import pixel_radii
from earnest_mocks.xray.sectors import SectoredAnnuli, sectored_annuli
from earnest_mocks.xray.wavelet import smoothed_images

__all__ = ["neighbour_emission"]

_SHARE = 0.03
"""Structures with more than this share of the cluster's counts are modelled."""
_MOST = 4
_ROUNDS = 4
_TAIL = 4.0
"""Slope of a neighbour's brightness where it can no longer be measured: that of gas in the outskirts of clusters."""
_PEAK_SCALE, _PEAK_RADIUS = 2, 4.0


def neighbour_emission(
    image: FloatArray, masked: np.ndarray, *, centre: tuple[float, float], core_radius: float, radius: float
) -> FloatArray:
    """Return the counts that bright neighbours leave in each pixel, masked or not, shape (n, n).

    Cluster and neighbours are each taken as round about their own centres, and their brightness profiles are found in
    turns, each from what the others leave of the image. Sectors in which another one stands out do not count.

    Parameters
    ----------
    image
        Counts, shape (n, n).
    masked
        The pixels of structures (:func:`earnest_mocks.xray.substructure.substructure_mask`), shape (n, n).
    centre
        (x, y) of the cluster [pixel].
    core_radius
        Radius within which all emission is the cluster's [pixel].
    radius
        Radius within which the cluster's counts are the measure of its neighbours' [pixel].
    """
    own = sectored_annuli(len(image), centre=centre, rounding=np.eye(2))
    distance = pixel_radii(len(image), centre)
    core = distance < core_radius
    cluster = np.where(core, image, own.spread(own.brightness(image)))
    peaks = _peaks(image - cluster, masked, fewest=_SHARE * cluster[distance < radius].sum())
    around = [sectored_annuli(len(image), centre=peak, rounding=np.eye(2)) for peak in peaks]
    emission = [np.zeros(image.shape) for _ in peaks]
    for _ in range(_ROUNDS if peaks else 0):
        left = image - cluster
        for i, rings in enumerate(around):
            others = emission[:i] + emission[i + 1 :]
            emission[i] = _falling(rings, left - sum(others) if others else left)
        cluster = np.where(core, image, own.spread(own.brightness(image - sum(emission))))
    return np.sum(emission, axis=0) if peaks else np.zeros(image.shape)


def _peaks(excess: FloatArray, masked: np.ndarray, *, fewest: float) -> list[tuple[float, float]]:
    """Return the centres (x, y) of the brightest structures with at least so many counts, the brightest first."""
    labels, n = ndimage.label(masked)
    counts = np.asarray(ndimage.sum_labels(excess, labels, np.arange(1, n + 1)))
    bright = [label + 1 for label in np.argsort(-counts)[:_MOST].tolist() if counts[label] > fewest]
    if not bright:
        return []
    smooth = smoothed_images(excess.astype(np.float32), _PEAK_SCALE)[-1]
    return [_peak(np.where(labels == label, smooth, 0.0)) for label in bright]


def _peak(smooth: FloatArray) -> tuple[float, float]:
    """Return the mean position of an image about its highest pixel."""
    row, column = np.unravel_index(np.argmax(smooth), smooth.shape)
    highest = (float(column) + 0.5, float(row) + 0.5)
    weight = np.where(pixel_radii(len(smooth), highest) < _PEAK_RADIUS, np.maximum(smooth, 0.0), 0.0)
    rows, columns = (at + 0.5 for at in np.indices(smooth.shape))
    total = weight.sum()
    return float((weight * columns).sum() / total), float((weight * rows).sum() / total)


def _falling(rings: SectoredAnnuli, image: FloatArray) -> FloatArray:
    """Return a brightness that never rises outwards, from what an image shows around a centre."""
    brightness = np.minimum.accumulate(np.maximum(rings.brightness(image), 0.0))
    return rings.spread(brightness, beyond=_TAIL)
