"""Laws of the excess at fixed mass: blind to a catalog's own relation, and equal to what was planted."""

import numpy as np
import polars as pl
from earnest_common.catalogs.batch import CatalogBatch
from earnest_common.testing import toy_batch
from earnest_interpret.analyses.terse.excess import excess_at_mass, excesses
from hypothesis import given
from hypothesis import strategies as st

RNG = np.random.default_rng(4)
GROUPS = np.repeat([0, 1, 2], 40)
LOG10_M = RNG.uniform(13.6, 15, 120)
RESIDUAL = RNG.normal(0, 0.1, 120)


@given(st.lists(st.tuples(st.floats(-3, 3), st.floats(-5, 5)), min_size=3, max_size=3))
def test_a_catalogs_own_relation_does_not_matter(lines: list[tuple[float, float]]):
    slope, offset = np.array(lines).T
    expected = excess_at_mass(RESIDUAL, LOG10_M, GROUPS)
    found = excess_at_mass(RESIDUAL + slope[GROUPS] * LOG10_M + offset[GROUPS], LOG10_M, GROUPS)
    np.testing.assert_allclose(found, expected, atol=1e-9)


def test_agrees_with_a_fit_of_every_catalog():
    found = excess_at_mass(RESIDUAL + 2 * LOG10_M, LOG10_M, GROUPS)
    for group in range(3):
        inside = group == GROUPS
        line = np.polyfit(LOG10_M[inside], (RESIDUAL + 2 * LOG10_M)[inside], 1)
        left = (RESIDUAL + 2 * LOG10_M - np.polyval(line, LOG10_M))[inside]
        np.testing.assert_allclose(found[inside], left, atol=1e-9)


def test_unknown_clusters_change_nothing_for_the_others():
    hidden = RESIDUAL.copy()
    hidden[5] = np.nan
    kept = np.arange(120) != 5
    found = excess_at_mass(hidden, LOG10_M, GROUPS)
    assert np.isnan(found[5])
    np.testing.assert_allclose(found[kept], excess_at_mass(RESIDUAL[kept], LOG10_M[kept], GROUPS[kept]), atol=1e-12)


def test_few_clusters_and_unknown_masses_have_none():
    assert np.isnan(excess_at_mass(RESIDUAL[:4], LOG10_M[:4], GROUPS[:4])).all()
    batch = toy_batch(n_catalogs=2, seed=1)
    blind = CatalogBatch(
        catalogs=batch.catalogs, clusters=batch.clusters.with_columns(m_500c=pl.lit(None, dtype=pl.Float64))
    )
    assert all(np.isnan(values).all() for values in excesses(blind).values())
