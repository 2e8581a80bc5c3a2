"""`earnest selfcal referee` and `nulls` on the command line."""

import json
import sys
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from earnest_common.catalogs import Plan, write_batch
from earnest_common.cli.root import main
from earnest_common.run.parquet import read_parquet
from earnest_common.survey.presets import preset
from earnest_selfcal.exact_posterior.catalogs import ModelCatalogs, draw_batch

N_CATALOGS = 6


def run(monkeypatch, *words):
    monkeypatch.setattr(sys, "argv", ["earnest", "selfcal", *(str(word) for word in words)])
    with pytest.raises(SystemExit) as stopped:
        main()
    return stopped.value.code


@pytest.fixture(scope="module")
def model_set(tmp_path_factory):
    chosen = preset("paper")
    rng = np.random.default_rng(3)
    small = replace(chosen, survey=replace(chosen.survey, volume=chosen.survey.volume / 4))
    batch = draw_batch(ModelCatalogs.of(small), chosen.priors.draw(N_CATALOGS, rng=rng), rng=rng)
    path = tmp_path_factory.mktemp("sets") / "set"
    config = {"survey": {"volume": small.survey.volume}}
    write_batch(path, batch, Plan(kind="mock", preset="paper", seed=3, n_catalogs=N_CATALOGS, config=config))
    return path


def test_referee_answers_in_json(monkeypatch, capsys, model_set, tmp_path):
    out, section = tmp_path / "ref.parquet", tmp_path / "ref.json"
    words = ("referee", model_set, "--max-catalogs", 4, "--drop", "m_wl", "--out", out, "--section", section, "--json")
    assert run(monkeypatch, *words) == 0
    told = json.loads(capsys.readouterr().out)
    assert {"scatter", "scatter_err", "bias", "coverage_68", "coverage_95", "prior_scatter", "ess_min"} <= set(told)
    assert told["n_catalogs"] == 4
    assert told["scatter"] < told["prior_scatter"]
    assert read_parquet(out, what="referee", remedy="write it again").stamped  # so that an altered bit is refused
    table = pl.read_parquet(out)
    assert {"catalog_id", "sigma8", "sigma8_err", "sigma8_lo68", "sigma8_hi68"} <= set(table.columns)
    assert section.is_file()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--drop", "richness"), "richness cannot be dropped"),
        (("--residuals", "learned"), "use lognormal residuals"),
        (("--split", "train"), "no catalogs of split 'train'"),
        (("--preset", "sdss"), "'sdss' is not one of 'paper', 'paper-msun', 'paper-h', 'realistic'"),
        (("--preset", "realistic", "--drop", "l_x"), "l_x cannot be left out"),
    ],
)
def test_bad_input_is_one_message_and_exit_2(monkeypatch, capsys, model_set, words, message):
    assert run(monkeypatch, "referee", model_set, *words) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert message in " ".join(captured.err.replace("│", " ").split())
    assert "Traceback" not in captured.err


def test_nulls_refuses_too_few_surveys(monkeypatch, capsys):
    assert run(monkeypatch, "nulls", "--preset", "paper", "--n-catalogs", "3") == 2
    assert "at least 10 surveys" in capsys.readouterr().err
    assert run(monkeypatch, "nulls", "--width", "1.2") == 2
    assert "from 0 to below 1" in capsys.readouterr().err
