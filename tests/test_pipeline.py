"""All packages together through the command: from mocks to the page, and every kind of bad input on the way."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from earnest_common.catalogs.writer import shard_file

EARNEST = [sys.executable, "-c", "from earnest_common.cli.root import main; main()"]


def earnest(*words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*EARNEST, *map(str, words)], capture_output=True, text=True, timeout=300, check=False)


def done(*words: object) -> dict:
    process = earnest(*words)
    assert process.returncode == 0, process.stderr
    return json.loads(process.stdout) if "--json" in words else {}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Mocks, a model trained for a hundred and fifty steps, and everything that is made from them."""
    out = tmp_path_factory.mktemp("pipeline")
    done("mocks", "generate", "--preset", "paper", "--n-catalogs", 300, "--seed", 1, "--out", out / "set")
    train = ("--live", "paper", "--architecture", "pooled", "--recipe", "fast", "--seed", 2, "--max-steps", 150)
    done("model", "train", *train, "--out", out / "model")
    done("model", "predict", "--model", out / "model", out / "set", "--out", out / "pred.parquet")
    few = ("--max-catalogs", 20)
    done("interpret", "leave-one-out", "--model", out / "model", out / "set", "--out", out / "loo.parquet", *few)
    done(
        *("interpret", "saliency", "--model", out / "model", out / "set"),
        *("--of", "terse", "--out", out / "sal.parquet", *few),
    )
    return out


def test_estimates_beat_the_prior_and_say_so(folder: Path):
    told = done("model", "evaluate", "--model", folder / "model", folder / "set", "--json")
    assert set(told) >= {
        *("scatter", "scatter_err", "bias", "prior_scatter", "skill", "coverage_68", "coverage_95"),
        *("n_catalogs", "referee_scatter", "efficiency"),
    }
    # Always answering the mean scatters by the prior's 0.0663; a short training must do far better.
    assert told["scatter"] < 0.04 < 0.06 < told["prior_scatter"] < 0.072
    assert abs(told["bias"]) < 3 * told["scatter"] / told["n_catalogs"] ** 0.5 + 0.01


def test_table_4_names_the_limits_and_is_kept(folder: Path):
    """Networks of a moment: what all packages together add is the limit of each row, and the row of the median Y_X."""
    words = ("model", "table4", "--data", folder / "set", "--max-steps", 10, "--seeds", 1, "--out", folder / "table4")
    told = done(*words, "--section", folder / "table4.json", "--json")
    rows = told["rows"]
    assert rows["standard"]["limit"] < rows["no_wl"]["limit"] < rows["n_median_y_x"]["scatter"] < rows["ones"]["limit"]
    assert rows["n_only"]["limit"] == rows["ones"]["limit"]
    assert rows["shuffled"]["scatter"] == pytest.approx(rows["standard"]["scatter"], rel=1e-6)
    assert "EMULATED" in told["synthetic"]
    before = (folder / "table4" / "standard-1" / "bundle.json").stat().st_mtime_ns
    assert done(*words, "--json") == told
    assert (folder / "table4" / "standard-1" / "bundle.json").stat().st_mtime_ns == before


def test_predictions_follow_the_catalogs(folder: Path):
    predictions = pl.read_parquet(folder / "pred.parquet")
    assert predictions.columns == [
        "catalog_id",
        "sigma8",
        "sigma8_err",
        "sigma8_lo68",
        "sigma8_hi68",
        "n_outside",
        "missing",
    ]
    assert predictions.get_column("catalog_id").to_list() == list(range(300))
    assert (predictions["sigma8_lo68"] <= predictions["sigma8_hi68"]).all()


def test_interpretations_name_their_clusters(folder: Path):
    left_out = pl.read_parquet(folder / "loo.parquet")
    saliency = pl.read_parquet(folder / "sal.parquet")
    assert left_out.columns == ["catalog_id", "cluster_id", "delta_sigma8"]
    assert left_out.select("catalog_id", "cluster_id").equals(saliency.select("catalog_id", "cluster_id"))


@pytest.mark.parametrize("of", ["terse", "sigma8"])
def test_integrated_gradients_of_a_network_are_complete(folder: Path, tmp_path: Path, of: str):
    """Gradients at clusters that are in no catalog, handed over in physical units, add up to the change within 1 %."""
    from earnest_common.catalogs import CatalogSet
    from earnest_common.plugins import load_estimator
    from earnest_interpret.analyses.saliency.attribution import attribute

    batch = CatalogSet.open(folder / "set").read().select([0, 150, 299])
    found = attribute(load_estimator(folder / "model"), batch, of=of, method="integrated")
    assert found.missed <= 0.01
    assert found.warning == ""


def test_leave_one_out_is_what_the_model_says_without_the_cluster(folder: Path, tmp_path: Path):
    """The whole chain against brute force: take the brightest cluster out of a set and predict again."""
    from earnest_common.catalogs import CatalogSet
    from earnest_common.catalogs.batch import CatalogBatch
    from earnest_common.plugins import load_estimator

    told = pl.read_parquet(folder / "loo.parquet")
    whole = CatalogSet.open(folder / "set").read()
    some = told["catalog_id"].unique(maintain_order=True).head(5).to_list()
    batch = whole.select(whole.catalogs["catalog_id"].is_in(some).to_numpy())
    rest = batch.clusters.filter(pl.col("rank") > 0).with_columns(pl.col("rank") - 1)
    without = CatalogBatch(catalogs=batch.catalogs.with_columns(pl.col("n_clusters") - 1), clusters=rest)
    estimator = load_estimator(folder / "model")
    change = (estimator.predict(without)["sigma8"] - estimator.predict(batch)["sigma8"]).to_numpy()
    first = batch.clusters.filter(pl.col("rank") == 0).select("catalog_id", "cluster_id")
    found = first.join(told, on=["catalog_id", "cluster_id"], how="left", maintain_order="left")["delta_sigma8"]
    # 1e-5 of the label's range of 0.22.
    assert abs(found.to_numpy() - change).max() < 2e-6


