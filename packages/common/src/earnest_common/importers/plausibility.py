r"""Whether the units of a table can be right, judged from the physics that all clusters share.

Four numbers are compared with what clusters are like: the gas fraction m_gas / m_500c, the temperature and the
luminosity at given mass, and the mass within r_500c,

.. math:: m_{500c} = \frac{4\pi}{3} r_{500c}^3 \, 500 \rho_c(z).

The last one is exact by definition, so it finds even a forgotten h; the others find powers of ten. If one column in
another unit would put everything right, the message says which column and by how much.
"""

import math
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import polars as pl

from earnest_common.importers.mapping import TableCosmology
from earnest_common.importers.report import Check, Problem
from earnest_common.survey.scaling import TABLE_2

__all__ = ["critical_density", "judge", "mass_within_r_500c"]

FloatArray = npt.NDArray[np.float64]

_FEW, _LENIENCE = 5, 2.0  # the median of fewer clusters moves with their scatter: its limits are twice as wide
_RHO_CRIT_0 = 277.53662724  # critical density today [h^2 solMass kpc^-3], from 3 (100 km/s/Mpc)^2 / (8 pi G)

# Limits on the median of log10(observed / expected). The generous ones cover all bands, mass definitions and
# selections; within the narrow ones a simulation's table agrees with the relations it is known to follow.
_LIMITS = {
    "gas_fraction": 0.45,
    "t_x_at_mass": 0.30,
    "l_x_at_mass": 1.2,
    "mass_in_r_500c": 0.1,
    "median_l_x": 4.0,
    "median_t_x": 1.3,
    "median_m_gas": 2.5,
}
_NARROW = {"gas_fraction": 0.12, "t_x_at_mass": 0.06, "mass_in_r_500c": 0.01}
_LOOSE_RADIUS = 0.05  # observers round, and scale between cosmologies

# How the median log ratio of each check moves when a column is multiplied by 10.
_POWERS: dict[str, dict[str, float]] = {
    "gas_fraction": {"m_gas": 1.0, "m_500c": -float(TABLE_2.m_gas.slope)},
    "t_x_at_mass": {"t_x": 1.0, "m_500c": -float(TABLE_2.t_x.slope)},
    "l_x_at_mass": {"l_x": 1.0, "m_500c": -float(TABLE_2.l_x.slope)},
    "mass_in_r_500c": {"m_500c": 1.0, "r_500c": -3.0},
    "median_l_x": {"l_x": 1.0},
    "median_t_x": {"t_x": 1.0},
    "median_m_gas": {"m_gas": 1.0},
}
_TYPICAL = {"l_x": 0.0, "t_x": 0.3, "m_gas": 13.0}  # log10 of a usual cluster, for tables without masses
_LOG10_KEV_PER_KELVIN = math.log10(8.617333262e-8)
_DECADES = (3, 7, 10, 11, 12, 13, 14, 37, 42, 44, 45)


def critical_density(z: FloatArray, cosmology: TableCosmology) -> FloatArray:
    """Return the critical density of a flat universe at z [solMass / kpc^3], shape of ``z``."""
    h, om0 = cosmology.h or math.nan, cosmology.Om0 or math.nan
    return np.asarray(_RHO_CRIT_0 * h**2 * _e2(z, om0))


def mass_within_r_500c(r_500c: FloatArray, z: FloatArray, cosmology: TableCosmology) -> FloatArray:
    """Return the mass that a physical r_500c [kpc] implies [solMass], shape of ``r_500c``."""
    return np.asarray(4 * math.pi / 3 * r_500c**3 * 500 * critical_density(z, cosmology))


def judge(
    frame: pl.DataFrame, cosmology: TableCosmology, *, simulated: bool
) -> tuple[list[Check], list[Problem], list[str]]:
    """Return the checks of a converted table, the reasons to refuse it, and warnings.

    Parameters
    ----------
    frame
        Kept rows in schema units; unknown columns may be absent.
    cosmology
        Cosmology of the table.
    simulated
        Whether the table should follow the simulation's relations closely.
    """
    known = _known_deviations(frame, cosmology)
    ratios = {name: float(np.median(values)) for name, values in known.items()}
    limits = {name: _limit(name, len(values)) for name, values in known.items()}
    checks = [_check(name, ratio, limits[name]) for name, ratio in ratios.items()]
    if all(check.passed for check in checks):
        return checks, [], list(_narrow_warnings(ratios, cosmology, simulated=simulated))
    columns = [name for name in frame.columns if frame[name].null_count() < frame.height]
    suspects = _suspects(ratios, limits, cosmology, columns)
    failed = [check for check in checks if not check.passed]
    found = ", ".join(f"{_WORDS[c.name]} is {c.value:.3g}" for c in failed)
    allowed = ", ".join(f"{c.expected[0]:.2g} to {c.expected[1]:.2g}" for c in failed)
    remedy = f"suspected: {'; or '.join(suspects)}; " if suspects else ""
    problem = Problem(
        what="units are implausible",
        found=found,
        allowed=allowed,
        remedy=f"{remedy}state units with --unit COLUMN=UNIT, or import as it is with --trust-units",
    )
    return checks, [problem], []


