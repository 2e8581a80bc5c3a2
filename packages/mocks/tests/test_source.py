"""Live catalogs: a function of seed and id alone; the cut in flux against a plain simulation of it."""

import pickle
from dataclasses import replace

import numpy as np
import pytest
from earnest_common.catalogs.batch import concat
from earnest_common.errors import InputError
from earnest_common.plugins import open_source as open_plugin
from earnest_common.protocols import CatalogSource
from earnest_mocks.base_sample.sample import default_base_sample
from earnest_mocks.catalogs.config import resolve_config
from earnest_mocks.catalogs.selection import flux_limited, flux_nodes, share_at
from earnest_mocks.catalogs.source import make_source, open_source
from scipy.stats import ks_2samp

PRESETS = ("paper", "paper-h", "realistic")


def equal(a, b):
    return a.catalogs.equals(b.catalogs) and a.clusters.equals(b.clusters)


@pytest.mark.parametrize("preset", PRESETS)
def test_a_catalog_is_the_same_in_any_company(preset):
    source = open_source(preset, seed=1)
    ids = np.array([9, 2, 700, 41, 5])
    together = source.batch(ids)
    assert equal(together, concat([source.batch(ids[i : i + 1]) for i in range(len(ids))]))  # bit for bit
    assert equal(together.select([3, 0]), source.batch(ids[[3, 0]]))
    assert equal(together, open_source(preset, seed=1).batch(ids))
    assert equal(together, pickle.loads(pickle.dumps(source)).batch(ids))


def test_seeds_give_different_catalogs():
    assert not equal(*(open_source("paper", seed=seed).batch(np.arange(3)) for seed in (1, 2)))


@pytest.mark.parametrize("preset", PRESETS)
def test_catalogs_obey_the_schema(preset):
    source = open_source(preset, seed=2)
    assert isinstance(source, CatalogSource)
    batch = source.batch(np.arange(100, 150))
    assert batch.problems() == []
    assert batch.radii == source.radii
    assert set(batch.catalogs["survey"]) == {preset}
    assert set(batch.catalogs["Om0"]) == {0.272}


def test_common_finds_the_source_by_name():
    source = open_plugin("mocks", preset="paper", seed=3, config={"survey": {"selection": {"log10_m_break": 14.5}}})
    assert source.provenance()["config"]["survey"]["selection"]["log10_m_break"] == 14.5
    assert source.provenance()["synthetic"].startswith("EMULATED")


def test_empty_batches_and_empty_catalogs_are_catalogs():
    source = open_source("paper", seed=1)
    assert source.batch(np.array([], dtype=np.int64)).n_clusters == 0
    tiny = open_source("paper", seed=1, config={"survey": {"volume": 3e5}}).batch(np.arange(20))
    assert (tiny.label("n_clusters") == 0).sum() > 3
    assert tiny.problems() == []


def test_the_number_of_clusters_spans_the_range_of_the_prior():
    counts = open_source("paper", seed=1).batch(np.arange(1000)).label("n_clusters")
    # 30 to 340 over the corners of the prior; its extreme slopes reach a little further.
    assert 30 <= counts.min() < 60
    assert 280 < counts.max() <= 400


def test_training_and_test_catalogs_borrow_from_separate_donors():
    batch = open_source("realistic", seed=1).batch(np.arange(400))
    split = batch.catalogs["split"].to_numpy()[batch.segment_ids]
    donors = {name: set(batch.column("donor_id")[split == name].tolist()) for name in ("train", "validation", "test")}
    assert not donors["train"] & donors["test"]
    assert not donors["train"] & donors["validation"]
    assert not donors["validation"] & donors["test"]
    shared = open_source("paper", seed=1).batch(np.arange(400))
    split = shared.catalogs["split"].to_numpy()[shared.segment_ids]
    used = {name: set(shared.column("donor_id")[split == name].tolist()) for name in ("train", "test")}
    assert used["train"] & used["test"]  # the paper's clones


def fixed(sigma8=0.809, **factors):
    """Priors without width, so that every catalog has the same parameters."""
    values = {"sigma8": sigma8, "m_wl_scatter": 0.2} | {
        name: 1.0
        for name in (
            *("l_x_normalisation", "t_x_normalisation", "m_gas_normalisation", "l_x_slope"),
            *("l_x_scatter", "t_x_scatter", "m_gas_scatter"),
        )
    }
    return {name: {"low": value, "high": value} for name, value in (values | factors).items()}


