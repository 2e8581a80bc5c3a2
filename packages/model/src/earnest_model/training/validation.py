"""How good the network that is kept is on all validation catalogs, beside what their prior alone would give."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from earnest_common.spread import spread

from earnest_model.data.arrays import Arrays, FloatArray
from earnest_model.data.features import FeatureSet
from earnest_model.data.missing import combinations, without
from earnest_model.evaluation.accuracy import bootstrap_error
from earnest_model.networks.calibration import missing_key

if TYPE_CHECKING:  # importing it would load TensorFlow
    from earnest_model.networks.heads import AbstractHead
    from earnest_model.networks.queries import AbstractInference

__all__ = ["in_words", "quality", "validated", "validation_metrics", "warning"]

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


def validated(
    inference: "AbstractInference", head: "AbstractHead", validation: Arrays, features: FeatureSet
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return calibration and accuracy on validation catalogs, under ``without`` those of catalogs that lack columns."""
    calibrations, metrics = {}, {}
    for missing in combinations(len(features.optional)):
        outputs = inference.outputs(without(validation, missing))
        key = missing_key(features.optional, missing)
        calibrations[key] = head.calibrate(outputs, validation.labels)
        metrics[key] = validation_metrics(head, outputs, validation.labels)
    return _with_first_outside(calibrations), _with_first_outside(metrics)


def _with_first_outside(by_missing: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """Return what holds for whole catalogs, and the rest under ``without``."""
    whole, *others = by_missing.items()
    return {**whole[1], **({"without": dict(others)} if others else {})}


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
