"""Other labels beside sigma8: what can be told is told, what cannot keeps its prior, and sigma8 stands as before."""

import dataclasses

import numpy as np
import polars as pl
import pytest
from earnest_common.bundle import read_bundle
from earnest_common.catalogs.batch import CatalogBatch
from earnest_common.errors import InputError
from earnest_common.plugins import load_estimator
from earnest_common.schema import PREDICTIONS
from earnest_model.bundle.export import export_bundle
from earnest_model.config import TrainingConfig
from earnest_model.data.training_data import LiveFeed
from earnest_model.evaluation.accuracy import accuracy
from earnest_model.evaluation.labelled_predictions import predict_labelled
from earnest_model.evaluation.predictions import other_labels, prediction_table
from earnest_model.report.accuracy import accuracy_section
from earnest_model.training.bundle_writing import save_bundle
from earnest_model.training.loop import train

LABELS = ("sigma8", "l_x_normalisation", "Om0")


@dataclasses.dataclass(frozen=True)
class Labelled:
    """The toy with luminosities raised by a factor, its label, and a matter density that changes nothing."""

    inner: object
    radii: tuple

    def provenance(self):
        return self.inner.provenance()

    def batch(self, ids):
        plain = self.inner.batch(ids)
        rng = np.random.default_rng(int(ids[0]) % 2**31)
        factor, density = rng.uniform(0.8, 1.2, len(ids)), rng.uniform(0.2, 0.35, len(ids))
        catalogs = plain.catalogs.with_columns(l_x_normalisation=pl.Series(factor), Om0=pl.Series(density))
        clusters = plain.clusters.with_columns(l_x=pl.col("l_x") * pl.Series(factor[plain.segment_ids]))
        return CatalogBatch(catalogs=catalogs, clusters=clusters, radii=plain.radii)


@pytest.fixture(scope="module")
def joint(tmp_path_factory, config, source):
    """A bundle that tells three labels, and catalogs it was not trained on."""
    live = Labelled(source, source.radii)
    wider = dataclasses.replace(config, labels=LABELS)
    feed = LiveFeed(live, config.fast, seed=config.seed)
    path = tmp_path_factory.mktemp("joint")
    save_bundle(path / "BUNDLE", train(wider, feed, workspace=path / "w"), wider, feed)
    return path / "BUNDLE", live.batch(np.arange(3 * 10**6, 3 * 10**6 + 2000))


def test_what_can_be_told_is_told_and_the_rest_keeps_its_prior(joint, trained):
    path, batch = joint
    quality = accuracy(predict_labelled(load_estimator(path), [batch]))
    told, blind = quality.others["l_x_normalisation"], quality.others["Om0"]
    # Each of N = 60 clusters gives the factor to about 14 % (10 % of scatter in L_X and in the mass); the prior's
    # scatter is 0.4 / sqrt(12).
    assert told.prior_scatter == pytest.approx(0.4 / 12**0.5, rel=0.03)
    assert told.scatter < 0.5 * told.prior_scatter
    # Nothing depends on Om0: its posterior is its prior.
    assert blind.prior_scatter == pytest.approx(0.15 / 12**0.5, rel=0.03)
    assert blind.scatter == pytest.approx(blind.prior_scatter, rel=0.05)
    assert abs(blind.bias) < 0.1 * blind.prior_scatter
    for other in (told, blind):
        assert other.coverage_68 == pytest.approx(0.68, abs=0.05)  # 2,000 catalogs: 0.010, and as much calibration
    assert quality.scatter == pytest.approx(trained.history[-1]["scatter"], rel=0.15)  # sigma8 does not suffer


def test_predictions_gain_columns_and_lose_none(joint):
    path, batch = joint
    table = load_estimator(path).predict(batch.select(np.arange(5)))
    assert tuple(table.columns) == prediction_table(LABELS[1:]).names
    assert tuple(table.columns[:5]) == PREDICTIONS.names
    assert other_labels(table) == ["l_x_normalisation", "Om0"]
    assert (table["Om0_lo68"] <= table["Om0"]).all()
    assert (table["Om0"] <= table["Om0_hi68"]).all()


def test_bundle_card_export_and_section_know_them(joint, tmp_path):
    path, batch = joint
    assert set(read_bundle(path).calibration["others"]) == {"l_x_normalisation", "Om0"}
    assert "marginal distributions of l_x_normalisation, Om0" in (path / "README.md").read_text()
    export_bundle(path, tmp_path / "graph", kind="savedmodel")  # repeats its example: sigma8 alone
    found = predict_labelled(load_estimator(path), [batch])
    rows = [row[0] for row in accuracy_section(found, accuracy(found), provenance={}).tables[0].rows]
    assert "Om0: prior scatter" in rows


def test_unlabelled_catalogs_are_predicted_and_told_of_no_more(joint):
    path, batch = joint
    some = batch.select(np.arange(50))
    catalogs = some.catalogs.with_columns(Om0=pl.lit(None, dtype=pl.Float64))
    blank = CatalogBatch(catalogs=catalogs, clusters=some.clusters, radii=some.radii)
    assert set(accuracy(predict_labelled(load_estimator(path), [blank])).others) == {"l_x_normalisation"}


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (("sigma8", "survey"), "labels survey cannot be inferred"),
        (("Om0", "sigma8"), "begin with sigma8"),
        (("sigma8", "Om0", "Om0"), "name each once"),
        ((), "begin with sigma8"),
    ],
)
def test_labels_that_cannot_be_are_refused(labels, words):
    with pytest.raises(InputError, match=words):
        TrainingConfig(labels=labels)


def test_unknown_labels_and_point_estimates_are_refused(tmp_path, config, source):
    feed = LiveFeed(source, config.fast, seed=config.seed)
    wider = dataclasses.replace(config, labels=("sigma8", "Om0"))
    with pytest.raises(InputError, match="training catalogs have no Om0; label all of them"):
        train(wider, feed, workspace=tmp_path / "w")
    with pytest.raises(InputError, match="architecture 'paper' infers sigma8 alone, not sigma8, Om0"):
        train(dataclasses.replace(wider, architecture="paper"), feed, workspace=tmp_path / "v")
