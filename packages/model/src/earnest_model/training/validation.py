"""How good the network that is kept is on all validation catalogs, beside what their prior alone would give."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from earnest_common.spread import spread

from earnest_model.data.arrays import FloatArray
from earnest_model.evaluation.accuracy import bootstrap_error

if TYPE_CHECKING:  # importing it would load TensorFlow
    from earnest_model.networks.heads import AbstractHead

__all__ = ["in_words", "quality", "validation_metrics", "warning"]

_HARDLY_BETTER = 0.95


def quality(head: "AbstractHead", outputs: FloatArray, labels: FloatArray) -> dict[str, float]:
    """Return loss, squared error, scatter and bias of labelled catalogs."""
    residual, targets = np.asarray(head.sigma8(outputs)) - labels[:, 0], head.targets(labels)
    return {
        "validation_loss": round(float(head.loss(outputs, targets)), 6),
        "validation_mse": round(float(head.squared_error(outputs, targets)), 6),
        "scatter": round(spread(residual), 6),
        "bias": round(float(residual.mean()), 6),
    }


def validation_metrics(head: "AbstractHead", outputs: FloatArray, labels: FloatArray) -> dict[str, float]:
    """Return the same with bootstrap and standard errors, the number of catalogs, and the scatter of their labels.

    Parameters
    ----------
    head
        How outputs are read.
    outputs
        What the network gives for each catalog, shape (n, size).
    labels
        True labels, sigma8 first, shape (n, n_labels).
    """
    residual, n = np.asarray(head.sigma8(outputs)) - labels[:, 0], len(labels)
    return {
        **quality(head, outputs, labels),
        "scatter_err": round(bootstrap_error(residual), 6),
        "bias_err": round(spread(residual) / np.sqrt(n), 6),
        "prior_scatter": round(spread(labels[:, 0]), 6),
        "n_catalogs": n,
    }


def in_words(validation: Mapping[str, Any]) -> str:
    """Return scatter and bias with their errors, and the scatter of the prior; bundles of before know less."""
    if "prior_scatter" not in validation:
        return f"scatter {validation['scatter']:.4f}, bias {validation['bias']:+.4f} on validation catalogs of its kind"
    return (
        f"scatter {validation['scatter']:.4f} ± {validation['scatter_err']:.4f} and bias {validation['bias']:+.4f} ± "
        f"{validation['bias_err']:.4f} on {validation['n_catalogs']:,} validation catalogs of its kind, whose true "
        f"values scatter by {validation['prior_scatter']:.4f} (the prior)"
    )


def warning(validation: Mapping[str, Any]) -> str | None:
    """Return a warning if the network knows hardly more than the prior."""
    prior = validation.get("prior_scatter")
    if prior is None or validation["scatter"] < _HARDLY_BETTER * prior:
        return None
    return (
        f"the network is hardly better than the prior: it scatters by {validation['scatter']:.4f}, always naming the "
        f"mean by {prior:.4f}; train it longer (--max-steps, --max-seconds) or on other columns"
    )
