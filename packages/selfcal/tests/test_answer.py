"""The commands' work on catalog sets: summaries, recorded presets, scores, the section."""

import sys
from dataclasses import asdict, replace

import numpy as np
import polars as pl
import pytest
from earnest_common.catalogs import CatalogSet, Plan, write_batch
from earnest_common.catalogs.batch import CatalogBatch
from earnest_common.errors import InputError, MissingExtraError, OutputExistsError
from earnest_common.report.section import read_section
from earnest_common.survey.presets import preset
from earnest_selfcal.cli.answer import InferenceRequest, evaluate_set, infer_from, prepare_outputs, write_inference
from earnest_selfcal.forward.resolution import Resolution
from earnest_selfcal.posterior.evaluation import evaluate
from earnest_selfcal.report.figures import estimates_figure
from earnest_selfcal.simulation.surveys import simulate
from earnest_selfcal.survey.recorded import preset_of, summaries_of

PAPER = preset("paper")
N_CATALOGS = 60
COARSE = Resolution(n_nuisance=256)


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
    log10_l_x = surveys.median_log10_l_x[catalog_id] + ((count[catalog_id] - 1) / 2 - rank) * 0.01
    t_x = rng.uniform(2, 6, len(rank))
    split = np.where(np.arange(N_CATALOGS) % 3 == 0, "train", "test")
    catalogs = pl.DataFrame(
        {"catalog_id": np.arange(N_CATALOGS), "n_clusters": count, "split": split, "survey": ["paper"] * N_CATALOGS}
    ).with_columns(sigma8=parameters["sigma8"])
    clusters = pl.DataFrame(
        {"catalog_id": catalog_id, "cluster_id": rank, "rank": rank, "z": np.full(len(rank), 0.0663)}
    ).with_columns(l_x=10**log10_l_x, t_x=t_x, m_gas=10**log10_y_x / t_x)
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
    np.testing.assert_allclose(found["median_log10_l_x"].to_numpy(), surveys.median_log10_l_x, atol=1e-9)


def test_scores_and_section(simulated_set, tmp_path):
    path, _ = simulated_set
    section = tmp_path / "section.json"
    told = evaluate_set(path, section=section, resolution=COARSE)
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
        evaluate_set(path, section=section)


def test_figures_are_the_same_every_time(simulated_set, paper_table):
    evaluation = evaluate([paper_table], summaries_of(CatalogSet.open(simulated_set[0]), split="test"))
    assert estimates_figure(evaluation) == estimates_figure(evaluation)


def test_section_without_matplotlib_names_the_remedy(simulated_set, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtraError, match=r'pip install "earnest-common\[figures\]"'):
        evaluate_set(simulated_set[0], section=tmp_path / "section.json")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"split": "validation"}, "no catalogs of split 'validation'"),
        ({"split": "holdout"}, "choose one of train, validation, test, all"),
        (
            {"options": {"preset": "planck"}},
            "not known; choose one of paper, paper-h, paper-msun, realistic",
        ),
    ],
)
def test_bad_options_are_refused(simulated_set, options, message):
    with pytest.raises(InputError, match=message):
        evaluate_set(simulated_set[0], **options)


def test_sets_without_truth_or_observables_are_refused(tmp_path):
    batch, _ = catalogs_of_simulated_surveys()
    plan = Plan(kind="observed", preset="mcxc", seed=None, n_catalogs=N_CATALOGS)
    blind = batch.catalogs.with_columns(sigma8=pl.lit(None, dtype=pl.Float64))
    cold = batch.clusters.with_columns(t_x=pl.lit(None, dtype=pl.Float64))
    write_batch(tmp_path / "blind", replace(batch, catalogs=blind), plan)
    write_batch(tmp_path / "cold", replace(batch, clusters=cold), plan)
    with pytest.raises(InputError, match="sigma8 of 40 catalogs is unknown"):
        evaluate_set(tmp_path / "blind", options={"preset": "paper"}, resolution=COARSE)
    with pytest.raises(InputError, match="t_x or m_gas is unknown in 40 catalogs"):
        evaluate_set(tmp_path / "cold", options={"preset": "paper"}, resolution=COARSE)
    with pytest.raises(InputError, match="is observed and does not say how it was surveyed"):
        evaluate_set(tmp_path / "cold")


