"""Table 4: what its rows mean, and that a killed command goes on without training anew."""

import dataclasses
import json

import numpy as np
import pytest
from earnest_common.errors import InputError, OutputExistsError
from earnest_common.report.section import read_section, write_section
from earnest_common.survey.limits import Limit
from earnest_common.testing import toy_batch
from earnest_model.evaluation.counting import fit_counts
from earnest_model.report.table4 import table4_section, table4_text
from earnest_model.table4 import table4 as module
from earnest_model.table4.table4 import CASES, table4
from earnest_model.table4.test_catalogs import HeldOut, held_out_for
from earnest_model.training.bundles import train_bundle
from earnest_model.training.seeds import Training


@pytest.fixture
def training(config, toy_set, tmp_path):
    fast = dataclasses.replace(config.fast, max_steps=60, looks=1)
    return Training(config=dataclasses.replace(config, fast=fast), out=tmp_path / "T", data=toy_set.path)


@pytest.fixture
def held_out(training):
    return held_out_for(training, test=None, split=None)


def test_numbers_of_the_paper():
    """Table 4 of arXiv:2112.05768."""
    assert {case.title: case.paper for case in CASES.values()} == {
        "Standard": (0.0212, 0.0009),
        "Shuffled": (0.0262, 0.0011),
        "No WL": (0.0297, 0.0013),
        "No WL, Standard's network": (0.0297, 0.0013),  # the same row, answered otherwise
        "N, binned regression": (0.0650, 0.0030),
        "Array of ones": (0.0620, 0.0027),
    }


def test_a_regression_on_counts_is_the_median_of_its_bin():
    """Two bins of width 10 by hand, an empty one between, and catalogs beyond both ends."""
    found = fit_counts([11, 12, 13, 35, 36], np.array([0.7, 0.8, 0.9, 0.85, 0.87]))
    batch = toy_batch(n_catalogs=200, seed=4)
    told = found.predict(batch)["sigma8"].to_numpy()
    counts = np.diff(batch.row_splits)
    np.testing.assert_allclose(told[counts < 30], 0.80)
    np.testing.assert_allclose(told[counts >= 30], 0.86)
    assert (counts < 30).any() and (counts >= 40).any()  # noqa: PT018 - both are what the test is about
    with pytest.raises(InputError, match="1 of 2 training catalogs have no sigma8"):
        fit_counts([1, 2], np.array([0.7, np.nan]))


def test_counts_reach_the_limit_of_counts():
    """N is Poisson with mean 60 (sigma8 / 0.81)^4 in the toy, so d ln N = 4 d ln sigma8: the error of Poisson."""
    many = toy_batch(n_catalogs=4000, seed=7)
    fitted, held = many.select(np.arange(2000)), many.select(np.arange(2000, 4000))
    found = fit_counts(np.diff(fitted.row_splits), fitted.label("sigma8"))
    residual = found.predict(held)["sigma8"].to_numpy() - held.label("sigma8")
    poisson = 0.81 / 4 / np.sqrt(60)
    assert 0.8 * poisson < residual.std() < 1.2 * poisson
    assert abs(residual.mean()) < 0.15 * residual.std()


def test_a_killed_table_goes_on_and_more_seeds_are_added(training, held_out, monkeypatch):
    """Counts stand for networks; the third of four models is never ready at first."""
    asked = []

    def model(job):
        asked.append(job.training.out.name)
        if len(asked) == 3:
            raise KeyboardInterrupt
        sample = job.training.feed().sample()
        return fit_counts(np.diff(sample.row_splits), sample.label("sigma8"))

    monkeypatch.setattr(module, "_model", model)
    with pytest.raises(KeyboardInterrupt):
        table4(training, held_out, n_seeds=1)
    assert not (training.out / "table4.json").exists()
    one = table4(training, held_out, n_seeds=1)
    assert asked == ["standard-3", "no_wl-3", "n_only-3", "n_only-3", "ones-3"]
    two = table4(training, held_out, n_seeds=2)
    assert asked[5:] == ["standard-4", "no_wl-4", "n_only-4", "ones-4"]
    for case, row in two["rows"].items():
        assert row["by_seed"][0] == one["rows"][case]["by_seed"][0]
        assert row["scatter"] == pytest.approx(np.mean(row["by_seed"]))
    assert json.loads((training.out / "table4.json").read_text())["n_seeds"] == 2


