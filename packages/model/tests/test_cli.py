"""The commands: their words, their answers, and no traceback for bad input."""

import json
import subprocess
import sys
from dataclasses import replace
from typing import get_args

import numpy as np
import polars as pl
import pytest
from earnest_common.catalogs import Plan, write_batch
from earnest_common.cli import root
from earnest_common.schema import PREDICTIONS
from earnest_common.testing import toy_batch
from earnest_model.cli.training_options import Architectures, Recipes
from earnest_model.networks import ARCHITECTURES
from earnest_model.training.recipes import RECIPES

BRIEF = """
drop = ["gas_slope_profile"]
[pooled]
encoder = [8]
member = [8]
pooled = 8
decoder = [8]
[fast]
batch_catalogs = 32
looks = 1
"""


@pytest.fixture
def earnest(monkeypatch, capsys):
    """Run a command line and return exit code, standard output and standard error."""

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["earnest", *map(str, words)])
        with pytest.raises(SystemExit) as stopped:
            root.main()
        streams = capsys.readouterr()
        return stopped.value.code or 0, streams.out, streams.err

    return run


def test_train_on_a_set_then_predict_and_evaluate(earnest, toy_set, tmp_path):
    out, config = tmp_path / "BUNDLE", tmp_path / "c.toml"
    config.write_text(BRIEF)
    words = ("--architecture", "pooled", "--recipe", "fast", "--seed", 1, "--drop", "m_wl", "--max-steps", 30)
    code, text, _ = earnest(
        "model", "train", "--data", toy_set.path, *words, "--config", config, "--out", out, "--json"
    )
    assert code == 0
    assert json.loads(text)["steps"] == 30
    assert [p.name for p in tmp_path.iterdir() if p.is_dir()] == ["BUNDLE"]  # checkpoints are gone
    assert json.loads((out / "bundle.json").read_text())["supplementary"] == ["l_x"]  # an option wins over the file

    told = json.loads(text)
    assert told["validation_prior_scatter"] > told["validation_scatter"] > told["validation_scatter_err"] > 0
    assert told["validation_catalogs"] == toy_set.read(split="validation").n_catalogs
    assert told["synthetic"] == "a toy"

    code, _, err = earnest("model", "predict", "--model", out, toy_set.path, "--out", tmp_path / "PRED.parquet")
    assert code == 0
    assert "warning: the model was trained on" in err
    assert "a toy\n" in err
    assert 'name="synthetic" datatype="char" arraysize="*" value="a toy"' in str(
        pl.read_parquet_metadata(tmp_path / "PRED.parquet")
    )
    predictions = pl.read_parquet(tmp_path / "PRED.parquet")
    assert tuple(predictions.columns) == (*PREDICTIONS.names, "n_outside", "missing")
    assert predictions.height == 300

    section = tmp_path / "s.json"
    code, text, _ = earnest("model", "evaluate", "--model", out, toy_set.path, "--json", "--section", section)
    answer = json.loads(text)
    wanted = (
        "scatter scatter_err bias prior_scatter skill coverage_68 coverage_95 n_catalogs referee_scatter efficiency"
    )
    assert set(wanted.split()) <= set(answer)
    assert answer["n_catalogs"] == toy_set.read(split="test").n_catalogs < 300
    assert (answer["split"], answer["met_in_training"], answer["synthetic"]) == ("test", False, "a toy")
    shown = json.loads(section.read_text())
    assert shown["summary"]["scatter"] == answer["scatter"]
    assert f"Over {answer['n_catalogs']} held-out catalogs (split test of" in shown["text"][0]
    assert shown["text"][-1] == "a toy."
    assert all("<!-- a toy -->" in figure["svg"] for figure in shown["figures"])
    assert earnest("model", "figures", "--model", out, toy_set.path, "--section", tmp_path / "f.json")[0] == 0
    caption = json.loads((tmp_path / "f.json").read_text())["figures"][-1]["caption"]
    assert f"of {answer['n_catalogs']} held-out catalogs (split test of" in caption
    code, text, err = earnest("model", "evaluate", "--model", out, toy_set.path, "--split", "all")
    assert (code, "held-out" in text + err, "warning: the model was trained on" in err) == (0, False, True)
    assert {"n_catalogs 300", "synthetic a toy"} <= {" ".join(line.split()) for line in text.splitlines()}


def test_predictions_are_what_their_name_says(earnest, bundle, toy_set, tmp_path):
    """The same numbers as Parquet and as CSV, what is emulated in the head of both, and no other kind."""
    words = ("model", "predict", "--model", bundle, toy_set.path, "--out")
    assert [earnest(*words, tmp_path / name)[0] for name in ("P.parquet", "P.csv")] == [0, 0]
    text = (tmp_path / "P.csv").read_text()
    assert "# synthetic = a toy\n" in text
    assert pl.read_csv(tmp_path / "P.csv", comment_prefix="#").equals(pl.read_parquet(tmp_path / "P.parquet"))
    code, _, err = earnest(*words, tmp_path / "P.fits")
    assert (code, "written as .parquet or .csv, not as '.fits'" in err) == (2, True)
    assert len(list(tmp_path.iterdir())) == 2


