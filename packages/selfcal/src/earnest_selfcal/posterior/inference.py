"""sigma8 of one observed catalog: what is observed, the posterior, and both as a report section."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, final

import polars as pl
from earnest_common.catalogs import CatalogSet
from earnest_common.errors import InputError
from earnest_common.posterior import Posterior
from earnest_common.survey.presets import Preset, Survey

from earnest_selfcal.forward.counts import no_number_of_clusters
from earnest_selfcal.forward.observable import UNITS, Observable, log10_of_paper
from earnest_selfcal.forward.resolution import Resolution
from earnest_selfcal.forward.table import forward_table
from earnest_selfcal.posterior.posterior import infer
from earnest_selfcal.posterior.validity import reason_outside
from earnest_selfcal.survey.measurement_errors import MeasurementErrors
from earnest_selfcal.survey.recorded import summaries_of

__all__ = ["Inference", "Observed", "observed_in_set", "observed_numbers", "posterior_of"]

_Z_TOLERANCE = 0.02  # over which the mass function and self-similar relations change by a few per cent


_MOST_CLUSTERS = 100_000_000


@final
@dataclass(frozen=True, kw_only=True)
class Observed:
    """What a survey found.

    Attributes
    ----------
    n_clusters
        Number of clusters.
    observable
        Whose median is known; without a median it does not matter.
    median_log10_x
        Median of log10 Y_X [solMass keV], h-free, or log10 L_X [1e44 erg/s], or ``None``.
    truth
        The true sigma8, known for mocks.
    origin
        Where the numbers come from.
    """

    n_clusters: int
    observable: Observable = "y_x"
    median_log10_x: float | None = None
    truth: float | None = None
    origin: Mapping[str, Any] = field(default_factory=dict)


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Inference:
    """Posteriors of sigma8 and what they follow from.

    Attributes
    ----------
    preset, observed
        The survey and its numbers.
    posterior
        Given all of the numbers.
    n_only
        Given the number of clusters alone.
    """

    preset: Preset
    observed: Observed
    posterior: Posterior
    n_only: Posterior

    def numbers(self) -> dict[str, Any]:
        """Return the result as names and numbers; Y_X is in the paper's solMass/h keV, and h-free where so named."""
        observed, h = self.observed, self.preset.cosmology.h
        median = observed.median_log10_x
        stated = None if median is None else float(log10_of_paper(observed.observable, median, h))
        return {
            **self.posterior.to_dict(),
            "n_only_sigma8": self.n_only.mean,
            "n_only_sigma8_err": self.n_only.std,
            "prior_scatter": self.preset.priors.sigma8.std,
            "preset": self.preset.name,
            "n_clusters": observed.n_clusters,
            "median_log10_y_x": stated if observed.observable == "y_x" else None,
            "median_log10_y_x_h_free": median if observed.observable == "y_x" else None,
            "median_log10_l_x": stated if observed.observable == "l_x" else None,
            "true_sigma8": observed.truth,
        }

    def units(self) -> dict[str, str]:
        """Return the units of the medians among :meth:`numbers`, by name."""
        if self.observed.median_log10_x is None:
            return {}
        if self.observed.observable == "l_x":
            return {"median_log10_l_x": f"log10({UNITS['l_x']})"}
        return {
            "median_log10_y_x": f"log10({UNITS['y_x']}), as in the paper and for --median-log10-y-x",
            "median_log10_y_x_h_free": "log10(solMass keV), as for infer() in Python",
        }


def observed_numbers(
    preset: Preset, n_clusters: int, *, median_log10_y_x_h: float | None = None, median_log10_l_x: float | None = None
) -> Observed:
    """Return numbers as a user states them.

    Parameters
    ----------
    preset
        The survey, whose h converts Y_X.
    n_clusters
        Observed number of clusters.
    median_log10_y_x_h
        Median of log10 Y_X in the paper's unit [solMass/h keV].
    median_log10_l_x
        Median of log10 L_X [1e44 erg/s].

    Raises
    ------
    InputError
        If both medians are given.
    """
    if not 0 <= n_clusters <= _MOST_CLUSTERS:
        raise InputError(f"n_clusters = {n_clusters} must lie between 0 and {_MOST_CLUSTERS:,}")
    if median_log10_y_x_h is not None and median_log10_l_x is not None:
        raise InputError(
            "both medians are given, but their joint distribution is not modelled; "
            "give median_log10_y_x, which says more, or median_log10_l_x"
        )
    if median_log10_l_x is not None:
        return Observed(n_clusters=n_clusters, observable="l_x", median_log10_x=median_log10_l_x)
    median = None if median_log10_y_x_h is None else median_log10_y_x_h - math.log10(preset.cosmology.h)
    return Observed(n_clusters=n_clusters, median_log10_x=median)