def test_rows_and_their_text(training, held_out, monkeypatch, tmp_path):
    """Toy networks: what knows more scatters less, order is nothing, and limits stand where somebody knows them."""
    known = {(): 0.02, ("median_y_x",): 0.015}
    monkeypatch.setattr(
        HeldOut,
        "limit",
        lambda self, columns: Limit(scatter=known.get(columns, 0.01), scatter_err=0.001, n_catalogs=30, text="a toy"),
    )
    table = table4(training, held_out, n_seeds=1)
    rows = table["rows"]
    assert list(rows) == [*CASES, "n_median_y_x"]
    assert table["n_catalogs"] == sum(batch.n_catalogs for batch in held_out.batches())
    assert table["shuffled_over_standard"] == pytest.approx(1, abs=1e-6)
    assert table["largest_change_by_shuffling"] < 1e-6
    assert max(rows[case]["scatter"] for case in CASES) < 0.6 * table["prior_scatter"]
    assert rows["ones"]["efficiency"] == pytest.approx((0.02 / rows["ones"]["scatter"]) ** 2)
    assert rows["n_median_y_x"]["scatter"] == 0.015
    text = table4_text(table)
    assert "Shuffled over Standard: 1.000000: the order cannot matter" in text
    assert f"{table['prior_scatter']:.4f}" in text
    assert "a toy" in text  # what is emulated
    section = table4_section(table)
    write_section(tmp_path / "s.json", section)
    assert read_section(tmp_path / "s.json") == section
    assert len(section.tables[0].rows) == 7


def test_an_ordered_network_is_trained_on_shuffled_catalogs(training, held_out):
    ordered = dataclasses.replace(training, config=dataclasses.replace(training.config, architecture="paper"))
    jobs = module._jobs(ordered, held_out, 5)
    assert [job.cases for job in jobs] == [("standard",), ("shuffled",), ("no_wl",), ("n_only",), ("ones",)]
    assert [job.training.config.variant for job in jobs][:3] == ["standard", "shuffled", "no-wl"]
    assert {job.training.config.seed for job in jobs} == {5}


def test_another_table_is_not_touched(training, held_out, tmp_path):
    training.out.mkdir()
    (training.out / "notes.txt").write_text("mine")
    with pytest.raises(OutputExistsError, match="is not a table"):
        table4(training, held_out)
    (training.out / "notes.txt").unlink()
    module._begin(training, held_out)
    other = dataclasses.replace(training, config=dataclasses.replace(training.config, drop=("l_x",)))
    with pytest.raises(InputError, match=r"holds a table with other settings .*drop: .* there, .*l_x.* now"):
        table4(other, held_out)


def test_what_is_trained_on_is_not_held_out(training, toy_set):
    assert held_out_for(training, test=None, split=None).split == "test"
    with pytest.raises(InputError, match="is trained on"):
        held_out_for(training, test=toy_set.path, split=None)
    with pytest.raises(InputError, match="is trained on"):
        held_out_for(training, test=None, split="train")


def test_what_a_kill_left_of_the_checkpoints_is_removed(training, tmp_path):
    """The bundle is whole, and the checkpoints were renamed and not yet removed."""
    out = tmp_path / "BUNDLE"
    out.mkdir()
    leftover = tmp_path / ".BUNDLE.training.k1l2m3n4.part"
    leftover.mkdir()
    (leftover / "checkpoint.npz").write_bytes(b"0")
    with pytest.raises(OutputExistsError):
        train_bundle(training.config, training.feed(), out)
    assert list(tmp_path.iterdir()) == [out]
