"""Laws of the ablation: what a planted estimator uses is found, and nothing else; errors are those of pairs."""

from dataclasses import dataclass, field, replace

import numpy as np
import polars as pl
import pytest
from earnest_common.catalogs.batch import CatalogBatch
from earnest_common.errors import InputError
from earnest_common.testing import ToyEstimator, toy_batch
from earnest_interpret import InterpretConfig, ablation
from earnest_interpret.analyses.ablation.columns import (
    DEFAULT_COLUMNS,
    companion_columns,
    encoder_columns,
    exchanged,
    held_constant,
    order_over_all,
    order_within,
    unknown,
)
from earnest_interpret.analyses.ablation.effect import FEWEST_CATALOGS, ablate, bootstrap_weights, measure_effect
from earnest_interpret.analyses.ablation.words import lensing_text, worth_text
from earnest_interpret.page.interpretation import interpret
from earnest_interpret.page.reasons import ablation_reasons
from earnest_interpret.page.report import build_report
from earnest_interpret.sample import Sample
from earnest_interpret.testing import SaturatingEstimator

COLUMNS = ("t_x", "m_gas", "m_gas_profile", "gas_slope_profile")


@dataclass
class Means:
    """Infers sigma8 from a mean over the clusters of each catalog; it has no description."""

    of: object
    seen: list[CatalogBatch] = field(default_factory=list)

    def predict(self, batch: CatalogBatch) -> pl.DataFrame:
        self.seen.append(batch)
        counts = np.diff(batch.row_splits)
        sums = np.bincount(batch.segment_ids, weights=self.of(batch), minlength=batch.n_catalogs)
        return batch.catalogs.select("catalog_id").with_columns(sigma8=pl.Series(sums / counts))


@dataclass
class WithoutLensing(Means):
    accepts_missing: tuple[str, ...] = ("m_wl",)


def planted(batch: CatalogBatch) -> CatalogBatch:
    """Return the catalogs with ln T = sigma8 + a residual of each cluster, and L_X with that residual too."""
    rng = np.random.default_rng(5)
    residual = rng.normal(0, 0.3, batch.n_clusters)
    sigma8 = batch.label("sigma8")[batch.segment_ids]
    columns = {"t_x": np.exp(sigma8 + residual), "l_x": np.exp(residual), "m_wl": np.exp(sigma8) * 1e14}
    return replace(batch, clusters=batch.clusters.with_columns(**{n: pl.Series(v) for n, v in columns.items()}))


def run(estimator, batch, seed=1, **options):
    return ablate(estimator, batch, rng=np.random.default_rng(seed), **options)[0]


@pytest.fixture(scope="module")
def catalogs() -> CatalogBatch:
    return planted(toy_batch(n_catalogs=80, seed=2))


@pytest.mark.parametrize("order", [order_within, order_over_all])
def test_an_exchange_moves_the_columns_of_a_cluster_together(batch, order):
    order = order(batch, np.random.default_rng(1))
    moved = exchanged(batch, COLUMNS, order)
    assert moved.clusters.drop(COLUMNS).equals(batch.clusters.drop(COLUMNS))
    assert moved.catalogs.equals(batch.catalogs)
    assert moved.clusters.select(COLUMNS).equals(batch.clusters.select(COLUMNS)[order])
    assert not moved.clusters.equals(batch.clusters)
    np.testing.assert_array_equal(np.sort(order), np.arange(batch.n_clusters))


def test_within_catalogs_each_keeps_its_clusters(batch):
    order = order_within(batch, np.random.default_rng(1))
    np.testing.assert_array_equal(batch.segment_ids[order], batch.segment_ids)
    assert (batch.segment_ids[order_over_all(batch, np.random.default_rng(1))] != batch.segment_ids).any()


def test_constants_are_medians_and_unknown_columns_null(batch):
    constant = held_constant(batch, COLUMNS)
    for name in COLUMNS:
        np.testing.assert_allclose(constant.column(name)[0], np.median(batch.column(name), axis=0))
        assert (constant.column(name) == constant.column(name)[0]).all()
    assert constant.problems() == []
    assert unknown(batch, ["m_wl"]).clusters["m_wl"].null_count() == batch.n_clusters
    nobody = unknown(batch, ["t_x", "m_gas_profile"])
    assert held_constant(nobody, ["t_x", "m_gas_profile"]).clusters.equals(nobody.clusters)


def test_which_columns_are_the_encoders():
    assert encoder_columns(Means(of=None)) == DEFAULT_COLUMNS
    assert companion_columns(Means(of=None)) == ("m_wl", "l_x")
    model = SaturatingEstimator()
    assert (encoder_columns(model), companion_columns(model)) == (model.description.features, ())


