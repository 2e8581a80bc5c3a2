"""Laws of the command: its words, its files, one clear message for bad input, and nothing heavy for help."""

import json
import subprocess
import sys
from pathlib import Path
from typing import get_args

import numpy as np
import polars as pl
import pytest
from earnest_common.catalogs import CatalogSet
from earnest_common.cli.root import main
from earnest_common.report.section import read_section
from earnest_interpret.cli.options import (
    MaxCatalogsOption,
    MaxRowsOption,
    PermutationsOption,
    SeedOption,
    ShufflesOption,
)
from earnest_interpret.page.interpretation import InterpretConfig
from earnest_interpret.testing import FEATURES


def earnest(monkeypatch: pytest.MonkeyPatch, *words: object) -> int:
    monkeypatch.setattr(sys, "argv", ["earnest", "interpret", *map(str, words)])
    with pytest.raises(SystemExit) as caught:
        main()
    return int(caught.value.code or 0)


@pytest.fixture
def run(monkeypatch, installed, bundle, catalog_set, capsys):
    def call(command: str, *words: object, model: Path = bundle) -> tuple[int, dict, str]:
        code = earnest(monkeypatch, command, "--model", model, catalog_set, *words, "--json")
        told = capsys.readouterr()
        return code, json.loads(told.out) if told.out else {}, told.err

    return call


def test_leave_one_out(run, tmp_path: Path):
    out = tmp_path / "loo.parquet"
    code, told, words = run("leave-one-out", "--out", out, "--split", "train", "--max-catalogs", 7)
    assert (code, told["n_catalogs"]) == (0, 7)
    assert "7 of" in words
    table = pl.read_parquet(out)
    assert table.columns == ["catalog_id", "cluster_id", "delta_sigma8"]
    assert table.height == told["n_clusters"]
    record = json.loads((tmp_path / "loo.json").read_text())
    assert record["provenance"]["config"]["max_catalogs"] == 7
    assert record["provenance"]["seed"] == 1
    assert set(record["provenance"]["inputs"]) == {"catalogs", "model"}


def test_masses_are_named_after_their_column_and_have_a_unit(run, catalog_set, tmp_path: Path):
    """The median of the counts lies where that of the table's masses [solMass] does, whatever h is."""
    split = ("--split", "train")
    _, told, _ = run("leave-one-out", "--out", tmp_path / "l.parquet", *split)
    assert (told["unit_of_masses"], told["massive_above_log10_m_500c"]) == ("solMass", 14.55)
    masses = CatalogSet.open(catalog_set).scan_clusters().filter(pl.col("catalog_id").is_in(_ids(catalog_set, "train")))
    log10_m = masses.select(pl.col("m_500c").log10()).collect().to_series()
    found = told["information_by_mass"]
    expected, _ = np.histogram(log10_m, bins=found["log10_m_500c_edges"])
    assert found["counts"] == expected.tolist()
    assert told["benchmarks"][1] | {"n": int((log10_m > 14.15).sum())} == told["benchmarks"][1]
    assert told["benchmarks"][1]["above_log10_m_500c"] == told["groups"][0]["log10_m_500c_high"] == 14.15
    assert told["groups"][-1]["share"] == 0.5
    assert "log10_m_500c" in told["running"]
    _, told, _ = run("saliency", "--out", tmp_path / "s.parquet", *split)
    assert (told["unit_of_masses"], told["log10_m_500c_edges"][0]) == ("solMass", 14.15)


def _ids(catalog_set: Path, split: str) -> pl.Series:
    catalogs = CatalogSet.open(catalog_set).scan_catalogs().filter(pl.col("split") == split)
    return catalogs.select("catalog_id").collect().to_series().implode()


@pytest.mark.parametrize("of", ["terse", "sigma8"])
def test_saliency(run, tmp_path: Path, of: str):
    out, section = tmp_path / "sal.parquet", tmp_path / "sal.section.json"
    code, told, _ = run("saliency", "--of", of, "--out", out, "--section", section)
    assert (code, told["of"], told["ranked"][0]) == (0, of, "log10_t_x")
    assert pl.read_parquet(out).columns[2:] == [f"d_{of}_d_{name}" for name in FEATURES]
    assert read_section(section).key == "inputs.saliency"


def test_terse(run, tmp_path: Path):
    out, section = tmp_path / "terse.parquet", tmp_path / "terse.section.json"
    split = ("--split", "train", "--n-permutations", 99)
    code, told, _ = run("terse", "--out", out, "--section", section, *split)
    assert code == 0
    assert told["correlations"]["log10_t_x"]["pearson"] > 0.99
    assert told["sigma8_at_fixed_mass"]["p_value"] >= 0.01
    assert pl.read_parquet(out).columns == ["catalog_id", "cluster_id", "terse"]
    assert len(read_section(section).figures) == len(told["correlations"]) == len(told["dependence"])


