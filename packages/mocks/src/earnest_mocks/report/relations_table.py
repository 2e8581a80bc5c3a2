"""The base sample beside published simulations and imported clusters, as one table."""

from pathlib import Path

import numpy as np
from earnest_common.catalogs import CatalogSet
from earnest_common.report.section import DataTable

from earnest_mocks.base_sample.local_relations import PUBLISHED, LocalRelation, local_relations, rows_of
from earnest_mocks.base_sample.sample import BaseSample, default_base_sample, read_base_sample
from earnest_mocks.measured.imported import base_sample_from

__all__ = ["relations_table", "text_of"]

_MASSES = (13.75, 13.95, 14.15, 14.35, 14.55, 14.85)
_FEWEST = 15
"""With fewer clusters within the kernel numbers are not shown."""


def relations_table(base_sample: Path | None = None, compare: Path | None = None) -> DataTable:
    """Return local slopes, scatters and correlations of a base sample, of published simulations and of a set.

    Parameters
    ----------
    base_sample
        File of a base sample; default the built-in one.
    compare
        Set of imported clusters with masses, luminosities, temperatures and gas masses, brought to the base sample's
        redshift with self-similar evolution.

    Raises
    ------
    InputError
        If a file cannot be used.
    """
    sample = read_base_sample(base_sample) if base_sample else default_base_sample()
    label = "emulated base sample" if sample.emulated else "base sample"
    rows = rows_of(_local(sample), label)
    if compare is not None:
        opened = CatalogSet.open(compare)
        other = base_sample_from(opened.read(), z=sample.z)
        rows += rows_of(_local(other), opened.manifest.plan.preset)
    for name, published in PUBLISHED.items():
        rows += rows_of(published, name)
    return DataTable(
        name="relations",
        columns=("sample", *LocalRelation.__dataclass_fields__),
        rows=rows,
        caption="Slopes, scatter in ln X and correlations around each mass; n is 0 for published numbers.",
    )


def text_of(table: DataTable) -> str:
    """Return the table in Markdown."""
    head = ["| " + " | ".join(table.columns) + " |", "| " + " | ".join("---" for _ in table.columns) + " |"]
    return "\n".join([*head, *("| " + " | ".join(_cell(value) for value in row) + " |" for row in table.rows)])


def _cell(value: str | float | None) -> str:
    return value if isinstance(value, str) else f"{value:g}"


def _local(sample: BaseSample) -> tuple[LocalRelation, ...]:
    """Return the relations at the masses that a sample reaches with enough clusters."""
    x = sample.log10_m_500c
    at = np.array([one for one in _MASSES if x[0] <= one <= x[-1]])
    return tuple(one for one in local_relations(x, sample.observables, at) if one.n >= _FEWEST)
