"""Catalogs as numbers for a network: columns, logarithms, one linear scaling for each (section 3.2; no Keras here)."""

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np
import numpy.typing as npt
from earnest_common.bundle import BundleDescription
from earnest_common.catalogs.batch import CatalogBatch
from earnest_common.errors import InputError
from earnest_common.schema import CLUSTERS, RADII_R500C

from earnest_model.data.arrays import Arrays, Float32Array, FloatArray

__all__ = [
    "ENCODER_COLUMNS",
    "LOGARITHMIC",
    "SUPPLEMENTARY_COLUMNS",
    "FeatureSet",
    "Range",
    "Scaling",
    "count_outside",
    "far_outside",
    "fit_scaling",
    "log_mass_of",
    "outside_training_range",
    "ranges",
    "refuse_unusable",
    "scaled_arrays",
    "to_arrays",
    "unscaled_columns",
]

ENCODER_COLUMNS = ("t_x", "m_gas_profile", "gas_slope_profile")
"""Columns that the encoder summarises; the paper's 1 + 7 + 7."""
SUPPLEMENTARY_COLUMNS = ("l_x", "m_wl")
"""Columns that join after the terse value."""
_ROUNDING, _COUNT = 1e-9, "n_clusters"
_NAMES = ("catalog_id", "cluster_id", "rank", "donor_id")
_USABLE = {column.name: column for column in CLUSTERS.columns if column.name not in _NAMES}
LOGARITHMIC = frozenset(name for name, column in _USABLE.items() if column.above == 0)
"""Positive quantities are seen as logarithms."""

IntArray = npt.NDArray[np.int64]
Scaling = Mapping[str, tuple[float, float]]
"""For each column an offset and a width: scaled = (value - offset) / width."""
_UNKNOWN_IN = {"no-wl": ("m_wl",)}
"""Columns that a variant of the catalogs leaves unknown."""


@final
@dataclass(frozen=True, kw_only=True)
class FeatureSet:
    """Which columns a network sees.

    Attributes
    ----------
    encoder, supplementary
        Names of cluster columns before and after the terse value.
    radii
        Radii of the gas profiles in units of R_500c.
    optional
        Supplementary columns whose values may be missing.

    Raises
    ------
    InputError
        If a column is unknown or named twice, or the encoder has none.

    Examples
    --------
    >>> FeatureSet().drop(["m_wl"]).supplementary
    ('l_x',)
    >>> FeatureSet().names[:3]
    ('log10_t_x', 'log10_m_gas_profile_1', 'log10_m_gas_profile_2')
    """

    encoder: tuple[str, ...] = ENCODER_COLUMNS
    supplementary: tuple[str, ...] = SUPPLEMENTARY_COLUMNS
    radii: tuple[float, ...] = RADII_R500C
    optional: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if unknown := [name for name in self.columns if name not in _USABLE]:
            raise InputError(f"columns {', '.join(unknown)} cannot be inputs; choose among {', '.join(_USABLE)}")
        if len(set(self.columns)) < len(self.columns):
            raise InputError(f"a column is named twice: encoder {self.encoder}, supplementary {self.supplementary}")
        if not self.encoder:
            raise InputError(f"the encoder needs at least one column; choose among {', '.join(_USABLE)}")

    @classmethod
    def of(cls, description: BundleDescription) -> "FeatureSet":
        """Return the features that a bundle was trained on."""
        return cls(
            encoder=description.features,
            supplementary=description.supplementary,
            radii=description.radii,
            optional=description.optional,
        )

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns, encoder first."""
        return (*self.encoder, *self.supplementary)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the encoder's inputs; columns of a profile count from 1."""
        return _input_names(self.encoder)

    @property
    def supplementary_names(self) -> tuple[str, ...]:
        """Names of the supplementary inputs."""
        return _input_names(self.supplementary)

    def known_in(self, variant: str) -> "FeatureSet":
        """Return the features that a variant of the catalogs still knows."""
        return self.drop([name for name in _UNKNOWN_IN.get(variant, ()) if name in self.columns])

    def drop(self, columns: "list[str] | tuple[str, ...]") -> "FeatureSet":
        """Return the features without some columns.

        Raises
        ------
        InputError
            If a column is not among them or the encoder would be left with none.
        """
        if unknown := [name for name in columns if name not in self.columns]:
            raise InputError(f"cannot drop {', '.join(unknown)}: the columns are {', '.join(self.columns)}")
        encoder = tuple(name for name in self.encoder if name not in columns)
        if not encoder:
            raise InputError(f"cannot drop {', '.join(columns)}: keep at least one of {', '.join(self.encoder)}")
        supplementary = tuple(name for name in self.supplementary if name not in columns)
        optional = tuple(name for name in self.optional if name not in columns)
        return replace(self, encoder=encoder, supplementary=supplementary, optional=optional)


