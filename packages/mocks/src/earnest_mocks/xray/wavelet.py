"""The à trous wavelet transform with the B3 spline (starlet), and structures that stand out of Poisson noise in it."""

import functools
import itertools
from dataclasses import dataclass
from typing import final

import numpy as np
from earnest_common.arrays import FloatArray
from earnest_common.errors import InputError
from scipy import ndimage

__all__ = [
    "Detection",
    "noise_per_scale",
    "significance",
    "significant_structures",
    "smoothed_images",
    "starlet",
]

_WINGS_SCALE = 3
_B3 = (1 / 16, 4 / 16, 6 / 16, 4 / 16, 1 / 16)


@final
@dataclass(frozen=True, kw_only=True)
class Detection:
    """What counts as a structure.

    Attributes
    ----------
    n_scales
        Wavelet scales 1..n, of 2^(j-1) pixels: 6 arcsec to 3.2 arcmin for the paper's pixels.
    seed
        A structure has a coefficient above this [standard deviations of the noise].
    edge
        It reaches as far as coefficients stay above this [standard deviations].
    contrast
        It is brighter than the smooth model by this factor: lesser departures are the cluster's own.
    """

    n_scales: int = 6
    seed: float = 4.5
    edge: float = 2.5
    contrast: float = 1.2

    def __post_init__(self) -> None:
        if not (1 <= self.n_scales <= 8 and 0 < self.edge <= self.seed):
            raise InputError(
                f"detection: n_scales = {self.n_scales} must lie in 1..8, and 0 < edge = {self.edge} <= "
                f"seed = {self.seed} must hold"
            )


def smoothed_images(image: FloatArray, n_scales: int) -> list[FloatArray]:
    """Return the image and its ever smoother versions c_0 (the image) to c_n, mirrored at the edges.

    c_(j+1) is c_j convolved with the B3 spline whose five taps stand 2^j pixels apart.

    Raises
    ------
    InputError
        If the image is smaller than the widest filter.
    """
    smallest = 2**n_scales + 1
    if min(image.shape) < smallest:
        raise InputError(
            f"image: {n_scales} scales need {smallest} pixels a side, found {image.shape}; use fewer scales"
        )
    images = [image]
    for j in range(n_scales):
        images.append(_smooth(_smooth(images[-1], 2**j, axis=0), 2**j, axis=1))
    return images


def _smooth(image: FloatArray, step: int, *, axis: int) -> FloatArray:
    """Convolve along one axis with taps ``step`` pixels apart, in the type of the image."""
    n = image.shape[axis]
    margin = [(2 * step, 2 * step) if i == axis else (0, 0) for i in range(2)]
    padded = np.pad(image, margin, mode="symmetric")
    shifted = [padded[(slice(None),) * axis + (slice(k * step, k * step + n),)] for k in range(5)]
    # In place: fresh megabytes cost more than the arithmetic.
    result = shifted[0] + shifted[4]
    term = shifted[1] + shifted[3]
    term *= _B3[1] / _B3[0]
    result += term
    np.multiply(shifted[2], _B3[2] / _B3[0], out=term)
    result += term
    result *= _B3[0]
    return np.asarray(result)


def starlet(image: FloatArray, n_scales: int) -> FloatArray:
    r"""Return the wavelet coefficients of scales 1..n and the smooth rest, shape (n_scales + 1, ny, nx).

    .. math:: w_{j+1} = c_j - c_{j+1}, \quad image = \sum_j w_j + c_n

    Parameters
    ----------
    image
        Any image, shape (ny, nx).
    n_scales
        Number of scales.

    References
    ----------
    Starck & Murtagh (2006), "Astronomical Image and Data Analysis"; Vikhlinin et al. (1998), arXiv:astro-ph/9803099.

    Examples
    --------
    >>> image = np.arange(289.0).reshape(17, 17)
    >>> bool(np.allclose(starlet(image, 3).sum(axis=0), image))
    True
    """
    images = smoothed_images(image, n_scales)
    return np.stack([*(a - b for a, b in itertools.pairwise(images)), images[-1]])


@functools.cache
def noise_per_scale(n_scales: int) -> tuple[float, ...]:
    """Return the standard deviation of the coefficients of white noise of unit variance at each scale.

    Examples
    --------
    >>> [round(s, 3) for s in noise_per_scale(5)]
    [0.891, 0.201, 0.086, 0.041, 0.02]
    """
    filters = _filters(n_scales)
    return tuple(
        float(np.sqrt(_moment(a, a) - 2 * _moment(a, b) + _moment(b, b))) for a, b in itertools.pairwise(filters)
    )


