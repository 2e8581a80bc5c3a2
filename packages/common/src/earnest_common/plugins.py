"""What installed packages offer to each other, found by entry-point group and name."""

from importlib.metadata import EntryPoint, entry_points
from os import PathLike
from pathlib import Path
from typing import Any

from earnest_common.bundle import read_bundle
from earnest_common.errors import PluginError
from earnest_common.protocols import CatalogSource, Estimator
from earnest_common.survey.limits import Limit

__all__ = [
    "COMMANDS",
    "ESTIMATORS",
    "LIMITS",
    "SOURCES",
    "Model",
    "as_estimator",
    "known_limit",
    "load_estimator",
    "open_source",
    "plugins",
]

COMMANDS = "earnest.cli"
SOURCES = "earnest.sources"
ESTIMATORS = "earnest.estimators"
LIMITS = "earnest.limits"


def plugins(group: str) -> dict[str, EntryPoint]:
    """Return the entry points of a group by name, in alphabetical order."""
    return {point.name: point for point in sorted(entry_points(group=group), key=lambda p: p.name)}


def load_estimator(path: str | PathLike[str]) -> Estimator:
    """Return the estimator in a bundle, loaded by the package that made it.

    Parameters
    ----------
    path
        Folder of the bundle.

    Raises
    ------
    InputError, VersionError, IntegrityError
        If the bundle cannot be used, see :func:`earnest_common.bundle.read_bundle`.
    PluginError
        If no installed package loads this kind of estimator.

    Examples
    --------
    >>> load_estimator("thesis")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    earnest_common.errors.InputError: thesis is not a model bundle: ...
    """
    path = Path(path)
    description = read_bundle(path)
    load = _load(ESTIMATORS, description.estimator, remedy="pip install earnest-model")
    estimator: Estimator = load(path, description)
    return estimator


Model = Estimator | str | PathLike[str]
"""What a function takes that asks for a model: an estimator, or the folder of a bundle."""


def as_estimator(model: Model) -> Estimator:
    """Return an estimator as it is, or the one in a bundle; errors as of :func:`load_estimator`."""
    return load_estimator(model) if isinstance(model, str | PathLike) else model


def open_source(name: str, *, preset: str, seed: int, config: dict[str, Any] | None = None) -> CatalogSource:
    """Return a live source of catalogs.

    Parameters
    ----------
    name
        Entry-point name of the source, ``"mocks"`` for earnest-mocks.
    preset
        The survey preset.
    seed
        Seed of every catalog.
    config
        Fields that differ from the preset.

    Raises
    ------
    PluginError
        If no installed package provides the source.

    Examples
    --------
    >>> open_source("hydro", preset="paper", seed=1)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    earnest_common.errors.PluginError: no installed package provides 'hydro' in earnest.sources ...
    """
    source: CatalogSource = _load(SOURCES, name, remedy="pip install earnest-mocks")(preset, seed, config)
    return source


def known_limit(preset: str, *, columns: tuple[str, ...]) -> Limit | None:
    """Return how well sigma8 could be told at best, from the first installed package that knows.

    Parameters
    ----------
    preset
        The preset of the mock catalogs; a name that nobody knows has no known limit.
    columns
        The cluster columns that an estimate sees, in any order; none at all: the number of clusters alone.

    Returns
    -------
    The limit, or ``None`` where no package offers one or nothing is known.

    Raises
    ------
    PluginError
        If a package that offers limits is broken.
    """
    for name in plugins(LIMITS):
        limit: Limit | None = _load(LIMITS, name, remedy=f"pip install --force-reinstall earnest-{name}")(
            preset, columns=columns
        )
        if limit is not None:
            return limit
    return None


def _load(group: str, name: str, *, remedy: str) -> Any:  # noqa: ANN401 - a plugin's factory has its own type
    found = plugins(group)
    if name not in found:
        known = ", ".join(found) or "none"
        raise PluginError(f"no installed package provides '{name}' in {group} (installed: {known}); try: {remedy}")
    try:
        return found[name].load()
    except ImportError as error:
        raise PluginError(f"'{name}' of {group} cannot be loaded: {error}; try: {remedy}") from error