def fit_scaling(batch: CatalogBatch, features: FeatureSet) -> dict[str, tuple[float, float]]:
    r"""Return the linear scaling that maps each column of real training clusters to [0, 1].

    .. math:: x' = (x - \min x) / (\max x - \min x)

    The seven values of a profile share one scaling (paper, section 3.2). sigma8 and the number of clusters have theirs.

    Parameters
    ----------
    batch
        Training catalogs with known sigma8.
    features
        The columns.

    Raises
    ------
    InputError
        If the network could not use the catalogs, see :func:`to_arrays`.
    """
    sigma8 = batch.label("sigma8").astype(np.float64)
    more = ((_COUNT, np.diff(batch.row_splits)), ("sigma8", sigma8))
    scaling = {}
    for name, column in itertools.chain(_columns(batch, features), more):
        known = column[np.isfinite(column)]
        if not known.size:
            raise InputError(f"column {name}: unknown for all training clusters; train without it: --drop {name}")
        low, high = float(known.min()), float(known.max())
        scaling[name] = (low, high - low if high > low else 1.0)
    return scaling


def to_arrays(
    batch: CatalogBatch, features: FeatureSet, scaling: Scaling, *, labels: Sequence[str] = ("sigma8",)
) -> Arrays:
    """Return scaled network inputs.

    Parameters
    ----------
    batch
        Catalogs in physical, h-free units.
    features
        The columns.
    scaling
        Offset and width of each column.
    labels
        Columns of the catalogs that are inferred.

    Raises
    ------
    InputError
        If radii differ, a value of a column that is not optional is unknown, one is not finite or not positive where
        its logarithm is needed, or a catalog is empty; the message lists everything found.

    Examples
    --------
    >>> from earnest_common.testing import toy_batch
    >>> batch = toy_batch(n_catalogs=3, seed=1)
    >>> arrays = to_arrays(batch, FeatureSet(), fit_scaling(batch, FeatureSet()))
    >>> arrays.encoder.shape == (batch.n_clusters, 15)
    True
    """
    seen = _scaled(_columns(batch, features), np.diff(batch.row_splits), features, scaling)
    return replace(seen, labels=np.stack([batch.label(name).astype(np.float64) for name in labels], axis=1))


def log_mass_of(batch: CatalogBatch) -> Float32Array:
    """Return ln M_500c of each cluster, shape (n_clusters, 1).

    Raises
    ------
    InputError
        If one is unknown.
    """
    mass = batch.column("m_500c").astype(np.float64)
    if unknown := int((~(mass > 0)).sum()):
        raise InputError(
            f"m_500c: unknown for {unknown:,} of {len(mass):,} training clusters; the terse value is anchored to it: "
            "complete it, or train without the anchor (pooled.anchor = 0 in --config FILE.toml)"
        )
    return np.log(mass).astype(np.float32)[:, None]


def scaled_arrays(
    columns: Mapping[str, FloatArray], counts: npt.NDArray[np.int32], features: FeatureSet, scaling: Scaling
) -> Arrays:
    """Return scaled network inputs of cluster columns in physical units, without labels."""
    values = ((name, np.log10(columns[name]) if name in LOGARITHMIC else columns[name]) for name in features.columns)
    return _scaled(values, counts, features, scaling)


