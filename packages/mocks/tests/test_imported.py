"""Base samples from imported clusters."""

import json

import numpy as np
import polars as pl
import pytest
from earnest_common.catalogs import Plan
from earnest_common.catalogs.batch import CatalogBatch
from earnest_common.catalogs.writer import write_batch
from earnest_common.errors import InputError
from earnest_common.run.files import file_sha256
from earnest_common.survey.scaling import TABLE_2
from earnest_mocks.base_sample.relations import OBSERVABLES
from earnest_mocks.base_sample.sample import default_base_sample, read_base_sample, write_base_sample
from earnest_mocks.catalogs.source import open_source
from earnest_mocks.measured.imported import base_sample_from, imported_base_sample
from earnest_mocks.measured.profiles import read_reductions, with_reduced_profiles
from earnest_mocks.xray.table import REDUCTIONS_KEY


def catalog(*, n=400, z=0.0663, profiles=True, **changes):
    """The built-in base sample as if it had been imported."""
    sample = default_base_sample()
    some = np.linspace(0, sample.n_clusters - 1, n).astype(int)
    values = {name: 10 ** sample.observables[some, i] for i, name in enumerate(OBSERVABLES)}
    order = np.argsort(-values["l_x"])
    columns = {
        "catalog_id": np.zeros(n, dtype=np.int64),
        "cluster_id": 1000 + some[order],
        "rank": np.arange(n),
        "z": np.broadcast_to(z, n),
        "m_500c": 10 ** sample.log10_m_500c[some][order],
        **{name: column[order] for name, column in values.items()},
    }
    if profiles:
        m_gas = values["m_gas"][order][:, None]
        columns["m_gas_profile"] = (sample.gas_fraction_profile[some][order] * m_gas).astype(np.float32)
        columns["gas_slope_profile"] = sample.gas_slope_profile[some][order].astype(np.float32)
    frame = pl.DataFrame(columns).with_columns(**changes)
    catalogs = pl.DataFrame({"catalog_id": [0], "n_clusters": [n], "survey": ["test"]})
    return CatalogBatch.conformed(catalogs, frame, subject="test")


def test_relations_residuals_and_profiles_are_those_of_the_clusters():
    found, sample = base_sample_from(catalog()), default_base_sample()
    assert found.synthetic is None
    assert found.relations.t_x.slope == pytest.approx(TABLE_2.t_x.slope, abs=0.02)
    twins = found.donor_id - 1000
    np.testing.assert_allclose(found.log10_m_500c, sample.log10_m_500c[twins], atol=1e-12)
    np.testing.assert_allclose(found.gas_fraction_profile, sample.gas_fraction_profile[twins], rtol=1e-6)
    assert (np.diff(found.log10_m_500c) >= 0).all()


def test_missing_profiles_are_emulated_and_said_to_be():
    found, sample = base_sample_from(catalog(profiles=False)), default_base_sample()
    assert found.synthetic == "gas profiles of 400 of 400 base-sample clusters are EMULATED"
    # The emulated twin of an emulated cluster is itself, as the smaller sample's fit hardly differs.
    same = np.isclose(found.gas_fraction_profile[:, 0], sample.gas_fraction_profile[found.donor_id - 1000, 0])
    assert same.mean() > 0.5


def test_luminosity_and_temperature_are_brought_to_another_redshift_when_asked():
    near, far = base_sample_from(catalog()), base_sample_from(catalog(z=0.5), z=0.0663)
    assert far.z == 0.0663
    assert "z = 0.5 to 0.5 moved to 0.0663" in far.source["evolution"]
    e_ratio = np.sqrt((0.272 * 1.5**3 + 0.728) / (0.272 * 1.0663**3 + 0.728))
    shift = (far.observables - near.observables).mean(axis=0)
    np.testing.assert_allclose(shift, [-7 / 3 * np.log10(e_ratio), -2 / 3 * np.log10(e_ratio), 0], atol=1e-9)


