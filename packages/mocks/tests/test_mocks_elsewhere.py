"""docs/mocks-elsewhere.md and the README do what they say: their blocks run as a reader would run them."""

import contextlib
import io
import re
import shlex
import sys
from pathlib import Path

import pytest
from earnest_common.cli.root import main
from earnest_mocks.catalogs.config import resolve_config

PAGE = Path(__file__).parents[3] / "docs" / "mocks-elsewhere.md"
README = Path(__file__).parents[1] / "README.md"
BLOCK = re.compile(r"```(python|toml|console)\n(.*?)```", re.DOTALL)


def command(words, monkeypatch):
    """Run a command in this process, which spares the imports."""
    monkeypatch.setattr(sys, "argv", words)
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), pytest.raises(SystemExit) as ended:
        main()
    assert not ended.value.code, err.getvalue()


def test_every_block_of_the_page_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    names = {}
    blocks = BLOCK.findall(PAGE.read_text())
    assert len(blocks) > 9
    for kind, text in blocks:
        if kind == "toml":
            (tmp_path / re.match(r"# (\S+?\.toml)", text)[1]).write_text(text)
        elif kind == "console":
            for line in text.strip().splitlines():
                command(shlex.split(line), monkeypatch)
        else:
            exec(compile(text, str(PAGE), "exec"), names)
    printed = capsys.readouterr().out
    assert "solMass" in printed
    assert ", 7)" in printed
    assert "True 0.3\n" in printed
    assert "no-wl" in printed
    assert "300 1.7 gas profiles of 300 of 300 base-sample clusters are EMULATED" in printed
    assert names["blind"].clusters["m_wl"].null_count() == names["batch"].n_clusters
    assert len(names["median"]) == 100


def test_the_examples_of_the_readme_run(tmp_path):
    blocks = BLOCK.findall(README.read_text())
    assert [kind for kind, _ in blocks] == ["python", "toml"]
    names = {}
    exec(compile(blocks[0][1], str(README), "exec"), names)
    assert names["batch"].n_catalogs == 100
    (tmp_path / "mine.toml").write_text(blocks[1][1])
    assert resolve_config("paper", file=tmp_path / "mine.toml").survey.selection.log10_m_min == 13.8
