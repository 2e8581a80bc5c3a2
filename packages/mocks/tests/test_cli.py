"""The commands: one JSON object, exit codes, nothing heavy before it is needed."""

import contextlib
import io
import json
import subprocess
import sys
from types import SimpleNamespace
from typing import get_args

import polars as pl
import pytest
from earnest_common.catalogs import CatalogSet, Plan, write_batch
from earnest_common.cli.root import main
from earnest_common.survey.presets import ALIASES, PRESETS
from earnest_mocks.catalogs.config import OVERSPECIALISED
from earnest_mocks.catalogs.source import open_source
from earnest_mocks.cli.app import Presets


def earnest(*words, cwd):
    """Run the command in this process, which spares the imports, and return its answer as subprocess would."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.ExitStack() as stack:
        stack.enter_context(contextlib.chdir(cwd))
        stack.enter_context(contextlib.redirect_stdout(out))
        stack.enter_context(contextlib.redirect_stderr(err))
        stack.enter_context(pytest.MonkeyPatch.context()).setattr(sys, "argv", ["earnest", "mocks", *words])
        with pytest.raises(SystemExit) as ended:
            main()
    return SimpleNamespace(returncode=ended.value.code or 0, stdout=out.getvalue(), stderr=err.getvalue())


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cli")
    made = earnest(
        *("generate", "--preset", "paper", "--n-catalogs", "30", "--seed", "2", "--out", "SET", "--json"), cwd=folder
    )
    assert made.returncode == 0, made.stderr
    (folder / "answer.json").write_text(made.stdout)
    return folder


def test_generate_answers_with_one_json_object(folder):
    answer = json.loads((folder / "answer.json").read_text())
    assert (answer["preset"], answer["seed"], answer["n_catalogs"]) == ("paper", 2, 30)
    assert answer["data_hash"] == CatalogSet.open(folder / "SET").manifest.data_hash
    assert answer["synthetic"].startswith("EMULATED")


def test_generate_refuses_existing_output_with_exit_code_2(folder):
    again = earnest("generate", "--n-catalogs", "30", "--seed", "2", "--out", "SET", cwd=folder)
    assert again.returncode == 2
    assert "earnest: catalog set SET exists and is complete" in again.stderr
    assert "Traceback" not in again.stderr


def test_unknown_presets_and_fields_exit_with_2(folder):
    (folder / "wrong.toml").write_text("[survey]\nvolumen = 1\n")
    for words, message in [
        (
            ("--preset", "papper"),
            "not one of 'paper', 'paper-msun', 'paper-h', 'realistic', 'overspecialised'",
        ),
        (("--config", "wrong.toml"), "table survey: unknown field(s) volumen"),
    ]:
        failed = earnest("generate", *words, "--out", "NEW", cwd=folder)
        assert failed.returncode == 2
        assert message in " ".join(failed.stderr.replace("│", " ").split())
        assert "Traceback" not in failed.stderr
        assert not (folder / "NEW").exists()


def test_base_sample_is_written_from_the_recipe_or_from_a_set(folder):
    made = earnest("base-sample", "--no-observed", "--out", "base.parquet", "--json", cwd=folder)
    assert json.loads(made.stdout)["relations"]["l_x"]["slope"] == pytest.approx(1.74)
    assert "EMULATED" in pl.read_parquet_metadata(folder / "base.parquet")["earnest.base_sample"]
    batch = open_source("paper", seed=1).batch(range(1))
    write_batch(folder / "ONE", batch, Plan(kind="simulation", preset="one", seed=None, n_catalogs=1))
    mine = earnest("base-sample", "--from", "ONE", "--out", "mine.parquet", "--json", cwd=folder)
    assert mine.returncode == 0, mine.stderr
    assert json.loads(mine.stdout)["n_clusters"] == batch.n_clusters
    alone = earnest("base-sample", "--reductions", "gas.parquet", "--out", "new.parquet", cwd=folder)
    assert (alone.returncode, "belong to the clusters of --from SET" in alone.stderr) == (2, True)


def test_figures_write_a_section(folder):
    drawn = earnest("figures", "SET", "--section", "mocks.json", cwd=folder)
    assert drawn.returncode == 0, drawn.stderr
    assert json.loads((folder / "mocks.json").read_text())["key"] == "mocks"
    assert earnest("figures", "SET", "--section", "mocks.json", cwd=folder).returncode == 2


def test_clones_answer_and_write_a_section(folder):
    found = earnest("clones", "SET", "--section", "clones.json", "--json", cwd=folder)
    assert found.returncode == 0, found.stderr
    assert json.loads(found.stdout)["overlap"]["test"] > 0.8
    assert json.loads((folder / "clones.json").read_text())["key"] == "clones"
    assert earnest("clones", "SET", "--section", "clones.json", cwd=folder).returncode == 2


def test_the_commands_load_without_numbers_or_drawing():
    heavy = ("numpy", "scipy", "polars", "matplotlib")
    code = f"import sys, earnest_mocks.cli.app; print([m for m in {heavy} if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_presets_are_those_of_the_library():
    assert set(get_args(Presets)) == {*PRESETS, *ALIASES, OVERSPECIALISED}