_WORDS = {
    "gas_fraction": "the median m_gas/m_500c over that of clusters of this mass",
    "t_x_at_mass": "the median t_x over that of clusters of this mass",
    "l_x_at_mass": "the median l_x over that of clusters of this mass",
    "mass_in_r_500c": "the median m_500c over the mass implied by r_500c",
    "median_l_x": "the median l_x over that of a usual cluster",
    "median_t_x": "the median t_x over that of a usual cluster",
    "median_m_gas": "the median m_gas over that of a usual cluster",
}


def _known_deviations(frame: pl.DataFrame, cosmology: TableCosmology) -> dict[str, FloatArray]:
    """Return log10(observed / expected) of each check that the table allows, of the clusters where it is known."""
    scalar = [name for name in frame.columns if frame[name].dtype == pl.Float64]
    columns = {name: frame[name].to_numpy().astype(np.float64) for name in scalar}
    with np.errstate(invalid="ignore", divide="ignore"):  # impossible values are reported elsewhere
        deviations = _deviations(columns, cosmology)
    finite = {name: values[np.isfinite(values)] for name, values in deviations.items()}
    return {name: values for name, values in finite.items() if len(values)}


def _deviations(columns: dict[str, FloatArray], cosmology: TableCosmology) -> dict[str, FloatArray]:
    """Return log10(observed / expected) of each check, cluster by cluster."""
    if not np.isfinite(columns.get("m_500c", np.array([np.nan]))).any():
        return {f"median_{n}": np.log10(columns[n]) - log10_x for n, log10_x in _TYPICAL.items() if n in columns}
    log10_m = np.log10(columns["m_500c"])
    log10_e = 0.5 * np.log10(_e2(columns["z"], cosmology.Om0 or 0.3))
    expected = {
        "gas_fraction": ("m_gas", TABLE_2.m_gas.log10_mean(log10_m)),
        "t_x_at_mass": ("t_x", TABLE_2.t_x.log10_mean(log10_m) + 2 / 3 * log10_e),
        "l_x_at_mass": ("l_x", TABLE_2.l_x.log10_mean(log10_m) + 7 / 3 * log10_e),
    }
    logs = {name: np.log10(columns[c]) - mean for name, (c, mean) in expected.items() if c in columns}
    if "r_500c" in columns and cosmology.h and cosmology.Om0:
        implied = mass_within_r_500c(columns["r_500c"], columns["z"], cosmology)
        logs["mass_in_r_500c"] = log10_m - np.log10(implied)
    return logs


def _e2(z: FloatArray, om0: float) -> FloatArray:
    return np.asarray(om0 * (1 + z) ** 3 + 1 - om0)


def _limit(name: str, n_clusters: int) -> float:
    exact = name == "mass_in_r_500c"
    return _LIMITS[name] * (1.0 if exact or n_clusters >= _FEW else _LENIENCE)


def _check(name: str, ratio: float, limit: float) -> Check:
    passed = abs(ratio) <= limit
    return Check(name=name, value=10**ratio, expected=(10**-limit, 10**limit), passed=passed)


def _suspects(
    ratios: dict[str, float], limits: dict[str, float], cosmology: TableCosmology, columns: list[str]
) -> list[str]:
    """Return the single changes of unit that put all checks right, the best first."""
    found = []
    for column in ("m_500c", "m_gas", "t_x", "l_x", "r_500c"):
        if column not in columns:
            continue
        for words, log10_factor in _factors(column, cosmology):
            moved = {n: r - _POWERS[n].get(column, 0.0) * log10_factor for n, r in ratios.items()}
            if all(abs(moved[n]) <= limits[n] for n in moved):
                found.append((sum(abs(r) / limits[n] for n, r in moved.items()), f"'{column}' is {words}"))
    return [text for _, text in sorted(found)[:2]]


def _factors(column: str, cosmology: TableCosmology) -> Iterator[tuple[str, float]]:
    """Yield the usual slips: words for the factor by which a column is off, and its log10."""
    for decade in _DECADES:
        yield f"1e{decade} times too large (stated unit 1e{decade} too large?)", float(decade)
        yield f"1e{decade} times too small (values in 1e{decade} of the stated unit?)", -float(decade)
    if column == "t_x":
        yield "in kelvin rather than keV", -_LOG10_KEV_PER_KELVIN
        yield "in keV rather than kelvin", _LOG10_KEV_PER_KELVIN
    if cosmology.h and column in {"m_500c", "m_gas", "r_500c"}:
        log10_h = math.log10(cosmology.h)
        yield "too small by h (values in units with /h read as free of h?)", log10_h
        yield "too large by 1/h (values free of h read as units with /h?)", -log10_h


def _narrow_warnings(ratios: dict[str, float], cosmology: TableCosmology, *, simulated: bool) -> Iterator[str]:
    """Yield warnings about deviations that are allowed but do not look right."""
    for name, limit in _NARROW.items():
        if name not in ratios or not (simulated or name == "mass_in_r_500c"):
            continue
        ratio = ratios[name]
        if abs(ratio) > (limit if simulated else _LOOSE_RADIUS):
            slips = [
                f"h^{p}"
                for p in (-3, -2, -1, 1, 2, 3)
                if cosmology.h and abs(ratio - p * math.log10(cosmology.h)) < 0.02
            ]
            hint = (
                f", which is {slips[0]} with h = {cosmology.h}: a forgotten h?"
                if slips and name == "mass_in_r_500c"
                else ""
            )
            yield f"{_WORDS[name]} is {10**ratio:.3g}{hint}"
