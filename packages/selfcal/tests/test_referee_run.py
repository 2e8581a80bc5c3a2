"""The referee over catalogs: parts, interruptions, scores, learned residuals and catalog sets."""

import json
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from earnest_common.catalogs import CatalogSet, Plan, write_batch
from earnest_common.catalogs.batch import CatalogBatch
from earnest_common.errors import InputError, OutputExistsError
from earnest_common.posterior import Posterior
from earnest_common.report.section import read_section
from earnest_common.run.config import as_mapping
from earnest_common.run.executors import open_executor
from earnest_common.survey.presets import preset
from earnest_common.survey.scaling import TABLE_2
from earnest_selfcal.cli.answer import survey_of_set
from earnest_selfcal.cli.referee_answer import referee_set
from earnest_selfcal.exact_posterior.catalogs import ModelCatalogs, draw_batch
from earnest_selfcal.exact_posterior.learned import fit_mixture, learn_residuals
from earnest_selfcal.exact_posterior.likelihood import build_likelihood
from earnest_selfcal.exact_posterior.posterior import RefereeConfig
from earnest_selfcal.exact_posterior.refereed import cases_of, validity
from earnest_selfcal.exact_posterior.residuals import ResidualModel, lognormal
from earnest_selfcal.exact_posterior.run import run_referee
from earnest_selfcal.exact_posterior.score import inside, rank, score
from earnest_selfcal.report.referee import referee_section

PAPER = preset("paper")
SMALL = replace(PAPER, survey=replace(PAPER.survey, volume=PAPER.survey.volume / 4))
QUICK = RefereeConfig(n_draws=300, target_ess=60, max_rounds=3)
N_CATALOGS = 20
LOGNORMAL = lognormal(TABLE_2, PAPER.correlation)


def drawn(chosen, n, *, seed, residuals=None):
    rng = np.random.default_rng(seed)
    maker = ModelCatalogs.of(chosen, residuals=residuals)
    return draw_batch(maker, chosen.priors.draw(n, rng=rng), rng=rng)


def judged(path, **options):
    catalog_set = CatalogSet.open(path)
    return referee_set(catalog_set, survey_of_set(catalog_set), **options)


@pytest.fixture(scope="module")
def batch():
    return drawn(SMALL, N_CATALOGS, seed=1)


@pytest.fixture(scope="module")
def likelihood():
    return build_likelihood(SMALL)


@pytest.fixture(scope="module")
def verdicts(batch, likelihood):
    return run_referee(likelihood, cases_of(batch, likelihood.observables), seed=1, config=QUICK)


@pytest.fixture(scope="module")
def model_set(batch, tmp_path_factory):
    path = tmp_path_factory.mktemp("sets") / "set"
    config = {"survey": as_mapping(SMALL)["survey"]}
    write_batch(path, batch, Plan(kind="mock", preset="paper", seed=1, n_catalogs=N_CATALOGS, config=config))
    return path


def test_scores(verdicts):
    numbers = score(verdicts, prior_scatter=SMALL.priors.sigma8.std)
    assert numbers["n_catalogs"] == N_CATALOGS
    assert 0.01 < numbers["scatter"] < numbers["prior_scatter"]
    # What the posteriors promise is what happens, within the error of 20 catalogs.
    assert numbers["scatter"] == pytest.approx(numbers["expected_scatter"], abs=4 * numbers["scatter_err"])
    assert numbers["ess_min"] > 20
    unknown = score(verdicts.with_columns(sigma8_true=pl.lit(float("nan"))), prior_scatter=0.07)
    assert unknown["scatter"] is None
    assert unknown["expected_scatter"] == numbers["expected_scatter"]
    with pytest.raises(InputError, match="no catalogs"):
        score(verdicts.clear(), prior_scatter=0.07)


