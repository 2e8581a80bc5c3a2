"""Laws of the command about models and catalogs: several bundles, other methods, and what is missing is said."""

import json
import shutil
import sys
from pathlib import Path

import polars as pl
import pytest
from earnest_common.catalogs import Plan, write_batch
from earnest_common.cli.root import main
from earnest_common.report.section import read_section
from earnest_common.testing import toy_batch
from earnest_interpret.testing import FEATURES


@pytest.fixture
def earnest(monkeypatch, capsys, installed):
    def call(command: str, *words: object) -> tuple[int, dict, str]:
        monkeypatch.setattr(sys, "argv", ["earnest", "interpret", command, *map(str, words), "--json"])
        with pytest.raises(SystemExit) as caught:
            main()
        told = capsys.readouterr()
        return int(caught.value.code or 0), json.loads(told.out) if told.out else {}, told.err

    return call


@pytest.fixture(scope="module")
def blind_set(tmp_path_factory) -> Path:
    """Catalogs of a survey: no labels, no true and no weak-lensing masses; the first holds one cluster."""
    path, batch = tmp_path_factory.mktemp("observed") / "set", toy_batch(n_catalogs=5, seed=8, mean_n_clusters=30)
    unknown = pl.lit(None, dtype=pl.Float64)
    keep = (batch.clusters["catalog_id"] > 0) | (batch.clusters["rank"] == 0)
    clusters = batch.clusters.filter(keep).with_columns(m_500c=unknown, m_wl=unknown)
    counts = clusters.group_by("catalog_id", maintain_order=True).len()["len"].cast(pl.Int64)
    catalogs = batch.catalogs.with_columns(sigma8=unknown, split=pl.lit(None, dtype=pl.String), n_clusters=counts)
    blind = type(batch)(catalogs=catalogs, clusters=clusters, radii=batch.radii)
    write_batch(path, blind, Plan(kind="observed", preset="none", seed=0, n_catalogs=5))
    return path


def test_every_method_has_its_columns(earnest, bundle, catalog_set, tmp_path):
    for method, stem in {"smoothgrad": "d_sigma8_d", "integrated": "sigma8_from", "occlusion": "sigma8_from"}.items():
        out = tmp_path / f"{method}.parquet"
        words = ("--of", "sigma8", "--method", method, "--max-catalogs", 3, "--out", out)
        code, told, err = earnest("saliency", "--model", bundle, catalog_set, *words)
        assert (code, told["method"], told["of"], told["warning"]) == (0, method, "sigma8", None), err
        assert pl.read_parquet(out).columns[2:] == [f"{stem}_{name}" for name in FEATURES]


def test_settings_of_methods_come_from_the_configuration(earnest, bundle, catalog_set, tmp_path):
    (tmp_path / "c.toml").write_text("max_catalogs = 2\n[attribution]\nn_samples = 2\nnoise = 0.3\n")
    words = ("--method", "smoothgrad", "--config", tmp_path / "c.toml", "--out", tmp_path / "s.parquet")
    assert earnest("saliency", "--model", bundle, catalog_set, *words)[0] == 0
    record = json.loads((tmp_path / "s.json").read_text())
    assert record["provenance"]["config"]["attribution"] == {"noise": 0.3, "n_samples": 2, "n_steps": 16}
    (tmp_path / "bad.toml").write_text("[attribution]\nn_samples = 0\n")
    words = ("--config", tmp_path / "bad.toml", "--out", tmp_path / "t.parquet")
    code, _, err = earnest("saliency", "--model", bundle, catalog_set, *words)
    assert (code, "n_samples" in err) == (2, True)


def test_other_trainings_and_another_model(earnest, bundle, catalog_set, tmp_path):
    section = tmp_path / "s.section.json"
    words = ("--also", bundle, "--also", bundle, "--compare", bundle, "--max-catalogs", 20)
    code, told, err = earnest(
        "saliency", "--model", bundle, catalog_set, *words, "--out", tmp_path / "s.parquet", "--section", section
    )
    assert code == 0, err
    assert [len(told["also"]), told["compare"]["name"]] == [2, f"model {bundle.name}"]
    record = json.loads((tmp_path / "s.json").read_text())
    assert set(record["provenance"]["inputs"]) == {"catalogs", "model", "also 2", "also 3", "compare"}
    assert {"saliency-seeds", "saliency-maps"} <= {figure.name for figure in read_section(section).figures}


