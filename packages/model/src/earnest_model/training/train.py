"""Train a network, or several, and keep them as a bundle."""

import dataclasses
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from earnest_common.catalogs import CatalogSet
from earnest_common.errors import InputError

from earnest_model.config import TrainingConfig
from earnest_model.training.ensemble import train_ensemble
from earnest_model.training.seeds import Training, train_or_reuse

if TYPE_CHECKING:  # importing it loads TensorFlow
    from earnest_model.bundle.estimator import NetworkEstimator

__all__ = ["train"]


def train(
    out: str | PathLike[str],
    *,
    live: str | None = None,
    data: CatalogSet | str | PathLike[str] | None = None,
    config: TrainingConfig | None = None,
    seed: int | None = None,
    max_steps: int | None = None,
    members: int = 1,
    live_config: str | PathLike[str] | None = None,
) -> "NetworkEstimator":
    """Train a network, keep it as a bundle, and return it.

    The same call goes on after an interruption, and where the bundle is finished it is loaded.

    Parameters
    ----------
    out
        Folder of the bundle.
    live
        Train on fresh mocks of this preset (earnest-mocks).
    data
        Or on a catalog set.
    config
        All other choices; default ``TrainingConfig()``: architecture ``pooled``, recipe ``fast``, half a minute.
    seed
        Seed of weights, catalogs and their order, in place of that of the configuration.
    max_steps
        Budget of recipe ``fast``, in place of that of the configuration.
    members
        Number of networks; with 2 or more the bundle is an ensemble.
    live_config
        TOML file with fields of the mocks that differ from the preset.

    Raises
    ------
    OutputExistsError
        If ``out`` is something else.
    InputError
        If the configuration or the catalogs cannot be used.

    References
    ----------
    Ntampaka & Vikhlinin (arXiv:2112.05768), section 3.

    Examples
    --------
    >>> from earnest_common.testing import toy_set
    >>> from earnest_model.config import FastRecipe
    >>> small = TrainingConfig(fast=FastRecipe(batch_catalogs=16, chunk_catalogs=64, looks=1))
    >>> with toy_set(n_catalogs=300, seed=5) as folder:
    ...     model = train(folder.with_name("model"), data=folder, config=small, seed=2, max_steps=20)
    >>> model.feature_names[:2]
    ('log10_t_x', 'log10_m_gas_profile_1')
    """
    if members < 1:
        raise InputError(f"members {members} must be at least 1")
    path, chosen = Path(out), _changed(config or TrainingConfig(), seed=seed, max_steps=max_steps)
    folder = data.path if isinstance(data, CatalogSet) else Path(data) if data is not None else None
    changes = Path(live_config) if live_config is not None else None
    training = Training(config=chosen, out=path, live=live, data=folder, live_config=changes)
    if members > 1:
        train_ensemble(training, members)
    else:
        train_or_reuse(training)
    from earnest_model.bundle.estimator import load

    return load(path)


def _changed(config: TrainingConfig, *, seed: int | None, max_steps: int | None) -> TrainingConfig:
    """Return the configuration with another seed and budget, where they are given."""
    if max_steps is not None:
        if config.recipe == "paper":
            raise InputError("recipe 'paper' counts epochs: give a config with paper_recipe, not max_steps")
        fast = dataclasses.replace(config.fast, max_steps=max_steps, max_seconds=0.0)
        config = dataclasses.replace(config, fast=fast)
    return config if seed is None else dataclasses.replace(config, seed=seed)
