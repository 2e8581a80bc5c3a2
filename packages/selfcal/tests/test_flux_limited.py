"""A real sample: the relation behind the table, its selection as a power law, and the published table itself."""

import os
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from earnest_common.errors import InputError, SchemaError
from earnest_common.survey.cosmology import Cosmology
from earnest_selfcal.forward.population import mass_function_for
from earnest_selfcal.forward.resolution import Resolution
from earnest_selfcal.light_cone.distances import comoving_distance, comoving_volume, flux_to_luminosity
from earnest_selfcal.light_cone.flux_limited import (
    IN_BAND_L_X,
    FluxLimitedSample,
    read_sample,
    sample_answer,
    survey_of_sample,
)
from scipy.integrate import quad

FOLDER = Path(os.environ.get("EARNEST_REAL_TABLES", Path(__file__).parents[4] / "shared" / "data"))
COARSE = Resolution(n_nuisance=256, n_sigma8=22)
COSMOLOGY = survey_of_sample(FluxLimitedSample()).cosmology


@pytest.fixture
def mcxc():
    path = FOLDER / "mcxc_min.csv"
    if not path.is_file():
        pytest.skip(f"mcxc_min.csv is not in {FOLDER}; docs/tables.md says where to get it")
    return path


def test_distances_in_a_universe_of_matter_alone():
    only_matter = Cosmology(Om0=1.0, Ob0=0.05, H0=70.0, ns=1.0, sigma8=0.8)
    z = np.array([0.01, 0.5, 3.0])
    np.testing.assert_allclose(comoving_distance(z, only_matter), 2 * 299792.458 / 70 * (1 - 1 / np.sqrt(1 + z)))
    shell = comoving_volume(0.5, 3.0, solid_angle=4 * np.pi, cosmology=only_matter)
    near, far = comoving_distance(z[1:], only_matter)
    assert shell == pytest.approx(4 / 3 * np.pi * (far**3 - near**3))


def test_power_law_selection_is_the_volume_in_which_a_cluster_is_seen():
    sample = FluxLimitedSample(flux_limit=1e-11)
    preset = survey_of_sample(sample)
    table = mass_function_for(preset)
    selection = preset.survey.selection

    def seen(log10_m):
        luminosity = 10 ** float(selection.l_x.log10_mean(log10_m))
        z = np.linspace(sample.z_low, sample.z_high, 400)
        reach = np.interp(luminosity, flux_to_luminosity(sample.flux_limit, z, COSMOLOGY), z)
        if reach <= sample.z_low:
            return 0.0
        near = comoving_volume(sample.z_low, reach, solid_angle=sample.solid_angle, cosmology=COSMOLOGY)
        return near / preset.survey.volume

    def rate(probability):
        return quad(lambda x: probability(x) * float(table.dn_dlog10_m(x, 0.8)), 13.4, 15.6, limit=200)[0]

    # The power law leaves out the hole of z < 0.01 and (1 + z) in the luminosity distance: 3 % in the number.
    assert rate(lambda x: float(selection.probability(x))) == pytest.approx(rate(seen), rel=0.03)


@pytest.mark.parametrize(
    ("fields", "message"),
    [({"flux_limit": 0.0}, "must be positive"), ({"z_low": 0.1}, "z_low < z_high"), ({"min_latitude": 95}, "0 to 90")],
)
def test_samples_that_cannot_be(fields, message):
    with pytest.raises(InputError, match=message):
        FluxLimitedSample(**fields)


def test_a_table_of_something_else_is_told_what_is_needed(tmp_path):
    (tmp_path / "mocks.csv").write_text("cluster_id,z,m_500c,l_x\n0,0.05,3e14,2\n")
    with pytest.raises(SchemaError, match=r"finds nothing for l_x: .*allowed: l_x from L500; name") as refused:
        read_sample(tmp_path / "mocks.csv", FluxLimitedSample())
    assert "--without" not in str(refused.value)


def test_a_sample_needs_no_masses(tmp_path):
    (tmp_path / "bright.csv").write_text("MCXC,RAdeg,DEdeg,z,L500\nA,10,80,0.05,5\nB,10,80,0.06,0.01\n")
    assert len(read_sample(tmp_path / "bright.csv", FluxLimitedSample(min_latitude=0))) == 1


def test_masses_of_the_table_follow_the_relation(mcxc):
    rows = {name: values.to_numpy() for name, values in pl.read_csv(mcxc).select("z", "L500", "M500").to_dict().items()}
    log10_m = np.log10(rows["M500"] * 1e14)
    evolution = 7 / 3 * np.log10(np.sqrt(0.3 * (1 + rows["z"]) ** 3 + 0.7))
    offset = np.log10(rows["L500"]) - evolution - IN_BAND_L_X.log10_mean(log10_m)
    # The table's own masses come from this relation; a few per cent of its clusters were corrected by hand.
    assert abs(np.median(offset)) < 1e-4
    assert np.quantile(np.abs(offset), 0.95) < 1e-3


def test_counts_of_the_table(mcxc):
    everywhere = {
        limit: FluxLimitedSample(flux_limit=limit, min_latitude=0.0) for limit in (3e-12, 5e-12, 1e-11, 2e-11)
    }
    counts = {limit: len(read_sample(mcxc, sample)) for limit, sample in everywhere.items()}
    # The numbers of an independent count with rounded constants.
    assert counts == {limit: pytest.approx(n, abs=2) for limit, n in zip(counts, (296, 217, 116, 55), strict=True)}
    high = read_sample(mcxc, FluxLimitedSample(flux_limit=1e-11))
    assert 0.6 < len(high) / counts[1e-11] < 0.8  # the sky above 20 degrees is 66 % of all


def test_the_bright_sample_gives_a_sigma8_and_the_faint_one_a_reason(mcxc):
    inference, told = sample_answer(mcxc, FluxLimitedSample(flux_limit=1e-11), resolution=COARSE)
    assert 0.62 < told["lo95"] < told["sigma8"] < told["hi95"] < 0.9
    assert told["n_clusters"] == inference.observed.n_clusters
    assert any("complete above 1e-11" in sentence for sentence in told["assumptions"])
    with pytest.raises(InputError, match="not complete down to 3e-12"):
        sample_answer(mcxc, FluxLimitedSample(flux_limit=3e-12), resolution=COARSE)