def observed_in_set(
    catalog_set: CatalogSet, survey: Survey, *, catalog_id: int | None = None, observable: Observable | None = None
) -> Observed:
    """Return the numbers of one catalog of a set.

    Parameters
    ----------
    catalog_set
        Mocks or an observed catalog.
    survey
        The survey that it is said to come from.
    catalog_id
        Which one; may be left out if there is one only.
    observable
        Whose median; default Y_X if temperatures and gas masses are known, else L_X.

    Raises
    ------
    InputError
        If the catalog is not named or not there, its median is unknown, or it cannot come from that survey.
    """
    row = _catalog(summaries_of(catalog_set, split=None), catalog_id)
    origin = {"catalog_id": row["catalog_id"], "data_hash": catalog_set.manifest.data_hash}
    if row["n_clusters"] == 0:
        return Observed(n_clusters=0, truth=row["sigma8"], origin=origin)
    if inconsistent := _inconsistency(row, survey):
        raise InputError(f"catalog {row['catalog_id']} of {catalog_set.path} is not of this survey: {inconsistent}")
    chosen: Observable = observable or ("l_x" if row["median_log10_y_x"] is None else "y_x")
    if row[f"median_log10_{chosen}"] is None:
        raise InputError(
            f"catalog {row['catalog_id']}: t_x or m_gas of some clusters is unknown, so there is no median Y_X; "
            "use --median l_x"
        )
    return Observed(
        n_clusters=row["n_clusters"],
        observable=chosen,
        median_log10_x=row[f"median_log10_{chosen}"],
        truth=row["sigma8"],
        origin=origin,
    )


def posterior_of(
    preset: Preset, observed: Observed, config: Resolution | None = None, *, noise: MeasurementErrors | None = None
) -> Inference:
    """Return the posterior of sigma8.

    Parameters
    ----------
    preset
        The survey and its priors.
    observed
        What it found.
    config
        Resolution of the forward model.
    noise
        Errors of measurement; default: those of the preset.

    Raises
    ------
    InputError
        If the numbers lie outside the modelled region; the message says why.
    """
    if reason := no_number_of_clusters(observed.n_clusters, observed.median_log10_x):  # known without a table
        raise InputError(reason)
    table = forward_table(preset, config, observable=observed.observable, noise=noise)
    if reason := reason_outside(table, observed.n_clusters, observed.median_log10_x):
        raise InputError(reason)
    return Inference(
        preset=preset,
        observed=observed,
        posterior=infer(table, observed.n_clusters, observed.median_log10_x),
        n_only=infer(table, observed.n_clusters),
    )


def _catalog(summaries: pl.DataFrame, catalog_id: int | None) -> dict[str, Any]:
    ids = summaries.get_column("catalog_id")
    if catalog_id is None and len(summaries) > 1:
        raise InputError(f"the set has {len(summaries)} catalogs; name one of {ids[0]} to {ids[-1]} with --catalog-id")
    found = summaries if catalog_id is None else summaries.filter(pl.col("catalog_id") == catalog_id)
    if found.is_empty():
        raise InputError(f"the set has no catalog {catalog_id}; its catalogs are {ids[0]} to {ids[-1]}")
    return found.row(0, named=True)


def _inconsistency(row: Mapping[str, Any], survey: Survey) -> str | None:
    """Return what contradicts that a catalog comes from a survey."""
    if abs(row["z"] - survey.z) > _Z_TOLERANCE:
        return f"its mean redshift is {row['z']:.4g}, the survey's {survey.z}; give the survey's with --z"
    selection = survey.selection
    limit = float(selection.l_x.log10_mean(selection.log10_m_min))
    faintest = row["lowest_log10_l_x"]
    if survey.cut == "flux" and selection.smoothing == 0 and faintest < limit - 1e-6:
        return (
            f"its faintest cluster has log10 l_x = {faintest:.3f} [1e44 erg/s], below the survey's lowest "
            f"{limit:.3f}; lower log10_m_min = {selection.log10_m_min} or drop the faint clusters"
        )
    return None
