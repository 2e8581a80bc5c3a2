"""Variants: what each takes away, what it leaves, and that it is the same in any company."""

import numpy as np
import pytest
from earnest_common.catalogs.batch import CatalogBatch, concat
from earnest_common.catalogs.variants import VARIANTS, view
from earnest_common.errors import InputError
from earnest_common.testing import toy_batch


@pytest.fixture(scope="module")
def batch() -> CatalogBatch:
    return toy_batch(n_catalogs=6, seed=2)


@pytest.mark.parametrize("variant", VARIANTS)
def test_labels_and_numbers_of_clusters_stay(batch, variant):
    found = view(batch, variant)
    assert found.catalogs is batch.catalogs
    assert (found.column("catalog_id") == batch.column("catalog_id")).all()
    assert found.clusters.columns == batch.clusters.columns
    assert found.clusters.schema == batch.clusters.schema


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_catalog_is_the_same_in_any_company(batch, variant):
    together = view(batch, variant).clusters
    alone = concat([view(batch.select([i]), variant) for i in range(batch.n_catalogs)]).clusters
    assert together.equals(alone)


def test_shuffling_keeps_clusters_whole_and_forgets_their_order(batch):
    found = view(batch, "shuffled")
    key = ("catalog_id", "rank")
    assert found.clusters.sort(key).equals(batch.clusters.sort(key))
    position = np.concatenate([np.arange(n) for n in np.diff(batch.row_splits)])
    moved = np.corrcoef(position, found.column("rank"))[0, 1]
    # Catalogs differ in size, which alone correlates place and rank a little; in the original it is 1.
    assert moved < 0.5


def test_no_weak_lensing_takes_nothing_else(batch):
    found = view(batch, "no-wl")
    assert found.clusters["m_wl"].null_count() == batch.n_clusters
    assert found.clusters.drop("m_wl").equals(batch.clusters.drop("m_wl"))
    assert found.problems() == []


def test_ones_leave_the_number_of_clusters(batch):
    found = view(batch, "ones")
    for name in ("m_wl", "l_x", "t_x", "m_gas", "m_gas_profile", "gas_slope_profile"):
        assert (found.column(name) == 1).all()
    assert found.problems() == []
    assert view(view(batch, "no-wl"), "ones").clusters["m_wl"].null_count() == batch.n_clusters  # unknown stays so


def test_unknown_variants_are_named(batch):
    with pytest.raises(
        InputError, match="variant 'sorted' is not known; choose one of standard, shuffled, no-wl, ones"
    ):
        view(batch, "sorted")
