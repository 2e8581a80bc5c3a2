"""Laws of the command: quick help, one clear message and exit code 2 for bad input, JSON alone on standard output."""

import json
import subprocess
import sys
from importlib.metadata import metadata
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated, get_args

import pytest
import typer
from earnest_common.catalogs import Plan, write_batch
from earnest_common.catalogs.variants import VARIANTS
from earnest_common.catalogs.writer import shard_file
from earnest_common.cli.options import Split, Variant
from earnest_common.cli.root import build_app
from earnest_common.run.provenance import extras
from earnest_common.schema import SPLITS
from earnest_common.testing import toy_batch
from typer.testing import CliRunner

HEAVY = ("polars", "numpy", "scipy", "colossus", "pydantic_core", "astropy", "matplotlib", "tensorflow", "keras")


def earnest(*arguments: object) -> subprocess.CompletedProcess[str]:
    code = "from earnest_common.cli.root import main; main()"
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cli") / "set"
    plan = Plan(kind="mock", preset="toy", seed=1, n_catalogs=12, catalogs_per_shard=5)
    write_batch(folder, toy_batch(n_catalogs=12, seed=1), plan)
    return folder


def test_help_imports_nothing_heavy():
    code = (
        "import sys\nfrom earnest_common.cli.root import build_app\nfrom typer.testing import CliRunner\n"
        "assert CliRunner().invoke(build_app(), ['--help']).exit_code == 0\n"
        f"assert not [m for m in {HEAVY} if m in sys.modules], [m for m in {HEAVY} if m in sys.modules]"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


def test_units_in_brackets_are_shown():
    app = build_app()

    @app.command()
    def weigh(mass: Annotated[float, typer.Option(help="Mass [solMass] within 10^3 [kpc], m_500c <= this.")]) -> None:
        """Weigh in [solMass]."""

    shown = CliRunner().invoke(app, ["weigh", "--help"], env={"COLUMNS": "150"}).stdout
    assert "Mass [solMass] within 10^3 [kpc], m_500c <= this." in shown
    assert "Weigh in [solMass]." in shown


def test_doctor_finds_no_problem():
    done = earnest("doctor", "--json")
    told = json.loads(done.stdout)
    assert (done.returncode, told["problems"]) == (0, [])
    assert told["formats"] == {"catalog set": 2, "schema": 1, "bundle": 3}
    declared = {
        f"{name}[{extra}]"
        for name, found in told["packages"].items()
        if found != "not installed"
        for extra in metadata(name).get_all("Provides-Extra") or []
    }
    assert set(told["extras"]) == declared
    assert {"earnest-common[astropy]", "earnest-common[dask]", "earnest-common[figures]"} <= declared


def test_missing_parts_of_an_extra_are_named(monkeypatch: pytest.MonkeyPatch):
    lines = ["numpy>=1", "nowhere-at-all>=2; extra == 'far'", 'numpy>=2 ; extra == "far"', "numpy; extra == 'near'"]
    monkeypatch.setattr("earnest_common.run.provenance.DISTRIBUTIONS", ("earnest-common", "earnest-nowhere"))
    monkeypatch.setattr("earnest_common.run.provenance.distribution", lambda _: SimpleNamespace(requires=lines))
    assert extras() == {"earnest-common[far]": ["nowhere-at-all"], "earnest-common[near]": []}


def test_describe_and_validate(path: Path):
    described = earnest("catalogs", "describe", path, "--json")
    told = json.loads(described.stdout)
    assert (told["n_catalogs"], told["preset"], told["seed"], told["schema_version"]) == (12, "toy", 1, 1)
    valid = earnest("catalogs", "validate", path, "--json")
    assert (valid.returncode, json.loads(valid.stdout)["valid"]) == (0, True)
    assert "l_x" in earnest("catalogs", "describe", path).stdout


def test_split(path: Path, tmp_path: Path):
    assert earnest("catalogs", "split", path, "--out", tmp_path / "s", "--train", "0.5").returncode == 0
    assert earnest("catalogs", "validate", tmp_path / "s").returncode == 0


def test_schema_is_shown():
    assert "| `m_500c` | Float64 | solMass | yes |" in earnest("catalogs", "schema").stdout


def test_an_invalid_set_exits_with_one(path: Path, tmp_path: Path):
    import shutil

    shutil.copytree(path, tmp_path / "set")
    file = shard_file(tmp_path / "set", "clusters", 1)
    data = bytearray(file.read_bytes())
    data[100] ^= 1
    file.write_bytes(data)
    done = earnest("catalogs", "validate", tmp_path / "set")
    assert done.returncode == 1
    assert "was altered" in done.stderr


BAD = {
    "no set": (("catalogs", "describe", "nowhere"), "is not a catalog set"),
    "existing output": (("catalogs", "split", "SET", "--out", "SET"), "exists and is complete"),
    "bad fractions": (
        ("catalogs", "split", "SET", "--out", "new", "--train", "0.9", "--validation", "0.9"),
        "must lie in [0, 1] together",
    ),
    "unknown option": (("catalogs", "describe", "SET", "--jsn"), "No such option"),
    "unknown command": (("catalogs", "descirbe"), "No such command"),
}


@pytest.mark.parametrize(("words", "message"), BAD.values(), ids=BAD)
def test_bad_input(path: Path, words: tuple[str, ...], message: str):
    done = earnest(*[path if word == "SET" else word for word in words])
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        ImportError("PLEASE READ THIS\n\nOriginal error was: libquadmath.so: failed to map segment from shared object"),
    ],
    ids=["in Python", "while a library is loaded"],
)
def test_too_little_memory_is_no_fault_of_the_software(error: BaseException):
    from earnest_common.cli.root import _in_words

    message, code = _in_words(error)
    assert (code, "not enough memory" in message, "PLEASE" in message) == (2, True, False)