def unscaled_columns(arrays: Arrays, features: FeatureSet, scaling: Scaling) -> dict[str, FloatArray]:
    """Return the cluster columns, in physical units, of scaled network inputs: the inverse of scaling."""
    rows = np.concatenate([arrays.encoder, arrays.supplementary], axis=1).astype(np.float64)
    ends = np.cumsum([CLUSTERS.column(name).width or 1 for name in features.columns])
    columns = {}
    for name, values in zip(features.columns, np.split(rows, ends[:-1], axis=1), strict=True):
        offset, width = scaling[name]
        value = values * width + offset
        value = 10**value if name in LOGARITHMIC else value
        columns[name] = value if CLUSTERS.column(name).width else value[:, 0]
    return columns


def _scaled(
    values: Iterable[tuple[str, FloatArray]], counts: npt.NDArray[Any], features: FeatureSet, scaling: Scaling
) -> Arrays:
    n_clusters = int(counts.sum())
    scaled = {name: ((column - scaling[name][0]) / scaling[name][1]).astype(np.float32) for name, column in values}
    return Arrays(
        encoder=_stack(scaled, features.encoder, n_clusters),
        supplementary=_stack(scaled, features.supplementary, n_clusters),
        counts=counts.astype(np.int32),
        labels=np.full((len(counts), 1), np.nan),
    )


def refuse_unusable(batch: CatalogBatch, features: FeatureSet) -> None:
    """Refuse catalogs that a network with these columns could not use, see :func:`to_arrays`."""
    problems = _shape_problems(batch, features)
    for name in features.columns:
        column = batch.column(name).astype(np.float64)
        problems += _value_problems(name, column[~np.isnan(column)] if name in features.optional else column)
    if problems:
        raise InputError("\n  - ".join(["the network cannot use these catalogs", *problems]))


@final
@dataclass(frozen=True, kw_only=True)
class Range:
    """What catalogs hold of one column, against the range that was seen in training.

    Attributes
    ----------
    n, n_outside
        Number of values, and of those outside.
    low, high
        Smallest and largest value, as logarithm where the network sees it so.
    """

    n: int
    n_outside: int
    low: float
    high: float

    def joined(self, other: "Range") -> "Range":
        """Return what two parts of a set hold together."""
        return Range(
            n=self.n + other.n,
            n_outside=self.n_outside + other.n_outside,
            low=min(self.low, other.low),
            high=max(self.high, other.high),
        )


def ranges(batch: CatalogBatch, features: FeatureSet, scaling: Scaling) -> dict[str, Range]:
    """Return for each column, and for the number of clusters, what the catalogs hold of it."""
    found = {}
    for name, column in itertools.chain(_columns(batch, features), [(_COUNT, np.diff(batch.row_splits))]):
        if name not in scaling:  # bundles of earlier releases do not know their numbers of clusters
            continue
        if (known := column[np.isfinite(column)]).size:
            outside = int(_is_outside(known, scaling[name]).sum())
            found[name] = Range(n=known.size, n_outside=outside, low=float(known.min()), high=float(known.max()))
    return found


def count_outside(batch: CatalogBatch, features: FeatureSet, scaling: Scaling) -> IntArray:
    """Return for each catalog how many of its values lie outside the range that was seen in training, shape (n,).

    Values are the inputs of all its clusters, and its number of clusters.
    """
    total = _is_outside(np.diff(batch.row_splits), scaling.get(_COUNT)).astype(np.int64)
    for name, column in _columns(batch, features):
        of_cluster = _is_outside(column, scaling[name]).reshape(batch.n_clusters, -1).sum(axis=1)
        total += np.bincount(batch.segment_ids, weights=of_cluster, minlength=batch.n_catalogs).astype(np.int64)
    return total


def far_outside(found: Mapping[str, Range], scaling: Scaling) -> dict[str, Range]:
    """Return the columns most of whose values lie outside the range that was seen in training.

    The number of clusters is among them if one lies more than half of the range beyond its ends.
    """
    far = {name: one for name, one in found.items() if name != _COUNT and one.n_outside > 0.5 * one.n}
    if (counts := found.get(_COUNT)) is not None:
        low, width = scaling[_COUNT]
        if counts.low < low - width / 2 or counts.high > low + 1.5 * width:
            far[_COUNT] = counts
    return far


