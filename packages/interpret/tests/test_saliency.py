"""Laws of saliency: exact gradients, planted truth ranked first, and words for what cannot be shown."""

import numpy as np
import polars as pl
import pytest
from earnest_common.catalogs.batch import CatalogBatch
from earnest_common.errors import InputError
from earnest_interpret.analyses.saliency.gradients import feature_groups, saliency_table, summarise_saliency
from earnest_interpret.responses.questions import encode, gradient
from earnest_interpret.sample import MassAxis, mass_axis
from earnest_interpret.testing import FEATURES, PlainEstimator, SaturatingEstimator


def test_a_linear_encoder_has_its_weights_as_gradient(batch):
    weights = {"log10_t_x": 0.4, "gas_slope_profile_7": -0.2}
    linear = SaturatingEstimator(weights=weights, saturation=1e9)
    found = gradient(linear, batch, max_rows=70)
    np.testing.assert_allclose(found, np.tile([weights.get(n, 0.0) for n in FEATURES], (batch.n_clusters, 1)))


def test_gradients_agree_with_finite_differences(batch, estimator):
    """Raise the temperature of all clusters a little: the scaled input moves by log10(1 + e) / 1.2."""
    step = 1e-6
    warmer = CatalogBatch(
        catalogs=batch.catalogs,
        clusters=batch.clusters.with_columns(pl.col("t_x") * 10 ** (1.2 * step)),
        radii=batch.radii,
    )
    slope = (encode(estimator, warmer) - encode(estimator, batch)) / step
    np.testing.assert_allclose(gradient(estimator, batch)[:, 0], slope, rtol=1e-4)
    # sigma8 answers to one cluster of n: the sum over a catalog is the answer to warming all.
    change = (estimator.predict(warmer)["sigma8"] - estimator.predict(batch)["sigma8"]).to_numpy() / step
    per_catalog = np.bincount(batch.segment_ids, weights=gradient(estimator, batch, of="sigma8")[:, 0])
    np.testing.assert_allclose(per_catalog, change, rtol=1e-4)


@pytest.mark.parametrize("place", [1, 4, 7])
@pytest.mark.parametrize("profile", ["log10_m_gas_profile", "gas_slope_profile"])
def test_a_planted_radius_ranks_first(batch, profile, place):
    planted = SaturatingEstimator(weights={f"{profile}_{place}": 0.5, "log10_t_x": 0.1})
    found = summarise_saliency(gradient(planted, batch), FEATURES, batch.radii, axis=mass_axis(batch))
    assert found.names[found.ranked[0]] == f"{profile}_{place}"
    group = next(g for g in found.groups if g.name == profile)
    assert found.share(group) == pytest.approx(5 / 6, abs=0.01)
    assert sum(found.share(g) for g in found.groups) == pytest.approx(1)


def test_summary_by_mass_sees_a_planted_trend(rng):
    log10_m = rng.uniform(14.15, 15.15, 5_000)
    gradient = -np.stack([15.15 - log10_m, np.ones(5_000)], axis=1)
    axis = MassAxis(column="m_500c", log10_m=log10_m, label="M", is_true=True)
    found = summarise_saliency(gradient, ["a", "b"], [1.0], axis=axis)
    centres = (found.mass_edges[:-1] + found.mass_edges[1:]) / 2
    np.testing.assert_allclose(found.by_mass[:, 0], 15.15 - centres, atol=0.02)
    assert found.mass_counts.sum() == 5_000
    assert (found.mean_signed < 0).all()
    assert (found.mean_abs > 0).all()
    assert (found.low <= found.high).all()


def test_bins_with_few_clusters_are_unknown(rng):
    axis = MassAxis(column="m_500c", log10_m=np.array([14.2] * 10 + [14.3] * 9 + [np.nan]), label="M", is_true=True)
    found = summarise_saliency(np.ones((20, 1)), ["a"], [1.0], axis=axis)
    assert np.isfinite(found.by_mass[:, 0]).tolist() == [True] + 9 * [False]


def test_groups_of_any_names():
    groups = feature_groups(["x_2", "log10_t_x", "x_1", "y_9"], [0.3, 0.6])
    assert [(g.name, g.columns, g.radii) for g in groups] == [
        ("x", (0, 2), (0.6, 0.3)),
        ("log10_t_x", (1,), None),
        ("y_9", (3,), None),  # there is no ninth radius
    ]
    assert groups[0].reference == 0


@pytest.mark.parametrize(
    ("signs", "expected"), [((1, 1, 1), 1.0), ((-1, -1, -1), 1.0), ((1, -2, 1), 0.0), ((3, -1, 0), 0.5)]
)
def test_coherence_tells_amount_from_shape(signs, expected):
    found = summarise_saliency(np.tile(np.array(signs, dtype=float), (20, 1)), ["p_1", "p_2", "p_3"], [0.3, 0.6, 1.0])
    assert found.coherence(found.groups[0]) == pytest.approx(expected)


def test_table_has_one_signed_column_per_input(batch, estimator):
    table = saliency_table(batch, gradient(estimator, batch), FEATURES, of="terse")
    assert table.columns == ["catalog_id", "cluster_id", *(f"d_terse_d_{name}" for name in FEATURES)]
    assert (table["d_terse_d_gas_slope_profile_2"] < 0).all()


def test_a_model_without_terse_layer_has_no_saliency(batch):
    with pytest.raises(InputError, match="no terse layer"):
        gradient(PlainEstimator(), batch)