def test_a_model_without_terse_layer_cannot_be_another(earnest, bundle, plain_bundle, catalog_set, tmp_path):
    for words in (("--compare", plain_bundle), ("--also", plain_bundle)):
        code, _, err = earnest(
            "saliency", "--model", bundle, catalog_set, *words, "--max-catalogs", 3, "--out", tmp_path / "s.parquet"
        )
        assert (code, "no terse layer" in err) == (2, True)
        assert not (tmp_path / "s.parquet").exists()


def test_proxy(earnest, bundle, catalog_set, tmp_path):
    out, section = tmp_path / "p.parquet", tmp_path / "p.section.json"
    code, told, err = earnest("proxy", "--model", bundle, catalog_set, "--out", out, "--section", section)
    assert code == 0, err
    assert set(told["mass_proxies"]) == {"terse", "m_gas", "y_x"}
    assert told["formula"]["best"][0]["names"] == ["log10_t_x"]  # all that this estimator reads
    assert pl.read_parquet(out).columns[2:] == [
        *("terse", "terse_formula", "ln_m_error_terse", "ln_m_error_m_gas", "ln_m_error_y_x")
    ]
    assert read_section(section).key == "terse.proxy"


@pytest.mark.parametrize("command", ["saliency", "terse", "proxy"])
def test_commands_that_need_a_terse_layer_say_so(earnest, plain_bundle, catalog_set, tmp_path, command):
    out = ("--out", tmp_path / "x.parquet") if command == "saliency" else ()
    code, _, err = earnest(command, "--model", plain_bundle, catalog_set, *out)
    assert (code, "no terse layer" in err, "Traceback" in err) == (2, True, False)


def test_a_survey_without_masses_and_with_a_lone_cluster(earnest, bundle, blind_set, tmp_path):
    """What can be shown is shown, the rest says why."""
    code, told, err = earnest("leave-one-out", "--model", bundle, blind_set, "--out", tmp_path / "l.parquet")
    assert code == 0, err
    assert pl.read_parquet(tmp_path / "l.parquet")["delta_sigma8"].null_count() == 1
    assert (told["running"], told["information_by_mass"]) == (None, None)
    assert {group["kind"] for group in told["groups"]} == {"random"}
    code, told, err = earnest("saliency", "--model", bundle, blind_set, "--out", tmp_path / "s.parquet")
    assert (code, told["log10_m_500c_edges"], told["bands"]) == (0, [], {}), err
    code, told, err = earnest("terse", "--model", bundle, blind_set)
    assert (code, told["mass_proxies"], told["sigma8_at_fixed_mass"], told["at_fixed_mass"]) == (0, {}, None, {}), err
    code, told, err = earnest("proxy", "--model", bundle, blind_set)
    assert (code, "true masses are unknown" in told["missing"], told["formula"] is not None) == (0, True, True), err


def test_a_bundle_of_a_newer_format(earnest, bundle, catalog_set, tmp_path):
    newer = tmp_path / "newer"
    shutil.copytree(bundle, newer)
    record = json.loads((newer / "bundle.json").read_text())
    (newer / "bundle.json").write_text(json.dumps({**record, "format_version": 99}))
    for words in (("--model", newer), ("--model", bundle, "--also", newer)):
        code, _, err = earnest("saliency", *words, catalog_set, "--out", tmp_path / "s.parquet")
        assert (code, "99" in err, "Traceback" in err) == (2, True, False)


@pytest.mark.parametrize("max_rows", [1, 100])
def test_memory_is_bounded_and_answers_stay(earnest, bundle, catalog_set, tmp_path, max_rows):
    told = {}
    for rows in (max_rows, 200_000):
        out = tmp_path / f"{rows}.parquet"
        words = ("--max-catalogs", 4, "--max-rows", rows, "--out", out)
        told[rows] = earnest("leave-one-out", "--model", bundle, catalog_set, *words)[1]
    assert told[max_rows]["stability_68"] == pytest.approx(told[200_000]["stability_68"])
    assert [g["median"] for g in told[max_rows]["groups"]] == pytest.approx(
        [g["median"] for g in told[200_000]["groups"]]
    )
