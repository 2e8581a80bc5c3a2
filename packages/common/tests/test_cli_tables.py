"""The commands that bring tables in and out: words, JSON, exit codes, nothing half-written."""

import json
from pathlib import Path

import pytest
from earnest_common.catalogs import CatalogSet
from earnest_common.cli.catalogs import app
from earnest_common.errors import EarnestError
from earnest_common.importers import mapping_names
from typer.testing import CliRunner

TABLE = "name,z,r500_kpc,m500_1e14Msun,mgas500_1e13Msun,Tx_keV,Lbol_1e44\n" + "".join(
    f"G{i},0.1,{1173 * (m / 5) ** (1 / 3)},{m},{m * 1.1},{4.2 * (m / 4) ** 0.6},{3 * m / 4}\n"
    for i, m in enumerate((3.0, 4.0, 2.5, 6.0, 3.5, 5.0))
)


def earnest(*arguments: object) -> str:
    done = CliRunner().invoke(app, [str(a) for a in arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.fixture
def table(tmp_path: Path) -> Path:
    (tmp_path / "table.csv").write_text(TABLE)
    return tmp_path / "table.csv"


def test_import_describe_export_import(table: Path, tmp_path: Path):
    told = json.loads(earnest("import", table, "--format", "planck-esz", "--out", tmp_path / "a", "--json"))
    assert (told["n_read"], told["n_kept"], told["kind"]) == (6, 6, "observed")
    first = CatalogSet.open(tmp_path / "a")
    assert first.validate() == []
    assert (first.manifest.plan.kind, first.manifest.plan.preset) == ("observed", "planck-esz")
    assert first.manifest.plan.inputs == {"table.csv": told["sha256"]}
    earnest("export", tmp_path / "a", "--format", "csv", "--out", tmp_path / "a.csv")
    earnest("import", tmp_path / "a.csv", "--format", "earnest", "--out", tmp_path / "b")
    second = CatalogSet.open(tmp_path / "b")
    assert second.read().clusters.equals(first.read().clusters)


def test_the_same_import_gives_the_same_set(table: Path, tmp_path: Path):
    for name in ("a", "b"):
        earnest("import", table, "--format", "planck-esz", "--out", tmp_path / name)
    first, second = (CatalogSet.open(tmp_path / name).manifest for name in ("a", "b"))
    assert first == second


def test_options_reach_the_table(table: Path, tmp_path: Path):
    options = ["--where", "z < 1", "--where", "m500_1e14Msun >= 3", "--z", "0.07", "--unit", "m_gas=1e13 Msun"]
    text = earnest("import", table, "--format", "planck-esz", "--out", tmp_path / "a", "--without", "t_x", *options)
    assert "kept 5 of 6 rows" in text
    assert "please cite: Lovisari" in text
    clusters = CatalogSet.open(tmp_path / "a").read().clusters
    assert clusters["t_x"].null_count() == 5
    assert clusters["z"].to_list() == [0.07] * 5


def test_formats_are_listed_and_serve_as_templates(table: Path, tmp_path: Path):
    assert set(json.loads(earnest("formats", "--json"))) == set(mapping_names())
    template = earnest("formats", "planck-esz").replace('"Tx_keV"', '"T"').replace("planck-esz", "mine")
    (tmp_path / "mine.toml").write_text(template)
    table.write_text(TABLE.replace("Tx_keV", "T"))
    earnest("import", table, "--format", tmp_path / "mine.toml", "--out", tmp_path / "a")
    assert CatalogSet.open(tmp_path / "a").manifest.plan.preset == "mine"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--format", "excel"], "unknown table format 'excel'"),
        (["--format", "planck-esz", "--unit", "m_gas"], "COLUMN=UNIT"),
        (["--format", "planck-esz", "--unit", "m_gas=Msun"], "units are implausible"),
        (["--format", "mcxc"], "format mcxc finds nothing for m_500c, l_x"),
    ],
)
def test_bad_input_writes_nothing(options: list[str], message: str, table: Path, tmp_path: Path):
    with pytest.raises(EarnestError, match=message):
        earnest("import", table, *options, "--out", tmp_path / "a")
    assert not (tmp_path / "a").exists()


def test_a_choice_that_there_is_not_is_refused(table: Path, tmp_path: Path):
    words = ["import", str(table), "--format", "planck-esz", "--missing", "keep", "--out", str(tmp_path / "a")]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 2
    assert "'keep' is not one of 'drop', 'refuse'" in " ".join(done.output.replace("│", " ").split())
    assert not (tmp_path / "a").exists()
