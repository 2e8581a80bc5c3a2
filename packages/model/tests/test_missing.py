"""Laws of missing columns: what is withheld, what is answered, and what is said of it."""

import dataclasses

import numpy as np
import polars as pl
import pytest
from earnest_common.catalogs.variants import view
from earnest_common.errors import InputError
from earnest_common.plugins import load_estimator
from earnest_common.testing import toy_batch
from earnest_model.config import TrainingConfig
from earnest_model.data.arrays import Arrays
from earnest_model.data.features import FeatureSet, fit_scaling, to_arrays
from earnest_model.data.missing import combinations, lacking, withhold, without
from earnest_model.evaluation.accuracy import accuracy
from earnest_model.evaluation.labelled_predictions import predict_labelled
from earnest_model.networks.calibration import missing_key
from hypothesis import given
from hypothesis import strategies as st

NULL = pl.lit(None, dtype=pl.Float64)


def changed(batch, **columns):
    return dataclasses.replace(batch, clusters=batch.clusters.with_columns(**columns))


def many(n_catalogs: int, per_catalog: int, n_columns: int) -> Arrays:
    n = n_catalogs * per_catalog
    return Arrays(
        encoder=np.zeros((n, 1), np.float32),
        supplementary=np.zeros((n, n_columns), np.float32),
        counts=np.full(n_catalogs, per_catalog, np.int32),
        labels=np.zeros((n_catalogs, 1)),
    )


@given(st.integers(1, 4), st.floats(0, 0.99), st.integers(0, 2**32))
def test_what_is_withheld_follows_the_share(n_columns, probability, seed):
    """Of 4,000 catalogs the share that lacks something is the probability, within five binomial errors."""
    arrays = many(4000, 3, n_columns)
    changed_arrays = withhold(arrays, probability, np.random.default_rng(seed))
    lost = np.isnan(changed_arrays.supplementary).reshape(4000, 3, n_columns)
    share = lost.any(axis=(1, 2)).mean()
    error = max(np.sqrt(probability * (1 - probability) / 4000), 1e-3)
    # a column that is withheld for a small part of three clusters may lose none: at most a quarter of the quarter
    assert probability - 5 * error - 0.2 * probability <= share <= probability + 5 * error
    np.testing.assert_array_equal(arrays.supplementary, 0)  # the input is left as it is


def test_every_combination_is_withheld_equally_often():
    arrays = many(30_000, 1, 2)
    lost = np.isnan(withhold(arrays, 0.9, np.random.default_rng(3)).supplementary)
    shares = [(lost == wanted).all(axis=1).mean() for wanted in combinations(2)]
    # of a withheld column the only cluster keeps its value in an eighth of the cases: a quarter, and then half of them
    kept = 1 / 8
    third = 0.3
    expected = [0.1 + third * (2 * kept + kept**2), *[third * (1 - kept) * (1 + kept)] * 2, third * (1 - kept) ** 2]
    np.testing.assert_allclose(shares, expected, atol=0.015)


def test_catalogs_that_lack_columns_are_answered_and_named(estimator, batch):
    table = estimator.predict(changed(batch, m_wl=NULL))
    assert table["missing"].unique().to_list() == ["m_wl"]
    assert estimator.predict(batch)["missing"].unique().to_list() == ["none"]
    rank = pl.col("rank")
    some = estimator.predict(changed(batch, m_wl=pl.when(rank == 0).then(NULL).otherwise("m_wl"), l_x=NULL))
    n = int(batch.catalogs["n_clusters"][0])
    assert some["missing"][0] == f"l_x, m_wl of 1 of {n} clusters"
    assert estimator.accepts_missing == ("l_x", "m_wl")


def test_a_missing_column_has_no_influence_whatever_it_was(estimator, batch):
    """The same answers, errors and reasons, from catalogs whose lensing masses were any before they were lost."""
    other = changed(batch, m_wl=pl.col("m_wl") * 3.0)
    for ask in (estimator.predict, estimator.encode, estimator.leave_one_out):
        one, two = (ask(changed(some, m_wl=NULL)) for some in (batch, other))
        assert one.equals(two) if isinstance(one, pl.DataFrame) else np.array_equal(one, two)
    assert not estimator.predict(batch).equals(estimator.predict(other))


def test_the_variant_without_lensing_is_the_missing_column(estimator, batch):
    assert estimator.predict(view(batch, "no-wl")).equals(estimator.predict(changed(batch, m_wl=NULL)))


def test_leaving_a_cluster_out_of_an_incomplete_catalog_is_exact(estimator, batch):
    few = changed(batch.select([0, 1]), m_wl=pl.when(pl.col("rank") < 5).then(NULL).otherwise("m_wl"))
    found, at = estimator.leave_one_out(few), 7
    keep = np.arange(few.n_clusters) != at
    n = few.catalogs["n_clusters"].to_numpy() - np.array([1, 0])
    left = dataclasses.replace(
        few, clusters=few.clusters.filter(keep), catalogs=few.catalogs.with_columns(n_clusters=pl.Series(n))
    )
    expected = estimator.predict(left)["sigma8"][0] - estimator.predict(few)["sigma8"][0]
    assert found[at] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("missing", combinations(2)[1:], ids=lambda m: missing_key(("l_x", "m_wl"), m))
def test_intervals_cover_what_they_say_without_columns(estimator, missing):
    """On 1,200 catalogs 68 % within four errors: of these, and of the 512 on which each was calibrated."""
    names = [name for name, gone in zip(("l_x", "m_wl"), missing, strict=True) if gone]
    held_out = changed(toy_batch(n_catalogs=1200, seed=7), **dict.fromkeys(names, NULL))
    found = accuracy(predict_labelled(estimator, [held_out]))
    assert found.coverage_68 == pytest.approx(0.68, abs=4 * np.sqrt(0.68 * 0.32 * (1 / 1200 + 1 / 512)))
    assert found.scatter < found.prior_scatter


def test_a_network_that_needs_all_columns_says_so(paper_bundle, batch):
    with pytest.raises(InputError, match="train a network without it: --drop m_wl"):
        load_estimator(paper_bundle).predict(changed(batch, m_wl=NULL))


def test_training_catalogs_may_lack_values(batch):
    """Scalings are those of the known values, and a column without any is refused."""
    features = TrainingConfig().features(batch.radii)
    assert features.optional == ("l_x", "m_wl")
    holes = changed(batch, m_wl=pl.when(pl.col("rank") == 0).then(NULL).otherwise("m_wl"))
    known = holes.column("m_wl").astype(np.float64)
    low, width = fit_scaling(holes, features)["m_wl"]
    logs = np.log10(known[np.isfinite(known)])
    np.testing.assert_allclose([low, low + width], [logs.min(), logs.max()])
    arrays = to_arrays(holes, features, fit_scaling(holes, features))
    assert np.isnan(arrays.supplementary).sum() == batch.n_catalogs
    assert not lacking(arrays).any()
    assert lacking(without(arrays, (True, False))).tolist() == [[True, False]] * batch.n_catalogs
    with pytest.raises(InputError, match="m_wl: unknown for all training clusters"):
        fit_scaling(changed(batch, m_wl=NULL), features)


def test_too_many_columns_to_miss_are_refused():
    columns = ("l_x", "m_wl", "z", "m_gas", "m_500c")
    with pytest.raises(InputError, match=r"name at most 4, or set pooled.missing = 0"):
        TrainingConfig(encoder=("t_x",), supplementary=columns)
    assert FeatureSet().optional == ()
