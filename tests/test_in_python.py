"""The whole story in Python, through the names at the top of the packages, and what README shows of it."""

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

README = Path(__file__).parents[1] / "README.md"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("story")


@pytest.fixture(scope="module")
def names(folder: Path) -> dict[str, object]:
    """What README's block leaves behind, run with few catalogs and few steps."""
    (code,) = re.findall(r"```python\n(.*?)```", README.read_text(), flags=re.DOTALL)
    short, found = re.subn(r"n_catalogs=4968", "n_catalogs=1000", code)
    assert found == 1
    short, found = re.subn(r"seed=2\)", "seed=2, max_steps=60)", short)
    assert found == 1
    with pytest.MonkeyPatch.context() as here:
        here.chdir(folder)
        names: dict[str, object] = {}
        exec(compile(short, str(README), "exec"), names)
    return names


def test_the_model_does_better_than_the_prior(names):
    accuracy = names["accuracy"]
    assert accuracy.scatter < 0.8 * accuracy.prior_scatter
    assert accuracy.met_in_training is False
    assert "EMULATED" in accuracy.synthetic
    assert accuracy.referee_scatter < accuracy.scatter  # the limit of the preset, which earnest-selfcal knows


def test_the_reasons_are_of_the_same_model(names, folder):
    """Brute force: one catalog predicted again without its brightest cluster."""
    from earnest_common import CatalogBatch, load_estimator
    from earnest_interpret import leave_one_out

    batch = names["batch"].select([0])
    found = leave_one_out(folder / "model", batch)
    without = CatalogBatch(
        catalogs=batch.catalogs.with_columns(pl.col("n_clusters") - 1),
        clusters=batch.clusters.filter(pl.col("rank") > 0).with_columns(pl.col("rank") - 1),
        radii=batch.radii,
    )
    model = load_estimator(folder / "model")
    change = model.predict(without)["sigma8"].item() - model.predict(batch)["sigma8"].item()
    assert found.delta[0] == pytest.approx(change, abs=2e-6)
    assert names["model"].encode(batch).shape == (batch.n_clusters,)


def test_the_verdict_and_the_page(names, folder):
    assert {check.key for check in names["judged"].checks} >= {"terse", "exchange", "grid"}
    page, told = (folder / "page.html").read_text(), json.loads((folder / "page.json").read_text())
    assert "mulated" in page
    assert told["summary"]["scatter"] == names["accuracy"].scatter
    assert any("σ₈" in reason for reason in told["reasons"])


def test_counts_and_medians_tell_sigma8_too(names):
    """Posterior of one catalog's number and median Y_X: within four of its errors of the truth."""
    posterior, batch = names["posterior"], names["batch"]
    assert abs(posterior.mean - batch.label("sigma8")[0]) < 4 * posterior.std
    row = names["summary"]
    y_x = np.log10(batch.column("t_x") * batch.column("m_gas"))[: row["n_clusters"]]
    assert row["median_log10_y_x"] == pytest.approx(np.median(y_x), rel=1e-12)


def test_no_front_door_loads_tensorflow_before_it_must():
    code = (
        "import sys, earnest_common, earnest_mocks, earnest_model, earnest_interpret, earnest_selfcal\n"
        "earnest_model.TrainingConfig, earnest_model.Accuracy, earnest_model.train, earnest_model.evaluate\n"
        "earnest_interpret.verdict, earnest_selfcal.infer, earnest_mocks.open_source\n"
        "assert not {'tensorflow', 'keras'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
