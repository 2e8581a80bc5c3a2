"""Tables of surveys: the same bytes whoever computes them, resumable, refused when they are something else."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from earnest_common.errors import EarnestError, InputError, OutputExistsError
from earnest_common.run.files import file_sha256
from earnest_common.survey.presets import preset
from earnest_selfcal.simulation import grid
from earnest_selfcal.simulation.binned import binned_sigma8
from earnest_selfcal.simulation.grid import draw_surveys, read_grid, simulate_grid

PAPER = preset("paper")
SIZES = {"n_surveys": 250, "surveys_per_shard": 100, "seed": 3}


def hashes(folder):
    return {file.name: file_sha256(file) for file in sorted(folder.iterdir())}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("grids") / "grid"
    simulate_grid(PAPER, folder, **SIZES)
    return folder


def test_workers_and_job_arrays_change_no_byte(whole, tmp_path):
    with ThreadPoolExecutor(2) as pool:
        simulate_grid(PAPER, tmp_path / "pool", executor=pool, **SIZES)
    assert simulate_grid(PAPER, tmp_path / "array", shard="2/2", **SIZES) is None
    assert simulate_grid(PAPER, tmp_path / "array", shard="1/2", **SIZES) is not None
    assert hashes(whole) == hashes(tmp_path / "pool") == hashes(tmp_path / "array")


def test_an_interrupted_table_goes_on_where_it_stopped(whole, tmp_path, monkeypatch):
    out, done = tmp_path / "grid", []
    real = grid._surveys

    def stops(*arguments, index, **more):
        if index == 2:
            raise KeyboardInterrupt
        return real(*arguments, index=index, **more)

    monkeypatch.setattr(grid, "_surveys", stops)
    with pytest.raises(KeyboardInterrupt):
        simulate_grid(PAPER, out, **SIZES)
    monkeypatch.setattr(grid, "_surveys", real)
    with pytest.raises(InputError, match="no finished table"):
        read_grid(out)
    simulate_grid(PAPER, out, on_done=done.append, **SIZES)
    assert done == [100, 100, 50]  # the first was there already
    assert hashes(out) == hashes(whole)


def test_surveys_follow_the_priors(whole):
    surveys, record = read_grid(whole)
    assert (len(surveys), record["seed"], record["n_surveys"]) == (250, 3, 250)
    assert surveys["sigma8"].is_between(0.70, 0.92).all()
    assert surveys.unique().height == 250


def test_another_plan_or_folder_is_refused(whole, tmp_path):
    with pytest.raises(OutputExistsError, match=r"a table of surveys with other settings .*seed"):
        simulate_grid(PAPER, whole, **(SIZES | {"seed": 4}))
    (tmp_path / "something").write_text("x")
    with pytest.raises(OutputExistsError, match="not a table"):
        simulate_grid(PAPER, tmp_path, **SIZES)
    with pytest.raises(InputError, match="does not exist"):
        simulate_grid(PAPER, tmp_path / "no" / "grid", **SIZES)


def test_an_altered_file_is_refused(tmp_path):
    simulate_grid(PAPER, tmp_path / "grid", n_surveys=10, seed=1)
    (tmp_path / "grid" / "surveys-00000.parquet").write_bytes(b"")
    with pytest.raises(EarnestError, match=r"surveys-00000\.parquet was altered"):
        read_grid(tmp_path / "grid")
    record = json.loads((tmp_path / "grid" / "grid.json").read_text())
    (tmp_path / "grid" / "grid.json").write_text(json.dumps(record | {"format": "earnest-surveys-9"}))
    with pytest.raises(InputError, match="earnest-surveys-9"):
        read_grid(tmp_path / "grid")


def test_bins_of_known_surveys():
    rng = np.random.default_rng(1)
    n, x = rng.integers(50, 150, 50_000), rng.normal(13.6, 0.1, 50_000)
    sigma8 = 0.7 + 0.001 * (n - 50) + 0.02 * rng.standard_normal(50_000)
    surveys = pl.DataFrame({"sigma8": sigma8, "n_clusters": n, "median_log10_y_x": x})
    binned = binned_sigma8(surveys, n_bins=20)
    # Five values of N in a bin add a spread of sqrt(2) 0.001 to 0.02; 1 % is three standard errors.
    assert binned.scatter == pytest.approx(np.hypot(0.02, 0.0014), rel=0.01)
    centre = (binned.n_edges[1:] + binned.n_edges[:-1]) / 2
    expected = np.broadcast_to(0.7 + 0.001 * (centre - 50), binned.mean.shape)
    known = binned.count > 100
    np.testing.assert_allclose(binned.mean[known], expected[known], atol=5 * 0.02 / np.sqrt(100))


def test_empty_or_too_few_surveys_are_refused():
    tiny = replace(PAPER, survey=replace(PAPER.survey, volume=1.0))
    with pytest.raises(InputError, match="all surveys are empty"):
        binned_sigma8(draw_surveys(tiny, 50, seed=1))
    with pytest.raises(InputError, match="too few"):
        binned_sigma8(draw_surveys(PAPER, 20, seed=1))


def test_one_altered_digit_of_the_record_is_refused(tmp_path):
    simulate_grid(PAPER, tmp_path / "grid", n_surveys=10, seed=1)
    file = tmp_path / "grid" / "grid.json"
    text = file.read_text()
    for place in [match.start() for match in re.finditer(r"\d", text)][::7]:
        changed = text[:place] + str((int(text[place]) + 1) % 10) + text[place + 1 :]
        if json.loads(changed) == json.loads(text):  # a 17th digit may leave the number as it is
            continue
        file.write_text(changed)
        with pytest.raises(EarnestError, match=r"grid\.json"):
            read_grid(tmp_path / "grid")


def test_a_name_is_no_pattern(tmp_path):
    for name, seed in (("grid1", 1), ("grid[1]", 2)):
        simulate_grid(PAPER, tmp_path / name, n_surveys=10, seed=seed)
    first, second = (read_grid(tmp_path / name)[0] for name in ("grid1", "grid[1]"))
    assert not first.equals(second)
    simulate_grid(PAPER, tmp_path / "again", n_surveys=10, seed=2)
    assert read_grid(tmp_path / "again")[0].equals(second)


def test_a_table_of_format_1_still_opens():
    surveys, record = read_grid(Path(__file__).parent / "data" / "format_1" / "grid")
    assert (surveys.height, record["n_surveys"]) == (20, 20)
