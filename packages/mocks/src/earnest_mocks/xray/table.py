"""Many photon lists to one table, in any number of processes, going on where it was interrupted."""

import contextlib
import hashlib
import json
import math
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, final

import polars as pl
from earnest_common.errors import EarnestError, InputError, MissingExtraError
from earnest_common.run.config import as_mapping
from earnest_common.run.executors import map_shards
from earnest_common.run.files import file_sha256, write_atomic
from earnest_common.run.parquet import parquet_bytes, read_csv_or_parquet
from earnest_common.run.parts import Content, Outputs
from earnest_common.run.provenance import versions
from earnest_common.run.records import PART
from earnest_common.schema import Column, Table, conform

from earnest_mocks.xray.reduction import ReductionConfig, reduce_photons
from earnest_mocks.xray.simput import read_photons

__all__ = [
    "REDUCTIONS_KEY",
    "REDUCTIONS_VERSION",
    "KnownCluster",
    "KnownClusters",
    "read_known_clusters",
    "reduce_files",
    "reductions_table",
]

REDUCTIONS_KEY = "earnest.xray_reduction"
"""Key of the origin in the metadata of a table of reductions."""
REDUCTIONS_VERSION = 2
"""Tables of version 1 hold no checksum."""
_NEEDED = ("file", "m_500c", "t_x")


@final
@dataclass(frozen=True, kw_only=True)
class KnownCluster:
    """What a user says of the cluster in a photon list.

    Attributes
    ----------
    m_500c, t_x
        Mass [solMass] and temperature [keV]; ``None`` to take what the list says.
    cluster_id
        Which cluster of a catalog it is, if any.
    """

    m_500c: float | None = None
    t_x: float | None = None
    cluster_id: int | None = None


KnownClusters = Mapping[str, KnownCluster]
"""What is known, by the name of the photon list."""


def reductions_table(n_radii: int) -> Table:
    """Return the description of the table of reductions: units, types and meanings of its columns."""

    def number(name: str, description: str, unit: str = "") -> Column:
        return Column(name=name, dtype=pl.Float64(), unit=unit, description=description)

    def profile(name: str, description: str, unit: str = "") -> Column:
        return Column(name=name, dtype=pl.Array(pl.Float32, n_radii), unit=unit, description=description)

    return Table(
        name="reductions",
        description="One row per photon list: gas mass and slope of the cluster",
        key=("file",),
        columns=(
            Column(name="file", dtype=pl.String(), description="name of the photon list"),
            Column(
                name="cluster_id",
                dtype=pl.Int64(),
                nullable=True,
                description="cluster of the emulated base sample or, if said, of a catalog",
            ),
            Column(name="simulation", dtype=pl.String(), description="keyword SIMUL; EMULATED where no simulation is"),
            number("z", "redshift"),
            number("m_500c", "mass that sets R_500c", "solMass"),
            number("r_500c", "physical radius", "kpc"),
            number("t_x", "temperature that sets the emissivity", "keV"),
            Column(name="n_photons", dtype=pl.Int64(), lower=0, description="photons in band and field"),
            number("centre_x", "centre of the cluster from the middle of the field", "arcmin"),
            number("centre_y", "centre of the cluster from the middle of the field", "arcmin"),
            number("masked", "share of the area within R_500c that is masked"),
            number("m_gas", "gas mass within R_500c", "solMass"),
            number("m_gas_err", "statistical error of m_gas", "solMass"),
            number("l_x", "bolometric luminosity of the gas within R_500c", "1e44 erg/s"),
            number("l_x_err", "statistical error of l_x", "1e44 erg/s"),
            profile("m_gas_profile", "gas mass within each of the radii", "solMass"),
            profile("m_gas_profile_err", "statistical errors", "solMass"),
            profile("gas_slope_profile", "d ln rho_gas / d ln r at each of the radii"),
            profile("gas_slope_profile_err", "statistical errors"),
            number("cuspiness", "-d ln rho_gas / d ln r at 0.04 R_500c (Vikhlinin et al. 2007)"),
            Column(name="n_components", dtype=pl.Int64(), description="components of the fitted model"),
            number("deviance", "Poisson deviance of the fit"),
            Column(name="degrees_of_freedom", dtype=pl.Int64(), description="annuli less free parameters"),
        ),
    )


