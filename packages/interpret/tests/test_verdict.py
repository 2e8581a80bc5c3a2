"""Laws of the verdict: planted leaks are found, sound models are acquitted at the stated rate, nulls hold."""

import itertools
import json
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from earnest_common.catalogs import Plan, write_batch
from earnest_common.catalogs.batch import CatalogBatch
from earnest_common.cli.root import main
from earnest_common.errors import InputError
from earnest_common.report.section import Section, read_section
from earnest_common.testing import toy_batch
from earnest_interpret.analyses.verdict import decide, gather_evidence
from earnest_interpret.analyses.verdict.donors import clone_share, compare_donors
from earnest_interpret.analyses.verdict.edge import edge, excess_of_lightest
from earnest_interpret.analyses.verdict.exchange import equal_groups, exchange, exchanged
from earnest_interpret.analyses.verdict.grid import clumping
from earnest_interpret.analyses.verdict.words import findings
from earnest_interpret.responses.responses import Responses
from earnest_interpret.sections.verdict import verdict_section
from earnest_interpret.statistics.permutation import holm
from earnest_interpret.testing import PlainEstimator, SaturatingEstimator
from scipy.stats import binomtest, kstest
from scipy.stats import f as f_distribution

ESTIMATOR = SaturatingEstimator(
    weights={"log10_t_x": 0.4, "log10_m_gas_profile_5": 0.3}, saturation=50.0, per_terse=0.3, per_ln_n=0.19
)


def answers(model, batch: CatalogBatch) -> Responses:
    """Return what a model answers to catalogs."""
    return Responses(estimator=model, batch=batch)


def leaking(batch: CatalogBatch, power: float) -> CatalogBatch:
    """Return catalogs whose temperatures at fixed mass follow sigma8."""
    factor = (batch.label("sigma8") / 0.81) ** power
    hotter = pl.Series("t_x", batch.column("t_x") * factor[batch.segment_ids])
    return CatalogBatch(catalogs=batch.catalogs, clusters=batch.clusters.with_columns(hotter), radii=batch.radii)


def outcome(verdict, key: str) -> str:
    return next(check.outcome for check in verdict.checks if check.key == key)


def test_a_planted_leak_is_found_and_grows_with_its_power():
    batch = toy_batch(n_catalogs=120, seed=4)
    slopes = []
    for power in (0.0, 0.5, 1.0):
        verdict = decide(gather_evidence(answers(ESTIMATOR, leaking(batch, power)), n_permutations=999))
        if power:
            assert verdict.overspecialised
            assert outcome(verdict, "exchange") == "failed"
        else:
            assert verdict.p_value > 0.001
        slopes.append(verdict.evidence.exchange.slope)
    assert slopes[0] < slopes[1] < slopes[2]
    # d log10(T) of the leak, times the estimator's own response to a common change, of those that have equals
    expected = 1.0 / np.log(10) / 0.81 * 0.4 / 1.2 * 0.3 * verdict.evidence.exchange.share
    assert slopes[2] == pytest.approx(expected, rel=0.15)


def test_sound_models_are_acquitted_at_the_stated_rate():
    """40 sound models on catalogs of their own: false alarms agree with at most 5 %, and nulls are uniform."""
    alarms, p_values = 0, []
    for seed in range(40):
        batch = toy_batch(n_catalogs=80, seed=100 + seed, mean_n_clusters=25)
        evidence = gather_evidence(answers(ESTIMATOR, batch), seed=seed, n_permutations=199)
        alarms += decide(evidence).overspecialised
        p_values.append(evidence.exchange.p_value)
    assert binomtest(alarms, 40, 0.05, alternative="greater").pvalue > 0.001
    assert kstest(p_values, "uniform").pvalue > 0.001


