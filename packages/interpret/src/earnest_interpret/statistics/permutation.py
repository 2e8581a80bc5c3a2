"""p-values from shuffling, which hold for any distribution."""

import numpy as np
from earnest_common.arrays import FloatArray

__all__ = ["holm", "permutation_p_value"]


def permutation_p_value(
    x: FloatArray, y: FloatArray, *, rng: np.random.Generator, n_permutations: int = 9_999
) -> float:
    """Return the chance of an absolute correlation of x and y as large when x is shuffled.

    Examples
    --------
    >>> x = np.arange(12.0)
    >>> permutation_p_value(x, 2 * x, rng=np.random.default_rng(1), n_permutations=999)
    0.001
    """
    a, b = x - x.mean(), y - y.mean()
    shuffled = rng.permuted(np.broadcast_to(a, (n_permutations, len(a))), axis=1)
    extreme = int(np.sum(np.abs(shuffled @ b) >= abs(a @ b) * (1 - 1e-9)))
    return (1 + extreme) / (1 + n_permutations)


def holm(p_values: dict[str, float]) -> dict[str, float]:
    """Return p-values such that the chance of any false alarm among all stays below the level (Holm 1979).

    Examples
    --------
    >>> holm({"a": 0.01, "b": 0.04, "c": 0.03})
    {'a': 0.03, 'c': 0.06, 'b': 0.06}
    """
    ordered = sorted(p_values, key=lambda name: p_values[name])
    adjusted, largest = {}, 0.0
    for place, name in enumerate(ordered):
        largest = max(largest, min(1.0, (len(ordered) - place) * p_values[name]))
        adjusted[name] = largest
    return adjusted