@pytest.mark.parametrize("factors", [{}, {"l_x_slope": 0.8, "l_x_scatter": 1.3}], ids=["fiducial", "shallow"])
def test_a_cut_in_flux_equals_selecting_every_cluster_of_the_volume(factors):
    n = 120
    plain = {"split": False, "recombine": 0.0, "at_least": 10}
    source = open_source("realistic", seed=14, config={"priors": fixed(**factors), "donors": plain})
    found = source.batch(np.arange(n))
    # The oracle: all clusters above 10^12.7 solMass, luminosities from donors, then a coin for each.
    low = {"slope": 0.0, "log10_m_min": 12.7, "log10_m_break": 12.8}
    everything = {"survey": {"cut": "mass", "selection": low}, "priors": fixed(**factors), "donors": plain}
    whole = open_source("realistic", seed=15, config=everything).batch(np.arange(n))
    selection = source.config.survey.selection
    equivalent = selection.equivalent_log10_m(np.log10(whole.column("l_x")))
    seen = np.random.default_rng(6).random(whole.n_clusters) < selection.probability(equivalent)
    assert found.n_clusters == pytest.approx(seen.sum(), abs=4 * np.sqrt(2 * seen.sum()))
    for name in ("m_500c", "l_x", "t_x", "m_gas"):
        assert ks_2samp(found.column(name), whole.column(name)[seen]).pvalue > 0.005, name


def test_no_cluster_is_more_detectable_than_proposed():
    source = open_source("realistic", seed=4)
    batch = source.batch(np.arange(60))
    sample, row = source.sample, batch.segment_ids
    relations = {name: batch.label(name) for name in ("l_x_normalisation", "l_x_slope")}
    law = sample.relations.l_x
    l_x = replace(
        law,
        log10_normalisation=law.log10_normalisation + np.log10(relations["l_x_normalisation"]),
        slope=law.slope * relations["l_x_slope"],
    )
    split = np.array([("train", "validation", "test").index(name) for name in batch.catalogs["split"]])
    highest = source.highest[split] * batch.label("l_x_scatter")[:, None]
    abundance, common = source.abundance(batch.label("sigma8"), batch.label("Om0")), flux_nodes(source.table.log10_m)
    spectra = flux_limited(source.config.survey, abundance, common=common, l_x=l_x, highest=highest)
    own = source.config.survey.selection.probability(
        source.config.survey.selection.equivalent_log10_m(np.log10(batch.column("l_x")))
    )
    assert (own <= share_at(spectra, row, np.log10(batch.column("m_500c"))) * (1 + 1e-9)).all()


def test_another_survey_or_cosmology_is_a_matter_of_configuration():
    half = open_source("paper", seed=1, config={"survey": {"volume": 6.25e7 / 2}, "priors": fixed()})
    whole = open_source("paper", seed=1, config={"survey": {"volume": 6.25e7}, "priors": fixed()})
    n = [source.batch(np.arange(100)).n_clusters for source in (half, whole)]
    assert n[1] / n[0] == pytest.approx(2, rel=0.05)


def test_impossible_configurations_are_refused():
    with pytest.raises(InputError, match=r"sigma8 from 0\.3 to 0\.9 is not covered by the table"):
        open_source("paper", seed=1, config={"priors": {"sigma8": {"low": 0.3, "high": 0.9}}})
    with pytest.raises(InputError, match="preset 'best' is not known; choose one of paper, paper-h, realistic"):
        open_source("best", seed=1)
    with pytest.raises(InputError, match="seed is -1"):
        open_source("paper", seed=-1)
    with pytest.raises(InputError, match=r"cut in flux would detect clusters below 10\^12.4"):
        open_source("realistic", seed=1, config={"survey": {"selection": {"log10_m_min": 12.6}}})
    for name in ("paper", "realistic"):
        with pytest.raises(
            InputError, match=r"at most 0\.00\d+ clusters are expected in a catalog, even at sigma8 = 0.92"
        ):
            open_source(name, seed=1, config={"survey": {"volume": 100.0}})


def test_the_base_sample_can_be_given():
    sample = default_base_sample()
    source = make_source(resolve_config("paper"), seed=1, sample=sample)
    assert equal(source.batch(np.arange(2)), open_source("paper", seed=1).batch(np.arange(2)))