def test_groups_of_lenders_hold_about_equally_many_clusters_in_rising_sigma8():
    batch = toy_batch(n_catalogs=200, seed=3)
    catalogs = np.random.default_rng(1).permutation(200)[:150]
    groups = equal_groups(batch, catalogs, 16)
    assert sorted(np.concatenate(groups)) == sorted(catalogs)
    counts = np.array([batch.select(group).n_clusters for group in groups])
    largest = np.diff(batch.row_splits).max()
    assert np.abs(counts - counts.mean()).max() <= largest
    sigma8 = [batch.label("sigma8")[group] for group in groups]
    assert all(low.max() <= high.min() for low, high in itertools.pairwise(sigma8))
    assert [len(group) for group in equal_groups(batch, catalogs[:5], 16)] == [1] * 5


def test_groups_of_few_clusters_do_not_stand_out():
    """What a group tells varies as much where sigma8 is low and clusters are few, or shuffling groups would be no null.

    With groups of equally many catalogs the variance below is twice that above (p = 5e-7).
    """
    shifts = []
    for seed in range(40):
        batch = toy_batch(n_catalogs=120, seed=500 + seed, mean_n_clusters=40)
        found = exchange(ESTIMATOR, batch, rng=np.random.default_rng(seed))
        shifts += [] if found is None else [found.shift]
    square = np.square(shifts - np.mean(shifts, axis=0))
    low, high = square[:, :5], square[:, -5:]
    assert low.size > 150
    ratio = f_distribution(low.size - 1, high.size - 1)
    assert 0.001 < ratio.cdf(low.mean() / high.mean()) < 0.999


def test_exchange_keeps_numbers_masses_and_relations():
    batch = toy_batch(n_catalogs=60, seed=2)
    receivers, lenders = batch.select(np.arange(10)), batch.select(np.arange(10, 60))
    found = exchanged(receivers, lenders, rng=np.random.default_rng(1))
    assert found.problems() == []
    assert np.array_equal(found.row_splits, receivers.row_splits)
    for column in ("t_x", "m_gas"):
        ratio = np.log(found.column(column).mean() / receivers.column(column).mean())
        assert abs(ratio) < 0.02
    slopes = {round(float(s), 5) for s in lenders.column("gas_slope_profile")[:, 0]}
    assert {round(float(s), 5) for s in found.column("gas_slope_profile")[:, 0]} <= slopes


def test_exchange_undoes_the_nuisances_of_the_lender():
    """Lenders twice as hot, with that factor in their labels, lend the same look as those of the reference."""
    batch = toy_batch(n_catalogs=40, seed=2)
    receivers, lenders = batch.select(np.arange(10)), batch.select(np.arange(10, 40))
    doubled = CatalogBatch(
        catalogs=lenders.catalogs.with_columns(t_x_normalisation=pl.lit(2.0)),
        clusters=lenders.clusters.with_columns(pl.col("t_x") * 2),
        radii=lenders.radii,
    )
    one, other = (exchanged(receivers, from_, rng=np.random.default_rng(1)) for from_ in (lenders, doubled))
    np.testing.assert_allclose(one.column("t_x"), other.column("t_x"), rtol=1e-12)


def test_exchange_does_not_depend_on_the_order_of_clusters_in_the_model():
    """An estimator that ignores all but the number of clusters is not moved at all."""
    found = exchange(PlainEstimator(), toy_batch(n_catalogs=60, seed=1), rng=np.random.default_rng(1))
    assert np.allclose(found.shift, 0)
    assert found.slope == pytest.approx(0)


def test_clusters_without_equals_keep_their_own_look():
    batch = toy_batch(n_catalogs=40, seed=2)
    receivers, lenders = batch.select(np.arange(10)), batch.select(np.arange(10, 40))
    which = receivers.column("m_500c") < np.median(receivers.column("m_500c"))
    found = exchanged(receivers, lenders, rng=np.random.default_rng(1), which=which)
    kept = np.isin(receivers.column("t_x"), found.column("t_x"))
    assert np.array_equal(kept, ~which)
    # no group of a single light catalog has equals of the heaviest cluster
    assert exchange(ESTIMATOR, batch, rng=np.random.default_rng(1), n_groups=4).share < 1