def test_an_estimator_that_ignores_the_encoder_changes_nothing(batch):
    found = run(ToyEstimator(), batch)
    for case in found.cases:
        for effect in (case.within, case.over_all, case.constant):
            assert (effect.change, effect.is_worse) == (0.0, False)
            assert effect.change_err < 1e-12
    assert "make no significant difference" in worth_text(found)
    assert not found.cases[0].needs_distribution


def test_of_a_catalogs_distribution_only_shuffles_over_all_catalogs_take_anything(catalogs):
    found = run(Means(of=lambda batch: np.log(batch.column("t_x"))), catalogs)
    case = found.cases[0]
    assert abs(case.within.change) < 1e-12
    assert not case.within.is_worse
    assert case.over_all.is_worse
    assert case.constant.is_worse
    assert case.needs_distribution
    assert case.constant.scatter == pytest.approx(found.prior_scatter)  # one answer for all: the prior's scatter
    assert case.distribution == pytest.approx(case.over_all.change, abs=1e-12)
    assert "are used" in worth_text(found)


def test_of_pairs_in_a_cluster_shuffles_within_catalogs_take_it(catalogs):
    """The residual of L_X corrects that of T in each catalog's mean of products, and nowhere else."""

    def product(batch: CatalogBatch) -> np.ndarray:
        residual = np.log(batch.column("l_x"))
        sigma8 = batch.label("sigma8")[batch.segment_ids]
        return sigma8 + 4 * (residual * (np.log(batch.column("t_x")) - sigma8) - residual**2)

    case = run(Means(of=product), catalogs).cases[0]
    assert case.as_they_are.scatter < 1e-12
    assert case.within.is_worse
    assert case.over_all.is_worse


def test_columns_are_null_only_where_an_estimator_accepts_it(catalogs):
    model = WithoutLensing(of=lambda batch: np.log(batch.column("t_x")))
    found = run(model, catalogs, n_shuffles=1)
    assert [case.without for case in found.cases] == [(), ("m_wl",), ("l_x",), ("m_wl", "l_x")]
    assert [dict(case.how) for case in found.cases] == [
        *({}, {"m_wl": "unknown"}, {"l_x": "constant"}, {"m_wl": "unknown", "l_x": "constant"})
    ]
    nulls = [one.clusters["m_wl"].null_count() == one.n_clusters for one in model.seen]
    constant = [one.clusters["l_x"].n_unique() == 1 for one in model.seen]
    assert nulls == [False] * 4 + [True] * 4 + [False] * 4 + [True] * 4
    assert constant == [False] * 8 + [True] * 8
    assert found.without_lensing is found.cases[1]
    assert run(Means(of=model.of), catalogs, n_shuffles=1).without_lensing is None


def test_self_calibration_is_stated_from_its_numbers_or_withheld(catalogs):
    model = WithoutLensing(of=lambda batch: np.log(batch.column("t_x")))
    text = lensing_text(run(model, catalogs))
    assert "100 % of the growth" in text
    assert "self-calibration" in text
    blind = lensing_text(run(replace(model, of=lambda batch: np.log(batch.column("l_x"))), catalogs))
    assert "no sign" in blind
    assert "self-calibration" not in blind
    needing = lensing_text(run(Means(of=model.of), catalogs))
    assert "cannot be measured" in needing
    assert "self-calibration" not in needing


def test_a_growth_by_pairing_is_not_self_calibration(catalogs):
    """Pairs of T and L_X matter more here than the distribution of T."""

    def corrected(batch: CatalogBatch) -> np.ndarray:
        residual, ln_t = np.log(batch.column("l_x")), np.log(batch.column("t_x"))
        return 0.1 * ln_t + 4 * residual * (ln_t - residual)

    found = run(WithoutLensing(of=corrected), catalogs)
    assert found.without_lensing.within.change > found.without_lensing.distribution
    assert "self-calibration" not in lensing_text(found)


def test_constant_inputs_alone_show_no_use_of_them(catalogs):
    """An estimator that breaks where inputs do not vary, and ignores them otherwise."""

    def fragile(batch: CatalogBatch) -> np.ndarray:
        sigma8 = batch.label("sigma8")[batch.segment_ids]
        return sigma8 if np.ptp(batch.column("t_x")) > 0 else 2 * sigma8

    found = run(Means(of=fragile), catalogs)
    assert found.cases[0].constant.is_worse
    assert not found.cases[0].is_used
    assert "make no significant difference" in worth_text(found)
    assert "as in no catalog of the training" in worth_text(found)


def test_one_sentence_where_lensing_is_never_read(batch, estimator):
    assert [reason.key for reason in ablation_reasons(run(estimator, batch))] == ["without_lensing"]
    assert [reason.key for reason in ablation_reasons(run(ToyEstimator(), batch))] == ["worth"]


