"""The distribution of the number of clusters: Poisson, for there is no sample variance in this model."""

import numpy as np
from earnest_common.arrays import FloatArray
from scipy.special import gammaln, xlogy

__all__ = ["ln_poisson", "no_number_of_clusters"]


def ln_poisson(n: int, expected: FloatArray) -> FloatArray:
    """Return the ln probability of n clusters where the mean number is ``expected``."""
    return np.asarray(xlogy(n, expected) - expected - gammaln(n + 1))


def no_number_of_clusters(n: int, median_log10_x: float | None = None) -> str | None:
    """Return why n clusters cannot be used whatever the survey, or ``None`` if they can; 0 is a number too."""
    if n < 0:
        return f"n_clusters = {n} is no number of clusters; give the whole number that the survey found, at least 0"
    if n == 0 and median_log10_x is not None:
        return "n_clusters = 0: an empty catalog has no median; leave it out, and the number alone is used"
    return None