def test_no_equals_no_exchange():
    batch = toy_batch(n_catalogs=60, seed=2, mean_n_clusters=4)
    assert exchange(ESTIMATOR, batch, rng=np.random.default_rng(1), n_groups=20) is None


def test_units_of_the_terse_value_do_not_matter():
    batch = leaking(toy_batch(n_catalogs=80, seed=3), 0.3)
    found = [
        gather_evidence(
            answers(SaturatingEstimator(weights={"log10_t_x": w}, saturation=1e6), batch), n_permutations=199
        )
        for w in (0.4, -4.0)
    ]
    assert found[0].terse_at_fixed_mass.p_value == found[1].terse_at_fixed_mass.p_value
    assert found[0].terse_at_fixed_mass.value == pytest.approx(-found[1].terse_at_fixed_mass.value)


def test_unknown_donors(rng):
    batch = toy_batch(n_catalogs=80, seed=5)
    found = gather_evidence(
        answers(ESTIMATOR, batch), known=toy_batch(n_catalogs=80, seed=6), n_permutations=199
    ).donors
    assert found.p_value > 0.001
    worse = compare_donors(rng.normal(0, 1, 200), rng.normal(0, 1.5, 200), rng=rng, n_permutations=999)
    assert worse.p_value < 0.01
    assert worse.loss == pytest.approx(0.5, abs=0.2)
    shifted = compare_donors(rng.normal(0, 1, 200), rng.normal(5, 1, 200), rng=rng, n_permutations=999)
    assert shifted.p_value > 0.001  # a mean of their own is not recognition


@pytest.mark.parametrize(("brighter", "words"), [(0.0, "select by true mass"), (0.5, "limit in flux")])
def test_what_the_lightest_clusters_say_of_the_survey(rng, brighter, words):
    log10_m = 13.6 + rng.gamma(4.0, 0.1, 20_000)  # few at the lowest masses: no sharp edge
    residual = rng.normal(0, 0.13, 20_000) + 0.13 * brighter * (log10_m < np.quantile(log10_m, 0.05))
    told = edge(log10_m, np.ones_like(log10_m), excess=excess_of_lightest(log10_m, residual))
    assert told.excess == pytest.approx(brighter, abs=0.1)
    assert words in findings(told, float("nan"))[0].text


def test_a_sharp_edge_is_named(rng):
    log10_m = 13.6 + rng.exponential(0.3, 20_000)
    told = edge(log10_m, np.ones_like(log10_m))
    assert told.influence == pytest.approx(1)
    assert "cut sharply" in findings(told, float("nan"))[0].text


def test_clones_are_counted(rng):
    batch = toy_batch(n_catalogs=20, seed=5)
    donor = np.arange(batch.n_clusters) // 4
    slope = rng.normal(-2, 0.3, (donor.max() + 1, 7))[donor]
    columns = [
        pl.Series("donor_id", donor),
        pl.Series("gas_slope_profile", slope.astype(np.float32), dtype=pl.Array(pl.Float32, 7)),
        pl.Series(
            "m_gas_profile",
            np.tile(batch.column("m_gas")[:, None], 7).astype(np.float32),
            dtype=pl.Array(pl.Float32, 7),
        ),
    ]
    cloned = CatalogBatch(catalogs=batch.catalogs, clusters=batch.clusters.with_columns(columns), radii=batch.radii)
    assert clone_share(cloned, rng=rng) > 0.95
    assert clone_share(batch, rng=rng) < 0.1


def test_clumps_are_found_and_even_values_are_not(rng):
    truth = rng.uniform(0.7, 0.92, 500)
    assert clumping(truth + rng.normal(0, 0.02, 500), truth).p_value > 0.001
    assert clumping((truth + rng.normal(0, 0.02, 500)).round(2), truth).p_value < 1e-6
    on_grid = truth.round(2)
    assert clumping(on_grid + rng.normal(0, 0.02, 500), on_grid).p_value > 0.001
    assert clumping(on_grid + rng.normal(0, 0.002, 500), on_grid) is None


