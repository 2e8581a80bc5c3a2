"""Laws of the sample: bounded, reproducible, honest about what was chosen."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from earnest_common.catalogs import CatalogSet, Plan, write_batch
from earnest_common.errors import InputError
from earnest_common.testing import toy_batch
from earnest_interpret.sample import chunks, mass_axis, read_sample, y_x
from hypothesis import given, settings
from hypothesis import strategies as st


def test_the_test_split_is_taken_where_there_is_one(catalog_set: Path):
    opened = CatalogSet.open(catalog_set)
    sample = read_sample(opened)
    assert set(sample.batch.catalogs["split"]) == {"test"}
    assert (sample.split, sample.cosmology.h) == ("test", pytest.approx(0.704))
    assert sample.synthetic == "toy clusters drawn from formulas"
    assert read_sample(opened, split="train").batch.n_catalogs > sample.batch.n_catalogs


def test_a_set_without_splits_is_taken_whole(tmp_path: Path):
    batch = toy_batch(n_catalogs=9, seed=1)
    unlabelled = type(batch)(
        catalogs=batch.catalogs.with_columns(split=pl.lit(None, dtype=pl.String)), clusters=batch.clusters
    )
    write_batch(tmp_path / "set", unlabelled, Plan(kind="observed", preset="toy", seed=None, n_catalogs=9))
    sample = read_sample(CatalogSet.open(tmp_path / "set"))
    assert (sample.batch.n_catalogs, sample.split, sample.synthetic) == (9, None, None)
    assert sample.text == f"9 catalogs ({batch.n_clusters} clusters)"


def test_a_draw_depends_on_the_seed_alone_and_keeps_order(catalog_set: Path):
    opened = CatalogSet.open(catalog_set)
    one, again, other = (read_sample(opened, split="train", max_catalogs=12, seed=s).batch for s in (1, 1, 2))
    ids = one.catalogs["catalog_id"].to_list()
    assert ids == again.catalogs["catalog_id"].to_list() == sorted(ids)
    assert ids != other.catalogs["catalog_id"].to_list()
    assert len(ids) == 12
    assert one.problems() == []
    assert read_sample(opened, split="train", max_catalogs=12).text.startswith("12 of ")


@pytest.mark.parametrize("split", ["tset", "validation"])
def test_nothing_to_interpret_is_an_error(tmp_path: Path, split: str):
    batch = toy_batch(n_catalogs=3, seed=1)
    trained = type(batch)(catalogs=batch.catalogs.with_columns(split=pl.lit("train")), clusters=batch.clusters)
    write_batch(tmp_path / "set", trained, Plan(kind="mock", preset="toy", seed=1, n_catalogs=3))
    with pytest.raises(InputError, match=split):
        read_sample(CatalogSet.open(tmp_path / "set"), split=split)


@given(max_rows=st.integers(1, 5_000))
@settings(max_examples=25, deadline=None)
def test_chunks_partition_the_catalogs_within_bounds(max_rows, batch):
    parts = list(chunks(batch, max_rows=max_rows))
    assert pl.concat([part.catalogs for part in parts]).equals(batch.catalogs)
    assert pl.concat([part.clusters for part in parts]).equals(batch.clusters)
    assert all(part.n_clusters <= max_rows or part.n_catalogs == 1 for part in parts)


def test_masses_are_free_of_h_and_fall_back_to_lensing(batch):
    axis = mass_axis(batch)
    assert (axis.column, axis.is_true) == ("m_500c", True)
    np.testing.assert_allclose(axis.log10_m, np.log10(batch.column("m_500c")))
    blind = type(batch)(
        catalogs=batch.catalogs, clusters=batch.clusters.with_columns(m_500c=pl.lit(None, dtype=pl.Float64))
    )
    assert (mass_axis(blind).column, mass_axis(blind).is_true) == ("m_wl", False)
    np.testing.assert_allclose(y_x(batch), batch.column("m_gas") * batch.column("t_x"))
