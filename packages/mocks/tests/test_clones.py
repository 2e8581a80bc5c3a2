"""The clone report: counts against a plain count, and recognition where its answer is known."""

from collections import Counter
from xml.etree import ElementTree

import numpy as np
import polars as pl
import pytest
from earnest_common.catalogs import CatalogSet, Plan, write_batch
from earnest_common.errors import InputError
from earnest_mocks.catalogs.clones import clone_report, neighbours_of, profile_shapes
from earnest_mocks.catalogs.config import resolve_config
from earnest_mocks.catalogs.generate import generate
from earnest_mocks.catalogs.source import open_source
from earnest_mocks.report.clones import clones_section

NOISE = {"m_gas_profile": 0.025, "gas_slope_profile": 0.05, "t_x": 0.0}


def made(folder, preset="paper", n_catalogs=60, **options):
    generate(resolve_config(preset, options=options), folder, seed=3, n_catalogs=n_catalogs)
    return CatalogSet.open(folder)


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    opened = made(tmp_path_factory.mktemp("clones") / "set")
    return opened, *clone_report(opened)


def test_reuse_is_what_a_plain_count_finds(published):
    opened, report, _ = published
    batch = opened.read()
    donors = batch.column("donor_id").tolist()
    assert report.n_clusters == batch.n_clusters
    assert report.n_donors == len(set(donors))
    assert report.largest_reuse == Counter(donors).most_common(1)[0][1]
    pairs = Counter(zip(batch.segment_ids.tolist(), donors, strict=True))
    assert report.largest_reuse_in_a_catalog == pairs.most_common(1)[0][1]
    split = batch.catalogs["split"].to_numpy()[batch.segment_ids]
    trained = {d for d, s in zip(donors, split, strict=True) if s == "train"}
    tested = [d for d, s in zip(donors, split, strict=True) if s == "test"]
    assert report.overlap["test"] == pytest.approx(np.mean([d in trained for d in tested]))


def test_published_mocks_name_their_donors(published):
    _, report, near = published
    seen = np.isfinite(near.clone)  # the donor lent to a cluster of the catalogs compared with
    assert near.recognised == pytest.approx(seen.mean())
    assert np.median(near.clone[seen]) < 1e-5
    assert report.chance < 0.01
    assert report.noise_distance == 0


def test_errors_of_measurement_hide_donors_and_move_clones_as_far_as_they_say():
    noisy = open_source("paper", seed=3, config={"noise": NOISE}).batch(np.arange(100))
    quiet = open_source("paper", seed=3).batch(np.arange(100))
    near = neighbours_of(noisy, NOISE)
    assert near.recognised < 0.6 * neighbours_of(quiet, {}).recognised
    shapes = profile_shapes(noisy)
    expected = near.noise * np.sqrt(0.5)  # one measurement against the truth, in units of the same spread
    moved = (shapes - profile_shapes(quiet)) / shapes.std(axis=0)
    assert np.sqrt(np.mean(moved**2)) == pytest.approx(expected, rel=0.1)


def test_split_donors_do_not_overlap(tmp_path):
    report, _ = clone_report(made(tmp_path / "set", "realistic", n_catalogs=40))
    assert report.overlap == {"validation": 0.0, "test": 0.0}


def test_distances_are_those_of_a_plain_search():
    batch = open_source("realistic", seed=3).batch(np.arange(4))
    batch = batch.select((batch.catalogs["split"] == "train").to_numpy())
    near = neighbours_of(batch, {})
    shapes = profile_shapes(batch)
    shapes /= shapes.std(axis=0)
    donor, odd = batch.column("donor_id"), batch.segment_ids % 2 == 1
    for i, at in enumerate(np.flatnonzero(odd)):
        distance = np.sqrt(np.mean((shapes[~odd] - shapes[at]) ** 2, axis=1))
        same = donor[~odd] == donor[at]
        assert near.clone[i] == pytest.approx(distance[same].min() if same.any() else np.inf)
        assert near.stranger[i] == pytest.approx(distance[~same].min())


def test_the_section_shows_them(published):
    section = clones_section(*published)
    (figure,) = section.figures
    assert ElementTree.fromstring(figure.svg).tag.endswith("svg")
    assert section.summary["n_donors"] == published[1].n_donors
    assert f"{published[1].overlap['test']:.0%} of the test clusters" in section.text[1]


def test_sets_without_donors_or_with_one_catalog_are_refused(tmp_path):
    batch = open_source("paper", seed=1).batch(np.arange(2))
    plan = Plan(kind="simulation", preset="x", seed=None, n_catalogs=2)
    nobody = type(batch)(
        catalogs=batch.catalogs, clusters=batch.clusters.with_columns(donor_id=pl.lit(None, dtype=pl.Int64))
    )
    write_batch(tmp_path / "nobody", nobody, plan)
    with pytest.raises(InputError, match="no cluster has a donor_id"):
        clone_report(CatalogSet.open(tmp_path / "nobody"))
    with pytest.raises(InputError, match="found 1 with clusters"):
        neighbours_of(batch.select([0]), {})