def test_recorded_configuration_changes_the_preset():
    larger = replace(PAPER.survey, volume=2 * PAPER.survey.volume)
    config = {"survey": asdict(larger), "priors": asdict(PAPER.priors), "donors": {"half_width": 0.1}}
    plan = Plan(kind="mock", preset="paper", seed=1, n_catalogs=1, config=config)
    assert preset_of(plan) == replace(PAPER, survey=larger)


def test_recorded_configuration_of_another_release_is_refused():
    plan = Plan(kind="mock", preset="paper", seed=1, n_catalogs=1, config={"survey": {"area": 3.0}})
    with pytest.raises(InputError, match=r"survey\.area = 3\.0 is not known to the forward model"):
        preset_of(plan)


def test_sets_that_vary_om0_are_refused():
    config = {"Om0": {"low": 0.2, "high": 0.35, "step": None}}
    with pytest.raises(InputError, match="differ in Om0, which this forward model holds fixed"):
        preset_of(Plan(kind="mock", preset="paper", seed=1, n_catalogs=1, config=config))
    assert preset_of(Plan(kind="mock", preset="paper", seed=1, n_catalogs=1, config={"Om0": None})) == PAPER


def test_one_catalog_of_a_set_gives_what_its_numbers_give(simulated_set, tmp_path):
    path, surveys = simulated_set
    figure, section = tmp_path / "posterior.svg", tmp_path / "posterior.json"
    found = infer_from(InferenceRequest(catalog_set=path, catalog_id=7), resolution=COARSE)
    y_x_h = surveys.median_log10_y_x[7] + np.log10(0.704)
    stated = infer_from(
        InferenceRequest(n_clusters=int(surveys.n_clusters[7]), median_log10_y_x=y_x_h), resolution=COARSE
    )
    assert found.numbers()["sigma8"] == pytest.approx(stated.numbers()["sigma8"], abs=1e-6)
    assert found.numbers()["true_sigma8"] is not None
    write_inference(found, figure=figure, section=section)
    assert figure.read_text().count("<svg") == 1
    assert read_section(section).summary["sigma8"] == found.numbers()["sigma8"]
    with pytest.raises(OutputExistsError):
        prepare_outputs(None, figure=figure)
    bright = infer_from(InferenceRequest(catalog_set=path, catalog_id=7, median="l_x"), resolution=COARSE).numbers()
    assert bright["median_log10_l_x"] == pytest.approx(surveys.median_log10_l_x[7])
    assert bright["median_log10_y_x"] is None
    with pytest.raises(InputError, match=r"posterior\.docx ends in '\.docx', but figures are drawn as SVG"):
        prepare_outputs(figure=tmp_path / "posterior.docx")


@pytest.mark.parametrize(
    ("question", "options", "message"),
    [
        ({}, {}, "give --n-clusters, alone or with a median, or --set SET"),
        ({"median_log10_y_x": 13.6}, {}, "the number of clusters is not given"),
        ({"n_clusters": 100, "catalog_set": "SET"}, {}, "--n-clusters is given beside --set"),
        ({"n_clusters": -3}, {}, "n_clusters = -3 must lie between 0 and"),
        ({"n_clusters": 100, "median": "y_x"}, {}, "belong to --set"),
        ({"n_clusters": 100, "median_log10_y_x": 13.6, "median_log10_l_x": 0.1}, {}, "joint distribution"),
        ({"n_clusters": 130, "median_log10_l_x": 44.1}, {}, r"Give log10 of the luminosity .* in 1e44 erg/s"),
        ({"catalog_set": "SET"}, {}, "the set has 60 catalogs; name one of 0 to 59 with --catalog-id"),
        ({"catalog_set": "SET", "catalog_id": 99}, {}, "no catalog 99"),
        ({"catalog_set": "SET", "catalog_id": 1, "median": "t_x"}, {}, "median 't_x' is not known"),
        ({"catalog_set": "SET", "catalog_id": 1, "median_log10_l_x": 0.1}, {}, "leave one of them out"),
        ({"catalog_set": "SET", "catalog_id": 1}, {"z": 0.3}, "mean redshift is 0.0663, the survey's 0.3"),
        ({"catalog_set": "SET", "catalog_id": 1}, {"cut": "flux", "log10_m_min": 14.3}, "below the survey's lowest"),
    ],
)
def test_questions_that_make_no_sense(simulated_set, question, options, message):
    if question.get("catalog_set") == "SET":
        question = question | {"catalog_set": simulated_set[0]}
    with pytest.raises(InputError, match=message):
        infer_from(InferenceRequest(**question), options=options, resolution=COARSE)
