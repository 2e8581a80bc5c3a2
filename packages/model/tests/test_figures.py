"""Figures of a bundle: what they draw is what the network is and what its training recorded."""

import json

import numpy as np
import pytest
from earnest_common.catalogs import CatalogSet, Plan, write_batch
from earnest_common.catalogs.batch import CatalogBatch
from earnest_common.errors import InputError, OutputExistsError
from earnest_common.plugins import load_estimator
from earnest_model.cli.operations import write_figures
from earnest_model.networks.outline import outline
from earnest_model.report.figures import figures_section, read_history, training_figure


@pytest.mark.parametrize("which", ["bundle", "paper_bundle"])
def test_the_outline_counts_every_parameter_and_follows_the_data(request, which):
    network = load_estimator(request.getfixturevalue(which)).network
    stages = outline(network)
    assert sum(stage.n_parameters for stage in stages) == sum(
        int(np.prod(v.shape)) for v in network.trainable_variables
    )
    assert [stage.width for stage in stages if stage.part in ("input", "terse", "supplementary")] == [15, 1, 2]
    assert stages[-1].width == network.head.size
    rows = [stage.per_cluster for stage in stages]
    assert rows == sorted(rows, reverse=True)  # once the catalog is one row, it stays one


def test_with_catalogs_there_are_four_and_files_of_each(bundle, toy_set, tmp_path):
    wrote = write_figures(bundle, toy_set.path, out=tmp_path / "FIGS", section=tmp_path / "s.json")
    assert wrote == [tmp_path / "FIGS", tmp_path / "s.json"]
    names = ["model-architecture", "model-training", "model-inputs", "model-sigma8"]
    assert sorted(path.stem for path in (tmp_path / "FIGS").iterdir()) == sorted(names)
    figures = json.loads((tmp_path / "s.json").read_text())["figures"]
    assert [figure["name"] for figure in figures] == names
    assert figures[0]["svg"] == (tmp_path / "FIGS" / "model-architecture.svg").read_text()
    assert ["<!-- a toy -->" in figure["svg"] for figure in figures] == [
        False,
        True,
        True,
        True,
    ]  # a network is no data
    assert "<!-- scaled input -->" in figures[2]["svg"]
    assert "300 held-out catalogs; scatter" in figures[3]["caption"]
    with pytest.raises(OutputExistsError):
        write_figures(bundle, None, out=tmp_path / "FIGS")
    with pytest.raises(InputError, match="--out FOLDER, --section"):
        write_figures(bundle, None)


def test_catalogs_of_unknown_truth_have_inputs_but_no_figure_8(bundle, batch, tmp_path):
    unknown = CatalogBatch(
        catalogs=batch.catalogs.with_columns(sigma8=None).cast(batch.catalogs.schema), clusters=batch.clusters
    )
    write_batch(tmp_path / "SET", unknown, Plan(kind="observed", preset="x", seed=None, n_catalogs=40))
    drawn = figures_section(bundle, CatalogSet.open(tmp_path / "SET").path)
    assert [figure.name for figure in drawn.figures] == ["model-architecture", "model-training", "model-inputs"]


def test_the_star_marks_the_weights_that_were_kept(bundle):
    history = read_history(bundle)
    best = min(history, key=lambda record: record["validation_loss"])
    assert f"after {best['step']:,} steps" in training_figure(history, {"recipe": "fast"}).caption
    looks = [
        {"look": i, "step": 10 * i, "seconds": i, "catalogs": i, "scatter": 0.1, "learning_rate": 0.1}
        | {"training_mse": 1 / i, "validation_mse": error, "training_loss": 1.0, "validation_loss": 1.0}
        for i, error in enumerate((0.1, 0.5, 0.3, 0.4), start=1)
    ]
    paper = {"recipe": "paper", "config": {"paper_recipe": {"first_epoch": 2}}}  # the paper: not before epoch 2,000
    assert "after 30 steps" in training_figure(looks, paper).caption


def test_a_bundle_without_history_is_named(tmp_path):
    with pytest.raises(InputError, match="no readable history"):
        read_history(tmp_path)
    (tmp_path / "history.jsonl").write_text("")
    with pytest.raises(InputError, match="empty history"):
        read_history(tmp_path)