def _is_outside(column: npt.NDArray[Any], known: tuple[float, float] | None) -> npt.NDArray[np.bool_]:
    """Return which values lie outside; none where the range is unknown, as in bundles of earlier releases."""
    if known is None:
        return np.zeros(column.shape, dtype=np.bool_)
    scaled = (column - known[0]) / known[1]
    outside: npt.NDArray[np.bool_] = (scaled < -_ROUNDING) | (scaled > 1 + _ROUNDING)
    return outside


def outside_training_range(found: Mapping[str, Range], scaling: Scaling) -> list[str]:
    """Return one sentence for each column with values outside the range that was seen in training."""
    return [
        f"{f'log10 {name}' if name in LOGARITHMIC else name}: {one.n_outside:,} of {one.n:,} values "
        f"({100 * one.n_outside / one.n:.3g} %) lie outside the training range {low:.4g} to {low + width:.4g} "
        f"(found {one.low:.4g} to {one.high:.4g})"
        for (name, one), (low, width) in ((item, scaling[item[0]]) for item in found.items())
        if one.n_outside
    ]


def _input_names(columns: tuple[str, ...]) -> tuple[str, ...]:
    names: list[str] = []
    for name in columns:
        label = f"log10_{name}" if name in LOGARITHMIC else name
        width = CLUSTERS.column(name).width
        names += [label] if width is None else [f"{label}_{i}" for i in range(1, width + 1)]
    return tuple(names)


def _stack(scaled: dict[str, Float32Array], names: tuple[str, ...], n_rows: int) -> Float32Array:
    columns = [scaled[name].reshape(n_rows, -1) for name in names]
    return np.concatenate([np.zeros((n_rows, 0), np.float32), *columns], axis=1)


def _columns(batch: CatalogBatch, features: FeatureSet) -> Iterator[tuple[str, FloatArray]]:
    """Yield each column as the network means it (logarithms taken), one in memory at a time.

    Raises
    ------
    InputError
        Before the first column; the message lists all that is wrong.
    """
    refuse_unusable(batch, features)
    for name in features.columns:
        column = batch.column(name).astype(np.float64)
        yield name, np.log10(column) if name in LOGARITHMIC else column


def _shape_problems(batch: CatalogBatch, features: FeatureSet) -> list[str]:
    problems = []
    profiles = any(CLUSTERS.column(name).width for name in features.columns)
    if profiles and tuple(np.round(batch.radii, 6)) != tuple(np.round(features.radii, 6)):
        problems.append(
            f"profiles at radii {_numbers(batch.radii)} R_500c; the network expects {_numbers(features.radii)}: "
            "make the catalogs with its radii or train on these"
        )
    if batch.n_catalogs == 0:
        problems.append("there are no catalogs")
    empty = np.flatnonzero(np.diff(batch.row_splits) == 0)
    if len(empty):
        first = batch.catalogs.get_column("catalog_id")[int(empty[0])]
        problems.append(
            f"{len(empty)} catalog(s) have no clusters (first: catalog_id {first}); select those with n_clusters > 0"
        )
    return problems


def _value_problems(name: str, column: FloatArray) -> list[str]:
    bad, words = ~np.isfinite(column), "unknown or not finite"
    if name in LOGARITHMIC and not bad.any():
        bad, words = column <= 0, "not positive"
    if not bad.any():
        return []
    rows = np.atleast_1d(bad.reshape(len(column), -1).any(axis=1))
    return [
        f"column {CLUSTERS.column(name).label}: {int(rows.sum())} of {len(rows)} clusters have values that are {words} "
        f"(first: row {int(np.argmax(rows))}); complete it or train a network without it: --drop {name}"
    ]


def _numbers(values: Any) -> str:  # noqa: ANN401 - any sequence of numbers
    return ", ".join(f"{value:.4g}" for value in values)