def test_a_base_sample_keeps_its_redshift():
    found = base_sample_from(catalog(z=0.3))
    assert found.z == 0.3
    assert "evolution" not in found.source
    # A spread of redshifts as of a thin shell is one redshift; a light cone is not.
    thin = base_sample_from(catalog(z=np.linspace(0.295, 0.305, 400)))
    assert found.relations.l_x.log10_normalisation == pytest.approx(thin.relations.l_x.log10_normalisation, abs=0.02)
    with pytest.raises(InputError, match=r"z = 0\.1 to 0\.5 are no base sample of one redshift.*--z 0\.3"):
        base_sample_from(catalog(z=np.linspace(0.1, 0.5, 400)))


def test_mocks_can_be_made_of_them(tmp_path):
    write_base_sample(tmp_path / "mine.parquet", base_sample_from(catalog(profiles=False), source={"name": "test"}))
    assert read_base_sample(tmp_path / "mine.parquet").source == {"name": "test"}
    source = open_source("paper", seed=1, config={"base_sample": str(tmp_path / "mine.parquet")})
    batch = source.batch(np.arange(10))
    assert batch.problems() == []
    assert (batch.column("donor_id") >= 1000).all()
    record = source.provenance()
    assert record["synthetic"].startswith("gas profiles of 400")
    assert len(record["inputs"]["base_sample"]) == 64
    assert "tmp" not in str(record["config"])


# Profiles from X-ray reductions

RADII = (0.2, 0.5, 1.0)


def reductions(ids, *, radii=RADII, simulation="MAGNETICUM", **changes):
    """A table of reductions whose profiles tell whose they are."""
    ids, k = np.asarray(ids), len(radii)
    rows = (ids % 1000 / 1000)[:, None]
    frame = pl.DataFrame(
        {
            "cluster_id": ids,
            "simulation": [simulation] * len(ids),
            "m_gas": np.full(len(ids), 2e13),
            "m_gas_profile": (2e13 * (np.array(radii) + 0.1 * rows)).astype(np.float32),
            "gas_slope_profile": np.repeat(-1 - rows, k, axis=1).astype(np.float32),
        }
    )
    return frame.with_columns(**changes), json.dumps({"radii_r_500c": list(radii)})


def written(path, frame, about):
    frame.write_parquet(path, metadata={REDUCTIONS_KEY: about})
    return path


def test_reduced_clusters_take_the_measured_shape_and_keep_their_gas_mass(tmp_path):
    bare = catalog(profiles=False)
    ids = bare.column("cluster_id")
    path = written(tmp_path / "t.parquet", *reductions(ids))
    found = base_sample_from(with_reduced_profiles(bare, read_reductions(path)))
    assert (found.radii, found.synthetic) == (RADII, None)
    own = found.donor_id % 1000 / 1000
    np.testing.assert_allclose(found.gas_slope_profile[:, 0], -1 - own, rtol=1e-6)
    np.testing.assert_allclose(found.gas_fraction_profile, np.array(RADII) + 0.1 * own[:, None], rtol=1e-5)
    # Observables are the catalog's: a measured amplitude would shift the power law that the mocks refer to.
    np.testing.assert_array_equal(found.observables, base_sample_from(bare).observables)


def test_some_reductions_leave_the_other_profiles_to_the_emulator(tmp_path):
    bare = catalog(profiles=False)
    some = bare.column("cluster_id")[::2]
    path = written(tmp_path / "t.parquet", *reductions(some, radii=bare.radii))
    found = base_sample_from(with_reduced_profiles(bare, read_reductions(path)))
    assert found.synthetic == "gas profiles of 200 of 400 base-sample clusters are EMULATED"
    reduced = np.isin(found.donor_id, some)
    np.testing.assert_allclose(
        found.gas_slope_profile[reduced, 0], -1 - found.donor_id[reduced] % 1000 / 1000, rtol=1e-6
    )


