"""The estimator of a bundle: saved and loaded it is the same, and bad input is refused with words."""

import dataclasses
import shutil
import warnings

import numpy as np
import polars as pl
import pytest
from earnest_common.bundle import read_bundle, write_bundle
from earnest_common.catalogs.batch import CatalogBatch
from earnest_common.errors import InputError, IntegrityError, OutputExistsError
from earnest_common.plugins import load_estimator
from earnest_common.protocols import TerseEstimator
from earnest_common.schema import check
from earnest_common.testing import toy_batch
from earnest_model.bundle.estimator import NetworkEstimator, OutsideTrainingWarning
from earnest_model.data.features import FeatureSet, count_outside
from earnest_model.evaluation.predictions import prediction_table
from earnest_model.training.bundle_writing import save_bundle


def test_it_is_the_estimator_that_others_expect(estimator, batch):
    assert isinstance(estimator, TerseEstimator)
    predictions = estimator.predict(batch)
    assert check(predictions, prediction_table([])) == []
    assert predictions.get_column("catalog_id").to_list() == batch.catalogs.get_column("catalog_id").to_list()
    assert estimator.encode(batch).shape == estimator.leave_one_out(batch).shape == (batch.n_clusters,)
    assert estimator.feature_names[0] == "log10_t_x"
    for of in ("terse", "sigma8"):
        assert estimator.gradient(batch, of=of).shape == (batch.n_clusters, 15)


def test_loaded_it_predicts_as_before_saving(trained, bundle, estimator, batch):
    before = NetworkEstimator([trained.network], read_bundle(bundle)).predict(batch)
    assert estimator.predict(batch).equals(before)


def test_predictions_are_better_than_the_prior(estimator, batch):
    predictions, true = estimator.predict(batch), batch.label("sigma8")
    assert np.std(predictions.get_column("sigma8").to_numpy() - true) < 0.7 * true.std()
    low, high = (predictions.get_column(f"sigma8_{end}68").to_numpy() for end in ("lo", "hi"))
    assert ((low < high) & (low >= 0.69) & (high <= 0.93)).all()
    assert 0.4 < np.mean((true >= low) & (true <= high)) < 0.9  # 40 catalogs


def test_the_description_says_what_was_trained(bundle, config):
    description = read_bundle(bundle)
    assert description.estimator == "keras"
    assert description.features == ("t_x", "m_gas_profile", "gas_slope_profile")
    assert description.synthetic == "a toy"
    assert description.training["config"]["fast"]["max_steps"] == config.fast.max_steps
    assert description.calibration["n_catalogs"] == 512
    assert {p.name for p in bundle.iterdir()} == {
        "README.md",
        "bundle.json",
        "golden.npz",
        "history.jsonl",
        "model.keras",
    }
    assert "a toy" in (bundle / "README.md").read_text()


def test_catalogs_that_do_not_fit_are_refused(estimator, batch):
    other = dataclasses.replace(batch, radii=tuple(r * 1.1 for r in batch.radii))
    with pytest.raises(InputError, match=r"the network expects 0.15, "):
        estimator.predict(other)
    holes = dataclasses.replace(batch, clusters=batch.clusters.with_columns(t_x=pl.lit(None, dtype=pl.Float64)))
    with pytest.raises(InputError, match=r"'t_x'"):
        estimator.encode(holes)
    with pytest.raises(InputError, match=r"no catalogs"):
        estimator.leave_one_out(batch.select([]))


def test_observed_catalogs_need_no_truth(estimator, batch):
    unknown = pl.lit(None, dtype=pl.Float64)
    observed = CatalogBatch(
        catalogs=batch.catalogs.with_columns(sigma8=unknown, Om0=unknown),
        clusters=batch.clusters.with_columns(m_500c=unknown, m_gas=unknown),
    )
    assert estimator.predict(observed).equals(estimator.predict(batch))


def test_values_out_of_range_are_noticed(estimator, batch):
    hot = dataclasses.replace(batch, clusters=batch.clusters.with_columns(t_x=pl.col("t_x") * 50))
    assert any("log10 t_x" in note for note in estimator.outside_training_range(hot))


