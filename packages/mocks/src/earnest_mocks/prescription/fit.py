"""Exponents of cosmology in scaling relations, fitted to clusters of simulations of several cosmologies."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import final

import numpy as np
import polars as pl
from earnest_common.arrays import FloatArray, IntArray
from earnest_common.errors import InputError
from earnest_common.run.files import refuse_existing, write_atomic
from earnest_common.run.numbers import MOST_FLOAT
from earnest_common.run.parquet import read_csv_or_parquet

from earnest_mocks.prescription.pickles import read_pickled_clusters
from earnest_mocks.prescription.scaling import PRESCRIBED, Exponents

__all__ = ["Fit", "fit_prescription", "read_clusters", "write_fit"]

_COSMOLOGY = ("sigma8", "Om0", "Ob0", "H0")
_NEEDED = ("m_500c", "z", *_COSMOLOGY)
_PARAMETERS = tuple(f.name for f in fields(Exponents))


@final
@dataclass(frozen=True, kw_only=True)
class Fit:
    """The fitted relation of one observable.

    Attributes
    ----------
    slope
        d ln X / d ln m_500c.
    exponents, errors
        Powers of the parameters that vary in the table, and their errors, which count each simulation once.
    scatter
        Standard deviation of log10 X about the relation [dex].
    n_clusters, n_simulations
        What was fitted.
    """

    slope: float
    exponents: dict[str, float]
    errors: dict[str, float]
    scatter: float
    n_clusters: int
    n_simulations: int


def read_clusters(path: Path) -> pl.DataFrame:
    """Return the clusters in a CSV or Parquet file, or in a folder of pickles as Singh et al. (2020) published them.

    Columns: m_500c [solMass], z, sigma8, Om0, Ob0, H0 [km/s/Mpc], and any of l_x, t_x, m_gas, y_500.
    For folders see :func:`earnest_mocks.prescription.pickles.read_pickled_clusters`.

    Raises
    ------
    InputError
        If the file cannot be read or lacks a column.
    """
    if path.is_dir():
        return read_pickled_clusters(path)
    frame = read_csv_or_parquet(path, what="table of clusters")
    missing = [name for name in _NEEDED if name not in frame.columns]
    if missing or not any(name in frame.columns for name in PRESCRIBED):
        raise InputError(
            f"{path} has the columns {', '.join(frame.columns)}; needed are {', '.join(_NEEDED)} and one or more of "
            f"{', '.join(PRESCRIBED)}" + (f" (missing: {', '.join(missing)})" if missing else "")
        )
    numbers = [name for name in (*_NEEDED, *PRESCRIBED) if name in frame.columns]
    try:
        table = frame.select(pl.col(numbers).cast(pl.Float64, strict=False))
    except pl.exceptions.PolarsError as error:
        raise InputError(f"{path}: {', '.join(numbers)} must hold numbers: {str(error).splitlines()[0]}") from error
    bad = [
        name
        for name in numbers
        if not table[name].is_between(-0.01 if name == "z" else 1e-50, MOST_FLOAT).fill_null(value=False).all()
    ]
    if bad:
        raise InputError(f"{path}: {', '.join(bad)} must hold positive numbers only; leave other rows out")
    return table


def fit_prescription(clusters: pl.DataFrame) -> dict[str, Fit]:
    r"""Fit the powers of cosmological parameters in the scaling relation of each observable by least squares.

    .. math:: \ln X = \ln A + B \ln M + \sum_p \gamma_p \ln p, \quad p \in \{\sigma_8, \Omega_m, h, f_b, E(z)\}

    Parameters that do not vary in the table have no exponent. Errors come from leaving out one simulation after the
    other (jackknife), for clusters of one simulation share its cosmology.

    Parameters
    ----------
    clusters
        See :func:`read_clusters`.

    Raises
    ------
    InputError
        If there are too few simulations to tell the parameters apart.

    References
    ----------
    Form: Singh et al. 2020 (arXiv:1911.05751).
    """
    simulation = clusters.select(pl.struct(_COSMOLOGY).rank("dense").cast(pl.Int64) - 1).to_series().to_numpy()
    design, names = _design(clusters)
    _refuse_degenerate(design, names, simulation)
    return {
        name: _fit(np.log(clusters[name].to_numpy()), design, names, simulation)
        for name in PRESCRIBED
        if name in clusters.columns
    }


def write_fit(path: Path, fits: dict[str, Fit], *, origin: str) -> None:
    """Write the exponents as a TOML table that mock configurations take as it is.

    Raises
    ------
    OutputExistsError
        If the path is taken.
    """
    refuse_existing(path)
    lines = ["[prescription]", f"origin = {_quoted(origin)}"]
    for name, fit in fits.items():
        lines += ["", f"[prescription.{name}]"]
        lines += [f"{p} = {value:.6g}  # +- {fit.errors[p]:.2g}" for p, value in fit.exponents.items()]
    write_atomic(path, "\n".join(lines) + "\n")


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _design(clusters: pl.DataFrame) -> tuple[FloatArray, tuple[str, ...]]:
    """Return the columns of the linear model, ln of mass first, centred; parameters that do not vary are left out."""
    column = {name: clusters[name].to_numpy() for name in _NEEDED}
    parameters = {
        "sigma8": column["sigma8"],
        "Om0": column["Om0"],
        "h": column["H0"] / 100,
        "fb": column["Ob0"] / column["Om0"],
        "E": np.sqrt(column["Om0"] * (1 + column["z"]) ** 3 + 1 - column["Om0"]),
    }
    varying = tuple(name for name in _PARAMETERS if np.ptp(parameters[name]) > 1e-6 * parameters[name][0])
    ln = np.log(np.stack([column["m_500c"], *(parameters[name] for name in varying)], axis=1))
    return ln - ln.mean(axis=0), varying


def _refuse_degenerate(design: FloatArray, names: tuple[str, ...], simulation: IntArray) -> None:
    n = len(np.unique(simulation))
    scaled = design / np.maximum(design.std(axis=0), 1e-12)
    if n < 3 or n <= len([name for name in names if name != "E"]) or np.linalg.cond(scaled) > 1e4:
        raise InputError(
            f"{n} cosmologies cannot tell the powers of {', '.join(names) or 'nothing that varies'} apart; add "
            "simulations in which these parameters vary independently"
        )


def _fit(ln_x: FloatArray, design: FloatArray, names: tuple[str, ...], simulation: IntArray) -> Fit:
    full = np.column_stack([np.ones(len(design)), design])
    solution = np.linalg.lstsq(full, ln_x, rcond=None)[0]
    simulations = np.unique(simulation)
    without = [np.linalg.lstsq(full[simulation != one], ln_x[simulation != one], rcond=None)[0] for one in simulations]
    n = len(simulations)
    error = np.sqrt((n - 1) / n * np.sum((np.array(without) - np.mean(without, axis=0)) ** 2, axis=0))
    return Fit(
        slope=float(solution[1]),
        exponents=dict(zip(names, solution[2:].tolist(), strict=True)),
        errors=dict(zip(names, error[2:].tolist(), strict=True)),
        scatter=float(np.std(ln_x - full @ solution) / np.log(10)),
        n_clusters=len(ln_x),
        n_simulations=n,
    )
