"""Laws of what stands beside saliency: faint clusters, bands of the survey, other trainings, another model, figures."""

from dataclasses import replace

import numpy as np
import pytest
from earnest_common.catalogs.batch import CatalogBatch
from earnest_common.errors import InputError
from earnest_common.survey.presets import Survey, preset
from earnest_common.survey.scaling import TABLE_2, with_factors
from earnest_interpret.analyses.saliency import examination
from earnest_interpret.analyses.saliency.examination import SaliencyRequest, run_saliency
from earnest_interpret.analyses.saliency.faint_clusters import find_stripes
from earnest_interpret.bands import break_band, median_band
from earnest_interpret.responses.questions import encode
from earnest_interpret.responses.responses import Responses
from earnest_interpret.sample import Sample, mass_axis
from earnest_interpret.sections import inputs_section
from earnest_interpret.sections.names import meaning
from earnest_interpret.testing import FEATURES, PlainEstimator, SaturatingEstimator

WEIGHTS = {"log10_t_x": 0.8, "log10_m_gas_profile_5": 0.6, "gas_slope_profile_2": -0.3}
CURVED = SaturatingEstimator(weights=WEIGHTS, saturation=0.4)


def answers(model, sample: Sample) -> Responses:
    """Return what a model answers to a sample."""
    return Responses(estimator=model, batch=sample.batch)


@pytest.fixture(scope="module")
def sample(batch) -> Sample:
    return Sample(batch=batch, n_available=40, survey=Survey())


def test_a_saturating_encoder_is_faint_at_the_ends_of_its_terse_values(batch):
    """Where tanh is flat: at the ends if it is centred, at one end only if it is not."""
    drive = encode(replace(CURVED, saturation=1e9), batch)
    centred = np.tanh(3 * (drive - np.median(drive)))
    slope = np.tile((1 - centred**2)[:, None], 3)
    found = find_stripes(slope, centred, batch, mass_axis(batch))
    assert found.faint_at_edge == pytest.approx(1, abs=0.05)
    assert found.with_edge < -0.9
    assert found.strength.mean() == pytest.approx(1)


def test_saliency_that_has_nothing_to_do_with_the_terse_value(batch, rng):
    values = rng.normal(size=(batch.n_clusters, 5))
    found = find_stripes(values, encode(CURVED, batch), batch, mass_axis(batch))
    assert found.faint_at_edge == pytest.approx(0.2, abs=0.09)  # 250 clusters at random
    assert max(abs(found.with_edge), abs(found.with_mass), abs(found.with_shape)) < 0.1


def test_equal_clusters_have_no_stripes(batch, lonely):
    axis = mass_axis(batch)
    assert find_stripes(np.ones((batch.n_clusters, 2)), encode(CURVED, batch), batch, axis) is None
    few = lonely.select(np.arange(5))
    assert find_stripes(np.arange(10.0).reshape(5, 2), np.arange(5.0), few, None) is None


def test_the_break_follows_each_catalogs_luminosities(sample):
    """1.3 times brighter clusters reach the flux limit at a mass lower by log10(1.3) / slope."""
    factors = np.where(np.arange(40) % 2, 1.3, 0.8)
    catalogs = sample.batch.catalogs.with_columns(l_x_normalisation=factors, l_x_slope=np.ones(40))
    changed = replace(
        sample, batch=CatalogBatch(catalogs=catalogs, clusters=sample.batch.clusters, radii=sample.batch.radii)
    )
    band = break_band(changed)
    assert band.high == pytest.approx(14.4 - np.log10(0.8) / 1.74)
    assert band.low == pytest.approx(14.4 - np.log10(1.3) / 1.74)
    by_hand = Survey().selection.log10_m_break_of(with_factors(TABLE_2, {"l_x_normalisation": 1.3}).l_x)
    assert band.low == pytest.approx(float(by_hand))
    same = break_band(sample)  # without factors all catalogs have the reference relation
    assert (same.low, same.high) == pytest.approx((14.4, 14.4))
    assert break_band(replace(sample, survey=None)) is None
    assert break_band(replace(sample, survey=preset("realistic").survey)) is not None


def test_median_masses(sample, observed):
    band, batch = median_band(sample), sample.batch
    masses = np.log10(batch.column("m_500c"))
    medians = [np.median(masses[batch.segment_ids == k]) for k in range(40)]
    assert (band.low, band.high) == pytest.approx((min(medians), max(medians)))
    assert median_band(Sample(batch=observed, n_available=1)) is None


