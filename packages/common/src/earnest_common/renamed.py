"""Modules of release 0.1 under their old names, with a deprecation warning.

The finder is asked last, after all others have failed, so that no import that works is slower or different for it.
"""

import importlib
import sys
import warnings
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import final

__all__ = ["RENAMED", "keep_old_names"]

_FOLDERS = {
    "catalogs": ("batch", "variants"),
    "report": ("drawing", "section"),
    "run": ("config", "executors", "files", "progress", "provenance", "seeds"),
    "survey": ("cosmology", "halo", "limits", "mass_function", "priors", "scaling", "selection"),
}
RENAMED = {
    **{
        f"earnest_common.{name}": f"earnest_common.{folder}.{name}"
        for folder, names in _FOLDERS.items()
        for name in names
    },
    "earnest_common.catalog_set": "earnest_common.catalogs",
}
"""The new address of every module by its old one."""


@final
class _OldNames(MetaPathFinder, Loader):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        del path, target
        return ModuleSpec(fullname, self) if fullname in RENAMED else None

    def exec_module(self, module: ModuleType) -> None:
        address = RENAMED[module.__name__]
        warnings.warn(f"{module.__name__} is now {address}", DeprecationWarning, stacklevel=2)
        names = vars(importlib.import_module(address))
        vars(module).update({name: value for name, value in names.items() if not name.startswith("__")})


def keep_old_names() -> None:
    """Let imports from the modules of release 0.1 succeed."""
    if not any(isinstance(finder, _OldNames) for finder in sys.meta_path):
        sys.meta_path.append(_OldNames())
