"""Scaled inputs: laws of the scaling, and one error that lists all that is wrong."""

import dataclasses
import functools
import itertools

import numpy as np
import polars as pl
import pytest
from earnest_common.catalogs.batch import CatalogBatch
from earnest_common.catalogs.variants import view
from earnest_common.errors import InputError
from earnest_common.testing import toy_batch
from earnest_model.data.features import FeatureSet, Range, fit_scaling, outside_training_range, ranges, to_arrays

FEATURES = FeatureSet()


def changed(batch: CatalogBatch, **columns: pl.Expr) -> CatalogBatch:
    return dataclasses.replace(batch, clusters=batch.clusters.with_columns(**columns))


def test_fifteen_inputs_and_a_supplementary_pair(batch):
    arrays = to_arrays(batch, FEATURES, fit_scaling(batch, FEATURES))
    assert arrays.encoder.shape == (batch.n_clusters, 15)
    assert arrays.supplementary.shape == (batch.n_clusters, 2)
    assert arrays.counts.sum() == batch.n_clusters
    assert len(FEATURES.names) == 15
    assert FEATURES.names[7:9] == ("log10_m_gas_profile_7", "gas_slope_profile_1")
    assert FEATURES.supplementary_names == ("log10_l_x", "log10_m_wl")


def test_each_group_spans_zero_to_one_and_shares_one_scaling(batch):
    scaling = fit_scaling(batch, FEATURES)
    arrays = to_arrays(batch, FEATURES, scaling)
    groups = [arrays.encoder[:, :1], arrays.encoder[:, 1:8], arrays.encoder[:, 8:], *arrays.supplementary.T]
    for group in groups:
        assert group.min() == pytest.approx(0, abs=1e-6)
        assert group.max() == pytest.approx(1, abs=1e-6)
    offset, width = scaling["m_gas_profile"]
    expected = (np.log10(batch.column("m_gas_profile").astype(float)) - offset) / width
    np.testing.assert_allclose(arrays.encoder[:, 1:8], expected, atol=1e-6)  # float32
    assert set(scaling) == {*FEATURES.columns, "n_clusters", "sigma8"}


@pytest.mark.parametrize("factor", [0.5, 7.0])
def test_a_change_of_unit_changes_nothing(batch, factor):
    """Logarithm and linear scaling: the inputs do not know in which unit a mass is given."""
    other = changed(batch, t_x=pl.col("t_x") * factor, l_x=pl.col("l_x") * factor, m_wl=pl.col("m_wl") * factor)
    one, two = (to_arrays(b, FEATURES, fit_scaling(b, FEATURES)) for b in (batch, other))
    np.testing.assert_allclose(one.encoder, two.encoder, atol=1e-6)
    np.testing.assert_allclose(one.supplementary, two.supplementary, atol=1e-6)


def test_scaling_is_kept_not_fitted_again(batch):
    """Other catalogs are scaled by the numbers of the training catalogs."""
    scaling = fit_scaling(batch, FEATURES)
    other = toy_batch(n_catalogs=3, seed=5)
    offset, width = scaling["t_x"]
    expected = (np.log10(other.column("t_x")) - offset) / width
    np.testing.assert_allclose(to_arrays(other, FEATURES, scaling).encoder[:, 0], expected, atol=1e-6)


def test_a_constant_column_is_no_division_by_zero(batch):
    constant = changed(batch, t_x=pl.lit(3.0))
    arrays = to_arrays(constant, FEATURES, fit_scaling(constant, FEATURES))
    assert np.isfinite(arrays.encoder).all()


def test_drop_takes_a_column_away():
    assert FEATURES.drop(["m_wl"]).supplementary == ("l_x",)
    assert FEATURES.drop(["t_x", "m_wl", "l_x"]).columns == ("m_gas_profile", "gas_slope_profile")
    with pytest.raises(InputError, match=r"cannot drop z: the columns are t_x, m_gas_profile"):
        FEATURES.drop(["z"])
    with pytest.raises(InputError, match="keep at least one of t_x"):
        FEATURES.drop(["t_x", "m_gas_profile", "gas_slope_profile"])


