"""Saliency: how the terse value, or sigma8, answers to small changes of each input (paper section 5.2)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, final

import numpy as np
import polars as pl
from earnest_common.arrays import FloatArray, IntArray
from earnest_common.catalogs.batch import CatalogBatch

from earnest_interpret.responses.questions import Target
from earnest_interpret.sample import MassAxis

__all__ = [
    "METHODS",
    "PAPER_SALIENCY",
    "REFERENCE_RADIUS",
    "FeatureGroup",
    "Method",
    "SaliencySummary",
    "feature_groups",
    "saliency_table",
    "summarise_saliency",
]

Method: TypeAlias = Literal["gradient", "smoothgrad", "integrated", "occlusion"]

METHODS: tuple[Method, ...] = ("gradient", "smoothgrad", "integrated", "occlusion")
""":mod:`earnest_interpret.analyses.saliency.attribution` defines them."""

REFERENCE_RADIUS = 0.6
"""Radius [R_500c] at which the paper quotes the saliency of a profile."""

PAPER_SALIENCY = {"log10_t_x": 0.391, "log10_m_gas_profile": 0.217, "gas_slope_profile": 0.119}
"""Mean saliencies of the paper's own network; the scale of a terse value is arbitrary, so these are no target."""

_PROFILE = re.compile(r"(?P<name>.+)_(?P<place>\d+)")


def saliency_table(
    batch: CatalogBatch, values: FloatArray, names: Sequence[str], *, of: Target, method: Method = "gradient"
) -> pl.DataFrame:
    """Return catalog_id, cluster_id and one signed value per input.

    Columns are ``d_terse_d_log10_t_x`` and so on for gradients, ``terse_from_log10_t_x`` for what an input adds.
    """
    stem = f"d_{of}_d" if method in ("gradient", "smoothgrad") else f"{of}_from"
    columns = {f"{stem}_{name}": values[:, j] for j, name in enumerate(names)}
    return batch.clusters.select("catalog_id", "cluster_id").hstack(pl.DataFrame(columns))


@final
@dataclass(frozen=True, kw_only=True)
class FeatureGroup:
    """Inputs that are one quantity: a scalar, or a profile at several radii.

    Attributes
    ----------
    name
        The quantity.
    columns
        Positions among the inputs.
    radii
        Radii [R_500c], as many as columns; ``None`` for a scalar.
    """

    name: str
    columns: tuple[int, ...]
    radii: tuple[float, ...] | None

    @property
    def reference(self) -> int:
        """The column nearest to the radius at which the paper quotes a profile."""
        if self.radii is None:
            return self.columns[0]
        return self.columns[int(np.argmin(np.abs(np.array(self.radii) - REFERENCE_RADIUS)))]


def feature_groups(names: Sequence[str], radii: Sequence[float]) -> tuple[FeatureGroup, ...]:
    """Return the quantities behind input names such as ``log10_m_gas_profile_3``.

    Examples
    --------
    >>> [group.name for group in feature_groups(["log10_t_x", "slope_1", "slope_2"], [0.5, 1.0])]
    ['log10_t_x', 'slope']
    """
    members: dict[str, list[tuple[int, int]]] = {}
    for column, name in enumerate(names):
        match = _PROFILE.fullmatch(name)
        place = int(match["place"]) if match else 0
        is_profile = match is not None and 1 <= place <= len(radii)
        members.setdefault(match["name"] if match and is_profile else name, []).append((place * is_profile, column))
    return tuple(
        FeatureGroup(
            name=name,
            columns=tuple(column for _, column in found),
            radii=tuple(radii[place - 1] for place, _ in found) if found[0][0] else None,
        )
        for name, found in members.items()
    )


