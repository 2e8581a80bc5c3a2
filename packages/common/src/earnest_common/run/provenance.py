"""Where an output comes from: configuration, seed, versions and input hashes, without clock times."""

import platform
import re
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, distribution, version
from pathlib import Path
from typing import Any

from earnest_common.run.files import file_sha256

__all__ = ["DISTRIBUTIONS", "extras", "provenance", "synthetic_note", "versions"]

DISTRIBUTIONS = ("earnest-common", "earnest-mocks", "earnest-model", "earnest-interpret", "earnest-selfcal")

_FOUNDATIONS = ("numpy", "polars", "scipy", "colossus", "tensorflow", "keras")


def versions() -> dict[str, str]:
    """Return the versions of Python, of every installed earnest package and of what they stand on."""
    found = {"python": platform.python_version()}
    for name in (*DISTRIBUTIONS, *_FOUNDATIONS):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def extras() -> dict[str, list[str]]:
    """Return what is missing for each optional extra of the installed earnest packages, such as earnest-mocks[xray]."""
    found: dict[str, list[str]] = {}
    for name in (name for name in DISTRIBUTIONS if _installed(name)):
        for line in distribution(name).requires or []:
            if extra := re.search(r"""extra == ['"]([\w-]+)['"]""", line):
                missing = found.setdefault(f"{name}[{extra[1]}]", [])
                needed = re.split(r"[^\w.-]", line, maxsplit=1)[0]
                missing += [] if _installed(needed) else [needed]
    return found


def _installed(name: str) -> bool:
    try:
        version(name)
    except PackageNotFoundError:
        return False
    return True


def provenance(
    *, config: Mapping[str, Any], seed: int | None = None, inputs: Mapping[str, Path | str] | None = None
) -> dict[str, Any]:
    """Return the record that is written beside an output.

    It holds no clock time and no machine name: the same inputs give the same record.

    Parameters
    ----------
    config
        The resolved configuration.
    seed
        The seed of all random numbers, if any were drawn.
    inputs
        Files by role, recorded by SHA-256; a text is taken as a hash already made.

    Examples
    --------
    >>> provenance(config={"preset": "paper"}, seed=1)["seed"]
    1
    """
    hashes = {
        role: file_sha256(item) if isinstance(item, Path) else item for role, item in sorted((inputs or {}).items())
    }
    return {"config": dict(config), "seed": seed, "inputs": hashes, "versions": versions()}


def synthetic_note(*, catalogs: str | None, training: str | None) -> str | None:
    """Return what is emulated in the catalogs of an answer and in those of the training behind it.

    Examples
    --------
    >>> synthetic_note(catalogs="EMULATED gas", training="EMULATED gas")
    'EMULATED gas'
    >>> synthetic_note(catalogs=None, training="EMULATED gas")
    'in training: EMULATED gas'
    """
    if catalogs == training:
        return catalogs
    found = {"in these catalogs": catalogs, "in training": training}
    return "; ".join(f"{where}: {text}" for where, text in found.items() if text) or None
