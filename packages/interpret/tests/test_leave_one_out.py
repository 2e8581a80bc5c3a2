"""Laws of leave-one-out: the closed form, brute force and bounded batches agree; planted truth is found."""

from dataclasses import dataclass, field

import numpy as np
import polars as pl
import pytest
from earnest_common.catalogs.batch import CatalogBatch
from earnest_common.survey.cosmology import MAGNETICUM
from earnest_common.survey.presets import Survey
from earnest_interpret.analyses.leave_one_out.information import ideal_leave_one_out
from earnest_interpret.analyses.leave_one_out.removal import (
    BENCHMARKS,
    LIGHT,
    leave_one_out_table,
    summarise_leave_one_out,
)
from earnest_interpret.responses.leave_one_out import leave_one_out, leave_one_out_by_prediction
from earnest_interpret.sample import MassAxis, mass_axis
from earnest_interpret.sections import clusters_section
from earnest_interpret.testing import PlainEstimator, SaturatingEstimator
from hypothesis import given, settings
from hypothesis import strategies as st


@dataclass
class Recorder:
    """An estimator that checks and records what it is handed."""

    inner: SaturatingEstimator
    rows: list[int] = field(default_factory=list)

    @property
    def description(self):
        return self.inner.description

    def predict(self, batch: CatalogBatch) -> pl.DataFrame:
        assert batch.problems() == []
        self.rows.append(batch.n_clusters)
        return self.inner.predict(batch)


@given(max_rows=st.integers(100, 20_000))
@settings(max_examples=6, deadline=None)
def test_prediction_of_reduced_catalogs_agrees_with_the_closed_form(max_rows, batch, estimator):
    few = batch.select(np.arange(2))
    recorder = Recorder(estimator)
    delta = leave_one_out(recorder, few, max_rows=max_rows)
    np.testing.assert_allclose(delta, estimator.leave_one_out(few), atol=1e-12)
    largest = int(np.diff(few.row_splits).max())
    assert max(recorder.rows) <= max(max_rows, largest)


def test_an_estimator_is_asked_for_its_own_leave_one_out(batch, estimator):
    np.testing.assert_array_equal(leave_one_out(estimator, batch, max_rows=100), estimator.leave_one_out(batch))
    np.testing.assert_allclose(
        leave_one_out_by_prediction(estimator, batch), estimator.leave_one_out(batch), atol=1e-12
    )


def test_a_lone_cluster_cannot_be_left_out(lonely, estimator):
    assert np.isnan(leave_one_out(estimator, lonely)).all()
    assert np.isnan(leave_one_out(PlainEstimator(), lonely)).all()
    table = leave_one_out_table(lonely, leave_one_out(estimator, lonely))
    assert table.columns == ["catalog_id", "cluster_id", "delta_sigma8"]
    assert table.get_column("delta_sigma8").null_count() == lonely.n_clusters
    assert summarise_leave_one_out(np.full(3, np.nan), None).n_clusters == 0


def test_lone_clusters_among_others(batch, lonely, estimator):
    from earnest_common.catalogs.batch import concat

    mixed = concat([lonely.select([0]), batch.select([1]), lonely.select([2])])
    delta = leave_one_out(Recorder(estimator), mixed)
    np.testing.assert_allclose(delta, estimator.leave_one_out(mixed), atol=1e-12)
    assert np.isnan(delta).sum() == 2


def test_counting_clusters_lowers_sigma8_always(batch):
    """The paper's remark: a model that merely counts would give negative changes without a trend in mass."""
    axis = mass_axis(batch)
    found = summarise_leave_one_out(leave_one_out(PlainEstimator(), batch), axis)
    assert all(b.lowering == 1 for b in found.benchmarks)
    assert found.run.level(0.5) == pytest.approx(np.median(found.run.level(0.5)), rel=0.3)


def test_light_clusters_are_compared_with_the_papers(batch, rng):
    """Without an effect on average as in the paper, and lowered always as an analysis of counts does."""
    axis = mass_axis(batch)
    counting = leave_one_out(PlainEstimator(), batch)
    light = summarise_leave_one_out(counting, axis).light
    assert (light.log10_m, light.lowering) == (LIGHT, 1)
    assert light.n == np.sum(axis.log10_m < LIGHT)
    assert light.median == np.median(counting[axis.log10_m < LIGHT])
    ideal = ideal_leave_one_out(Survey(), MAGNETICUM)
    text = clusters_section(summarise_leave_one_out(counting, axis), axis, counting, ideal=ideal).text[1]
    assert "100 % of" in text
    assert "in the paper removing one of these has no systematic effect" in text
    assert "An ideal analysis with known masses lowers" in text
    noise = rng.normal(0, 0.001, batch.n_clusters)
    text = clusters_section(summarise_leave_one_out(noise, axis), axis, noise).text[1]
    assert "as in the paper" in text
    assert "ideal" not in text
    assert summarise_leave_one_out(noise, None).light is None


def test_benchmark_masses_are_the_papers_without_h():
    """10^14.0 to 10^14.8 h^-1 Msun, in solMass with two decimals."""
    np.testing.assert_allclose(BENCHMARKS, np.arange(14.0, 14.9, 0.2) - np.log10(MAGNETICUM.h), atol=0.005)


def test_planted_mass_trend_is_recovered(rng):
    log10_m = rng.uniform(13.95, 15.15, 40_000)
    delta = np.where(log10_m > 14.55, -0.01 * (log10_m - 14.55), 0.0) + rng.normal(0, 0.001, log10_m.size)
    axis = MassAxis(column="m_500c", log10_m=log10_m, label="M", is_true=True)
    found = summarise_leave_one_out(delta, axis)
    expected = np.where(found.run.centres > 14.55, -0.01 * (found.run.centres - 14.55), 0.0)
    np.testing.assert_allclose(found.run.level(0.5)[1:-1], expected[1:-1], atol=3e-4)
    assert found.massive_fraction == pytest.approx(0.5, abs=0.01)
    assert found.massive_share > 0.7
    assert [b.log10_m for b in found.benchmarks] == [-np.inf, *BENCHMARKS]
    lowering = [b.lowering for b in found.benchmarks]
    assert lowering == sorted(lowering)
    assert lowering[-1] > 0.99
    assert found.stability_68 == pytest.approx(np.quantile(np.abs(delta), 0.68))


def test_without_masses_only_the_distribution_is_told(observed, estimator):
    assert mass_axis(observed) is None
    found = summarise_leave_one_out(leave_one_out(estimator, observed), None)
    assert found.run is None
    assert len(found.benchmarks) == 1
    assert np.isnan(found.massive_share)


def test_the_order_of_catalogs_does_not_matter(batch, estimator):
    turned = batch.select(np.arange(batch.n_catalogs)[::-1])
    keys = ["catalog_id", "cluster_id"]
    one = leave_one_out_table(batch, leave_one_out(Recorder(estimator), batch)).sort(keys)
    other = leave_one_out_table(turned, leave_one_out(Recorder(estimator), turned)).sort(keys)
    np.testing.assert_allclose(one["delta_sigma8"], other["delta_sigma8"], atol=1e-13)
