"""Tables of simulated surveys: a folder of Parquet shards, the same bytes for any number of workers, resumable."""

import functools
import json
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, final

import polars as pl
from earnest_common.errors import InputError, IntegrityError
from earnest_common.run.executors import map_shards, shard_slice
from earnest_common.run.files import file_sha256, replace_atomically, write_atomic
from earnest_common.run.parquet import read_parquet
from earnest_common.run.parts import claim
from earnest_common.run.provenance import provenance
from earnest_common.run.records import RecordFormat
from earnest_common.run.seeds import Stage, generator
from earnest_common.survey.presets import Preset
from earnest_common.survey.scaling import FACTORS

from earnest_selfcal.forward.population import MassFunction, mass_function_for
from earnest_selfcal.simulation.surveys import simulate

__all__ = ["draw_surveys", "read_grid", "simulate_grid"]

_PLAN, _DONE = "plan.json", "grid.json"
_PLAN_FORMAT = "earnest-surveys-1"
_RECORD = RecordFormat(
    name="earnest-surveys",
    version=2,
    what="table of surveys",
    remedy="make the table again with: earnest selfcal grid",
    is_old=lambda record: record.get("format") == _PLAN_FORMAT and "format_version" not in record,
)
_COLUMNS = ("sigma8", *FACTORS)
# Grids take even indices, single draws odd ones, so that a grid and a draw of the same seed share no random numbers.
_DRAW_INDEX = 1


def draw_surveys(preset: Preset, n: int, *, seed: int, mass_function: MassFunction | None = None) -> pl.DataFrame:
    """Simulate surveys with parameters from the priors, in memory.

    Parameters
    ----------
    preset
        The survey and its priors.
    n
        Number of surveys.
    seed
        Seed of all random numbers.
    mass_function
        Default: COLOSSUS as the preset says.

    Returns
    -------
    One row per survey: sigma8, the factors, n_clusters, median_log10_y_x [solMass keV], median_log10_l_x [1e44 erg/s]
    (NaN for an empty survey).
    """
    return _surveys(preset, n, seed=seed, index=_DRAW_INDEX, mass_function=mass_function)


def simulate_grid(
    preset: Preset,
    out: Path,
    *,
    n_surveys: int,
    seed: int,
    surveys_per_shard: int = 10_000,
    executor: Executor | None = None,
    shard: str | None = None,
    on_done: Callable[[int], object] = lambda _: None,
) -> dict[str, Any] | None:
    """Write a table of simulated surveys; called again after an interruption it goes on.

    Parameters
    ----------
    preset
        The survey and its priors.
    out
        Folder of the table.
    n_surveys, seed
        Size, and seed of all random numbers.
    surveys_per_shard
        Surveys in one file; part of what the random numbers depend on.
    executor
        Runs the shards; ``None`` runs them here.
    shard
        ``i/N``: do only this part; the last part to finish closes the table.
    on_done
        Called with the number of surveys of each shard that is finished.

    Returns
    -------
    The record of the finished table, or ``None`` while parts are missing.

    Raises
    ------
    OutputExistsError
        If the folder holds something else.
    InputError
        If a number cannot be used.
    """
    if n_surveys < 1 or surveys_per_shard < 1:
        raise InputError(f"n_surveys = {n_surveys} and surveys_per_shard = {surveys_per_shard} must be at least 1")
    plan = {
        "format": _PLAN_FORMAT,
        "n_surveys": n_surveys,
        "surveys_per_shard": surveys_per_shard,
        **provenance(config=asdict(preset), seed=seed),
    }
    plan = json.loads(json.dumps(plan))  # as it will be read back: tuples become lists
    n_shards = -(-n_surveys // surveys_per_shard)
    wanted = shard_slice(shard, n_shards)
    claim(out, plan, what="a table of surveys")
    table = mass_function_for(preset)
    jobs = [
        _Job(
            file=_file(out, index),
            preset=preset,
            seed=seed,
            index=index,
            n=min(surveys_per_shard, n_surveys - index * surveys_per_shard),
            mass_function=table,
        )
        for index in wanted
    ]
    missing = [job for job in jobs if not job.file.is_file()]
    on_done(sum(job.n for job in jobs) - sum(job.n for job in missing))
    map_shards(_write, missing, executor, on_done=on_done)
    return _finish(out, plan, n_shards)


def read_grid(path: Path) -> tuple[pl.DataFrame, dict[str, Any]]:
    """Return the surveys of a finished table and its record.

    Raises
    ------
    InputError
        If there is no finished table, or a file of it was changed.
    """
    if not (path / _DONE).is_file():
        raise InputError(f"{path} holds no finished table of surveys; make one with earnest selfcal grid")
    record = _RECORD.read(path / _DONE)
    n_shards = -(-record["n_surveys"] // record["surveys_per_shard"])
    expected = [_file(path, index) for index in range(n_shards)]
    if [file.name for file in expected] != sorted(record["files"]):
        raise IntegrityError(f"{path / _DONE} was altered: it lists other files than it should; {_RECORD.remedy}")
    remedy = f"remove {_DONE} and it, then run again"
    read = functools.partial(read_parquet, what="table of surveys", remedy=remedy)
    return pl.concat([read(file, sha256=record["files"][file.name]).frame for file in expected]), record


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class _Job:
    file: Path
    preset: Preset
    seed: int
    index: int
    n: int
    mass_function: MassFunction


def _write(job: _Job) -> int:
    """Simulate one shard and write it whole."""
    frame = _surveys(job.preset, job.n, seed=job.seed, index=2 * job.index, mass_function=job.mass_function)
    replace_atomically(job.file, lambda path: frame.write_parquet(path, compression="zstd"))
    return job.n


def _surveys(preset: Preset, n: int, *, seed: int, index: int, mass_function: MassFunction | None) -> pl.DataFrame:
    rng = generator(seed, Stage.SELF_CALIBRATION, index)
    parameters = preset.priors.draw(n, rng=rng)
    surveys = simulate(preset, parameters, rng=rng, mass_function=mass_function)
    return pl.DataFrame(
        {
            **{name: parameters[name] for name in _COLUMNS},
            "n_clusters": surveys.n_clusters,
            "median_log10_y_x": surveys.median_log10_y_x,
            "median_log10_l_x": surveys.median_log10_l_x,
        }
    )


def _file(out: Path, index: int) -> Path:
    return out / f"surveys-{index:05d}.parquet"


def _finish(out: Path, plan: dict[str, Any], n_shards: int) -> dict[str, Any] | None:
    files = [_file(out, index) for index in range(n_shards)]
    if not all(file.is_file() for file in files):
        return None
    record = {**plan, "files": {file.name: file_sha256(file) for file in files}}
    write_atomic(out / _DONE, _RECORD.text(record))
    return record