def leaves(command, words=()):
    """Every command that does something, with its words."""
    children = getattr(command, "commands", {})
    if not children:
        yield words, command
    for name, child in children.items():
        yield from leaves(child, (*words, name))


def test_versions_of_the_packages():
    done = earnest("--version")
    assert done.returncode == 0
    assert done.stdout.split()[:2] == ["earnest-common", metadata("earnest-common")["Version"]]


def test_quiet_leaves_results_and_errors(path: Path, tmp_path: Path):
    noisy, silent = earnest("catalogs", "validate", path), earnest("-q", "catalogs", "validate", path)
    assert "valid" in noisy.stderr
    assert (silent.returncode, silent.stderr) == (0, "")
    refused = earnest("--quiet", "catalogs", "validate", tmp_path / "none")
    assert refused.returncode == 2
    assert "none" in refused.stderr


def test_a_fault_shows_where_it_is_when_asked(tmp_path: Path):
    code = (
        "import sys\nfrom earnest_common.catalogs import CatalogSet\n"
        "def broken(*_): raise ZeroDivisionError('toy')\n"
        "CatalogSet.open = broken\n"
        "from earnest_common.cli.root import main\nsys.argv[1:] = sys.argv[1:]\nmain()"
    )
    words = ("catalogs", "describe", str(tmp_path))
    plain, verbose = (
        subprocess.run([sys.executable, "-c", code, *flags, *words], capture_output=True, text=True, check=False)
        for flags in ((), ("-v",))
    )
    assert (plain.returncode, verbose.returncode) == (70, 70)
    assert "Traceback" not in plain.stderr
    assert "earnest -v" in plain.stderr
    assert "in broken" in verbose.stderr


def test_groups_stand_in_the_order_of_work():
    order = ("mocks", "catalogs", "model", "interpret", "selfcal", "doctor")
    shown = earnest("--help").stdout
    places = [shown.find(f" {name} ") for name in order]
    assert [place for place in places if place > 0] == sorted(place for place in places if place > 0)
    assert places[-1] == max(places)


def test_every_command_answers_in_json_and_has_help():
    for words, command in leaves(typer.main.get_command(build_app())):
        options = [name for parameter in command.params for name in parameter.opts]
        assert "--json" in options, words
        assert command.help, words
        for parameter in command.params:
            described = getattr(parameter, "help", None)
            assert described or parameter.opts == ["--help"], (words, parameter.opts)


def test_choices_are_those_of_the_library():
    assert get_args(Variant) == tuple(VARIANTS)
    assert get_args(Split) == (*SPLITS, "all")


def test_json_of_the_commands_that_write(path: Path, tmp_path: Path):
    divided = json.loads(earnest("catalogs", "split", path, "--out", tmp_path / "new", "--json").stdout)
    assert divided["path"] == str(tmp_path / "new")
    written = json.loads(earnest("catalogs", "export", path, "--out", tmp_path / "t.csv", "--json").stdout)
    assert written == {"path": str(tmp_path / "t.csv"), "format": "csv"}


@pytest.mark.parametrize(
    ("name", "format_name", "words"),
    [
        ("t.fits", "csv", "'.fits' is not a suffix of format csv"),
        ("t.parquet", "csv", "'.parquet' is not a suffix of format csv"),
        ("t.dat", None, "name a format (fits, votable, ecsv, csv), or end it in .fits"),
    ],
)
def test_suffix_and_format_agree(path: Path, tmp_path: Path, name: str, format_name: str | None, words: str):
    chosen = ("--format", format_name) if format_name else ()
    done = earnest("catalogs", "export", path, "--out", tmp_path / name, *chosen)
    assert done.returncode == 2
    assert words in done.stderr
    assert not list(tmp_path.iterdir())


def test_choices_are_completed_and_refused(path: Path, tmp_path: Path):
    done = earnest("catalogs", "export", path, "--out", tmp_path / "t", "--format", "xlsx")
    assert done.returncode == 2
    assert "'xlsx' is not one of 'fits', 'votable', 'ecsv', 'csv'" in " ".join(done.stderr.replace("│", " ").split())
