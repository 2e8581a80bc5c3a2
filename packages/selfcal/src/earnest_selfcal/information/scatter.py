"""The scatter of the posterior mean of sigma8 for each survey and each part of its data."""

import functools
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, final

import numpy as np
import polars as pl
from earnest_common.arrays import FloatArray
from earnest_common.errors import InputError
from earnest_common.posterior import Posterior
from earnest_common.run.parquet import read_parquet, write_parquet
from earnest_common.run.seeds import Stage, generator

from earnest_selfcal.exact_posterior.catalogs import ModelCatalogs, draw_catalog
from earnest_selfcal.exact_posterior.gaussians import SHAPE_SCATTER
from earnest_selfcal.exact_posterior.likelihood import build_likelihood
from earnest_selfcal.exact_posterior.posterior import RefereeConfig
from earnest_selfcal.exact_posterior.residuals import X_RAY
from earnest_selfcal.exact_posterior.run import ObservedCatalog, run_referee
from earnest_selfcal.exact_posterior.score import inside, score
from earnest_selfcal.forward.observable import Observable
from earnest_selfcal.forward.resolution import Resolution
from earnest_selfcal.forward.table import ForwardTable, forward_table
from earnest_selfcal.information.variants import Variant
from earnest_selfcal.posterior.posterior import infer

__all__ = ["Effort", "InformationPoint", "measure", "model_cases", "true_catalog"]

_REFEREED = {
    "x_ray": X_RAY,
    "profiles": (*X_RAY, "m_shape"),
    "all": (*X_RAY, "m_wl"),
    "perfect": (*X_RAY, "m_wl", "m_500c"),
}
_FEWEST = 10
_FIRST_ID = 2**32  # far above catalog ids, so that these surveys have random numbers of their own


@final
@dataclass(frozen=True, kw_only=True)
class InformationPoint:
    """How well some data tell sigma8.

    Attributes
    ----------
    survey, data
        Keys of the variant and of the data.
    width
        Half width of the normalisations' priors, where that is what varies.
    scatter, scatter_err
        Root of the mean posterior variance, which is the scatter that the posterior mean has over the prior, with the
        Monte Carlo error.
    rms, rms_err
        The same as it happened: root mean square of posterior mean minus truth.
    coverage_68
        Share of the 68 % intervals that hold the truth.
    n_catalogs
        Number of surveys drawn.
    """

    survey: str
    data: str
    width: float | None
    scatter: float
    scatter_err: float
    rms: float
    rms_err: float
    coverage_68: float
    n_catalogs: int


@final
@dataclass(frozen=True, kw_only=True)
class Effort:
    """How finely the map is computed.

    Attributes
    ----------
    n_catalogs
        Surveys drawn over the priors of each variant.
    referee, grid
        Settings of the referee and of the table of counts and medians. A mean over many surveys asks for fewer draws
        than the posterior of one.
    """

    n_catalogs: int = 100
    referee: RefereeConfig = field(default_factory=lambda: RefereeConfig(n_draws=1500, target_ess=400))
    grid: Resolution = field(default_factory=Resolution)

    def __post_init__(self) -> None:
        if self.n_catalogs < _FEWEST:
            raise InputError(
                f"n_catalogs = {self.n_catalogs}: a scatter needs at least {_FEWEST} surveys, 100 give it to 2 %"
            )


