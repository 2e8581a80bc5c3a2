"""The command line: quick to start, one JSON object, one message and exit code 2 for bad input."""

import json
import math
import subprocess
import sys
from typing import get_args

import pytest
from earnest_common.cli.root import main
from earnest_common.survey.presets import ALIASES, PRESETS
from earnest_selfcal.cli.survey_options import Presets


def run(monkeypatch, *words):
    monkeypatch.setattr(sys, "argv", ["earnest", "selfcal", *words])
    with pytest.raises(SystemExit) as stopped:
        main()
    return stopped.value.code


def test_infer_answers_in_json(monkeypatch, capsys):
    code = run(monkeypatch, "infer", "--preset", "paper", "--n-clusters", "130", "--median-log10-y-x", "13.6", "--json")
    told = json.loads(capsys.readouterr().out)
    assert code == 0
    assert {"sigma8", "sigma8_err", "lo68", "hi68"} <= set(told)
    assert 0.7 < told["sigma8"] < 0.92
    assert told["median_log10_y_x"] == pytest.approx(13.6)
    assert told["median_log10_y_x_h_free"] == pytest.approx(13.6 - math.log10(0.704))
    assert told["units"]["median_log10_y_x"].startswith("log10(solMass/h keV), as in the paper")
    assert told["units"]["median_log10_y_x_h_free"].startswith("log10(solMass keV)")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--n-clusters", "0", "--median-log10-y-x", "13.6"), "empty catalog"),
        (("--n-clusters", "130", "--median-log10-y-x", "-0.4"), "implies clusters of 10^6"),
        (
            ("--n-clusters", "130", "--preset", "sdss"),
            "'sdss' is not one of 'paper', 'paper-msun', 'paper-h'",
        ),
    ],
)
def test_bad_input_is_one_message_and_exit_2(monkeypatch, capsys, words, message):
    assert run(monkeypatch, "infer", *words) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert message in " ".join(captured.err.replace("│", " ").split())
    assert "Traceback" not in captured.err


@pytest.mark.parametrize("words", [("--n-clusters", "130"), ("--n-clusters", "130", "--median-log10-l-x", "-0.3")])
def test_units_are_told_of_what_is_there(monkeypatch, capsys, words):
    run(monkeypatch, "infer", *words)
    assert ("units.median_log10_l_x" in capsys.readouterr().out) == (len(words) > 2)


def test_a_forecast_that_fails_says_only_why(monkeypatch, capsys):
    assert run(monkeypatch, "forecast", "--flux-limit", "2") == 2
    told = capsys.readouterr().err
    assert told.startswith("earnest: light cone: the shell")
    assert "flux_limit = 2 erg/s/cm^2" in told
    assert "assumed" not in told


def test_the_command_group_imports_nothing_heavy():
    code = (
        "import sys, earnest_selfcal.cli.app; print(sorted({'numpy', 'polars', 'scipy', 'colossus', 'matplotlib'} "
        "& set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_presets_are_those_of_the_library():
    assert set(get_args(Presets)) == {*PRESETS, *ALIASES}
