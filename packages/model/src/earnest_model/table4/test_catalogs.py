"""Catalogs that no training draws, on which models are compared, and the best that could be done with them."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np
import numpy.typing as npt
from earnest_common.catalogs import CatalogSet
from earnest_common.catalogs.batch import CatalogBatch
from earnest_common.errors import InputError
from earnest_common.plugins import known_limit, open_source
from earnest_common.run.config import read_toml
from earnest_common.survey.limits import Limit

from earnest_model.data.training_data import CLUSTERS_AT_A_TIME
from earnest_model.evaluation.limits import limit_of_preset
from earnest_model.training.seeds import Training

__all__ = ["HeldOut", "held_out_for"]

_SEED, _N = 1, 4968
"""As many catalogs as the paper's grid has, the same as in a set of this seed; trainings draw ids far from these."""
_FIRST_PART = 64
"""Catalogs by which the size of the other parts is chosen."""


@final
@dataclass(frozen=True, kw_only=True)
class HeldOut:
    """A catalog set, or the first 4,968 catalogs of a live source with seed 1.

    Attributes
    ----------
    catalog_set
        Folder of the set, if it is one.
    live, source, live_config
        Else the preset, the source and a file of what differs, see :func:`earnest_model.training.bundles.open_feed`.
    split
        Only catalogs of this split.
    """

    catalog_set: Path | None = None
    live: str = "paper"
    source: str = "mocks"
    live_config: Path | None = None
    split: str | None = None

    def batches(self) -> Iterator[CatalogBatch]:
        """Yield the catalogs in parts."""
        if self.catalog_set is not None:
            with_clusters, _ = CatalogSet.open(self.catalog_set).without_empty()
            yield from with_clusters.batches(split=self.split)
            return
        source, start, step = self._opened(), 0, _FIRST_PART
        while start < _N:
            batch = source.batch(np.arange(start, min(start + step, _N), dtype=np.int64))
            yield batch if self.split is None else batch.select(_of_split(batch, self.split))
            start += step
            step = max(1, CLUSTERS_AT_A_TIME * batch.n_catalogs // max(batch.n_clusters, 1))

    def identity(self) -> dict[str, Any]:
        """Return what determines the catalogs, ready for JSON."""
        if self.catalog_set is not None:
            return {"data_hash": CatalogSet.open(self.catalog_set).manifest.data_hash, "split": self.split}
        return {"live": dict(self._opened().provenance()), "n_catalogs": _N, "split": self.split}

    @property
    def preset(self) -> str:
        """The preset that the catalogs were made with."""
        return self.live if self.catalog_set is None else CatalogSet.open(self.catalog_set).manifest.plan.preset

    @property
    def synthetic(self) -> str | None:
        """What the catalogs emulate; ``None`` if they are real or unknown."""
        if self.catalog_set is not None:
            return CatalogSet.open(self.catalog_set).manifest.plan.synthetic
        found = self._opened().provenance().get("synthetic")
        return str(found) if found else None

    def limit(self, columns: tuple[str, ...]) -> Limit | None:
        """Return the limit for what is known of each cluster; ``None`` if the preset was changed or has none."""
        if self.catalog_set is not None:
            return limit_of_preset(CatalogSet.open(self.catalog_set).manifest.plan, columns=columns)
        return known_limit(self.live, columns=columns) if self.live_config is None else None

    def _opened(self) -> Any:  # noqa: ANN401 - a CatalogSource
        changes = read_toml(self.live_config) if self.live_config is not None else None
        return open_source(self.source, preset=self.live, seed=_SEED, config=changes)


def _of_split(batch: CatalogBatch, split: str) -> npt.NDArray[np.bool_]:
    chosen: npt.NDArray[np.bool_] = (batch.catalogs.get_column("split") == split).fill_null(value=False).to_numpy()
    return chosen


def held_out_for(training: Training, *, test: Path | None, split: str | None) -> HeldOut:
    """Return catalogs that a training does not draw.

    Parameters
    ----------
    training
        The training.
    test
        A set of held-out catalogs; without one the split ``test`` of the training's set, or fresh catalogs.
    split
        Only catalogs of this split.

    Raises
    ------
    InputError
        If the set is trained on.
    """
    if test is None and training.data is None:
        return HeldOut(live=str(training.live), source=training.source, live_config=training.live_config, split=split)
    found = HeldOut(catalog_set=test or training.data, split=split if test else split or "test")
    if training.data is not None and found.split != "test" and _same(training.data, test or training.data):
        raise InputError(
            f"{training.data} is trained on; evaluate on its split test (--split test) or on another set (--test SET)"
        )
    return found


def _same(one: Path, other: Path) -> bool:
    return CatalogSet.open(one).manifest.data_hash == CatalogSet.open(other).manifest.data_hash