def test_everything_beside_is_found_and_drawn(sample):
    others = [SaturatingEstimator(weights={n: w * f for n, w in WEIGHTS.items()}, saturation=0.4) for f in (0.7, 1.5)]
    flat = SaturatingEstimator(weights=WEIGHTS, saturation=1e9)
    summary, beside = run_saliency(
        answers(CURVED, sample),
        sample,
        also=[answers(one, sample) for one in others],
        compare=answers(flat, sample),
        compare_name="a linear model",
    )
    assert len(beside.also) == 2
    assert set(beside.bands) == {"break", "median mass"}
    assert beside.check.n_shuffles == 5
    np.testing.assert_allclose(summary.per_unit, summary.mean_abs / ([1.2] + [3.0] * 7 + [3.5] * 7))
    section = inputs_section(summary, mass_axis(sample.batch), beside=beside)
    names = [figure.name for figure in section.figures]
    wanted = ["saliency-maps", "saliency-stripes", "saliency-seeds", "saliency-other", "saliency-compare"]
    assert names[-5:] == wanted
    compare = section.figures[-1].caption
    assert "a linear model" in compare
    assert "and 0.00." in compare  # a linear model has the same saliency at all masses
    assert all("nan" not in text for text in (*section.text, *(f.caption for f in section.figures)))


def test_the_check_against_shuffled_weights_is_bounded(sample, monkeypatch):
    """Some whole catalogs, evenly from all: about as many clusters as are allowed, and the same answer for each."""
    monkeypatch.setattr(examination, "N_CHECKED", 500)
    some, rows = examination._some_catalogs(sample.batch)
    assert 250 < some.n_clusters == len(rows) < 800 < sample.batch.n_clusters
    asked = []

    class Asked(SaturatingEstimator):
        def gradient(self, batch, *, of):
            asked.append(batch.n_clusters)
            return super().gradient(batch, of=of)

    model = Asked(weights=WEIGHTS, saturation=0.4)
    _, beside = run_saliency(answers(model, sample), sample)
    assert asked == [sample.batch.n_clusters, *beside.check.n_shuffles * [some.n_clusters]]
    np.testing.assert_array_equal(encode(CURVED, some), encode(CURVED, sample.batch)[rows])


def test_shares_of_trainings_that_differ_by_a_factor_do_not_scatter(sample):
    """The unit of a terse value is arbitrary: shares do not depend on it."""
    linear = [SaturatingEstimator(weights={n: w * f for n, w in WEIGHTS.items()}, saturation=1e9) for f in (1, 3)]
    summary, beside = run_saliency(answers(linear[0], sample), sample, also=[answers(linear[1], sample)])
    section = inputs_section(summary, mass_axis(sample.batch), beside=beside)
    table = next(table for table in section.tables if table.name == "saliency-seeds")
    assert all("± 0.0" in row[1] for row in table.rows)


@pytest.mark.parametrize("method", ["smoothgrad", "integrated", "occlusion"])
def test_every_method_can_be_told(sample, method):
    small = replace(sample, batch=sample.batch.select(np.arange(8)))
    summary, beside = run_saliency(answers(CURVED, small), small, SaliencyRequest(method=method))
    assert summary.method == method
    assert (beside.check is None) == (method != "smoothgrad")
    assert np.isfinite(summary.per_unit).all() == summary.is_slope
    assert ("SmoothGrad" in meaning(summary)) == (method == "smoothgrad")


def test_an_observed_catalog_shows_its_map(observed):
    one = Sample(batch=observed, n_available=1)
    summary, beside = run_saliency(answers(CURVED, one), one)
    section = inputs_section(summary, None, beside=beside)
    assert [f.name for f in section.figures][-1] == "saliency-maps"
    assert any("Masses are unknown" in text for text in section.text)


def test_lone_clusters(lonely):
    lone = Sample(batch=lonely, n_available=40)
    summary, beside = run_saliency(answers(CURVED, lone), lone)
    assert inputs_section(summary, mass_axis(lonely), beside=beside).figures
    assert summary.names == FEATURES


def test_trainings_of_other_inputs_and_models_without_terse_are_refused(sample):
    class Narrow(SaturatingEstimator):
        feature_names = FEATURES[:3]

        def gradient(self, batch, *, of):
            return super().gradient(batch, of=of)[:, :3]

    with pytest.raises(InputError, match="--compare"):
        run_saliency(answers(CURVED, sample), sample, also=[answers(Narrow(), sample)])
    with pytest.raises(InputError, match="no terse layer"):
        run_saliency(answers(PlainEstimator(), sample), sample)