def test_report(run, tmp_path: Path):
    section = tmp_path / "loo.section.json"
    assert run("leave-one-out", "--out", tmp_path / "l.parquet", "--section", section)[0] == 0
    summary = tmp_path / "selfcal.json"
    summary.write_text('{"n_only_scatter": 0.0371}')
    words = ("--include", section, "--summary", summary, "--title", "My <clusters>", "--split", "train")
    words += ("--figures", tmp_path / "figures")
    code, told, err = run("report", "--out", tmp_path / "page.html", *words)
    assert code == 0, err
    html = (tmp_path / "page.html").read_text()
    assert "My &lt;clusters&gt;" in html
    assert "0.0371" in html
    assert html.count("<h3>Taking one cluster away</h3>") == 1
    assert told["reasons"] == json.loads((tmp_path / "page.json").read_text())["reasons"]
    assert told["page"] == str(tmp_path / "page.html")
    drawn = {path.stem for path in (tmp_path / "figures").glob("*.svg")}
    assert {"leave-one-out-mass", "leave-one-out-cdf", "saliency-maps", "terse-log10-m-500c", "terse-proxy"} <= drawn
    assert len(drawn) == html.count('class="drawing"')
    assert (tmp_path / "figures" / "captions.md").read_text().count(".svg** ") == len(drawn)


def test_a_plain_model_is_reported_too(run, plain_bundle: Path, tmp_path: Path):
    assert run("report", "--out", tmp_path / "page.html", model=plain_bundle)[0] == 0
    code, _, words = run("saliency", "--out", tmp_path / "sal.parquet", model=plain_bundle)
    assert (code, "no terse layer" in words) == (2, True)


def test_configuration_file(run, tmp_path: Path):
    (tmp_path / "c.toml").write_text("max_catalogs = 3\nseed = 9\n")
    _, told, _ = run("terse", "--config", tmp_path / "c.toml", "--split", "train", "--n-permutations", 99)
    assert told["n_catalogs"] == 3
    (tmp_path / "c.toml").write_text("max_catalog = 3\n")
    code, _, words = run("terse", "--config", tmp_path / "c.toml")
    assert (code, "max_catalogs" in words) == (2, True)


BAD = {
    "taken output": (("leave-one-out", "--out", "TAKEN"), "exists"),
    "taken record": (("saliency", "--out", "BESIDE"), "exists"),
    "no folder": (("report", "--out", "NOWHERE"), "does not exist"),
    "record over itself": (("leave-one-out", "--out", "JSON"), "suffix"),
    "taken folder": (("report", "--out", "NEW", "--figures", "TAKEN"), "exists"),
    "unknown split": (("terse", "--split", "tset"), "tset"),
    "not a section": (("report", "--out", "NEW", "--include", "TAKEN"), "not a report section"),
    "not a summary": (("report", "--out", "NEW", "--summary", "TAKEN"), "summary"),
}


@pytest.mark.parametrize(("words", "message"), BAD.values(), ids=BAD)
def test_bad_input(run, tmp_path: Path, words: tuple[str, ...], message: str):
    taken = tmp_path / "taken.html"
    taken.write_text("a thesis")
    (tmp_path / "beside.json").write_text("{}")
    places = {"TAKEN": taken, "BESIDE": tmp_path / "beside.parquet", "NOWHERE": tmp_path / "no" / "page.html"}
    places |= {"JSON": tmp_path / "x.json", "NEW": tmp_path / "new.html"}
    before = sorted(tmp_path.iterdir())
    code, _, told = run(words[0], *[places.get(word, word) for word in words[1:]])
    assert (code, message in told, "Traceback" in told) == (2, True, False), told
    assert sorted(tmp_path.iterdir()) == before
    assert taken.read_text() == "a thesis"


@pytest.mark.usefixtures("installed")
def test_models_and_sets_of_other_radii_do_not_meet(monkeypatch, bundle, tmp_path, batch, capsys):
    from dataclasses import replace

    from earnest_common.catalogs import Plan, write_batch

    radii = tuple(radius / 2 for radius in batch.radii)
    plan = Plan(kind="mock", preset="toy", seed=1, n_catalogs=batch.n_catalogs, radii=radii)
    write_batch(tmp_path / "set", replace(batch, radii=radii), plan)
    assert earnest(monkeypatch, "terse", "--model", bundle, tmp_path / "set") == 2
    assert "radii" in capsys.readouterr().err


def test_help_imports_nothing_heavy():
    code = (
        "import sys, earnest_interpret.cli.app\n"
        "heavy = ('numpy', 'polars', 'scipy', 'matplotlib', 'jinja2', 'tensorflow', 'keras')\n"
        "assert not [m for m in heavy if m in sys.modules], [m for m in heavy if m in sys.modules]"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_interpretation_needs_no_network_framework():
    code = "import sys, earnest_interpret.cli.commands\nassert not {'tensorflow', 'keras'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_shown_defaults_are_those_of_the_configuration():
    shown = {"max_catalogs": MaxCatalogsOption, "max_rows": MaxRowsOption, "n_permutations": PermutationsOption}
    shown |= {"n_shuffles": ShufflesOption, "seed": SeedOption}
    for name, option in shown.items():
        assert get_args(option)[1].show_default == str(getattr(InterpretConfig(), name))