def test_a_training_that_learned_nothing_is_said(earnest, toy_set, tmp_path):
    config = tmp_path / "c.toml"
    config.write_text(BRIEF)
    words = ("model", "train", "--data", toy_set.path, "--config", config, "--out", tmp_path / "B", "--max-steps", 1)
    code, text, err = earnest(*words, "--json")
    assert code == 0
    assert err.splitlines()[-1] == f"warning: {json.loads(text)['warning']}"
    assert "hardly better than the prior" in (tmp_path / "B" / "README.md").read_text()


def test_a_variant_is_remembered(earnest, toy_set, tmp_path):
    """A network of the number of clusters alone: evaluated like trained, and blind where it meets other catalogs."""
    out, config = tmp_path / "BUNDLE", tmp_path / "c.toml"
    config.write_text(BRIEF)
    words = ("--variant", "ones", "--encoder", "t_x,m_gas", "--supplementary", "none", "--max-steps", 30)
    code, _, err = earnest("model", "train", "--data", toy_set.path, *words, "--config", config, "--out", out)
    assert code == 2  # the file drops a column that was not chosen
    assert "cannot drop gas_slope_profile: the columns are t_x, m_gas" in err
    config.write_text(BRIEF.replace('drop = ["gas_slope_profile"]', ""))
    assert earnest("model", "train", "--data", toy_set.path, *words, "--config", config, "--out", out)[0] == 0

    found = [
        json.loads(earnest("model", "evaluate", "--model", out, toy_set.path, "--json", *more)[1])["scatter"]
        for more in ((), ("--variant", "ones"), ("--variant", "standard"))
    ]
    assert found[0] == found[1] != found[2]
    code, _, err = earnest("model", "evaluate", "--model", out, toy_set.path, "--variant", "twos")
    assert code == 2
    assert "'twos' is not one of 'standard', 'shuffled', 'no-wl', 'ones'" in " ".join(err.replace("│", " ").split())


CASES_BAD = {
    "neither live nor data": (["model", "train", "--out", "B"], "give either --live PRESET"),
    "unknown architecture": (["model", "train", "--data", "SET", "--architecture", "x", "--out", "B"], "not one of"),
    "unknown recipe": (["model", "train", "--data", "SET", "--recipe", "x", "--out", "B"], "not one of"),
    "unknown column": (["model", "train", "--data", "SET", "--drop", "x", "--out", "B"], "cannot drop x"),
    "unknown source": (["model", "train", "--live", "paper", "--source", "x", "--out", "B"], "no installed package"),
    "live configuration of a set": (
        ["model", "train", "--data", "SET", "--live-config", "BAD", "--out", "B"],
        "a catalog set of --data is as it is",
    ),
    "no set": (["model", "train", "--data", "NOTHING", "--out", "B"], "not a catalog set"),
    "no bundle": (["model", "evaluate", "--model", "NOTHING", "SET"], "not a model bundle"),
    "no folder": (["model", "predict", "--model", "NOTHING", "SET", "--out", "none/P"], "does not exist"),
    "output exists": (["model", "train", "--data", "SET", "--out", "TAKEN"], "exists and is not overwritten"),
    "prediction exists": (["model", "predict", "--model", "NOTHING", "SET", "--out", "TAKEN"], "not overwritten"),
    "unknown label": (["model", "train", "--data", "SET", "--labels", "sigma8,x", "--out", "B"], "labels x cannot be"),
    "two budgets": (
        ["model", "train", "--data", "SET", "--max-steps", "9", "--max-seconds", "9", "--out", "B"],
        "give either --max-steps 9 or --max-seconds 9",
    ),
    "two budgets of a table": (
        ["model", "table4", "--data", "SET", "--max-steps", "9", "--max-seconds", "9", "--out", "B"],
        "give either --max-steps 9 or --max-seconds 9",
    ),
    "a budget of steps for epochs": (
        ["model", "train", "--live", "paper", "--recipe", "paper", "--max-steps", "9", "--out", "B"],
        "recipe 'paper' counts epochs",
    ),
    "a table of live and data": (
        ["model", "table4", "--data", "SET", "--live", "paper", "--out", "B"],
        "give either --live PRESET",
    ),
    "a table on training catalogs": (
        ["model", "table4", "--data", "SET", "--test", "SET", "--out", "B"],
        "is trained on; evaluate on its split test",
    ),
    "a table over something else": (["model", "table4", "--data", "SET", "--out", "TAKEN"], "is not a table"),
    "unknown field": (["model", "train", "--data", "SET", "--config", "BAD", "--out", "B"], "unknown field(s)"),
}


@pytest.mark.parametrize("case", CASES_BAD.values(), ids=CASES_BAD)
def test_bad_input_ends_with_two_and_words(earnest, toy_set, tmp_path, monkeypatch, case):
    words, message = case
    monkeypatch.chdir(tmp_path)
    (tmp_path / "TAKEN").mkdir()
    (tmp_path / "TAKEN" / "notes.txt").write_text("of somebody else")
    (tmp_path / "BAD").write_text("[pooled]\nwidths = [3]\n")
    before = sorted(tmp_path.iterdir())
    code, _, err = earnest(*[toy_set.path if word == "SET" else word for word in words])
    assert code == 2
    assert message in err
    assert "Traceback" not in err
    assert sorted(tmp_path.iterdir()) == before  # nothing half-written