def significance(image: FloatArray, model: FloatArray, n_scales: int, *, contrast: float = 1.0) -> FloatArray:
    r"""Return how far an image stands out of a smooth model [standard deviations], shape (n_scales, ny, nx).

    Smoothed counts are brought to constant variance before their difference is taken, so that a few photons in an empty
    region are judged as Poisson noise and not as Gaussian noise:

    .. math::
        w_j = \frac{e_{j-1} - e_j}{\sigma_j}, \quad e_j = T_j(c_j^{image}) - T_j(c_j^{model}), \quad
        T_j(c) = \sqrt{c + a_j}

    It is 0 where the smoothed image :math:`c_{j-1}` does not exceed the model's by the contrast. In single precision,
    which is five times as fast as double.

    Parameters
    ----------
    image
        Counts, shape (ny, nx).
    model
        Expected counts of all that is not a structure, shape (ny, nx).
    n_scales
        Number of scales.
    contrast
        Smallest ratio of smoothed image to smoothed model in a structure.

    References
    ----------
    Zhang, Fadili & Starck (2008), the multiscale variance-stabilising transform.
    """
    observed, expected = (_stabilised(x, n_scales) for x in (image, model))
    return _significance(observed, expected, contrast)


def significant_structures(image: FloatArray, model: FloatArray, detection: Detection) -> np.ndarray:
    """Return the pixels of structures that stand out of a smooth model, shape (ny, nx).

    At each scale a structure is a connected region above ``detection.edge`` that holds a pixel above
    ``detection.seed``. Wide wings escape wavelets, which take the difference of neighbouring scales; so a structure
    further reaches as far as the image smoothed over eight pixels exceeds the model, by edge and contrast.

    Parameters
    ----------
    image
        Counts, shape (ny, nx).
    model
        Expected counts of all that is not a structure, shape (ny, nx).
    detection
        Scales and thresholds.
    """
    n_scales = detection.n_scales
    observed, expected = (_stabilised(x, n_scales) for x in (image, model))
    found = np.zeros(image.shape, dtype=bool)
    for scale in _significance(observed, expected, detection.contrast):
        found |= _holding(scale > detection.edge, scale > detection.seed)
    wings = min(_WINGS_SCALE, n_scales)
    filtered = _filters(n_scales)[wings]
    noise = np.sqrt(_moment(filtered, filtered)) / 2  # of the square root of smoothed Poisson counts
    exceeds = observed[wings] - expected[wings] > detection.edge * noise
    exceeds &= observed[wings] > np.sqrt(detection.contrast) * expected[wings]
    return _holding(exceeds | found, found)


def _holding(region: np.ndarray, seeds: np.ndarray) -> np.ndarray:
    """Return the connected parts of a region that hold a seed."""
    if not seeds.any():
        return np.zeros(region.shape, dtype=bool)
    labels, n = ndimage.label(region)
    holds_seed = np.zeros(n + 1, dtype=bool)
    holds_seed[labels[seeds]] = True
    holds_seed[0] = False
    return np.asarray(holds_seed[labels])


def _significance(observed: list[FloatArray], expected: list[FloatArray], contrast: float) -> FloatArray:
    excess = [a - b for a, b in zip(observed, expected, strict=True)]
    result = np.empty((len(excess) - 1, *excess[0].shape), dtype=np.float32)
    for j, (_, sigma) in enumerate(_stabilising(len(excess) - 1)[1:]):
        np.subtract(excess[j], excess[j + 1], out=result[j])
        result[j] /= np.float32(sigma)
        result[j][observed[j] < np.float32(np.sqrt(contrast)) * expected[j]] = 0.0
    return result


def _stabilised(image: FloatArray, n_scales: int) -> list[FloatArray]:
    images = smoothed_images(image.astype(np.float32), n_scales)
    return [np.sqrt(c + np.float32(a)) for c, (a, _) in zip(images, _stabilising(n_scales), strict=True)]


@functools.cache
def _filters(n_scales: int) -> tuple[FloatArray, ...]:
    """Return the one-dimensional filters that make c_0..c_n from the image, all of the same length."""
    size = 2 * 2 ** (n_scales + 1) + 1
    impulse = np.zeros(size)
    impulse[size // 2] = 1.0
    filters = [impulse]
    for j in range(n_scales):
        filters.append(np.convolve(filters[-1], _taps(2**j), mode="same"))
    return tuple(filters)


def _taps(step: int) -> FloatArray:
    taps = np.zeros(4 * step + 1)
    taps[::step] = _B3
    return taps


def _moment(*filters: FloatArray) -> float:
    """Return the sum of the product of separable filters over a plane."""
    return float(np.sum(functools.reduce(np.multiply, filters)) ** 2)


@functools.cache
def _stabilising(n_scales: int) -> tuple[tuple[float, float], ...]:
    """Return a_j of the stabilising transform and the noise of its coefficients for j = 0..n (noise 0 at j = 0).

    With tau_k the sums of the k-th powers of the filter: a = 7/8 tau_2 - 1/2 tau_3 / tau_2, and
    sigma_j^2 = tau_2^(j-1) / 4 + tau_2^(j) / 4 - <h_(j-1), h_j> / 2.
    """
    filters = _filters(n_scales)
    shift = [7 / 8 * _moment(h, h) - _moment(h, h, h) / (2 * _moment(h, h)) for h in filters]
    noise = [np.sqrt(_moment(g, g) / 4 + _moment(h, h) / 4 - _moment(g, h) / 2) for g, h in itertools.pairwise(filters)]
    return tuple(zip(shift, (0.0, *map(float, noise)), strict=True))