def test_a_set_and_its_reductions_make_a_sample_that_names_both(tmp_path):
    bare = catalog(profiles=False)
    plan = Plan(kind="observed", preset="test", seed=0, n_catalogs=1, catalogs_per_shard=1, radii=bare.radii)
    write_batch(tmp_path / "SET", bare, plan)
    path = written(tmp_path / "t.parquet", *reductions(bare.column("cluster_id"), simulation="EMULATED"))
    found = imported_base_sample(tmp_path / "SET", reductions=path)
    assert found.synthetic == "gas profiles of 400 base-sample clusters are measured from EMULATED photons"
    assert found.source["xray"]["reductions"] == file_sha256(path)
    assert len(found.source["data_hash"]) == 64


BAD_REDUCTIONS = {
    "nameless": (reductions([1, 2], cluster_id=pl.lit(None, dtype=pl.Int64)), r"2 of 2 photon lists do not say which"),
    "twice": (reductions([1000, 1000]), r"cluster_id \[1000\] found more than once"),
    "stranger": (
        reductions([1000, 77]),
        r"cluster_id \[77\] \(1 in all\) fit no cluster of the catalog, which has 400",
    ),
}


@pytest.mark.parametrize("case", BAD_REDUCTIONS)
def test_reductions_that_do_not_fit_are_refused(tmp_path, case):
    (frame, about), message = BAD_REDUCTIONS[case]
    path = written(tmp_path / "t.parquet", frame, about)
    with pytest.raises(InputError, match=message):
        with_reduced_profiles(catalog(profiles=False), read_reductions(path))


def test_other_files_and_other_radii_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"none\.parquet cannot be read"):
        read_reductions(tmp_path / "none.parquet")
    pl.DataFrame({"a": [1]}).write_parquet(tmp_path / "other.parquet")
    with pytest.raises(InputError, match="is not a table of reductions"):
        read_reductions(tmp_path / "other.parquet")
    path = written(tmp_path / "t.parquet", *reductions([1000]))
    with pytest.raises(InputError, match=r"reductions at radii \(0\.2, 0\.5, 1\.0\) do not fit"):
        with_reduced_profiles(catalog(), read_reductions(path))


def test_clusters_without_all_observables_are_left_out():
    some = pl.when(pl.col("rank") < 300).then(pl.col("t_x"))
    assert base_sample_from(catalog(t_x=some)).n_clusters == 300


WRONG = {
    "too few": (lambda: catalog(n=10), "needs at least 20 clusters.*10 of 10 have them"),
    "no masses": (lambda: catalog(m_500c=pl.lit(None, dtype=pl.Float64)), r"unknown: m_500c of 400, l_x of 0"),
}


@pytest.mark.parametrize(("make", "message"), WRONG.values(), ids=WRONG)
def test_unusable_clusters_are_refused(make, message):
    with pytest.raises(InputError, match=message):
        base_sample_from(make())


def test_only_one_catalog_makes_a_base_sample():
    batch = open_source("paper", seed=1).batch(np.arange(2))
    with pytest.raises(InputError, match="one catalog, found 2"):
        base_sample_from(batch)


def test_a_mock_catalog_gives_its_own_relations_back():
    law = {"l_x_normalisation": 1.2, "l_x_slope": 1.1, "l_x_scatter": 0.8}
    fixed = {name: {"low": value, "high": value} for name, value in law.items()}
    source = open_source("paper", seed=1, config={"survey": {"volume": 1e9}, "priors": fixed})
    found = base_sample_from(source.batch(np.array([0]))).relations.l_x
    # 2000 clusters above the survey's break: their relation lacks the groups, hence the tolerance.
    assert found.slope == pytest.approx(1.1 * 1.74, abs=0.06)
    expected = TABLE_2.l_x.log10_normalisation + np.log10(1.2)
    assert found.log10_normalisation == pytest.approx(expected, abs=0.05)
