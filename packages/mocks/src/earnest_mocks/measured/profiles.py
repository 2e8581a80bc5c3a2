"""Gas profiles of imported clusters, taken from the table of their X-ray reductions."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import final

import numpy as np
import polars as pl
from earnest_common.catalogs.batch import CatalogBatch
from earnest_common.errors import InputError, IntegrityError
from earnest_common.run.parquet import read_parquet

from earnest_mocks.xray.table import REDUCTIONS_KEY, REDUCTIONS_VERSION

__all__ = ["Reductions", "read_reductions", "with_reduced_profiles"]

_PROFILES = ("m_gas_profile", "gas_slope_profile")


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Reductions:
    """Reduced clusters that are known by their number in a catalog.

    Attributes
    ----------
    frame
        cluster_id, m_gas [solMass], m_gas_profile [solMass] and gas_slope_profile, one row per cluster.
    radii
        Radii of the profiles [R_500c].
    simulation
        Where the photons come from; EMULATED where no simulation is.
    sha256
        Checksum of the file.
    """

    frame: pl.DataFrame
    radii: tuple[float, ...]
    simulation: str
    sha256: str

    @property
    def n_clusters(self) -> int:
        """The number of clusters."""
        return self.frame.height


def read_reductions(path: Path) -> Reductions:
    """Return the table of ``earnest mocks reduce``.

    Raises
    ------
    InputError
        If the file is missing or another kind of file, or does not say, once each, which cluster a row is.
    """
    file = read_parquet(path, what="reductions", remedy="make them with: earnest mocks reduce")
    if REDUCTIONS_KEY not in file.metadata:
        raise InputError(f"{path} is not a table of reductions; make one with: earnest mocks reduce")
    about, frame = json.loads(file.metadata[REDUCTIONS_KEY]), file.frame
    if file.stamped != (about.get("format_version", 1) == REDUCTIONS_VERSION):
        raise IntegrityError(
            f"reductions {path} were altered: their version differs; make them with: earnest mocks reduce"
        )
    number = frame.get_column("cluster_id")
    if unknown := number.null_count():
        raise InputError(
            f"reductions {path}: {unknown} of {frame.height} photon lists do not say which cluster they show; add a "
            "column cluster_id to the table of: earnest mocks reduce --clusters TABLE"
        )
    if twice := number.filter(number.is_duplicated()).unique().sort().to_list():
        raise InputError(f"reductions {path}: cluster_id {twice[:5]} found more than once; keep one list of each")
    return Reductions(
        frame=frame.select("cluster_id", "m_gas", *_PROFILES),
        radii=tuple(about["radii_r_500c"]),
        simulation=", ".join(sorted(frame.get_column("simulation").unique())),
        sha256=file.sha256,
    )


def with_reduced_profiles(batch: CatalogBatch, reductions: Reductions) -> CatalogBatch:
    r"""Return a catalog whose reduced clusters carry the measured profiles.

    .. math:: M_\mathrm{gas}(<r) = M_\mathrm{gas} \,
        M_\mathrm{gas}^\mathrm{measured}(<r) / M_\mathrm{gas}^\mathrm{measured}(<R_{500c})

    The shape is measured, the amplitude is the catalog's own gas mass, to which its power law is fitted.

    Raises
    ------
    InputError
        If a reduced cluster is not in the catalog, or the other clusters have profiles at other radii.
    """
    ids = reductions.frame.get_column("cluster_id").to_numpy()
    place = {int(number): row for row, number in enumerate(batch.column("cluster_id"))}
    if strange := sorted(set(ids.tolist()) - set(place)):
        raise InputError(
            f"reductions of cluster_id {strange[:5]} ({len(strange)} in all) fit no cluster of the catalog, which has "
            f"{batch.n_clusters}; let cluster_id count its clusters"
        )
    mass, slope = (np.array(batch.column(name), dtype=np.float64) for name in _PROFILES)
    if reductions.radii != batch.radii:
        if np.isfinite(mass).any():
            raise InputError(
                f"reductions at radii {reductions.radii} do not fit the catalog's profiles at {batch.radii}; reduce "
                "with [radii] of the catalog, or import it without profiles"
            )
        mass, slope = (np.full((batch.n_clusters, len(reductions.radii)), np.nan) for _ in _PROFILES)
    rows = np.array([place[int(number)] for number in ids], dtype=np.int64)
    measured = reductions.frame.get_column("m_gas_profile").to_numpy().astype(np.float64)
    amplitude = batch.column("m_gas")[rows] / reductions.frame.get_column("m_gas").to_numpy()
    mass[rows] = measured * amplitude[:, None]
    slope[rows] = reductions.frame.get_column("gas_slope_profile").to_numpy()
    return _with_profiles(batch, mass, slope, reductions.radii)


def _with_profiles(batch: CatalogBatch, mass: np.ndarray, slope: np.ndarray, radii: tuple[float, ...]) -> CatalogBatch:
    known = np.isfinite(mass).all(axis=1) & np.isfinite(slope).all(axis=1)
    columns = {}
    for name, values in zip(_PROFILES, (mass, slope), strict=True):
        rows = [row.tolist() if kept else None for row, kept in zip(values, known, strict=True)]
        columns[name] = pl.Series(name, rows, dtype=pl.Array(pl.Float32, len(radii)))
    return CatalogBatch(catalogs=batch.catalogs, clusters=batch.clusters.with_columns(**columns), radii=radii)
