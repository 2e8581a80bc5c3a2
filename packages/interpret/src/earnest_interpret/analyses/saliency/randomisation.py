"""Would an untrained model look the same? Saliency beside that of the same model with its weights shuffled."""

from dataclasses import dataclass
from typing import final

import numpy as np
from earnest_common.arrays import FloatArray
from earnest_common.catalogs.batch import CatalogBatch
from earnest_common.protocols import Estimator, Randomisable
from scipy.stats import spearmanr

from earnest_interpret.responses.questions import Target, gradient
from earnest_interpret.sample import MAX_ROWS

__all__ = ["RandomisationCheck", "randomisation_check"]


@final
@dataclass(frozen=True, kw_only=True)
class RandomisationCheck:
    """Rank correlations of saliency with that of the model after its weights were shuffled.

    Attributes
    ----------
    of_inputs
        Mean over shuffles of the rank correlation of the inputs' mean saliencies: near 0 if which inputs matter
        was learned.
    of_clusters
        The same over clusters, each input divided by its own mean: large if any model answers more to some clusters
        than to others, as one that saturates does.
    n_shuffles
        Shuffled models.
    """

    of_inputs: float
    of_clusters: float
    n_shuffles: int

    @property
    def passed(self) -> bool:
        """Whether the order of the inputs was learned; with 15 inputs and 5 shuffles chance gives 0 +- 0.12."""
        return self.of_inputs < 0.5


def randomisation_check(
    estimator: Estimator,
    batch: CatalogBatch,
    values: FloatArray,
    *,
    of: Target = "terse",
    n_shuffles: int = 5,
    seed: int = 1,
    max_rows: int = MAX_ROWS,
) -> RandomisationCheck | None:
    """Return the check; ``None`` for an estimator whose weights cannot be shuffled (no ``randomised``).

    Parameters
    ----------
    estimator, batch
        The model and the catalogs.
    values
        Its signed gradients, shape (n_clusters, n_features).
    of
        What was differentiated.
    n_shuffles
        Shuffled models to compare with.
    seed
        Seed of the first shuffle.
    max_rows
        Most clusters handed to the estimator at a time.

    References
    ----------
    Adebayo et al., Sanity Checks for Saliency Maps, arXiv:1810.03292.
    """
    if not isinstance(estimator, Randomisable):
        return None
    pairs = []
    for number in range(n_shuffles):
        other = gradient(estimator.randomised(seed + number), batch, of=of, max_rows=max_rows)
        pairs.append(
            (
                _rank_correlation(*_relative(np.abs(values), np.abs(other))),
                _rank_correlation(np.abs(values).mean(axis=0), np.abs(other).mean(axis=0)),
            )
        )
    of_clusters, of_inputs = np.mean(pairs, axis=0).tolist()
    return RandomisationCheck(of_inputs=of_inputs, of_clusters=of_clusters, n_shuffles=n_shuffles)


def _relative(one: FloatArray, other: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return both over the means of their inputs, without inputs that either ignores."""
    heard = (one.mean(axis=0) > 0) & (other.mean(axis=0) > 0)
    one, other = one[:, heard], other[:, heard]
    return one / one.mean(axis=0), other / other.mean(axis=0)


def _rank_correlation(one: FloatArray, other: FloatArray) -> float:
    if one.size == 0 or np.ptp(one) < 1e-12 or np.ptp(other) < 1e-12:
        return 0.0
    return float(spearmanr(one.ravel(), other.ravel()).statistic)
