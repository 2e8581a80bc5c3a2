"""The referee over many catalogs: in any number of processes, resumable."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np
import polars as pl
from earnest_common.arrays import FloatArray
from earnest_common.errors import InputError
from earnest_common.run.executors import map_shards
from earnest_common.run.parquet import parquet_bytes, read_parquet, write_parquet
from earnest_common.run.parts import Outputs
from earnest_common.run.seeds import Stage, generator

from earnest_selfcal.exact_posterior.likelihood import Likelihood
from earnest_selfcal.exact_posterior.posterior import RefereeConfig, RefereePosterior, referee
from earnest_selfcal.exact_posterior.score import inside, rank

__all__ = ["ObservedCatalog", "run_referee"]

_CASES_PER_PART = 8


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class ObservedCatalog:
    """One catalog before the referee.

    Attributes
    ----------
    catalog_id
        Its id, which also seeds its random numbers.
    observed
        Observables by name in the units of the catalog tables, each of shape (n_clusters,).
    sigma8_true
        The truth, NaN if unknown.
    """

    catalog_id: int
    observed: Mapping[str, FloatArray]
    sigma8_true: float = float("nan")


def run_referee(
    likelihood: Likelihood,
    cases: Sequence[ObservedCatalog],
    *,
    seed: int,
    config: RefereeConfig | None = None,
    executor: Executor | None = None,
    out: Path | None = None,
    folder: Path | None = None,
    on_done: Callable[[int], object] = lambda _: None,
) -> pl.DataFrame:
    """Return one row per catalog; with ``out`` or ``folder`` the same call goes on after an interruption.

    Parameters
    ----------
    likelihood
        The survey.
    cases
        The catalogs.
    seed
        Seed of all random numbers; results do not depend on the division of work.
    config
        How hard to work.
    executor
        Runs the parts; ``None`` runs them here.
    out
        Parquet file to write; finished parts are kept beside it until it is whole.
    folder
        Where finished parts are kept instead, and left to the caller.
    on_done
        Called with the number of catalogs of each finished part.

    Raises
    ------
    InputError
        If parts of another computation are in the way.
    OutputExistsError
        If ``out`` exists.
    """
    parts = [tuple(cases[i : i + _CASES_PER_PART]) for i in range(0, len(cases), _CASES_PER_PART)]
    outputs = None if out is None else Outputs.open((out,), {"seed": seed, "n_catalogs": len(cases)})
    folder = folder if outputs is None else outputs.keep()
    worker = _Worker(likelihood=likelihood, seed=seed, config=config or RefereeConfig(), folder=folder)
    frames = map_shards(worker, list(enumerate(parts)), executor, on_done=lambda frame: on_done(len(frame)))
    table = pl.concat(frames) if frames else pl.DataFrame()
    if out is not None and outputs is not None:
        outputs.write({out: parquet_bytes(table)})
    return table


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class _Worker:
    """Judges one part and keeps it; picklable."""

    likelihood: Likelihood
    seed: int
    config: RefereeConfig
    folder: Path | None

    def __call__(self, part: tuple[int, tuple[ObservedCatalog, ...]]) -> pl.DataFrame:
        index, cases = part
        file = None if self.folder is None else self.folder / f"part-{index:05d}.parquet"
        if file is not None and file.is_file():
            return read_parquet(file, what="part", remedy="remove it and run again").frame
        frame = pl.DataFrame([self._row(case) for case in cases], infer_schema_length=None)
        if file is not None:
            write_parquet(file, frame)
        return frame

    def _row(self, case: ObservedCatalog) -> dict[str, Any]:
        rng = generator(self.seed, Stage.SELF_CALIBRATION, case.catalog_id)
        try:
            data = self.likelihood.data(case.observed)
            verdict = referee(self.likelihood, data, rng=rng, config=self.config)
        except InputError as error:
            raise InputError(f"catalog {case.catalog_id}: {error}") from error
        return _row(case, verdict, n_clusters=data.shape[1], rng=rng)


def _row(
    case: ObservedCatalog, verdict: RefereePosterior, *, n_clusters: int, rng: np.random.Generator
) -> dict[str, Any]:
    posterior, true = verdict.posterior, case.sigma8_true
    (lo68, hi68), (lo95, hi95) = posterior.interval(0.6827), posterior.interval(0.9545)
    known = bool(np.isfinite(true))
    return {
        "catalog_id": case.catalog_id,
        "sigma8": posterior.mean,
        "sigma8_err": posterior.std,
        "sigma8_lo68": lo68,
        "sigma8_hi68": hi68,
        "sigma8_lo95": lo95,
        "sigma8_hi95": hi95,
        "sigma8_true": float(true),
        "n_clusters": n_clusters,
        "inside_68": inside(posterior, true, 0.6827) if known else float("nan"),
        "inside_95": inside(posterior, true, 0.9545) if known else float("nan"),
        "rank": rank(posterior, true, rng=rng) if known else float("nan"),
        "ess": verdict.ess,
        "numerical_error": verdict.numerical_error,
        "n_draws": verdict.n_draws,
        "ln_evidence": posterior.ln_evidence,
    }
