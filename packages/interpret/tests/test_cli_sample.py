"""Laws of the commands about their sample: the split that is read is recorded, what is emulated is labelled."""

import json
import re
import sys
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from earnest_common.catalogs import CatalogSet
from earnest_common.cli.root import main
from earnest_common.errors import InputError
from earnest_common.report.section import read_section
from earnest_interpret.cli.inputs import Inputs
from earnest_interpret.page.interpretation import InterpretConfig, interpret
from earnest_interpret.page.report import build_report
from earnest_interpret.sample import Sample, read_sample
from earnest_interpret.testing import SaturatingEstimator

LABEL = "toy clusters drawn from formulas"  # of the catalog set


@pytest.fixture
def earnest(monkeypatch, capsys, installed):
    def call(command: str, *words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["earnest", "interpret", command, *map(str, words)])
        with pytest.raises(SystemExit) as caught:
            main()
        told = capsys.readouterr()
        return int(caught.value.code or 0), told.out, told.err

    return call


@pytest.fixture
def toy(bundle, catalog_set) -> tuple[Path, Path]:
    return bundle, catalog_set


def numbers_of(catalog_set: Path) -> dict[str, int]:
    splits = CatalogSet.open(catalog_set).scan_catalogs().select("split").collect().to_series()
    return {**dict(splits.value_counts().iter_rows()), "all": len(splits)}


@pytest.mark.parametrize("command", ["leave-one-out", "saliency", "terse", "proxy", "report"])
@pytest.mark.parametrize("split", [None, "all"])
def test_the_split_that_was_read_is_told_and_recorded(earnest, toy, tmp_path, command, split):
    bundle, catalog_set = toy
    words = ("--out", tmp_path / "x.html", *(("--split", split) if split else ()))
    code, out, err = earnest(command, "--model", bundle, catalog_set, *words, "--json")
    assert code == 0, err
    assert json.loads(out)["n_catalogs"] == numbers_of(catalog_set)[split or "test"]
    record = json.loads((tmp_path / "x.json").read_text())["provenance"]["config"]
    assert record["split"] == (split or "test")


def test_a_verdict_on_too_few_says_where_it_looked_and_loads_no_model(earnest, catalog_set, tmp_path):
    n = numbers_of(catalog_set)["test"]
    code, _, err = earnest("verdict", "--model", tmp_path / "no-model", catalog_set)
    assert code == 2
    assert f"found {n} in split 'test' of {catalog_set}" in " ".join(err.split())
    assert "--split all if this set is not that of the training" in " ".join(err.split())
    code, _, err = earnest(
        "verdict", "--model", tmp_path / "no-model", catalog_set, "--split", "all", "--max-catalogs", 9
    )
    assert (code, "raise --max-catalogs: there are 60" in " ".join(err.split())) == (2, True)


def test_a_verdict_on_the_whole_set_is_given(earnest, bundle, catalog_set):
    words = ("--split", "all", "--n-permutations", 99, "--json")
    code, out, err = earnest("verdict", "--model", bundle, catalog_set, *words)
    assert code in (0, 1), err
    assert (json.loads(out)["n_catalogs"], json.loads(out)["synthetic"]) == (60, f"in these catalogs: {LABEL}")


def test_help_and_message_of_the_verdict_agree(earnest):
    _, out, _ = earnest("verdict", "--help")
    assert "NOT trained on" in " ".join(out.split())


def test_an_unknown_split_is_answered_with_those_there_are(earnest, bundle, catalog_set):
    code, _, err = earnest("terse", "--model", bundle, catalog_set, "--split", "tset")
    assert code == 2
    assert "'tset' is not one of 'train', 'validation', 'test', 'all'" in " ".join(err.replace("│", " ").split())
    there = ", ".join(sorted(numbers_of(catalog_set), key=lambda n: (n == "all", n)))
    with pytest.raises(InputError, match=there):
        read_sample(catalog_set, split="tset")


