"""Leave-one-out: how the inferred sigma8 moves when a single cluster is taken from its catalog (paper section 5.1)."""

from dataclasses import dataclass
from typing import final

import numpy as np
import polars as pl
from earnest_common.arrays import FloatArray
from earnest_common.catalogs.batch import CatalogBatch

from earnest_interpret.sample import MassAxis
from earnest_interpret.statistics.correlation import RunningQuantiles, running_quantiles

__all__ = [
    "BENCHMARKS",
    "LIGHT",
    "MASSIVE",
    "Benchmark",
    "LeaveOneOutSummary",
    "leave_one_out_table",
    "summarise_leave_one_out",
]

BENCHMARKS = (14.15, 14.35, 14.55, 14.75, 14.95)
"""log10 of the paper's benchmark masses [solMass]: 10^14.0 to 10^14.8 h^-1 Msun at its h = 0.704."""

LIGHT = BENCHMARKS[1]
"""log10 mass [solMass], 10^14.2 h^-1 Msun, below which removals have no systematic effect in the paper (figure 9)."""

MASSIVE = BENCHMARKS[2]
"""log10 mass above which a cluster counts as massive [solMass]; the paper's pivot, 10^14.4 h^-1 Msun."""


def leave_one_out_table(batch: CatalogBatch, delta: FloatArray) -> pl.DataFrame:
    """Return the columns catalog_id, cluster_id and delta_sigma8 (unknown for the only cluster of a catalog)."""
    values = pl.Series("delta_sigma8", delta, dtype=pl.Float64).fill_nan(None)
    return batch.clusters.select("catalog_id", "cluster_id").with_columns(values)


@final
@dataclass(frozen=True, kw_only=True)
class Benchmark:
    """Clusters above one mass, or below it.

    Attributes
    ----------
    log10_m
        Limit of log10 mass [solMass]; ``-inf`` for all clusters.
    n
        Number of these clusters.
    lowering
        Fraction whose removal lowers sigma8.
    median
        Median change of sigma8.
    delta
        Changes of sigma8 in rising order, shape (n,).
    """

    log10_m: float
    n: int
    lowering: float
    median: float
    delta: FloatArray


@final
@dataclass(frozen=True, kw_only=True)
class LeaveOneOutSummary:
    """Summary of leave-one-out over a sample.

    Attributes
    ----------
    n_clusters
        Clusters with a known change.
    stability_68, stability_95
        Value that 68 and 95 % of the absolute changes stay below.
    run
        Quantiles of the change against log10 mass [solMass]; ``None`` without masses.
    benchmarks
        All clusters first, then those above each benchmark mass that any cluster reaches.
    light
        Those below ``LIGHT``; ``None`` if there are none of known mass.
    massive_share, massive_fraction
        Share of the summed absolute change, and of all clusters with a mass, that lies above ``MASSIVE``.
    column
        The mass: ``m_500c`` or ``m_wl``.
    """

    n_clusters: int
    stability_68: float
    stability_95: float
    run: RunningQuantiles | None
    benchmarks: tuple[Benchmark, ...]
    light: Benchmark | None
    massive_share: float
    massive_fraction: float
    column: str = "m_500c"


def summarise_leave_one_out(delta: FloatArray, axis: MassAxis | None, *, pivot: float = MASSIVE) -> LeaveOneOutSummary:
    """Return running quantiles, distributions above benchmark masses and the share of massive clusters.

    Parameters
    ----------
    delta
        Change of sigma8 per cluster, shape (n_clusters,).
    axis
        Masses of the clusters, if known.
    pivot
        log10 mass [solMass] above which a cluster counts as massive.
    """
    known = np.isfinite(delta)
    log10_m = axis.log10_m if axis else np.full(len(delta), np.nan)
    with_mass = known & np.isfinite(log10_m)
    light = with_mass & (log10_m < LIGHT)
    massive = with_mass & (log10_m > pivot)
    total = float(np.abs(delta[with_mass]).sum())
    size = np.quantile(np.abs(delta[known]), [0.68, 0.95]) if known.any() else (np.nan, np.nan)
    samples = [(-np.inf, known), *((limit, with_mass & (log10_m > limit)) for limit in BENCHMARKS)]
    return LeaveOneOutSummary(
        n_clusters=int(known.sum()),
        stability_68=float(size[0]),
        stability_95=float(size[1]),
        run=running_quantiles(log10_m[with_mass], delta[with_mass]) if axis else None,
        benchmarks=tuple(_benchmark(limit, np.sort(delta[mask])) for limit, mask in samples if mask.any()),
        light=_benchmark(LIGHT, np.sort(delta[light])) if light.any() else None,
        massive_share=float(np.abs(delta[massive]).sum()) / total if total > 0 else np.nan,
        massive_fraction=float(massive.sum() / with_mass.sum()) if with_mass.any() else np.nan,
        column=axis.column if axis else "m_500c",
    )


def _benchmark(limit: float, delta: FloatArray) -> Benchmark:
    return Benchmark(
        log10_m=limit, n=len(delta), lowering=float(np.mean(delta < 0)), median=float(np.median(delta)), delta=delta
    )
