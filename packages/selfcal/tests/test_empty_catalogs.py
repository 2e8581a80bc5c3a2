"""A survey that finds nothing has found N = 0: evidence of a low sigma8, without a median."""

import json

import numpy as np
import polars as pl
import pytest
from earnest_common.catalogs import CatalogSet, Plan, write_batch
from earnest_common.catalogs.batch import CatalogBatch
from earnest_common.errors import InputError
from earnest_selfcal.cli.answer import evaluate_set
from earnest_selfcal.forward.counts import ln_poisson
from earnest_selfcal.forward.median import ln_median_density
from earnest_selfcal.forward.resolution import Resolution
from earnest_selfcal.forward.table import forward_table
from earnest_selfcal.posterior.inference import observed_in_set
from earnest_selfcal.posterior.posterior import infer
from earnest_selfcal.survey.config import resolve_survey

COARSE = Resolution(n_nuisance=64, n_sigma8=22)
SMALL = resolve_survey(options={"volume": 2e6})


def test_an_empty_catalog_is_a_poisson_draw_like_others():
    expected = np.array([0.0, 0.5, 3.0])
    np.testing.assert_allclose(np.exp(ln_poisson(0, expected)), np.exp(-expected))
    table = forward_table(SMALL, COARSE, observable="l_x")
    means = [infer(table, n).mean for n in (0, 1, 4)]
    assert means == sorted(means)
    weight = np.exp(-table.expected_n).mean(axis=0)
    np.testing.assert_allclose(infer(table, 0).probability, weight / weight.sum())


def test_a_median_of_no_clusters_is_refused():
    with pytest.raises(InputError, match="an empty catalog has no median; leave it out"):
        infer(forward_table(SMALL, COARSE, observable="l_x"), 0, -0.3)


def test_the_only_cluster_may_lie_where_the_distribution_ends():
    ends = ln_median_density(1, np.array([0.0, 1.0]), np.array([2.0, 2.0]))
    np.testing.assert_allclose(ends, np.log(2.0))  # one value is its own median: ln f, without 0 times infinity


@pytest.fixture
def sparse(tmp_path):
    """Return a set of 60 small surveys, drawn by the forward model, of which some are empty."""
    rng = np.random.default_rng(3)
    counts = rng.poisson(3, 60)
    segment = np.repeat(np.arange(60), counts)
    log10_m = 14.0 + rng.exponential(0.3, len(segment))
    frame = pl.DataFrame({"catalog_id": segment, "z": np.full(len(segment), SMALL.survey.z), "m_500c": 10**log10_m})
    relations = SMALL.relations
    frame = frame.with_columns(
        l_x=pl.Series(10 ** relations.l_x.log10_mean(log10_m)),
        t_x=pl.Series(10 ** relations.t_x.log10_mean(log10_m)),
        m_gas=pl.Series(10 ** relations.m_gas.log10_mean(log10_m)),
    ).sort(["catalog_id", "l_x"], descending=[False, True])
    frame = frame.with_columns(rank=pl.int_range(pl.len()).over("catalog_id")).with_columns(cluster_id=pl.col("rank"))
    catalogs = pl.DataFrame(
        {
            "catalog_id": np.arange(60),
            "n_clusters": counts,
            "sigma8": rng.uniform(0.7, 0.9, 60),
            "survey": ["paper"] * 60,
        }
    )
    batch = CatalogBatch.conformed(catalogs, frame, subject="sparse")
    write_batch(tmp_path / "SET", batch, Plan(kind="mock", preset="paper", seed=1, n_catalogs=60))
    return tmp_path / "SET", counts


def test_sets_with_empty_catalogs_are_evaluated_whole(sparse, tmp_path):
    path, counts = sparse
    numbers = evaluate_set(
        path, split="all", options={"volume": 2e6}, section=tmp_path / "section.json", resolution=COARSE
    )
    assert numbers["n_catalogs"] + numbers["n_refused"] == 60
    assert numbers["n_catalogs"] >= (counts <= 4).sum()
    assert json.loads((tmp_path / "section.json").read_text(encoding="utf-8"))["figures"]
    empty = int(np.flatnonzero(counts == 0)[0])
    observed = observed_in_set(CatalogSet.open(path), SMALL.survey, catalog_id=empty)
    assert (observed.n_clusters, observed.median_log10_x) == (0, None)
