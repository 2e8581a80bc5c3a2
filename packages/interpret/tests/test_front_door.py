"""The names at the top of the package: one function for each question, which says what its command says."""

import json
import sys
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from earnest_common.catalogs import CatalogSet
from earnest_common.catalogs.batch import CatalogBatch
from earnest_common.cli.root import main
from earnest_common.errors import InputError, OutputExistsError
from earnest_common.plugins import load_estimator
from earnest_common.testing import front_door_problems, toy_batch
from earnest_interpret import (
    InterpretConfig,
    ablation,
    applicability,
    leave_one_out,
    read_sample,
    report,
    saliency,
    terse,
    verdict,
)
from earnest_interpret.answers.applicability import ApplicabilityConfig

FEW = InterpretConfig(split="all", n_permutations=199, seed=4)
WORDS = ("--split", "all", "--seed", 4)


def test_names():
    assert front_door_problems("earnest_interpret") == []


@pytest.fixture
def command(monkeypatch, installed, bundle, catalog_set, capsys):
    def call(name, *words):
        words = ("earnest", "interpret", name, "--model", bundle, catalog_set, *words, "--json")
        monkeypatch.setattr(sys, "argv", list(map(str, words)))
        with pytest.raises(SystemExit):
            main()
        return json.loads(capsys.readouterr().out)

    return call


def plain(told):
    return json.loads(json.dumps(told))


def test_functions_say_what_commands_say(command, bundle, catalog_set, tmp_path):
    told = command("leave-one-out", *WORDS, "--out", tmp_path / "loo.parquet")
    found = leave_one_out(bundle, catalog_set, config=FEW)
    assert plain(found.to_dict()) == told
    assert found.table.equals(pl.read_parquet(tmp_path / "loo.parquet"))
    told = command("saliency", *WORDS, "--of", "sigma8", "--out", tmp_path / "saliency.parquet")
    assert plain(saliency(bundle, catalog_set, of="sigma8", config=FEW).to_dict()) == told
    told = command("terse", *WORDS, "--n-permutations", 199, "--out", tmp_path / "terse.parquet")
    assert plain(terse(bundle, catalog_set, config=FEW).to_dict()) == told
    told = command("ablation", *WORDS, "--n-shuffles", 3, "--out", tmp_path / "ablation.parquet")
    found = ablation(bundle, catalog_set, config=replace(FEW, n_shuffles=3))
    assert plain(found.to_dict()) == told
    assert found.table.equals(pl.read_parquet(tmp_path / "ablation.parquet"))
    told = command("verdict", *WORDS, "--n-permutations", 199)
    found = verdict(bundle, catalog_set, config=FEW)
    assert plain(found.to_dict()) | {"n_catalogs": 60} == told
    assert found.overspecialised == told["overspecialised"]


def test_catalogs_may_be_anything(estimator, catalog_set):
    """A folder, a set, a sample and a batch hold the same catalogs, of which the same is said."""
    opened = CatalogSet.open(catalog_set)
    sample = read_sample(catalog_set, split="all")
    answers = [leave_one_out(estimator, one, config=FEW) for one in (str(catalog_set), opened, sample, opened.read())]
    for one in answers[1:]:
        np.testing.assert_array_equal(one.delta, answers[0].delta)
        assert one.sample.text == answers[0].sample.text


def test_catalogs_without_clusters_are_set_aside(estimator):
    batch = toy_batch(n_catalogs=4, seed=1)
    counts = pl.when(pl.col("catalog_id") == 2).then(0).otherwise(pl.col("n_clusters"))
    emptied = CatalogBatch(
        catalogs=batch.catalogs.with_columns(n_clusters=counts),
        clusters=batch.clusters.filter(pl.col("catalog_id") != 2),
    )
    found = leave_one_out(estimator, emptied)
    assert found.sample.empty == (2,)
    np.testing.assert_allclose(found.delta, leave_one_out(estimator, batch.select([0, 1, 3])).delta)
    with pytest.raises(InputError, match="no clusters"):
        leave_one_out(estimator, emptied.select([2]))
    with pytest.raises(InputError, match="in split"):
        leave_one_out(estimator, batch.select([0]), config=InterpretConfig(split="test"))


def test_applicability_of_a_table(estimator, observed, tmp_path):
    """Clusters that are like the training's may be inferred from, thrice as hot ones may not."""
    known = toy_batch(n_catalogs=200, seed=7)
    clusters = observed.clusters.drop("catalog_id")
    clusters.write_parquet(tmp_path / "mine.parquet")
    found = applicability(estimator, tmp_path / "mine.parquet", training=known)
    assert (found.answer, found.n_training) == ("yes", 200)
    hot = replace(observed, clusters=observed.clusters.with_columns(pl.col("t_x") * 3))
    assert applicability(estimator, hot, training=known, config=ApplicabilityConfig(seed=2)).answer == "no"


def test_report_is_written_whole_or_not_at_all(installed, bundle, catalog_set, tmp_path):
    made = report(bundle, catalog_set, tmp_path / "page.html", figures=tmp_path / "figures", config=FEW)
    assert (tmp_path / "page.html").read_text() == made.html
    assert json.loads((tmp_path / "page.json").read_text()) == plain(made.to_dict())
    assert len(list((tmp_path / "figures").glob("*.svg"))) == len({figure.name for figure in made.figures})
    with pytest.raises(OutputExistsError):
        report(bundle, catalog_set, tmp_path / "page.html", config=FEW)
    again = report(load_estimator(bundle), read_sample(catalog_set, split="all", seed=4), config=FEW)
    assert again.to_dict()["reasons"] == made.to_dict()["reasons"]


def test_what_is_shown_says_what_is_emulated(installed, bundle, catalog_set):
    few = replace(FEW, n_permutations=99)
    found = (
        read_sample(catalog_set),
        leave_one_out(bundle, catalog_set, config=few),
        saliency(bundle, catalog_set, config=few),
        terse(bundle, catalog_set, config=few),
        ablation(bundle, catalog_set, config=few),
        verdict(bundle, catalog_set, config=few),
        report(bundle, catalog_set, config=few),
    )
    for one in found:
        assert "\n" not in repr(one)
        assert "emulated" in repr(one)
        assert "toy clusters" in one._repr_html_()