def measure(
    variant: Variant,
    *,
    effort: Effort,
    seed: int,
    executor: Executor | None = None,
    folder: Path | None = None,
    on_done: Callable[[int], object] = lambda _: None,
) -> list[InformationPoint]:
    """Return one point for each part of the data of a variant, all from the same simulated surveys.

    Parameters
    ----------
    variant
        The survey.
    effort
        How many surveys, how finely.
    seed
        Seed of all random numbers; variants share them.
    executor
        Runs the referee.
    folder
        Where finished tables are kept, so that an interrupted computation goes on.
    on_done
        Called with the number of finished posteriors.
    """
    cases = model_cases(variant, n_catalogs=effort.n_catalogs, seed=seed)

    @functools.cache
    def counts(observable: Observable) -> ForwardTable:
        return forward_table(variant.preset, effort.grid, observable=observable, noise=variant.noise)

    points = []
    for name in variant.data:
        file = None if folder is None else folder / f"{variant.key}-{name}.parquet"
        if file is not None and file.is_file():
            table = read_parquet(file, what="table of posteriors", remedy="remove it and run again").frame
            on_done(len(table))
        elif name in _REFEREED:
            likelihood = build_likelihood(variant.preset, observables=_REFEREED[name], noise=variant.noise)
            table = run_referee(
                likelihood, cases, seed=seed, config=effort.referee, executor=executor, out=file, on_done=on_done
            )
        else:
            table = _summarised(counts("l_x" if name == "n_median_l_x" else "y_x"), cases, with_median=name != "n")
            on_done(len(table))
            if file is not None:
                write_parquet(file, table)
        points.append(_point(variant, name, table))
    return points


def model_cases(variant: Variant, *, n_catalogs: int, seed: int) -> list[ObservedCatalog]:
    """Return surveys drawn over the priors of a variant, with every observable and the truth."""
    maker = ModelCatalogs.of(variant.preset, noise=variant.noise)
    cases = []
    for index in range(n_catalogs):
        truth, observed = true_catalog(maker, seed=seed, index=index)
        cases.append(ObservedCatalog(catalog_id=index, observed=observed, sigma8_true=truth["sigma8"]))
    return cases


def true_catalog(maker: ModelCatalogs, *, seed: int, index: int) -> tuple[dict[str, float], dict[str, FloatArray]]:
    """Return the parameters of one of these surveys, and its catalog with the masses that profile shapes tell."""
    rng = generator(seed, Stage.SELF_CALIBRATION, _FIRST_ID + index)
    truth = {name: float(value[0]) for name, value in maker.preset.priors.draw(1, rng=rng).items()}
    catalog = draw_catalog(maker, truth, rng=rng)
    ln_error = SHAPE_SCATTER * rng.standard_normal(len(catalog["m_500c"]))
    return truth, {**catalog, "m_shape": np.asarray(catalog["m_500c"] * np.exp(ln_error))}


def _summarised(table: ForwardTable, cases: list[ObservedCatalog], *, with_median: bool) -> pl.DataFrame:
    """Return the posteriors given N, without or with the median of the table's observable."""
    rows = []
    for case in cases:
        observed, median = case.observed, None
        if with_median and len(observed["l_x"]):
            values = observed["l_x"] if table.observable == "l_x" else observed["t_x"] * observed["m_gas"]
            median = float(np.median(np.log10(values)))
        rows.append(_row(infer(table, len(observed["l_x"]), median), case))
    return pl.DataFrame(rows)


def _row(posterior: Posterior, case: ObservedCatalog) -> dict[str, Any]:
    return {
        "sigma8": posterior.mean,
        "sigma8_err": posterior.std,
        "sigma8_true": case.sigma8_true,
        "inside_68": inside(posterior, case.sigma8_true, 0.6827),
        "inside_95": inside(posterior, case.sigma8_true, 0.9545),
        "ess": float("inf"),
        "numerical_error": 0.0,
    }


def _point(variant: Variant, name: str, table: pl.DataFrame) -> InformationPoint:
    numbers = score(table, prior_scatter=variant.preset.priors.sigma8.std)
    square = _squares(table)
    rms = float(np.sqrt(square.mean()))
    return InformationPoint(
        survey=variant.key,
        data=name,
        width=variant.width,
        scatter=numbers["expected_scatter"],
        scatter_err=numbers["expected_scatter_err"],
        rms=rms,
        rms_err=float(square.std(ddof=1) / np.sqrt(len(square)) / (2 * rms)),
        coverage_68=numbers["coverage_68"],
        n_catalogs=len(table),
    )


def _squares(table: pl.DataFrame) -> FloatArray:
    error = table.get_column("sigma8").to_numpy() - table.get_column("sigma8_true").to_numpy()
    return np.asarray(error**2)
