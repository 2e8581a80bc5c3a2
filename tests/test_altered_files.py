"""One altered digit or bit in any kind of file: the command that reads it refuses and names the file and a remedy."""

import contextlib
import io
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from earnest_common.bundle import BundleDescription, write_bundle
from earnest_common.catalogs import Plan, write_batch
from earnest_common.cli.root import main
from earnest_common.report.section import Section, write_section
from earnest_common.survey.presets import preset
from earnest_common.testing import toy_batch
from earnest_mocks.base_sample.sample import default_base_sample, write_base_sample
from earnest_selfcal.simulation.grid import simulate_grid

REMEDY = re.compile(r"again|make|copy|train|remove")


def earnest(*words: object) -> tuple[int, str]:
    """Run the command in this process and return its exit code and what it printed for the reader."""
    err = io.StringIO()
    with contextlib.ExitStack() as stack:
        stack.enter_context(contextlib.redirect_stderr(err))
        stack.enter_context(contextlib.redirect_stdout(io.StringIO()))
        stack.enter_context(pytest.MonkeyPatch.context()).setattr(sys, "argv", ["earnest", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main()
    return int(ended.value.code or 0), err.getvalue()


def _catalogs(folder: Path) -> Path:
    plan = Plan(kind="mock", preset="toy", seed=1, n_catalogs=4, config={"log10_m_break": 14.4})
    write_batch(folder / "set", toy_batch(n_catalogs=4, seed=1), plan)
    return folder / "set"


def _bundle(folder: Path) -> Path:
    description = BundleDescription(
        estimator="keras",
        features=("t_x",),
        supplementary=(),
        radii=(0.15, 1.4),
        scaling={"t_x": (0.25, 1.5)},
        prior={"sigma8": (0.7, 0.92)},
        calibration={"factor_68": 0.9441},
    )
    write_bundle(folder / "bundle", description, write_files=lambda f: (f / "model.keras").write_bytes(b"0"), card="")
    _catalogs(folder).rename(folder / "bundle.set")
    return folder / "bundle"


def _grid(folder: Path) -> Path:
    simulate_grid(preset("paper"), folder / "grid", n_surveys=20, seed=1)
    return folder / "grid"


def _base_sample(folder: Path) -> Path:
    write_base_sample(folder / "base.parquet", default_base_sample())
    return folder / "base.parquet"


def _section(folder: Path) -> Path:
    _catalogs(folder)
    (folder / "model").mkdir()
    write_section(folder / "section.json", Section(key="counts", title="Counts", summary={"rms": 0.0123}))
    return folder / "section.json"


Case = tuple[Callable[[Path], Path], str, str, tuple[str, ...]]
KINDS: dict[str, Case] = {
    "manifest": (_catalogs, "manifest.json", "14.4", ("catalogs", "describe", "{}")),
    "catalogs": (_catalogs, "catalogs/00000.parquet", "", ("catalogs", "describe", "{}")),
    "clusters": (_catalogs, "clusters/00000.parquet", "", ("catalogs", "describe", "{}")),
    "exported clusters": (
        _catalogs,
        "clusters/00000.parquet",
        "",
        ("catalogs", "export", "{}", "--format", "csv", "--out", "{}.csv"),
    ),
    "bundle": (_bundle, "bundle.json", "0.9441", ("model", "predict", "{}.set", "--model", "{}", "--out", "{}.csv")),
    "grid": (_grid, "grid.json", "20", ("selfcal", "figures", "--grid", "{}", "--out", "{}.figures")),
    "surveys": (_grid, "surveys-00000.parquet", "", ("selfcal", "figures", "--grid", "{}", "--out", "{}.figures")),
    "included section": (
        _section,
        "",
        "0.0123",
        ("interpret", "report", "{0.parent}/set", "--model", "{0.parent}/model", "--include", "{}", "--out", "{}.html"),
    ),
    "base sample": (_base_sample, "", "", ("mocks", "relations", "--base-sample", "{}")),
}


@pytest.mark.parametrize("kind", KINDS)
def test_an_altered_file_is_refused(tmp_path: Path, kind: str):
    make, name, digits, words = KINDS[kind]
    place = make(tmp_path)
    file = place / name if name else place
    data = file.read_bytes()
    at = data.index(digits.encode()) + len(digits) - 1 if digits else len(data) // 3
    file.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
    before = sorted(tmp_path.rglob("*"))
    code, text = earnest(*(word.format(place) for word in words))
    assert (code, "Traceback" in text) == (2, False), text
    assert file.name in text
    assert REMEDY.search(text)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("kind", ["manifest", "base sample"])
def test_a_whole_file_is_read(tmp_path: Path, kind: str):
    make, _, _, words = KINDS[kind]
    place = make(tmp_path)
    code, text = earnest(*(word.format(place) for word in words))
    assert code == 0, text