@pytest.mark.parametrize("command", ["leave-one-out", "saliency", "terse", "proxy"])
def test_every_file_of_a_command_says_what_is_emulated(earnest, toy, tmp_path, command):
    bundle, catalog_set = toy
    out, section = tmp_path / "x.parquet", tmp_path / "s.json"
    code, told, err = earnest(command, "--model", bundle, catalog_set, "--out", out, "--section", section, "--json")
    assert code == 0, err
    label = f"in these catalogs: {LABEL}"
    assert json.loads(told)["synthetic"] == json.loads((tmp_path / "x.json").read_text())["synthetic"] == label
    assert pl.read_parquet_metadata(out)["earnest.synthetic"] == label
    assert read_section(section).provenance["synthetic"] == label


def test_the_page_and_its_figures_say_it_too(earnest, bundle, catalog_set, tmp_path):
    words = ("--out", tmp_path / "p.html", "--figures", tmp_path / "figures", "--json")
    _, out, _ = earnest("report", "--model", bundle, catalog_set, *words)
    assert json.loads(out)["synthetic"] == f"in these catalogs: {LABEL}"
    for file in (tmp_path / "p.html", tmp_path / "figures" / "captions.md"):
        assert LABEL in file.read_text()


def test_a_model_of_emulated_catalogs_labels_real_ones(batch):
    """An observed catalog is no mock, but what is inferred from it rests on mocks."""

    class Trained(SaturatingEstimator):
        description = replace(SaturatingEstimator().description, synthetic="EMULATED gas")

    sample = Sample(batch=batch, n_available=40)
    found = interpret(Trained(), sample, InterpretConfig(n_permutations=99))
    page = build_report(found, model="A model")
    assert page.numbers["synthetic"] == "in training: EMULATED gas"
    assert page.html.count("EMULATED gas") == 2  # at the top, and under what is real
    inputs = Inputs(estimator=Trained(), sample=sample, config=InterpretConfig(), provenance={})
    assert inputs.synthetic == "in training: EMULATED gas"


def test_all_is_every_split(catalog_set: Path):
    opened = CatalogSet.open(catalog_set)
    sample = read_sample(opened, split="all")
    assert (sample.batch.n_catalogs, sample.split) == (60, None)
    assert "split" not in sample.text


ROWS = {
    "leave-one-out": ("stability_68", "Δσ₈ without clusters from 10^14.35 to 10^14.55 solMass"),
    "saliency": ("share of the temperature", "saliency of log10_t_x"),
    "terse": ("r with log10_m_500c", "r with sigma8 at fixed mass"),
    "proxy": ("mass scatter of Y_X", "R^2 of the best 1"),
}


@pytest.mark.parametrize("command", ROWS)
def test_without_json_a_command_prints_few_short_lines(earnest, bundle, catalog_set, tmp_path, command):
    code, out, err = earnest(command, "--model", bundle, catalog_set, "--out", tmp_path / "x.parquet", "--split", "all")
    assert code == 0, err
    lines = out.splitlines()
    assert len(lines) < 25
    assert max(map(len, lines)) < 120
    assert not re.search(r"[{}\[\]]|None|nan", out)
    assert all(any(line.startswith(row) for line in lines) for row in ROWS[command])
    assert f"synthetic data: in these catalogs: {LABEL}" in err
    assert "\n- " in err  # the reasons


@pytest.mark.parametrize("content", [None, "", "{}", "[1]"], ids=["missing", "empty", "no section", "a list"])
def test_a_section_that_cannot_be_included_is_refused_before_the_model_is_loaded(
    earnest, catalog_set, tmp_path, content
):
    path = tmp_path / "other.json"
    if content is not None:
        path.write_text(content)
    words = ("--model", tmp_path / "no-model", "--out", tmp_path / "p.html", "--include", path)
    code, _, err = earnest("report", catalog_set, *words)
    assert (code, str(path) in " ".join(err.split()), "Traceback" in err) == (2, True, False)
    assert not (tmp_path / "p.html").exists()
