"""The commands' work on catalog sets: summaries, recorded presets, scores, the section."""

import sys
from dataclasses import asdict, replace

import numpy as np
import polars as pl
import pytest
from earnest_common.batch import CatalogBatch
from earnest_common.catalog_set import CatalogSet, Plan, write_batch
from earnest_common.errors import InputError, MissingExtraError, OutputExistsError
from earnest_common.section import read_section
from earnest_common.survey import preset
from earnest_selfcal.answer import evaluated, inferred
from earnest_selfcal.evaluate import evaluate
from earnest_selfcal.figures import estimates_figure
from earnest_selfcal.recorded import preset_of, summaries_of
from earnest_selfcal.simulate import simulate

PAPER = preset("paper")
N_CATALOGS = 60


def catalogs_of_simulated_surveys(seed=4):
    """Return a batch whose catalogs have the numbers and medians of simulated surveys."""
    rng = np.random.default_rng(seed)
    parameters = PAPER.priors.draw(N_CATALOGS, rng=rng)
    surveys = simulate(PAPER, parameters, rng=rng)
    count = surveys.n_clusters
    catalog_id = np.repeat(np.arange(N_CATALOGS), count)
    rank = np.concatenate([np.arange(n) for n in count])
    offset = np.concatenate([rng.permutation(np.arange(n) - (n - 1) / 2) for n in count]) * 0.01
    log10_y_x = surveys.median_log10_y_x[catalog_id] + offset
    t_x = rng.uniform(2, 6, len(rank))
    split = np.where(np.arange(N_CATALOGS) % 3 == 0, "train", "test")
    catalogs = pl.DataFrame(
        {"catalog_id": np.arange(N_CATALOGS), "n_clusters": count, "split": split, "survey": ["paper"] * N_CATALOGS}
    ).with_columns(sigma8=parameters["sigma8"])
    clusters = pl.DataFrame(
        {"catalog_id": catalog_id, "cluster_id": rank, "rank": rank, "z": np.full(len(rank), 0.0663)}
    ).with_columns(l_x=1.0 / (1 + rank), t_x=t_x, m_gas=10**log10_y_x / t_x)
    return CatalogBatch.conformed(catalogs, clusters, subject="simulated"), surveys


@pytest.fixture(scope="module")
def simulated_set(tmp_path_factory):
    batch, surveys = catalogs_of_simulated_surveys()
    path = tmp_path_factory.mktemp("sets") / "set"
    write_batch(path, batch, Plan(kind="mock", preset="paper", seed=4, n_catalogs=N_CATALOGS))
    return path, surveys


def test_summaries_are_the_simulated_ones(simulated_set):
    path, surveys = simulated_set
    found = summaries_of(CatalogSet.open(path), split=None)
    np.testing.assert_array_equal(found["n_clusters"].to_numpy(), surveys.n_clusters)
    np.testing.assert_allclose(found["median_log10_y_x"].to_numpy(), surveys.median_log10_y_x, atol=1e-9)


def test_scores_and_section(simulated_set, tmp_path):
    path, _ = simulated_set
    section = tmp_path / "section.json"
    told = evaluated(path, section=section)
    assert told["n_catalogs"] + told["n_refused"] == 40
    assert told["n_median_y_x_scatter"] < told["n_only_scatter"] < told["prior_scatter"]
    assert 0.5 < told["n_median_y_x_coverage_68"] < 0.85  # 40 catalogs: 0.68 with a standard error of 0.07
    written = read_section(section)
    assert written.key.startswith("counts.")
    assert written.summary["n_only_scatter"] == told["n_only_scatter"]
    assert f"{told['n_only_scatter']:.4f}" in written.text[0]
    assert "0.065" in written.text[1]
    assert all(figure.svg.count("<svg") == 1 for figure in written.figures)
    with pytest.raises(OutputExistsError):
        evaluated(path, section=section)


def test_figures_are_the_same_every_time(simulated_set, paper_table):
    evaluation = evaluate(paper_table, summaries_of(CatalogSet.open(simulated_set[0])))
    assert estimates_figure(evaluation) == estimates_figure(evaluation)


def test_section_without_matplotlib_names_the_remedy(simulated_set, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtraError, match=r'pip install "earnest-selfcal\[figures\]"'):
        evaluated(simulated_set[0], section=tmp_path / "section.json")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"split": "validation"}, "no catalogs of split 'validation'"),
        ({"split": "holdout"}, "choose one of train, validation, test, all"),
        ({"preset_name": "planck"}, "'planck' is not known; choose one of paper, realistic"),
    ],
)
def test_bad_options_are_refused(simulated_set, options, message):
    with pytest.raises(InputError, match=message):
        evaluated(simulated_set[0], **options)


def test_sets_without_truth_or_observables_are_refused(tmp_path):
    batch, _ = catalogs_of_simulated_surveys()
    plan = Plan(kind="observed", preset="paper", seed=None, n_catalogs=N_CATALOGS)
    blind = batch.catalogs.with_columns(sigma8=pl.lit(None, dtype=pl.Float64))
    cold = batch.clusters.with_columns(t_x=pl.lit(None, dtype=pl.Float64))
    write_batch(tmp_path / "blind", replace(batch, catalogs=blind), plan)
    write_batch(tmp_path / "cold", replace(batch, clusters=cold), plan)
    with pytest.raises(InputError, match="sigma8 of 40 catalogs is unknown"):
        evaluated(tmp_path / "blind")
    with pytest.raises(InputError, match=r"t_x or m_gas of \d+ clusters is unknown"):
        evaluated(tmp_path / "cold")


def test_recorded_configuration_changes_the_preset():
    larger = replace(PAPER.survey, volume=2 * PAPER.survey.volume)
    config = {"survey": asdict(larger), "priors": asdict(PAPER.priors), "donors": {"half_width": 0.1}}
    plan = Plan(kind="mock", preset="paper", seed=1, n_catalogs=1, config=config)
    assert preset_of(plan) == replace(PAPER, survey=larger)


def test_recorded_configuration_of_another_release_is_refused():
    plan = Plan(kind="mock", preset="paper", seed=1, n_catalogs=1, config={"survey": {"area": 3.0}})
    with pytest.raises(InputError, match="name a preset with --preset"):
        preset_of(plan)


def test_the_papers_unit(paper_table):
    told = inferred(PAPER, 130, 13.6)
    assert told["lo95"] < told["lo68"] < told["sigma8"] < told["hi68"] < told["hi95"]
    assert told["sigma8_err"] == pytest.approx((told["hi68"] - told["lo68"]) / 2, rel=0.2)
    from earnest_selfcal.posterior import infer

    # The same numbers h-free, on the coarser table of the tests: 0.003 is its design's noise.
    assert told["sigma8"] == pytest.approx(infer(paper_table, 130, 13.6 - np.log10(0.704)).mean, abs=0.003)
