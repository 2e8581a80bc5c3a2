"""Gauss-Legendre quadrature, and draws from tabulated distributions."""

import functools

import numpy as np
from earnest_common.arrays import FloatArray

__all__ = ["draw_ordered", "gauss_legendre"]


@functools.cache
def gauss_legendre(n: int) -> tuple[FloatArray, FloatArray]:
    """Return n nodes on [-1, 1] and their weights; finding them costs more than using them."""
    nodes, weights = np.polynomial.legendre.leggauss(n)
    return nodes, weights


def draw_ordered(n: int, cumulative: FloatArray, nodes: FloatArray, *, rng: np.random.Generator) -> FloatArray:
    """Return n draws, cell after cell, from a distribution whose cumulative is known and linear between nodes.

    Parameters
    ----------
    n
        Number of draws.
    cumulative
        Cumulative distribution at the nodes, of any normalisation; what lies below the first node counts to the first
        cell; shape (k,).
    nodes
        Rising nodes, shape (k,).
    rng
        Source of randomness.

    Examples
    --------
    >>> drawn = draw_ordered(3, np.array([0.0, 1.0, 2.0]), np.array([0.0, 1.0, 2.0]), rng=np.random.default_rng(1))
    >>> bool((drawn >= 0).all() and (drawn <= 2).all())
    True
    """
    share = np.diff(cumulative, prepend=0.0)[1:]
    share[0] += cumulative[0]
    counts = rng.multinomial(n, share / share.sum())
    drawn = rng.random(n)
    drawn *= np.repeat(np.diff(nodes), counts)
    drawn += np.repeat(nodes[:-1], counts)
    return drawn