def test_a_damaged_bundle_is_refused(bundle, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(bundle, copy)
    network = copy / "model.keras"
    network.write_bytes(network.read_bytes()[:2000])
    with pytest.raises(IntegrityError, match=r"model.keras missing or altered"):
        load_estimator(copy)


@pytest.mark.parametrize("damage", ["truncated", "other predictions", "no golden predictions"])
def test_a_network_that_does_not_repeat_itself_is_refused(bundle, tmp_path, damage):
    """Checksums pass here, as they would for a bundle written by a broken program."""

    def write_files(folder):
        for name in ("model.keras", "golden.npz", "history.jsonl"):
            shutil.copy(bundle / name, folder / name)
        if damage == "truncated":
            (folder / "model.keras").write_bytes((bundle / "model.keras").read_bytes()[:2000])
        elif damage == "no golden predictions":
            (folder / "golden.npz").unlink()
        else:
            with np.load(bundle / "golden.npz") as stored:
                np.savez(folder / "golden.npz", **{**stored, "outputs": stored["outputs"] + 0.1})

    write_bundle(tmp_path / "copy", read_bundle(bundle), write_files=write_files, card="")
    with pytest.raises(IntegrityError, match=r"cannot be read|are not repeated"):
        load_estimator(tmp_path / "copy")


def test_nothing_is_overwritten(bundle, trained, config, feed):
    with pytest.raises(OutputExistsError):
        save_bundle(bundle, trained, config, feed)


def test_a_full_disk_leaves_nothing_half_written(tmp_path, trained, config, feed, monkeypatch):
    def full(*_args, **_kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("earnest_model.training.bundle_writing.np.savez", full)
    with pytest.raises(OSError, match=r"No space left"):
        save_bundle(tmp_path / "NEW", trained, config, feed)
    assert list(tmp_path.iterdir()) == []


def test_a_paper_network_is_an_estimator_too(paper_bundle, batch):
    """Trained for a moment, saved, loaded and asked everything."""
    estimator = load_estimator(paper_bundle)
    assert isinstance(estimator, TerseEstimator)
    predictions, found = estimator.infer(batch)
    low, high = found.interval_95
    assert check(predictions, prediction_table([])) == []
    assert (low < predictions.get_column("sigma8_lo68").to_numpy()).all()
    assert (high > predictions.get_column("sigma8_hi68").to_numpy()).all()
    assert np.isfinite(estimator.leave_one_out(batch)).all()


def test_catalogs_far_beyond_the_training_are_warned_of_and_counted(estimator, batch):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        inside = estimator.predict(batch.select(np.arange(5)))
    crowd = toy_batch(n_catalogs=2, seed=4, mean_n_clusters=5000)
    with pytest.warns(OutsideTrainingWarning, match=r"extrapolations.*n_clusters: 2 of 2 values"):
        outside = estimator.predict(crowd)
    assert (
        inside.get_column("n_outside").to_list()
        == count_outside(
            batch.select(np.arange(5)), FeatureSet.of(estimator.description), estimator.description.scaling
        ).tolist()
    )
    assert (outside.get_column("n_outside") >= 1).all()
    whole = estimator.ranges(crowd)
    assert outside.get_column("n_outside").sum() == sum(one.n_outside for one in whole.values())


def test_posteriors_are_the_distributions_behind_the_predictions(estimator, batch):
    """Mean, distribution and, but for the calibration, the error of every catalog; the paper's network has none."""
    found = estimator.posteriors(batch)
    predictions, inferred = estimator.infer(batch)
    np.testing.assert_allclose([one.mean for one in found], predictions["sigma8"], rtol=1e-9)
    factor = estimator.description.calibration["factor_68"]
    np.testing.assert_allclose([factor * one.std for one in found], predictions["sigma8_err"], rtol=1e-9)
    values = np.linspace(0.72, 0.9, batch.n_catalogs)
    below = [float(one.cdf(value)) for one, value in zip(found, values, strict=True)]
    np.testing.assert_allclose(below, inferred.cumulative(values), atol=1e-9)


def test_a_network_of_one_value_has_no_posterior(paper_bundle, batch):
    with pytest.raises(InputError, match="'paper' infers one value"):
        load_estimator(paper_bundle).posteriors(batch)