def test_ends_of_the_prior_are_no_grid(rng):
    """Estimates that crowd at 0.70 and end at 0.92, no whole number of steps of 0.05 apart: alarms at 5 % or less."""
    alarms = 0
    for _ in range(400):
        truth = rng.uniform(0.7, 0.92, 300)
        crowded = np.maximum(truth + rng.normal(0, 0.02, 300), 0.70) + np.abs(rng.normal(0, 0.004, 300))
        alarms += clumping(crowded, truth).p_value < 0.05
    assert binomtest(alarms, 400, 0.05, alternative="greater").pvalue > 0.001


def test_holm_is_between_nothing_and_bonferroni(rng):
    raw = dict(enumerate(rng.random(5)))
    adjusted = holm(raw)
    assert all(raw[i] <= adjusted[i] <= min(1, 5 * raw[i]) for i in raw)
    assert sorted(raw, key=raw.get) == sorted(adjusted, key=lambda i: (adjusted[i], raw[i]))


def test_what_cannot_be_said(batch, observed):
    with pytest.raises(InputError, match="observed catalogs do not allow"):
        gather_evidence(answers(ESTIMATOR, observed))
    unknown = pl.lit(None, dtype=pl.Float64)
    known = toy_batch(n_catalogs=70, seed=1)
    massless = CatalogBatch(
        catalogs=known.catalogs, clusters=known.clusters.with_columns(m_500c=unknown), radii=known.radii
    )
    verdict = decide(gather_evidence(answers(PlainEstimator(), massless), n_permutations=99))
    assert {c.key: c.outcome for c in verdict.checks if c.key in ("terse", "exchange", "grid")} == {
        "terse": "impossible",
        "exchange": "impossible",
        "grid": "passed",
    }
    assert "no terse layer" in " ".join(check.text for check in verdict.checks)


def test_section_shows_every_test():
    history = [{"step": s, "training_mse": 1 / s, "validation_mse": 1.1 / s} for s in (1, 2, 3)]
    verdict = decide(gather_evidence(answers(ESTIMATOR, toy_batch(n_catalogs=70, seed=1)), n_permutations=99))
    section = verdict_section(verdict, history=history)
    assert isinstance(section, Section)
    names = ["verdict-inferred", "verdict-training", "verdict-terse", "verdict-exchange"]
    assert [figure.name for figure in section.figures] == names
    assert len(section.tables[0].rows) == len(verdict.checks)
    assert section.summary["overspecialised"] is verdict.overspecialised


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("code", [0, 1])
def test_the_command_says_it_by_its_exit_code(monkeypatch, bundle, tmp_path: Path, capsys, code):
    batch = toy_batch(n_catalogs=70, seed=9).select(np.arange(70))
    whole = CatalogBatch(
        catalogs=batch.catalogs.with_columns(split=pl.lit(None, dtype=pl.String)),
        clusters=batch.clusters,
        radii=batch.radii,
    )
    plan = Plan(kind="mock", preset="toy", seed=3, n_catalogs=70, catalogs_per_shard=70, synthetic="toy clusters")
    write_batch(tmp_path / "set", leaking(whole, 2.0 * code), plan)
    words = ["verdict", "--model", bundle, tmp_path / "set", "--n-permutations", "199", "--json"]
    monkeypatch.setattr(sys, "argv", ["earnest", "interpret", *map(str, words), "--section", str(tmp_path / "s.json")])
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == code
    told = json.loads(capsys.readouterr().out)
    assert told["overspecialised"] is bool(code)
    assert len(told["reasons"]) == len(told["checks"])
    assert read_section(tmp_path / "s.json").summary["p_value"] == told["p_value"]
