"""From a trained network to a bundle on disk."""

from pathlib import Path

import numpy as np
from earnest_common.bundle import BundleDescription, write_bundle
from earnest_common.run.config import as_mapping
from earnest_common.run.provenance import versions

from earnest_model.bundle.estimator import NETWORK_NAME
from earnest_model.bundle.golden import write_golden
from earnest_model.config import TrainingConfig
from earnest_model.data.training_data import AbstractFeed
from earnest_model.networks.storage import save_network
from earnest_model.training.card import model_card
from earnest_model.training.checkpoint import HISTORY_NAME, history_text
from earnest_model.training.loop import TrainingResult

__all__ = ["describe", "save_bundle"]


def describe(result: TrainingResult, config: TrainingConfig, feed: AbstractFeed) -> BundleDescription:
    """Return the description of a trained network."""
    origin = feed.identity()
    inner = next(iter(origin.values()))
    synthetic = inner.get("synthetic")
    return BundleDescription(
        estimator="keras",
        features=result.features.encoder,
        supplementary=result.features.supplementary,
        radii=result.features.radii,
        scaling=dict(result.scaling),
        prior=dict(result.prior),
        calibration=dict(result.calibration),
        training={
            "architecture": config.architecture,
            "recipe": config.recipe,
            "seed": config.seed,
            "n_parameters": int(sum(np.prod(v.shape) for v in result.network.trainable_variables)),
            "config": as_mapping(config),
            "catalogs": origin,
            "validation": {**{k: result.history[-1][k] for k in ("step", "seconds", "catalogs")}, **result.validation},
        },
        versions=versions(),
        synthetic=str(synthetic) if synthetic else None,
        optional=result.features.optional,
    )


def save_bundle(path: Path, result: TrainingResult, config: TrainingConfig, feed: AbstractFeed) -> BundleDescription:
    """Write the bundle, whole or not at all, and return its description.

    Raises
    ------
    OutputExistsError
        If ``path`` is taken.
    """
    description = describe(result, config, feed)

    def write_files(folder: Path) -> None:
        save_network(result.network, folder / NETWORK_NAME)
        write_golden(folder, result.golden, [result.network], description)
        (folder / HISTORY_NAME).write_text(history_text(result.history), encoding="utf-8")

    write_bundle(path, description, write_files=write_files, card=model_card(description))
    return description
