"""Laws of batches: choosing and joining catalogs keeps each catalog's clusters together and in order."""

import numpy as np
import pytest
from earnest_common.catalogs.batch import concat
from earnest_common.errors import SchemaError
from earnest_common.testing import toy_batch
from hypothesis import given
from hypothesis import strategies as st

BATCH = toy_batch(n_catalogs=9, seed=3)


@given(st.lists(st.integers(0, 8), unique=True, min_size=1))
def test_select_keeps_clusters_with_their_catalog(index: list[int]):
    chosen = BATCH.select(index)
    assert chosen.problems() == []
    assert chosen.catalogs.get_column("catalog_id").to_list() == index
    sums = np.add.reduceat(BATCH.column("l_x"), BATCH.row_splits[:-1])
    np.testing.assert_array_equal(np.add.reduceat(chosen.column("l_x"), chosen.row_splits[:-1]), sums[index])


def test_mask_and_positions_agree():
    mask = np.arange(9) % 2 == 0
    assert BATCH.select(mask).clusters.equals(BATCH.select(np.flatnonzero(mask)).clusters)


def test_concat_undoes_select():
    parts = [BATCH.select([i]) for i in range(9)]
    assert concat(parts).clusters.equals(BATCH.clusters)


def test_concat_refuses_other_radii():
    other = type(BATCH)(catalogs=BATCH.catalogs, clusters=BATCH.clusters, radii=(1.0,) * 7)
    with pytest.raises(SchemaError, match="different radii"):
        concat([BATCH, other])


def test_segments_and_splits_agree():
    np.testing.assert_array_equal(np.bincount(BATCH.segment_ids), np.diff(BATCH.row_splits))


def test_no_catalog_is_a_batch():
    empty = BATCH.select(np.zeros(0, dtype=int))
    assert (empty.n_catalogs, empty.n_clusters, empty.row_splits.tolist()) == (0, 0, [0])