FIVE = FeatureSet(encoder=("l_x", "t_x", "m_gas", "y_500", "m_wl"), supplementary=())
"""The paper's appendix B."""


def test_any_measured_columns_may_be_chosen(batch):
    with_energy = changed(batch, y_500=pl.col("m_gas") * pl.col("t_x"))
    arrays = to_arrays(with_energy, FIVE, fit_scaling(with_energy, FIVE))
    assert arrays.encoder.shape == (batch.n_clusters, 5)
    assert arrays.supplementary.shape == (batch.n_clusters, 0)
    assert FIVE.names == ("log10_l_x", "log10_t_x", "log10_m_gas", "log10_y_500", "log10_m_wl")
    with pytest.raises(InputError, match="'y_500'"):
        to_arrays(batch, FIVE, fit_scaling(with_energy, FIVE))


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ({"encoder": ("t_x", "colour")}, "columns colour cannot be inputs; choose among z, m_500c, m_wl, l_x"),
        ({"encoder": ("t_x", "donor_id")}, "columns donor_id cannot be inputs"),
        ({"encoder": ("t_x", "l_x")}, "named twice"),
        ({"encoder": ()}, "at least one column"),
    ],
)
def test_columns_that_cannot_be_inputs_are_refused(names, message):
    with pytest.raises(InputError, match=message):
        FeatureSet(**names)


def test_observed_catalogs_without_profiles_need_none(batch):
    """Neither unknown profiles nor other radii matter to a network that does not look at profiles."""
    unknown = {name: pl.lit(None, dtype=batch.clusters.schema[name]) for name in ("m_gas_profile", "gas_slope_profile")}
    observed = dataclasses.replace(changed(batch, **unknown), radii=(0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8))
    global_only = FeatureSet(encoder=("t_x", "m_gas"), supplementary=("l_x",))
    scaling = fit_scaling(batch, global_only)
    arrays, expected = (to_arrays(b, global_only, scaling) for b in (observed, batch))
    np.testing.assert_array_equal(arrays.encoder, expected.encoder)
    assert outside_training_range(ranges(observed, global_only, scaling), scaling) == []
    with pytest.raises(InputError, match="profiles at radii"):
        to_arrays(observed, FEATURES, fit_scaling(batch, FEATURES))


def test_an_array_of_ones_leaves_the_number_of_clusters(batch):
    ones = view(batch, "ones")
    arrays = to_arrays(ones, FEATURES, fit_scaling(ones, FEATURES))
    assert not arrays.encoder.any()
    assert not arrays.supplementary.any()
    np.testing.assert_array_equal(arrays.counts, np.diff(batch.row_splits))


def test_dropped_columns_may_be_unknown(batch):
    unknown = changed(batch, m_wl=pl.lit(None, dtype=pl.Float64))
    without = FEATURES.drop(["m_wl"])
    assert to_arrays(unknown, without, fit_scaling(unknown, without)).supplementary.shape[1] == 1


def test_one_error_lists_everything(batch):
    row = pl.int_range(pl.len())
    broken = changed(
        batch,
        t_x=pl.when(row == 4).then(None).otherwise("t_x"),
        m_wl=pl.when(row < 2).then(float("nan")).otherwise("m_wl"),
        l_x=pl.when(row == 7).then(0.0).otherwise("l_x"),
    )
    broken = dataclasses.replace(broken, radii=(0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7))
    with pytest.raises(InputError) as caught:
        to_arrays(broken, FEATURES, fit_scaling(batch, FEATURES))
    message = str(caught.value)
    assert "profiles at radii 0.1, 0.2" in message
    assert "'t_x' [keV]: 1 of" in message
    assert "row 4" in message
    assert "'m_wl' [solMass]: 2 of" in message
    assert "--drop m_wl" in message
    assert "'l_x' [1e44 erg/s]: 1 of" in message
    assert "not positive" in message