@final
@dataclass(frozen=True, kw_only=True)
class SaliencySummary:
    """Average gradients of a sample.

    Attributes
    ----------
    of
        What was differentiated.
    names, groups
        The inputs and the quantities they make up.
    mean_abs, low, high
        Mean and 16 % and 84 % quantiles of the absolute gradient over clusters, shape (n_features,).
    mean_signed
        Mean signed gradient, shape (n_features,).
    mass_edges
        Edges of the mass bins, log10 [solMass], shape (n_bins + 1,); empty without masses.
    mass_counts
        Clusters per bin, shape (n_bins,).
    by_mass
        Median absolute gradient per bin, NaN where there are fewer than ten clusters, shape (n_bins, n_features).
    method
        What stands for the gradient.
    widths
        What one unit of each scaled input is [dex, or the column's unit], NaN where unknown, shape (n_features,).
    column
        The mass of the bins: ``m_500c`` or ``m_wl``.
    """

    of: Target
    names: tuple[str, ...]
    groups: tuple[FeatureGroup, ...]
    mean_abs: FloatArray
    low: FloatArray
    high: FloatArray
    mean_signed: FloatArray
    mass_edges: FloatArray
    mass_counts: IntArray
    by_mass: FloatArray
    method: Method
    widths: FloatArray
    column: str = "m_500c"

    @property
    def is_slope(self) -> bool:
        """Whether values are per unit of an input, rather than what an input adds to the output."""
        return self.method in ("gradient", "smoothgrad")

    @property
    def per_unit(self) -> FloatArray:
        """Mean absolute gradient per dex (or unit) of each input; NaN for what is no gradient, shape (n_features,)."""
        return np.asarray(self.mean_abs / self.widths if self.is_slope else np.full(len(self.names), np.nan))

    @property
    def ranked(self) -> tuple[int, ...]:
        """Positions of the inputs, the most salient first."""
        return tuple(int(j) for j in np.argsort(-self.mean_abs, kind="stable"))

    def coherence(self, group: FeatureGroup) -> float:
        r"""Return how far responses to the inputs of one quantity have one sign: 1 if all have, 0 if they cancel.

        .. math:: |\sum_j \overline{g_j}| \,/\, \sum_j \overline{|g_j|}

        Near zero for a profile, its shape counts and its amount does not.
        """
        columns = list(group.columns)
        total = float(self.mean_abs[columns].sum())
        return abs(float(self.mean_signed[columns].sum())) / total if total > 0 else float("nan")

    def share(self, group: FeatureGroup) -> float:
        """Return the fraction of the summed mean absolute gradient that falls on one quantity; NaN if there is none."""
        total = float(self.mean_abs.sum())
        return float(self.mean_abs[list(group.columns)].sum()) / total if total > 0 else float("nan")


def summarise_saliency(
    gradient: FloatArray,
    names: Sequence[str],
    radii: Sequence[float],
    *,
    of: Target = "terse",
    method: Method = "gradient",
    axis: MassAxis | None = None,
    widths: FloatArray | None = None,
    mass_edges: Sequence[float] = tuple(np.arange(14.15, 15.2, 0.1).round(2)),
) -> SaliencySummary:
    """Return average saliencies per input, and their medians by mass and radius (the form of figure 11).

    Parameters
    ----------
    gradient
        Signed gradients, shape (n_clusters, n_features).
    names, radii
        Names of the inputs, radii of the profiles [R_500c].
    of
        What was differentiated.
    method
        What stands for the gradient.
    axis
        Masses of the clusters, if known.
    widths
        What one unit of each scaled input is, shape (n_features,).
    mass_edges
        Edges of the mass bins, log10 [solMass]; by default from 10^14 to 10^15 h^-1 Msun at h = 0.704.
    """
    size = np.abs(gradient)
    edges = np.array(mass_edges if axis else ())
    place = np.digitize(axis.log10_m, edges) - 1 if axis else np.empty(0, dtype=np.int64)
    members = [np.flatnonzero(place == k) for k in range(max(len(edges) - 1, 0))]
    unknown = np.full(len(names), np.nan)
    medians = [np.median(size[rows], axis=0) if len(rows) >= 10 else unknown for rows in members]
    low, high = np.quantile(size, [0.16, 0.84], axis=0)
    return SaliencySummary(
        of=of,
        names=tuple(names),
        groups=feature_groups(names, radii),
        mean_abs=size.mean(axis=0),
        low=low,
        high=high,
        mean_signed=gradient.mean(axis=0),
        mass_edges=edges,
        mass_counts=np.array([len(rows) for rows in members], dtype=np.int64),
        by_mass=np.array(medians).reshape(len(members), len(names)),
        method=method,
        widths=np.full(len(names), np.nan) if widths is None else widths,
        column=axis.column if axis else "m_500c",
    )
