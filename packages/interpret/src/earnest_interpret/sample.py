"""The catalogs that are interpreted: a bounded, reproducible choice from a catalog set, and its mass axis."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from os import PathLike
from typing import final

import numpy as np
import polars as pl
from earnest_common.arrays import FloatArray
from earnest_common.catalogs import CatalogSet, Plan
from earnest_common.catalogs.base_relations import recorded_relations
from earnest_common.catalogs.batch import CatalogBatch, concat
from earnest_common.catalogs.understood import Understood, refuse_unread
from earnest_common.errors import InputError
from earnest_common.notebook import html_table
from earnest_common.run.config import load_config
from earnest_common.run.seeds import Stage, generator
from earnest_common.survey.cosmology import MAGNETICUM, Cosmology
from earnest_common.survey.presets import PRESETS, Survey
from earnest_common.survey.scaling import TABLE_2, ScalingRelations

__all__ = [
    "ALL",
    "MAX_ROWS",
    "MassAxis",
    "Sample",
    "chunks",
    "mass_axis",
    "read_sample",
    "y_x",
]

ALL = "all"
"""Name of the whole set where a split is asked for."""

_UNDERSTOOD = Understood(consumer="earnest interpret")
"""Survey, cosmology, mass function and base sample are read; the others change no number of a model's reasons."""

MAX_ROWS = 200_000
"""Most clusters that are handed to an estimator at a time."""


@final
@dataclass(frozen=True, kw_only=True)
class Sample:
    """Catalogs to interpret and what a reader must know of them.

    Attributes
    ----------
    batch
        The chosen catalogs.
    n_available
        Catalogs that could have been chosen.
    split
        Part of the set they come from; ``None`` for the whole set.
    synthetic
        What the catalogs emulate; ``None`` if they are real.
    survey
        How the clusters were selected, where the set records it.
    cosmology, mass_function
        Reference cosmology of the survey, and name of its mass function.
    relations
        Scaling relations that the factors of the catalogs multiply.
    empty
        Catalogs without clusters, which are set aside: a network has no input from them.
    """

    batch: CatalogBatch
    n_available: int
    split: str | None = None
    synthetic: str | None = None
    survey: Survey | None = None
    cosmology: Cosmology = MAGNETICUM
    mass_function: str = "bocquet16"
    relations: ScalingRelations = TABLE_2
    empty: tuple[int, ...] = ()

    def __repr__(self) -> str:
        """Return one line: which catalogs these are."""
        return f"Sample({self.text}{', with emulated parts' if self.synthetic else ''})"

    def _repr_html_(self) -> str:
        selected = self.survey.cut if self.survey else None
        rows = {"catalogs": self.text, "split": self.split, "selected by": selected, "synthetic": self.synthetic}
        return html_table("Sample", rows)

    @property
    def text(self) -> str:
        """Which catalogs these are, in words."""
        part = f" of the {self.split} split" if self.split else ""
        n, available = self.batch.n_catalogs, self.n_available
        chosen = f"{n:,} of {available:,} catalogs" if n < available else f"{n:,} catalog{'s' * (n != 1)}"
        listed = ", ".join(map(str, self.empty[:20])) + (", ..." if len(self.empty) > 20 else "")
        aside = f"; {len(self.empty)} without clusters set aside: catalog_id {listed}" if self.empty else ""
        return f"{chosen}{part} ({self.batch.n_clusters:,} clusters{aside})"


