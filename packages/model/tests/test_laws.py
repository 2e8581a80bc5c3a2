"""Laws of a trained estimator, whatever its architecture, and what it says of catalogs that are not its kind."""

import dataclasses
import json

import numpy as np
import polars as pl
import pytest
from earnest_common.catalogs.batch import CatalogBatch
from earnest_common.catalogs.variants import shuffled
from earnest_common.errors import InputError, IntegrityError, VersionError
from earnest_common.plugins import load_estimator
from earnest_common.run.records import content_sha256
from earnest_common.testing import toy_batch
from earnest_model.data.training_data import LiveFeed
from earnest_model.training.loop import train

TOLERANCE = 1e-5  # in sigma8, of single precision


@pytest.fixture(scope="module", params=["bundle", "paper_bundle"])
def any_estimator(request):
    return load_estimator(request.getfixturevalue(request.param))


def numbers(estimator, batch: CatalogBatch) -> np.ndarray:
    return estimator.predict(batch).drop("catalog_id", "missing").to_numpy()


@pytest.mark.parametrize("size", [1, 7])
def test_batch_size_and_neighbours_change_no_prediction(any_estimator, batch, size):
    """Padded among larger catalogs or alone at its exact size, a catalog gets the same answer."""
    parts = [
        numbers(any_estimator, batch.select(np.arange(start, min(start + size, 40)))) for start in range(0, 40, size)
    ]
    np.testing.assert_allclose(np.concatenate(parts), numbers(any_estimator, batch), atol=TOLERANCE)


def test_the_order_of_catalogs_changes_no_prediction(any_estimator, batch):
    order = np.random.default_rng(1).permutation(40)
    found = numbers(any_estimator, batch.select(order))
    np.testing.assert_allclose(found, numbers(any_estimator, batch)[order], atol=TOLERANCE)


def test_the_order_of_clusters_changes_no_prediction_of_pooled(estimator, batch):
    np.testing.assert_allclose(numbers(estimator, shuffled(batch)), numbers(estimator, batch), atol=TOLERANCE)


def test_the_terse_value_of_a_cluster_knows_nothing_of_its_catalog(any_estimator, batch):
    """Every cluster of a catalog in a catalog of other clusters: rows 5 to 30 of all, as one catalog."""
    rows = slice(5, 30)
    others = CatalogBatch(
        catalogs=batch.catalogs[:1].with_columns(n_clusters=pl.lit(25, dtype=pl.Int64)),
        clusters=batch.clusters[rows].with_columns(catalog_id=pl.lit(0, dtype=pl.Int64)),
    )
    expected = any_estimator.encode(batch)
    np.testing.assert_allclose(any_estimator.encode(others), expected[rows], atol=1e-5 * np.abs(expected).max())


def test_a_column_of_noise_changes_nothing_beyond_noise(tmp_path, config, source, trained):
    """The redshifts of the toy, made random, as a sixteenth input: the scatter stays within a tenth."""

    @dataclasses.dataclass(frozen=True)
    class Noisy:
        inner: object = source
        radii: tuple = source.radii

        def provenance(self):
            return self.inner.provenance()

        def batch(self, ids):
            plain = self.inner.batch(ids)
            noise = np.random.default_rng(int(ids[0]) % 2**31).random(plain.n_clusters)
            return dataclasses.replace(plain, clusters=plain.clusters.with_columns(z=pl.Series(noise)))

    wider = dataclasses.replace(config, encoder=(*config.encoder, "z"))
    feed = LiveFeed(Noisy(), config.fast, seed=config.seed)
    with_noise = train(wider, feed, workspace=tmp_path / "w")
    assert len(with_noise.features.names) == 16
    assert with_noise.history[-1]["scatter"] == pytest.approx(trained.history[-1]["scatter"], rel=0.1)


def test_a_catalog_in_other_units_is_named_in_every_value(estimator, batch):
    """Masses in 10^14 solMass pass every check of a table; the range of training gives them away."""
    other = dataclasses.replace(batch, clusters=batch.clusters.with_columns(m_wl=pl.col("m_wl") / 1e14))
    (note,) = (note for note in estimator.outside_training_range(other) if "m_wl" in note)
    n = batch.n_clusters
    assert note.startswith(f"log10 m_wl: {n:,} of {n:,} values (100 %) lie outside the training range 13")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"t_x": pl.lit(float("nan"))}, "'t_x' .* unknown or not finite"),
        ({"l_x": pl.lit(0.0)}, "'l_x' .* not positive"),
        ({"t_x": pl.lit(None, dtype=pl.Float64)}, "train a network without it: --drop t_x"),
        ({"m_wl": pl.lit(float("inf"))}, "'m_wl' .* unknown or not finite"),
    ],
)
def test_values_without_meaning_are_refused(any_estimator, batch, change, words):
    broken = dataclasses.replace(batch, clusters=batch.clusters.with_columns(**change))
    with pytest.raises(InputError, match=words):
        any_estimator.predict(broken)


def test_a_catalog_of_one_cluster_is_read(any_estimator):
    lone = toy_batch(n_catalogs=1, seed=1, mean_n_clusters=1e-9)
    assert lone.n_clusters == 1
    assert np.isfinite(numbers(any_estimator, lone)).all()
    assert np.isnan(any_estimator.leave_one_out(lone)).all()


@pytest.mark.parametrize(
    ("field", "value", "error"), [("format_version", 99, VersionError), ("features", None, IntegrityError)]
)
def test_bundles_of_another_time_are_refused(bundle, tmp_path, field, value, error):
    record = json.loads((bundle / "bundle.json").read_text())
    record[field] = value
    if value is None:
        del record[field]
    for file in bundle.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "bundle.json").write_text(json.dumps({**record, "sha256": content_sha256(record)}))
    with pytest.raises(error, match=field):
        load_estimator(tmp_path)