def test_unknown_profiles_are_refused(batch):
    unknown = changed(batch, m_gas_profile=pl.lit(None, dtype=batch.clusters.schema["m_gas_profile"]))
    with pytest.raises(InputError, match="'m_gas_profile'"):
        to_arrays(unknown, FEATURES, fit_scaling(batch, FEATURES))


def test_no_catalogs_and_empty_catalogs_are_refused(batch):
    scaling = fit_scaling(batch, FEATURES)
    with pytest.raises(InputError, match="there are no catalogs"):
        to_arrays(batch.select([]), FEATURES, scaling)
    first = int(np.diff(batch.row_splits)[0])
    empty = CatalogBatch(
        catalogs=batch.catalogs[:2].with_columns(n_clusters=pl.Series([first, 0])), clusters=batch.clusters[:first]
    )
    with pytest.raises(InputError, match=r"1 catalog\(s\) have no clusters \(first: catalog_id 1\)"):
        to_arrays(empty, FEATURES, scaling)


def test_values_outside_the_training_range_are_named(batch):
    """In parts or at once the same is said: a tenth of the catalogs have a hundred times the temperature."""
    scaling = fit_scaling(batch, FEATURES)
    assert outside_training_range(ranges(batch, FEATURES, scaling), scaling) == []
    hot = changed(batch, t_x=pl.when(pl.col("catalog_id") < 4).then(pl.col("t_x") * 100).otherwise("t_x"))
    whole = ranges(hot, FEATURES, scaling)
    (note,) = outside_training_range(whole, scaling)
    n, total = int(batch.row_splits[4]), batch.n_clusters
    assert note.startswith(f"log10 t_x: {n:,} of {total:,} values ({100 * n / total:.3g} %) lie outside the training")
    parts = [ranges(hot.select(np.arange(k, k + 10)), FEATURES, scaling) for k in range(0, 40, 10)]
    assert {name: functools.reduce(Range.joined, (part[name] for part in parts)) for name in whole} == whole


def test_batches_and_orders_keep_catalogs_whole(batch):
    arrays = to_arrays(batch, FEATURES, fit_scaling(batch, FEATURES))
    parts = list(arrays.batches(7))
    assert [p.n_catalogs for p in parts] == [6, 7, 7, 6, 7, 7]
    np.testing.assert_array_equal(np.concatenate([p.encoder for p in parts]), arrays.encoder)
    order = np.random.default_rng(0).permutation(batch.n_catalogs)
    np.testing.assert_array_equal(
        arrays.take(order).encoder, to_arrays(batch.select(order), FEATURES, fit_scaling(batch, FEATURES)).encoder
    )


def test_catalogs_larger_than_in_training_are_named(batch):
    """Every cluster twice: no value is new, the numbers of clusters are."""
    scaling = fit_scaling(batch, FEATURES)
    counts = np.diff(batch.row_splits)
    rows = np.concatenate([np.tile(np.arange(a, b), 2) for a, b in itertools.pairwise(batch.row_splits)])
    doubled = CatalogBatch(
        catalogs=batch.catalogs.with_columns(n_clusters=pl.Series(2 * counts)), clusters=batch.clusters[rows]
    )
    n = int(np.sum(2 * counts > counts.max()))
    share = f"{n} of {len(counts)} values ({100 * n / len(counts):.3g} %)"
    assert outside_training_range(ranges(doubled, FEATURES, scaling), scaling) == [
        f"n_clusters: {share} lie outside the training range {counts.min()} to {counts.max()} "
        f"(found {2 * counts.min()} to {2 * counts.max()})"
    ]
    before = {name: one for name, one in scaling.items() if name != "n_clusters"}  # as in bundles of earlier releases
    assert outside_training_range(ranges(doubled, FEATURES, before), before) == []


def test_a_rare_value_outside_is_counted():
    """0.00 % would say nothing."""
    scaling = {"m_wl": (13.0, 2.0)}
    found = {"m_wl": Range(n=120_000, n_outside=3, low=12.5, high=14.0)}
    (note,) = outside_training_range(found, scaling)
    assert note == (
        "log10 m_wl: 3 of 120,000 values (0.0025 %) lie outside the training range 13 to 15 (found 12.5 to 14)"
    )
