"""Modules of release 0.1: every old name gives the same objects, with a warning; nothing else changes."""

import importlib
import sys

import pytest
from earnest_common.renamed import RENAMED, keep_old_names


@pytest.mark.parametrize("old", RENAMED)
def test_old_names_give_the_same_objects(old: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delitem(sys.modules, old, raising=False)
    new = importlib.import_module(RENAMED[old])
    with pytest.warns(DeprecationWarning, match=f"{old} is now {RENAMED[old]}"):
        module = importlib.import_module(old)
    assert all(getattr(module, name) is getattr(new, name) for name in new.__all__)
    monkeypatch.delitem(sys.modules, old)


def test_what_was_never_there_is_still_not_there():
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("earnest_common.nonsense")


def test_the_finder_is_asked_last_and_once():
    keep_old_names()
    kinds = [type(finder).__name__ for finder in sys.meta_path]
    assert kinds.count("_OldNames") == 1
