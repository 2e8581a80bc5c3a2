"""Photon lists of many emulated clusters in one folder, in any number of processes, resumable."""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import final

from earnest_common.run.config import as_mapping
from earnest_common.run.executors import map_shards
from earnest_common.run.parts import claim

from earnest_mocks.base_sample.emulator import EmulatedClusters
from earnest_mocks.xray.photons import Observation, emulate_photons
from earnest_mocks.xray.simput import write_photons

__all__ = ["photon_list_name", "write_photon_lists"]

_RECORD = "observation.json"


def photon_list_name(cluster_id: int) -> str:
    """Return the file name of a cluster's photon list."""
    return f"cluster_{cluster_id:05d}.fits"


def write_photon_lists(
    folder: Path,
    clusters: EmulatedClusters,
    cluster_ids: Sequence[int],
    *,
    seed: int,
    observation: Observation | None = None,
    executor: Executor | None = None,
    on_done: Callable[[object], object] = lambda _: None,
) -> list[Path]:
    """Write the EMULATED observations of clusters, or those that an interrupted call of the same kind left out.

    About a megabyte and a tenth of a second per cluster.

    Parameters
    ----------
    folder
        Where the lists go, beside ``observation.json``, the record of how they were made.
    clusters
        The emulated clusters.
    cluster_ids
        Which of them.
    seed, observation
        See :func:`earnest_mocks.xray.photons.emulate_photons`.
    executor
        Where the work is done; ``None`` does it here.
    on_done
        Called after each new list.

    Returns
    -------
    The files, in the order of the clusters.

    Raises
    ------
    OutputExistsError
        If the folder holds something else.
    InputError
        If there is no such cluster, or no folder to hold the new one.
    """
    observation = observation or Observation()
    plan = {"seed": seed, "observation": as_mapping(observation)}
    claim(folder, plan, what="a folder of photon lists", name=_RECORD)
    writer = _Writer(folder=folder, clusters=clusters, seed=seed, observation=observation)
    files = [folder / photon_list_name(i) for i in cluster_ids]
    missing = [i for i, file in zip(cluster_ids, files, strict=True) if not file.exists()]
    map_shards(writer, missing, executor, on_done=on_done)
    return files


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class _Writer:
    """Observes one cluster and writes its photons; picklable, so that it runs in any process."""

    folder: Path
    clusters: EmulatedClusters
    seed: int
    observation: Observation

    def __call__(self, cluster_id: int) -> Path:
        photons = emulate_photons(self.clusters, cluster_id, seed=self.seed, observation=self.observation)
        file = self.folder / photon_list_name(cluster_id)
        write_photons(file, photons, instrument=self.observation.instrument)
        return file