def test_part_of_a_cell_is_covered():
    posterior = Posterior.of_cells(np.array([0.7, 0.8, 0.9]), 0.1, np.array([0.25, 0.5, 0.25]))
    assert inside(posterior, 0.8, 0.5) == pytest.approx(1.0)
    assert inside(posterior, 0.7, 0.5) == pytest.approx(0.0)
    assert inside(posterior, 0.9, 0.75) == pytest.approx(0.5)  # [0.725, 0.875] holds half of the cell
    shares = [inside(posterior, one, 0.6827) for one in posterior.middles]
    assert shares @ posterior.probability == pytest.approx(0.6827)


def test_rank_is_the_share_below_the_truth():
    posterior = Posterior.of_cells(np.array([0.7, 0.8, 0.9]), 0.1, np.array([0.25, 0.5, 0.25]))
    rng = np.random.default_rng(1)
    assert rank(posterior, 0.775, rng=rng) == pytest.approx(0.375)  # a quarter into the second cell
    ranks = np.array(
        [rank(posterior, rng.choice(posterior.middles, p=posterior.probability), rng=rng) for _ in range(900)]
    )
    # Truths drawn from the posterior itself have uniform ranks; 0.068 is the 0.1 % point of the distance of 900 values.
    assert np.abs(np.sort(ranks) - (np.arange(900) + 0.5) / 900).max() < 0.068


def test_goes_on_after_an_interruption(batch, likelihood, verdicts, tmp_path):
    cases, out = cases_of(batch, likelihood.observables), tmp_path / "referee.parquet"

    class KilledError(Exception):
        pass

    def die(_):
        raise KilledError

    with pytest.raises(KilledError):
        run_referee(likelihood, cases, seed=1, config=QUICK, out=out, on_done=die)
    assert not out.exists()
    parts = tmp_path / "referee.parquet.parts"
    assert len(list(parts.glob("part-*.parquet"))) == 1
    with pytest.raises(InputError, match="parts of another computation"):
        run_referee(likelihood, cases, seed=2, config=QUICK, out=out)
    again = run_referee(likelihood, cases, seed=1, config=QUICK, out=out)
    assert again.equals(verdicts)
    assert pl.read_parquet(out).equals(verdicts)
    assert not parts.exists()
    with pytest.raises(OutputExistsError):
        run_referee(likelihood, cases, seed=1, config=QUICK, out=out)


def test_other_processes_give_the_same_numbers(batch, likelihood, verdicts):
    with open_executor(workers=2) as pool:
        found = run_referee(likelihood, cases_of(batch, likelihood.observables), seed=1, config=QUICK, executor=pool)
    assert found.equals(verdicts)


def test_catalog_set(model_set, verdicts, tmp_path):
    section = tmp_path / "section.json"
    told = judged(model_set, config=QUICK, out=tmp_path / "ref.parquet", section=section)
    assert told["scatter"] == pytest.approx(score(verdicts, prior_scatter=1.0)["scatter"])
    assert told["prior_scatter"] == pytest.approx(0.0663, abs=1e-4)
    assert "exact for lognormal" in told["validity"]
    json.dumps(told, allow_nan=False)
    written = read_section(section)
    assert f"scatters by {told['scatter']:.4f}" in written.text[0]
    assert "exact for lognormal" in written.text[1]
    assert len(written.figures) == len(written.tables) == 1
    fewer = judged(model_set, config=QUICK, max_catalogs=8, drop=("m_wl",), continuous=True)
    assert fewer["n_catalogs"] == 8
    assert fewer["observables"] == ["l_x", "t_x", "m_gas"]


def test_set_without_weak_lensing_says_what_to_drop(batch, tmp_path):
    without = CatalogBatch(
        catalogs=batch.catalogs, clusters=batch.clusters.with_columns(m_wl=pl.lit(None, dtype=pl.Float64))
    )
    write_batch(tmp_path / "set", without, Plan(kind="mock", preset="paper", seed=1, n_catalogs=N_CATALOGS))
    with pytest.raises(InputError, match="use --drop m_wl"):
        judged(tmp_path / "set", config=QUICK)