def reduce_files(
    files: Sequence[Path],
    out: Path,
    *,
    config: ReductionConfig | None = None,
    known: KnownClusters | None = None,
    trust_units: bool = False,
    more: Mapping[Path, Callable[[pl.DataFrame], str]] | None = None,
    executor: Executor | None = None,
    on_done: Callable[[object], object] = lambda _: None,
) -> pl.DataFrame:
    """Reduce photon lists and write one Parquet table, or go on with one that was interrupted.

    Each finished list is kept in the folder ``OUT.parts`` until all are; the same call takes it from there if the list,
    the configuration and what is known of the cluster are the same.

    Parameters
    ----------
    files
        SIMPUT files, each of a name of its own.
    out
        The table; must not exist.
    config
        How to reduce; default the paper's.
    known
        Mass and temperature of clusters whose files do not state them.
    trust_units
        Reduce even what no cluster can be, see :mod:`earnest_mocks.xray.plausibility`.
    more
        Further files, made of the table and written with it.
    executor
        Where the work is done; ``None`` does it here.
    on_done
        Called after each list.

    Returns
    -------
    The table.

    Raises
    ------
    OutputExistsError
        If ``out`` is taken.
    InputError
        If names clash or lists cannot be reduced; the message lists all of them, after the others are done.
    """
    config = config or ReductionConfig()
    asked = {
        "command": "reduce",
        "files": files,
        "config": as_mapping(config),
        "known": {name: asdict(cluster) for name, cluster in (known or {}).items()},
        "trust_units": trust_units,
    }
    outputs = Outputs.open((out, *(more or {})), asked)
    names = [file.name for file in files]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise InputError(f"photon lists must differ in name, found more than once: {', '.join(twice)}; rename them")
    parts = outputs.folder  # without a plan: its parts are named after all that decides them
    parts.mkdir(exist_ok=True)
    reducer = _FileReducer(config=config, parts=parts, known=dict(known or {}), trust_units=trust_units)
    outcomes = map_shards(reducer, files, executor, on_done=on_done)
    if bad := [text for text in outcomes if not isinstance(text, dict)]:
        if len(bad) == len(files):
            with contextlib.suppress(OSError):  # parts of an earlier run stay
                parts.rmdir()
        hint = f"the other {len(files) - len(bad)} are kept in {parts}; mend these or leave them out, and run again"
        raise InputError("\n  - ".join([f"{len(bad)} of {len(files)} photon lists cannot be reduced; {hint}", *bad]))
    frame = _frame([row for row in outcomes if isinstance(row, dict)], config, subject=str(out))
    about = {
        "format_version": REDUCTIONS_VERSION,
        "radii_r_500c": list(config.radii),
        "config": as_mapping(config),
        "trust_units": trust_units,
        "versions": versions(),
        "inputs": {file.name: file_sha256(file) for file in files},
    }
    contents: dict[Path, Content] = {out: parquet_bytes(frame, {REDUCTIONS_KEY: json.dumps(about, sort_keys=True)})}
    outputs.write(contents | {path: text_of(frame) for path, text_of in (more or {}).items()})
    return frame


def read_known_clusters(path: Path) -> KnownClusters:
    """Return what a CSV or Parquet table with the columns file, m_500c [solMass], t_x [keV] says of photon lists.

    A fourth column ``cluster_id`` says which cluster of an imported catalog each is; it may be absent.

    Raises
    ------
    InputError
        If the table cannot be read, a column is missing, or a file is named twice.
    """
    frame = read_csv_or_parquet(path, what="table of clusters")
    if missing := [name for name in _NEEDED if name not in frame.columns]:
        found = ", ".join(frame.columns)
        raise InputError(f"table of clusters {path}: column(s) {', '.join(missing)} are missing, found {found}")
    if "cluster_id" not in frame.columns:
        frame = frame.with_columns(cluster_id=pl.lit(None, dtype=pl.Int64))
    types = (
        pl.col("file").cast(pl.String),
        pl.col("m_500c", "t_x").cast(pl.Float64),
        pl.col("cluster_id").cast(pl.Int64),
    )
    try:
        rows = frame.select(*types).rows()
    except pl.exceptions.PolarsError as error:
        words = "m_500c and t_x must be numbers, and cluster_id, if given, a whole one"
        raise InputError(f"table of clusters {path}: {words} ({error})") from error
    if any(value is not None and not 0 < value < math.inf for row in rows for value in row[1:3]):
        raise InputError(
            f"table of clusters {path}: m_500c and t_x must be positive and finite; leave unknown ones empty"
        )
    if any(row[0] is None for row in rows):
        raise InputError(f"table of clusters {path}: column file must name a photon list in every row")
    if len({Path(row[0]).name for row in rows}) < len(rows):
        raise InputError(f"table of clusters {path} names a file twice; give each one row")
    return {
        Path(name).name: KnownCluster(m_500c=mass, t_x=temperature, cluster_id=cluster_id)
        for name, mass, temperature, cluster_id in rows
    }


@final
@dataclass(frozen=True, kw_only=True)
class _FileReducer:
    """Reduces one file, or finds what was kept of it; picklable, so that it runs in any process."""

    config: ReductionConfig
    parts: Path
    known: dict[str, KnownCluster]
    trust_units: bool

    def __call__(self, file: Path) -> dict[str, Any] | str:
        """Return the row of the table, or what is wrong with the file."""
        try:
            part = self.parts / f"{self._identity(file)}.json"
            if part.exists():
                return PART.content(part)
            photons = read_photons(file)
            known = self.known.get(file.name, KnownCluster())
            found = reduce_photons(
                photons,
                m_500c=known.m_500c,
                t_x=known.t_x,
                config=self.config,
                trust_units=self.trust_units,
                subject=str(file),
            )
            row = {"file": file.name, **_facts(photons.about, known), **found.to_dict()}
            write_atomic(part, PART.text(row))
        except MissingExtraError:
            raise
        except EarnestError as error:
            return str(error)
        return row

    def _identity(self, file: Path) -> str:
        if not file.is_file():
            raise InputError(f"photon list {file} does not exist")
        known = asdict(self.known.get(file.name, KnownCluster()))
        what = [file.name, file_sha256(file), as_mapping(self.config), known, self.trust_units, versions()]
        return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()[:32]


def _facts(about: Mapping[str, Any], known: KnownCluster) -> dict[str, Any]:
    cluster_id = about.get("CLUSTER") if known.cluster_id is None else known.cluster_id
    return {
        "cluster_id": None if cluster_id is None else int(cluster_id),
        "simulation": str(about.get("SIMUL", "unknown")),
    }


def _frame(rows: list[dict[str, Any]], config: ReductionConfig, *, subject: str) -> pl.DataFrame:
    table = reductions_table(len(config.radii))
    columns = {c.name: pl.Series(c.name, [row[c.name] for row in rows], dtype=c.dtype) for c in table.columns}
    return conform(pl.DataFrame(columns), table, subject=subject)
