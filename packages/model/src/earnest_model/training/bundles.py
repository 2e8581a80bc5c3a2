"""One training as a bundle on disk, or go on with one that was interrupted."""

import json
from pathlib import Path
from typing import Any

from earnest_common.bundle import BundleDescription, read_bundle
from earnest_common.catalogs import CatalogSet
from earnest_common.errors import InputError, OutputExistsError
from earnest_common.plugins import open_source
from earnest_common.run.config import as_mapping, read_toml
from earnest_common.run.files import named, refuse_existing, remove_folder, sweep

from earnest_model.config import TrainingConfig
from earnest_model.data.training_data import AbstractFeed, FixedFeed, LiveFeed, SetFeed, Sizes
from earnest_model.networks import architecture
from earnest_model.training.validation import warning

__all__ = ["bundle_of", "existing_bundle", "headline", "open_feed", "train_bundle"]


def open_feed(
    config: TrainingConfig,
    *,
    live: str | None,
    data: Path | None,
    source: str = "mocks",
    live_config: Path | None = None,
) -> AbstractFeed:
    """Return the training catalogs that a command asks for.

    Parameters
    ----------
    config
        Seed and sizes.
    live
        Preset of a live source.
    data
        Folder of a catalog set.
    source
        Entry-point name of the live source.
    live_config
        TOML file with fields of the live source that differ from the preset.

    Raises
    ------
    InputError
        If not exactly one of ``live`` and ``data`` is given, or it cannot be used.
    PluginError
        If no installed package provides the source.
    """
    if (live is None) == (data is None):
        raise InputError("give either --live PRESET (fresh mocks) or --data SET (a catalog set), and not both")
    sizes: Sizes = config.paper_recipe if config.recipe == "paper" else config.fast
    if data is not None:
        if live_config is not None:
            raise InputError("--live-config changes a preset of --live; a catalog set of --data is as it is")
        return SetFeed(CatalogSet.open(data), sizes, seed=config.seed)
    changes = read_toml(live_config) if live_config is not None else None
    opened = open_source(source, preset=str(live), seed=config.seed, config=changes)
    feed = LiveFeed(opened, sizes, seed=config.seed)
    return FixedFeed(feed, n=config.paper_recipe.n_training, seed=config.seed) if config.recipe == "paper" else feed


def train_bundle(config: TrainingConfig, feed: AbstractFeed, out: Path) -> dict[str, Any]:
    """Train a network, write its bundle and return the headline numbers.

    Checkpoints live in ``OUT.training`` beside the bundle; the same call goes on from them.

    Raises
    ------
    OutputExistsError
        If ``out`` is taken.
    InputError
        If the configuration or the catalogs cannot be used.
    """
    workspace = named(out).with_name(f"{out.name}.training")
    sweep(workspace)  # killed while the checkpoints were being removed
    if out.exists() and workspace.exists():  # killed when the bundle was whole and its checkpoints not yet removed
        return existing_bundle(config, feed, out)
    refuse_existing(out)
    architecture(config.architecture)  # a wrong name is refused before TensorFlow is loaded
    from earnest_model.training.bundle_writing import save_bundle
    from earnest_model.training.loop import train

    result = train(config, feed, workspace=workspace)
    description = save_bundle(out, result, config, feed)
    remove_folder(workspace)
    return headline(out, description)


def bundle_of(config: TrainingConfig, feed: AbstractFeed, out: Path) -> dict[str, Any]:
    """Train, unless the bundle is there already, and return the headline numbers.

    Raises
    ------
    OutputExistsError
        If the bundle is of another training.
    InputError
        If the configuration or the catalogs cannot be used.
    """
    return existing_bundle(config, feed, out) if out.exists() else train_bundle(config, feed, out)


def existing_bundle(config: TrainingConfig, feed: AbstractFeed, out: Path) -> dict[str, Any]:
    """Return the headline numbers of a bundle that this training has written before, and remove its checkpoints.

    Raises
    ------
    OutputExistsError
        If the bundle is of another training.
    """
    description = read_bundle(out)
    plan = json.loads(json.dumps({"config": as_mapping(config), "catalogs": feed.identity()}))
    if plan != {name: description.training.get(name) for name in plan}:
        raise OutputExistsError(
            f"{out} is a bundle of another training and is not overwritten; choose another --out or remove it"
        )
    remove_folder(out.with_name(f"{out.name}.training"))
    return headline(out, description)


def headline(out: Path, description: BundleDescription) -> dict[str, Any]:
    """Return the numbers of a trained bundle that a command prints."""
    training, last = description.training, description.training["validation"]
    return {
        "path": str(out),
        "architecture": training["architecture"],
        "n_parameters": training["n_parameters"],
        "steps": last["step"],
        "seconds": last.get("seconds"),  # this, errors and the prior are unknown to bundles of earlier releases
        "kept_step": last.get("kept_step"),
        "validation_scatter": last["scatter"],
        "validation_scatter_err": last.get("scatter_err"),
        "validation_bias": last["bias"],
        "validation_bias_err": last.get("bias_err"),
        "validation_prior_scatter": last.get("prior_scatter"),
        "validation_catalogs": last.get("n_catalogs"),
        # the quantiles of validation errors that a point estimate needs stay in the bundle
        "calibration": {
            name: x for name, x in description.calibration.items() if name[:1] != "q" and name != "without"
        },
        "validation_scatter_without": {name: one["scatter"] for name, one in last.get("without", {}).items()},
        "synthetic": description.synthetic,
        "warning": warning(last),
    }