def written(path, batch, **fields):
    """Write some catalogs as a set, with other columns of clusters."""
    changed = replace(batch, clusters=batch.clusters.with_columns(**fields))
    write_batch(path, changed, Plan(kind="mock", preset="toy", seed=1, n_catalogs=batch.n_catalogs, radii=batch.radii))
    return path


UNKNOWN = pl.lit(None, dtype=pl.Float64)
UNUSABLE = {
    "other features": ({"t_x": UNKNOWN}, {}, "'t_x' [keV]: "),
    "no numbers": (
        {"t_x": pl.when(pl.col("rank") == 0).then(UNKNOWN).otherwise("t_x")},
        {},
        "train a network without",
    ),
    "other radii": ({}, {"radii": (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7)}, "the network expects 0.15, "),
}


def test_catalogs_without_lensing_are_predicted_and_named(earnest, bundle, batch, tmp_path):
    path = written(tmp_path / "SET", batch, m_wl=UNKNOWN)
    code, _, err = earnest("model", "predict", "--model", bundle, path, "--out", tmp_path / "P.parquet")
    assert code == 0
    assert "40 of 40 catalogs lack m_wl, for some or all clusters" in err
    assert pl.read_parquet(tmp_path / "P.parquet")["missing"].unique().to_list() == ["m_wl"]


@pytest.mark.parametrize("case", UNUSABLE.values(), ids=UNUSABLE)
def test_catalogs_that_the_network_cannot_use(earnest, bundle, batch, tmp_path, case):
    clusters, fields, message = case
    path = written(tmp_path / "SET", replace(batch, **fields), **clusters)
    code, _, err = earnest("model", "predict", "--model", bundle, path, "--out", tmp_path / "P")
    assert code == 2
    assert message in err
    assert [p.name for p in tmp_path.iterdir()] == ["SET"]


def test_an_empty_catalog_is_set_aside_and_named(earnest, bundle, batch, tmp_path):
    counts = batch.catalogs["n_clusters"].to_list()
    rows = np.arange(batch.n_clusters) >= counts[0]
    empty = batch.catalogs.with_columns(n_clusters=pl.Series([0, *counts[1:]]))
    path = written(tmp_path / "SET", replace(batch, catalogs=empty, clusters=batch.clusters.filter(pl.Series(rows))))
    code, _, err = earnest("model", "predict", "--model", bundle, path, "--out", tmp_path / "P")
    assert code == 0
    assert f"1 of {batch.n_catalogs} catalogs have no clusters and are set aside (catalog_id 0)" in err
    assert pl.read_parquet(tmp_path / "P")["catalog_id"].to_list() == batch.catalogs["catalog_id"].to_list()[1:]


def test_what_leaves_the_training_range_is_named(earnest, bundle, batch, tmp_path):
    """Masses in another unit in one set, catalogs of a lone cluster in the other: an answer, and a warning."""
    n = batch.n_clusters
    path = written(tmp_path / "UNITS", batch, m_wl=pl.col("m_wl") / 1e14)
    code, _, err = earnest("model", "predict", "--model", bundle, path, "--out", tmp_path / "P")
    assert code == 0
    assert f"outside the training range: log10 m_wl: {n:,} of {n:,} values (100 %) lie outside" in err
    path = written(tmp_path / "LONE", toy_batch(n_catalogs=3, seed=1, mean_n_clusters=1e-9))
    code, _, err = earnest("model", "predict", "--model", bundle, path, "--out", tmp_path / "Q")
    assert code == 0
    assert "outside the training range: n_clusters: 3 of 3 values (100 %) lie outside" in err
    assert pl.read_parquet(tmp_path / "Q").height == 3


def test_help_loads_nothing_heavy():
    code = (
        "import sys, earnest_model, earnest_model.cli.app\n"
        "from earnest_model.networks import ARCHITECTURES\n"
        "assert not {'tensorflow', 'keras', 'matplotlib'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_fresh_process_loads_a_bundle(bundle, toy_set, tmp_path):
    """Classes that other tests have imported would hide what loading itself must import; and it starts silently."""
    code = "from earnest_common.cli.root import main; main()"
    words = ["model", "predict", "--model", bundle, toy_set.path, "--split", "test", "--out", tmp_path / "P.parquet"]
    done = subprocess.run([sys.executable, "-c", code, *map(str, words)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert pl.read_parquet(tmp_path / "P.parquet").height == toy_set.read(split="test").n_catalogs
    told = ("a toy", "outside the training range")
    noise = [line for line in done.stderr.splitlines() if not line.startswith(told)]
    assert noise == []


def test_choices_are_those_of_the_library():
    assert get_args(Architectures) == tuple(ARCHITECTURES)
    assert get_args(Recipes) == tuple(RECIPES)