def test_the_page_holds_every_section(folder: Path):
    for name, words in {
        "accuracy": ("model", "evaluate", "--model", folder / "model", folder / "set"),
        "selfcal": ("selfcal", "evaluate", folder / "set"),
        "mocks": ("mocks", "figures", folder / "set"),
    }.items():
        done(*words, "--section", folder / f"{name}.json", "--json")
    include = [w for name in ("accuracy", "selfcal", "mocks") for w in ("--include", folder / f"{name}.json")]
    told = done(
        *("interpret", "report", "--model", folder / "model", folder / "set", *include),
        *("--max-catalogs", 30, "--out", folder / "page.html", "--json"),
    )
    page = (folder / "page.html").read_text()
    assert page.count("<img") >= 6
    assert "mulated" in page
    assert told["reasons"]


def test_mocks_never_import_a_network_framework(tmp_path: Path):
    code = (
        "import sys\nfrom earnest_common.cli.root import build_app\nfrom typer.testing import CliRunner\n"
        f"words = ['mocks', 'generate', '--n-catalogs', '3', '--out', {str(tmp_path / 's')!r}]\n"
        "result = CliRunner().invoke(build_app(), words)\nassert result.exit_code == 0, result.output\n"
        "assert not {'tensorflow', 'keras'} & set(sys.modules)"
    )
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert process.returncode == 0, process.stderr


def test_catalogs_without_weak_lensing_are_answered_by_the_same_model(folder: Path, tmp_path: Path):
    words = ("--model", folder / "model", folder / "set", "--variant", "no-wl")
    done("model", "predict", *words, "--out", tmp_path / "pred.parquet")
    assert pl.read_parquet(tmp_path / "pred.parquet")["missing"].unique().to_list() == ["m_wl"]
    told = done("model", "evaluate", *words, "--json")
    assert told["scatter"] < 0.9 * told["prior_scatter"]


BAD = {
    "unknown preset": (("mocks", "generate", "--preset", "papre", "--out", "OUT"), "paper"),
    "existing output": (("mocks", "generate", "--preset", "paper", "--out", "SET"), "exists"),
    "unknown live source preset": (("model", "train", "--live", "papre", "--out", "OUT"), "paper"),
    "unreadable bundle": (("model", "predict", "--model", "SET", "SET", "--out", "OUT"), "is not a model bundle"),
    "no set": (("model", "predict", "--model", "MODEL", "MODEL", "--out", "OUT"), "is not a catalog set"),
    "altered shard": (("model", "predict", "--model", "MODEL", "ALTERED", "--out", "OUT"), "was altered"),
    "truncated shard": (("model", "evaluate", "--model", "MODEL", "TRUNCATED"), "is damaged"),
    "other radii": (("model", "predict", "--model", "MODEL", "RADII", "--out", "OUT"), "radii"),
    "no temperatures": (("model", "predict", "--model", "MODEL", "NO_T", "--out", "OUT"), "t_x"),
    "truncated bundle": (("interpret", "report", "--model", "BROKEN", "SET", "--out", "OUT"), "missing or altered"),
    "report over a file": (("interpret", "report", "--model", "MODEL", "SET", "--out", "TAKEN"), "exists"),
    "impossible counts": (
        ("selfcal", "infer", "--preset", "paper", "--n-clusters", "0", "--median-log10-y-x", "13.6"),
        "",
    ),
}


@pytest.fixture(scope="module")
def places(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Good and damaged inputs by the name that stands for them in ``BAD``."""
    from dataclasses import replace

    from earnest_common.catalogs import CatalogSet, Plan, write_batch

    out = tmp_path_factory.mktemp("bad")
    plan = Plan(kind="mock", preset="paper", seed=1, n_catalogs=5)
    batch = CatalogSet.open(folder / "set").read(limit=5)
    write_batch(out / "good", batch, plan)
    other = tuple(radius / 2 for radius in batch.radii)
    write_batch(out / "radii", replace(batch, radii=other), replace(plan, radii=other))
    cold = batch.clusters.with_columns(t_x=pl.lit(None, dtype=pl.Float64))
    write_batch(out / "no_t", replace(batch, clusters=cold), plan)
    for name in ("altered", "truncated"):
        shutil.copytree(out / "good", out / name)
        file = shard_file(out / name, "clusters", 0)
        data = bytearray(file.read_bytes())
        data[len(data) // 2] ^= 1
        file.write_bytes(data if name == "altered" else data[:-9])
    shutil.copytree(folder / "model", out / "broken")
    (out / "broken" / "model.keras").write_bytes(b"PK")
    (out / "taken").write_text("a thesis")
    return {
        **{"SET": out / "good", "MODEL": folder / "model", "RADII": out / "radii", "NO_T": out / "no_t"},
        **{"ALTERED": out / "altered", "TRUNCATED": out / "truncated", "BROKEN": out / "broken"},
        **{"TAKEN": out / "taken", "OUT": out / "new"},
    }


@pytest.mark.parametrize(("words", "message"), BAD.values(), ids=BAD)
def test_bad_input(places: dict[str, Path], words: tuple[str, ...], message: str):
    before = sorted(p for p in places["OUT"].parent.rglob("*"))
    process = earnest(*[places.get(word, word) for word in words])
    assert process.returncode == 2, process.stderr
    assert message in process.stderr
    assert "Traceback" not in process.stderr
    assert sorted(p for p in places["OUT"].parent.rglob("*")) == before, "something was left behind"
    assert places["TAKEN"].read_text() == "a thesis"