def test_errors_of_pairs_are_those_of_resampled_catalogs():
    """Against drawing catalogs one by one, and against the linear error of a standard deviation."""
    rng = np.random.default_rng(8)
    before = rng.normal(0, 0.02, (1, 400))
    errors = before + rng.normal(0, 0.01, (3, 400))
    weights = bootstrap_weights(400, rng=rng, n_resamples=600)
    found = measure_effect(errors, before, weights)
    assert found.scatter == pytest.approx(np.std(errors, axis=1, ddof=1).mean(), rel=1e-12)
    assert found.change == pytest.approx(found.scatter - np.std(before, ddof=1), rel=1e-9)
    drawn = [np.repeat(np.arange(400), row.astype(int)) for row in weights]
    changes = [np.std(errors[:, i], axis=1, ddof=1).mean() - np.std(before[0, i], ddof=1) for i in drawn]
    assert found.change_err == pytest.approx(np.std(changes, ddof=1), rel=1e-9)

    def influence(values: np.ndarray) -> np.ndarray:
        centred, spread = values - values.mean(), values.std()
        return (centred**2 - spread**2) / (2 * spread)

    linear = np.mean([influence(one) for one in errors], axis=0) - influence(before[0])
    assert found.change_err == pytest.approx(linear.std() / 20, rel=0.15)
    assert found.change_err < found.scatter_err


def test_errors_hold_for_other_catalogs():
    """Changes over many samples of catalogs spread as one sample's error says."""
    model = Means(of=lambda batch: np.log(batch.column("t_x")))
    found = [run(model, planted(toy_batch(n_catalogs=60, seed=seed)), n_shuffles=1) for seed in range(30)]
    changes = [one.cases[0].over_all.change for one in found]
    errors = [one.cases[0].over_all.change_err for one in found]
    assert np.std(changes) == pytest.approx(np.mean(errors), rel=0.4)


def test_the_seed_decides_and_the_order_of_catalogs_does_not_matter(batch, estimator):
    first, again, other = (run(estimator, batch, seed=seed).cases[0] for seed in (1, 1, 2))
    assert first == again
    assert first.over_all.change != other.over_all.change
    turned = run(estimator, batch.select(np.arange(batch.n_catalogs)[::-1])).cases[0]
    for name in ("as_they_are", "constant"):
        assert getattr(turned, name).scatter == pytest.approx(getattr(first, name).scatter, rel=1e-9)
    assert run(estimator, batch, max_rows=100).cases[0].over_all.change == pytest.approx(first.over_all.change)


def test_catalogs_of_unknown_sigma8_are_set_aside(batch, estimator):
    hidden = pl.when(pl.col("catalog_id") >= 30).then(None).otherwise(pl.col("sigma8"))
    partly = replace(batch, catalogs=batch.catalogs.with_columns(sigma8=hidden))
    assert run(estimator, partly).cases == run(estimator, batch.select(np.arange(30))).cases
    with pytest.raises(InputError, match="at least 20 catalogs of known sigma8, found 19"):
        run(estimator, batch.select(np.arange(FEWEST_CATALOGS - 1)))


def test_a_model_needs_nothing_but_predict(batch):
    found = ablation(Means(of=lambda one: 0.1 * np.log(one.column("t_x"))), batch)
    assert found.summary.columns == DEFAULT_COLUMNS
    assert found.synthetic is None
    assert found.table.columns == ["catalog_id", "without", "inputs", "shuffle", "sigma8"]
    assert found.table.height == batch.n_catalogs * 4 * (1 + 2 + 2 + 1)
    assert "M_WL constant, L_X given" in str(found.section().tables[0].rows)
    assert "terse" not in " ".join(found.section().text)


def test_the_scatters_are_those_of_the_table(batch, estimator):
    found = ablation(estimator, batch)
    truth = dict(zip(batch.catalogs["catalog_id"], batch.catalogs["sigma8"], strict=True))
    table = found.table.with_columns(error=pl.col("sigma8") - pl.col("catalog_id").replace_strict(truth))
    scatter = table.group_by("inputs", "shuffle").agg(pl.col("error").std()).group_by("inputs").agg(pl.mean("error"))
    told = found.to_dict()["cases"][0]
    for inputs, value in scatter.iter_rows():
        assert told[inputs]["scatter"] == pytest.approx(value)


def test_the_page_shows_it_or_says_why_not(batch, estimator):
    config = InterpretConfig(n_permutations=99)
    shown = build_report(interpret(estimator, Sample(batch=batch, n_available=40), config), model="A model")
    case = shown.numbers["ablation"]["cases"][0]
    assert "Ablation: what the terse value is worth" in shown.html
    assert f"{case['as_they_are']['scatter']:.4f}" in shown.html
    assert "ablation" in [figure.name for figure in shown.figures]
    few = interpret(estimator, Sample(batch=batch.select(np.arange(10)), n_available=10), config)
    page = build_report(few, model="A model")
    assert page.numbers["ablation"] is None
    assert "The ablation is not possible" in page.html
