"""Mass spectra and exact draws from them, for many catalogs at once.

A spectrum is a density over log10 m given at nodes and log-linear between them, so that its integral and the inverse of
its cumulative distribution are closed expressions: samples are unbiased at both ends and across every node.
"""

import numpy as np
from earnest_common.arrays import FloatArray, IntArray

__all__ = ["cumulative", "draw"]

_FLAT = 1e-6
"""Below this |ln(f1/f0)| a cell counts as flat; the error of that is 1e-12 of the cell."""


def cumulative(nodes: FloatArray, density: FloatArray) -> FloatArray:
    r"""Return the integral of each spectrum from its first node to each node.

    .. math:: \int_{x_0}^{x_1} f\, dx = \Delta x\, f_0\, \frac{e^\lambda - 1}{\lambda}, \quad \lambda = \ln(f_1/f_0)

    Parameters
    ----------
    nodes
        Increasing log10 m of each spectrum, shape (n_spectra, n_nodes).
    density
        Positive density per dex, shape (n_spectra, n_nodes).

    Returns
    -------
    Shape (n_spectra, n_nodes), starting with 0; the last column is the expected number.

    Examples
    --------
    >>> nodes = np.array([[0.0, 1.0]])
    >>> bool(np.isclose(cumulative(nodes, np.exp(nodes))[0, -1], np.e - 1))
    True
    """
    slope = np.log(density[:, 1:] / density[:, :-1])
    flat = np.abs(slope) < _FLAT
    growth = np.where(flat, 1 + slope / 2, np.expm1(slope) / np.where(flat, 1.0, slope))
    out = np.zeros(density.shape)
    np.cumsum(np.diff(nodes, axis=1) * density[:, :-1] * growth, axis=1, out=out[:, 1:])
    return out


def draw(nodes: FloatArray, density: FloatArray, row: IntArray, uniform: FloatArray) -> FloatArray:
    """Return log10 m at the given quantiles of the spectra (inverse transform sampling).

    Parameters
    ----------
    nodes, density
        The spectra, see :func:`cumulative`.
    row
        Spectrum of each draw, increasing, shape (n,).
    uniform
        Numbers in [0, 1), shape (n,).

    Returns
    -------
    log10 m, shape (n,); each value depends on its own spectrum and number alone, whatever else is drawn with it.
    """
    integral = cumulative(nodes, density)
    n_nodes = nodes.shape[1]
    target = uniform * integral[row, -1]
    cell = _cell(integral, row, target)
    left = row * n_nodes + cell
    flat_nodes, flat_density = nodes.ravel(), density.ravel()
    width = flat_nodes[left + 1] - flat_nodes[left]
    f0 = flat_density[left]
    slope = np.log(flat_density[left + 1] / f0)
    rest = (target - integral.ravel()[left]) / (f0 * np.where(width > 0, width, 1.0))
    flat = np.abs(slope) < _FLAT
    series = rest * (1 - rest * slope / 2)  # of the logarithm below, to the accuracy of a flat cell
    fraction = np.where(flat, series, np.log1p(rest * slope) / np.where(flat, 1.0, slope))
    result: FloatArray = flat_nodes[left] + width * np.clip(fraction, 0.0, 1.0)
    return result


def _cell(integral: FloatArray, row: IntArray, target: FloatArray) -> IntArray:
    """Return the cell of each target: the last node whose cumulative number does not exceed it."""
    n_rows, n_nodes = integral.shape
    # One search serves all rows: shifted by its row number, the normalised cumulative rises from row to row.
    total = integral[:, -1]
    keys = (integral / total[:, None] + np.arange(n_rows)[:, None]).ravel()
    found = np.searchsorted(keys, row + target / total[row], side="right") - 1 - row * n_nodes
    cell: IntArray = np.clip(found, 0, n_nodes - 2)
    # The shift rounds by up to n_rows * 1e-16; one exact step undoes what depends on a row's place in the batch.
    flat = integral.ravel()
    first = row * n_nodes
    cell -= (flat[first + cell] > target) & (cell > 0)
    cell += (flat[first + cell + 1] <= target) & (cell < n_nodes - 2)
    return cell