def read_sample(
    catalog_set: CatalogSet | str | PathLike[str],
    *,
    split: str | None = None,
    max_catalogs: int | None = 500,
    seed: int = 1,
) -> Sample:
    """Return the catalogs of a set that are interpreted, drawn without replacement where there are too many.

    Catalogs may be stored in the order of a grid, so the first ones would not do; the draw depends on the seed alone.

    Parameters
    ----------
    catalog_set
        The set, or its folder.
    split
        Part of the set, or ``all``; by default ``test`` where the set has one, else all.
    max_catalogs
        Most catalogs; ``None`` for no limit.
    seed
        Seed of the draw.

    Raises
    ------
    InputError
        If no cluster is left, or mocks were made with what is not understood here.

    Examples
    --------
    >>> from earnest_common.testing import toy_set
    >>> with toy_set(n_catalogs=60, seed=1) as folder:
    ...     read_sample(folder, max_catalogs=5)
    Sample(5 of 6 catalogs of the test split (334 clusters), with emulated parts)
    """
    catalog_set = CatalogSet.open(catalog_set) if isinstance(catalog_set, str | PathLike) else catalog_set
    plan = catalog_set.manifest.plan
    refuse_unread(plan, _UNDERSTOOD)
    relations = recorded_relations(plan).relations if plan.kind == "mock" else TABLE_2
    catalogs = catalog_set.scan_catalogs().select("catalog_id", "split", "n_clusters").collect()
    if split is None and (catalogs.get_column("split") == "test").any():
        split = "test"
    split = None if split == ALL else split
    known = catalogs.get_column("split").drop_nulls().unique().sort().to_list()
    if split is not None and split not in known:
        raise _nothing(catalog_set, split, known)
    found = catalogs.filter(pl.col("split") == split) if split else catalogs
    empty = found.filter(pl.col("n_clusters") == 0).get_column("catalog_id")
    found = found.filter(pl.col("n_clusters") > 0)
    ids = found.get_column("catalog_id").to_numpy()
    if max_catalogs is not None and len(ids) > max_catalogs:
        ids = np.sort(generator(seed, Stage.RESAMPLING, index=2).choice(ids, size=max_catalogs, replace=False))
    chosen = [
        batch.select(np.isin(batch.catalogs.get_column("catalog_id").to_numpy(), ids))
        for batch in catalog_set.batches(split=split)
    ]
    kept = [batch for batch in chosen if batch.n_catalogs]
    if sum(batch.n_clusters for batch in kept) == 0:
        raise _nothing(catalog_set, split, known)
    cosmology = load_config(Cosmology, options=plan.cosmology, base=MAGNETICUM)
    return Sample(
        batch=concat(kept),
        n_available=found.height,
        split=split,
        synthetic=plan.synthetic,
        survey=_survey(plan),
        cosmology=cosmology,
        mass_function=str(plan.config.get("mass_function", "bocquet16")),
        relations=relations,
        empty=tuple(empty.to_list()),
    )


def _nothing(catalog_set: CatalogSet, split: str | None, known: Sequence[str]) -> InputError:
    part, offered = f" of split '{split}'" if split else "", ", ".join((*known, ALL))
    return InputError(
        f"{catalog_set.path} has no clusters{part} to interpret; choose another --split ({offered}) or set"
    )


def _survey(plan: Plan) -> Survey | None:
    """Return the survey that a mock catalog set records."""
    if plan.kind != "mock":
        return None
    base = PRESETS[plan.preset].survey if plan.preset in PRESETS else None
    changed = plan.config.get("survey")
    return load_config(Survey, options=changed, base=base) if changed else base


@final
@dataclass(frozen=True, kw_only=True)
class MassAxis:
    """The mass that clusters are ordered by.

    Attributes
    ----------
    column
        ``m_500c``, or ``m_wl`` where true masses are unknown.
    log10_m
        log10 of the mass [solMass], NaN where unknown, shape (n_clusters,).
    label
        Label of an axis of figures (mathtext).
    is_true
        Whether it is the true mass.
    """

    column: str
    log10_m: FloatArray
    label: str
    is_true: bool


def mass_axis(batch: CatalogBatch) -> MassAxis | None:
    """Return the true masses of the clusters, else their weak-lensing masses, else None.

    Parameters
    ----------
    batch
        The catalogs.

    Examples
    --------
    >>> from earnest_common.testing import toy_batch
    >>> mass_axis(toy_batch(n_catalogs=1, seed=1)).column
    'm_500c'
    """
    for column, symbol in (("m_500c", "M_{500}"), ("m_wl", r"M_\mathrm{WL}")):
        mass = batch.column(column)
        if np.isfinite(mass).any():
            return MassAxis(
                column=column,
                log10_m=np.log10(mass),
                label=rf"$\log_{{10}}\,{symbol}\;\,[\mathrm{{M}}_\odot]$",
                is_true=column == "m_500c",
            )
    return None


def y_x(batch: CatalogBatch) -> FloatArray:
    """Return Y_X = M_gas T_X of each cluster [solMass keV], NaN where unknown, shape (n_clusters,)."""
    product: FloatArray = batch.column("m_gas") * batch.column("t_x")
    return product


def chunks(batch: CatalogBatch, *, max_rows: int = MAX_ROWS) -> Iterator[CatalogBatch]:
    """Yield the catalogs in order, in batches of at most ``max_rows`` clusters (a larger catalog comes alone).

    Examples
    --------
    >>> from earnest_common.testing import toy_batch
    >>> batch = toy_batch(n_catalogs=9, seed=1)
    >>> sum(part.n_clusters for part in chunks(batch, max_rows=150)) == batch.n_clusters
    True
    """
    counts = np.diff(batch.row_splits)
    first = 0
    while first < batch.n_catalogs:
        fitting = int(np.searchsorted(np.cumsum(counts[first:]), max_rows, side="right"))
        last = first + max(1, fitting)
        yield batch.select(np.arange(first, last))
        first = last