def test_refuses_wrong_questions(model_set, batch, tmp_path):
    with pytest.raises(InputError, match="split 'tests' is not known"):
        judged(model_set, split="tests")
    with pytest.raises(InputError, match="richness cannot be dropped; choose from l_x, t_x, m_gas, m_wl"):
        judged(model_set, drop=("richness",))
    with pytest.raises(InputError, match="residuals 'normal' are not known"):
        judged(model_set, residuals="normal")
    with pytest.raises(InputError, match="no catalogs of split 'train'"):
        judged(model_set, split="train")
    moved = batch.catalogs.with_columns(sigma8=pl.col("sigma8") + 0.3)
    write_batch(
        tmp_path / "moved",
        CatalogBatch(catalogs=moved, clusters=batch.clusters),
        Plan(kind="mock", preset="paper", seed=1, n_catalogs=N_CATALOGS),
    )
    with pytest.raises(InputError, match="lies outside the prior"):
        judged(tmp_path / "moved")


def test_learned_residuals_find_the_lognormal_ones():
    known = drawn(PAPER, 30, seed=3)
    model = learn_residuals([known], PAPER, n_components=2, rng=np.random.default_rng(1))
    for k in range(2):
        np.testing.assert_allclose(
            model.covariance[k] / np.sqrt(np.outer(np.diag(LOGNORMAL.covariance[0]), np.diag(LOGNORMAL.covariance[0]))),
            PAPER.correlation.matrix,
            atol=0.15,  # 4,000 clusters, of which the heavy ones count more
        )
    drawn_again = model.draw(np.full(40_000, 14.2), rng=np.random.default_rng(2))
    np.testing.assert_allclose(drawn_again.std(axis=0), np.sqrt(np.diag(LOGNORMAL.covariance[0])), rtol=0.06)


def test_learned_residuals_follow_the_mass():
    """Two kinds of clusters, one light and one heavy, are told apart."""
    rng = np.random.default_rng(4)
    v = rng.uniform(-0.4, 0.6, 8_000)
    heavy = v > 0.1
    residuals = rng.standard_normal((8_000, 3)) * np.where(heavy, 0.05, 0.2)[:, None]
    model = fit_mixture(v, residuals, weight=np.ones(len(v)), n_components=4)
    light, massive = (model.draw(np.full(20_000, 14.0 + at), rng=rng).std(axis=0) for at in (-0.2, 0.4))
    np.testing.assert_allclose(light, 0.2, rtol=0.1)
    np.testing.assert_allclose(massive, 0.05, rtol=0.1)


def test_learning_needs_known_clusters(batch):
    with pytest.raises(InputError, match="use lognormal residuals"):
        learn_residuals([batch.select(np.arange(2))], SMALL, rng=np.random.default_rng(1))
    with pytest.raises(InputError, match="no clusters to learn"):
        learn_residuals([], SMALL, rng=np.random.default_rng(1))


def test_says_what_it_is_a_limit_for(likelihood):
    assert "exact for" in validity(likelihood, lent=False)
    assert "not a limit" in validity(likelihood, lent=True)
    model = LOGNORMAL
    two = ResidualModel(
        mean=np.repeat(model.mean, 2, axis=0),
        slope=np.repeat(model.slope, 2, axis=0),
        covariance=np.repeat(model.covariance, 2, axis=0),
        share=np.array([0.5, 0.5]),
        centre=np.zeros(2),
        width=np.ones(2),
        origin="mixture",
    )
    assert "gas profiles" in validity(build_likelihood(SMALL, residuals=two), lent=True)


def test_section_of_catalogs_without_truth(verdicts):
    unknown = verdicts.with_columns(sigma8_true=pl.lit(float("nan")))
    told = score(unknown, prior_scatter=0.07) | {"observables": ["l_x"], "validity": "a limit", "normalisations": "x"}
    section = referee_section(unknown, told, provenance={})
    assert "The true values are unknown." in section.text[0]
    assert not section.figures
