"""Whether a model met the catalogs of a set in its training, and on which of them it is then judged."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

import polars as pl
from earnest_common.bundle import BundleDescription
from earnest_common.catalogs import CatalogSet
from earnest_common.catalogs.understood import refuse_unread
from earnest_common.errors import InputError

from earnest_model.data.label_checks import UNDERSTOOD

__all__ = ["Overlap", "overlap_with_training"]

_MET = {
    "train": "catalogs that were met in training (split train)",
    "validation": "catalogs by which weights were chosen and intervals calibrated (split validation)",
    "all": "catalogs of the set that was trained on, met in training but for split test",
}


@final
@dataclass(frozen=True, kw_only=True)
class Overlap:
    """Catalogs of a set, and what the model knows of them.

    Attributes
    ----------
    split
        Only catalogs of this split; ``None`` for all.
    words
        What to call them.
    met
        Whether training met them; ``None`` if that is unknown.
    note
        What the reader must be told beside the answer.
    """

    split: str | None
    words: str
    met: bool | None
    note: str | None = None


def overlap_with_training(description: BundleDescription, opened: CatalogSet, split: str | None) -> Overlap:
    """Return which catalogs a model is judged on: of the set that it was trained on those of split ``test``.

    Live catalogs have ids far above those of any set, so that training on them never meets a set's.

    Parameters
    ----------
    description
        The model's.
    opened
        The set.
    split
        A split, ``"all"``, or ``None`` for the default.

    Raises
    ------
    InputError
        If the set was trained on and has no catalogs that training left alone, or its configuration has fields that
        this release does not know.
    """
    refuse_unread(opened.manifest.plan, UNDERSTOOD)
    origin = description.training.get("catalogs")
    one_split = None if split == "all" else split
    if not origin:
        return Overlap(split=one_split, words="catalogs", met=None)
    trained_on = origin.get("set", {})
    if trained_on.get("data_hash") == opened.manifest.data_hash:
        return _of_the_same_set(opened, split)
    if _may_overlap(trained_on, opened):
        return Overlap(
            split=one_split,
            words="catalogs, some of which training may have met (preset and seed of its set)",
            met=None,
            note=f"warning: {opened.path} has the preset and seed of the set that the model was trained on: its "
            "catalogs may be the same, and are not called held-out",
        )
    return Overlap(split=one_split, words="held-out catalogs", met=False, note=_donors(origin, opened, split))


def _donors(origin: Mapping[str, Any], opened: CatalogSet, split: str | None) -> str | None:
    """Return what to say where splits have donors of their own, dealt by a seed, and those that are asked are known."""
    live, plan = origin.get("live", {}), opened.manifest.plan
    seed = live.get("seed")
    if seed is None or not dict(plan.config).get("donors", {}).get("split", False):
        return None
    if seed != plan.seed:
        return (
            f"{opened.path} deals donors to its splits with seed {plan.seed}, the training did with seed {seed}: most "
            f"donors of every split were met in training; split test of a set of seed {seed} has strangers"
        )
    return None if split == "test" else f"most donors of {opened.path} were met in training; --split test has strangers"


def _of_the_same_set(opened: CatalogSet, split: str | None) -> Overlap:
    words = "held-out catalogs (split test of the set that was trained on)"
    if split == "test":
        return Overlap(split="test", words=words, met=False)
    if split in _MET:
        note = f"warning: the model was trained on {opened.path}, and these are {_MET[split]}"
        return Overlap(split=None if split == "all" else split, words=_MET[split], met=True, note=note)
    if split is not None:  # the set knows what may be asked of it, and says so
        return Overlap(split=split, words="catalogs", met=None)
    if not opened.scan_catalogs().filter(pl.col("split") == "test").select(pl.len()).collect().item():
        raise InputError(
            f"the model was trained on {opened.path}, which has no catalogs of split test; take another set, or with "
            "--split all those that training met"
        )
    note = f"the model was trained on {opened.path}: only its split test is judged (--split all for every catalog)"
    return Overlap(split="test", words=words, met=False, note=note)


def _may_overlap(trained_on: Mapping[str, Any], opened: CatalogSet) -> bool:
    """Return whether a set was drawn like the other: larger, smaller or divided anew, it holds the same catalogs."""
    plan = opened.manifest.plan
    return trained_on.get("preset") == plan.preset and trained_on.get("seed", plan.seed) == plan.seed
