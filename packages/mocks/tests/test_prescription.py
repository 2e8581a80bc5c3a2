"""Observables that follow cosmology: the preset, the rule, and exponents fitted back from its own mocks."""

import json

import numpy as np
import polars as pl
import pytest
from earnest_common.catalogs import CatalogSet
from earnest_common.errors import InputError
from earnest_common.survey.cosmology import MAGNETICUM
from earnest_mocks.catalogs.config import resolve_config
from earnest_mocks.catalogs.generate import generate
from earnest_mocks.catalogs.source import open_source
from earnest_mocks.prescription.fit import fit_prescription, read_clusters, write_fit
from earnest_mocks.prescription.scaling import ILLUSTRATIVE, PRESCRIBED, Exponents, Prescription, log10_shift

FREE = {"prescription": {name: dict.fromkeys(("sigma8", "fb", "h"), 0.0) for name in PRESCRIBED}}


def test_observables_differ_from_the_plain_ones_by_the_rule_alone():
    with_rule = open_source("overspecialised", seed=1).batch(np.arange(40))
    without = open_source("overspecialised", seed=1, config=FREE).batch(np.arange(40))
    growth = (with_rule.label("sigma8") / MAGNETICUM.sigma8)[with_rule.segment_ids]
    for name, power in {"l_x": 0.3, "t_x": 0.2, "m_gas": 0.1, "y_500": 0.3, "m_gas_profile": 0.1}.items():
        ratio = (with_rule.column(name) / without.column(name)).T
        np.testing.assert_allclose(ratio, np.broadcast_to(growth**power, ratio.shape), rtol=1e-6)
    same = ["catalog_id", "rank", "m_500c", "m_wl", "gas_slope_profile", "donor_id"]
    assert with_rule.clusters.select(same).equals(without.clusters.select(same))


def test_abundance_and_thermal_energy_are_those_of_the_paper():
    batch = open_source("overspecialised", seed=1, config=FREE).batch(np.arange(40))
    np.testing.assert_allclose(batch.column("y_500"), batch.column("m_gas") * batch.column("t_x"), rtol=1e-12)
    assert set(batch.catalogs["l_x_normalisation"]) == {1.0}
    assert batch.label("sigma8").min() >= 0.70
    plain = open_source("paper", seed=1).batch(np.arange(3))
    assert plain.clusters["y_500"].null_count() == plain.n_clusters


def test_what_is_prescribed_is_said(tmp_path):
    source = open_source("overspecialised", seed=1)
    assert "ILLUSTRATIVE" in source.synthetic
    assert "made up" in ILLUSTRATIVE.origin
    generate(resolve_config("overspecialised"), tmp_path / "set", seed=1, n_catalogs=3)
    opened = CatalogSet.open(tmp_path / "set")
    assert opened.validate() == []
    assert "ILLUSTRATIVE" in opened.manifest.plan.synthetic
    assert opened.manifest.plan.config["prescription"]["l_x"]["sigma8"] == 0.3


def test_matter_density_changes_baryon_fraction_and_expansion():
    rule = Prescription(m_gas=Exponents(fb=1.0), t_x=Exponents(E=2 / 3), l_x=Exponents(Om0=0.5))
    shift = log10_shift(rule, Om0=np.array([0.34]), sigma8=np.array([0.9]), z=0.5, reference=MAGNETICUM)
    e = [np.sqrt(om * 1.5**3 + 1 - om) for om in (0.272, 0.34)]
    assert shift["m_gas"][0] == pytest.approx(np.log10(0.272 / 0.34))
    assert shift["t_x"][0] == pytest.approx(2 / 3 * np.log10(e[1] / e[0]))
    assert shift["l_x"][0] == pytest.approx(0.5 * np.log10(0.34 / 0.272))
    assert shift["y_500"][0] == 0


def several_cosmologies(n=15, per_simulation=150):
    """Clusters of simulations with known exponents."""
    rng = np.random.default_rng(4)
    cosmology = {
        "sigma8": rng.uniform(0.6, 0.9, n),
        "Om0": rng.uniform(0.15, 0.43, n),
        "Ob0": rng.uniform(0.041, 0.05, n),
        "H0": rng.uniform(66, 74, n),
    }
    one = np.repeat(np.arange(n), per_simulation)
    table = {name: values[one] for name, values in cosmology.items()}
    table["z"] = rng.choice([0.0, 0.3, 0.7], len(one))
    table["m_500c"] = 10 ** rng.uniform(13.8, 15, len(one))
    fb, e = table["Ob0"] / table["Om0"], np.sqrt(table["Om0"] * (1 + table["z"]) ** 3 + 1 - table["Om0"])
    noise = np.exp(0.07 * rng.standard_normal((2, len(one))))
    table["m_gas"] = 0.1 * table["m_500c"] ** 1.16 * (fb / 0.16) * noise[0]
    table["t_x"] = 1e-9 * table["m_500c"] ** 0.61 * e ** (2 / 3) * table["sigma8"] ** 0.2 * noise[1]
    return pl.DataFrame(table)


def test_known_exponents_are_recovered_and_feed_the_mocks(tmp_path):
    file = tmp_path / "clusters.csv"
    several_cosmologies().write_csv(file)
    fits = fit_prescription(read_clusters(file))
    truth = {"m_gas": {"fb": 1.0, "E": 0.0, "sigma8": 0.0}, "t_x": {"fb": 0.0, "E": 2 / 3, "sigma8": 0.2}}
    for name, exponents in truth.items():
        for parameter, expected in exponents.items():
            assert fits[name].exponents[parameter] == pytest.approx(expected, abs=4 * fits[name].errors[parameter])
            assert fits[name].errors[parameter] < 0.15
    assert fits["m_gas"].slope == pytest.approx(1.16, abs=0.01)
    assert fits["m_gas"].scatter == pytest.approx(0.07 / np.log(10), rel=0.1)
    write_fit(tmp_path / "fit.toml", fits, origin='fitted to "my" simulations')
    config = resolve_config("overspecialised", file=tmp_path / "fit.toml")
    found, expected = vars(config.prescription.t_x), fits["t_x"].exponents
    assert found["E"] == pytest.approx(expected["E"], rel=1e-5)
    assert config.prescription.origin == 'fitted to "my" simulations'
    assert json.dumps(fits["t_x"].exponents)


WRONG = {
    "one cosmology": (lambda t: t.filter(pl.col("sigma8") == t["sigma8"][0]), "1 cosmologies cannot tell"),
    "too few": (lambda t: t.filter(pl.col("sigma8").is_in(t["sigma8"].unique()[:4].implode())), "4 cosmologies"),
}


@pytest.mark.parametrize(("change", "message"), WRONG.values(), ids=WRONG)
def test_tables_that_cannot_tell_parameters_apart_are_refused(change, message):
    with pytest.raises(InputError, match=message):
        fit_prescription(change(several_cosmologies()))


BAD_FILES = {
    "no such file": (None, "cannot be read: it does not exist"),
    "missing columns": (lambda t: t.drop("z", "H0"), r"missing: z, H0"),
    "nothing to fit": (lambda t: t.drop("m_gas", "t_x"), "one or more of l_x, t_x, m_gas, y_500"),
    "zero mass": (lambda t: t.with_columns(m_500c=0.0), "m_500c must hold positive numbers"),
    "infinite mass": (lambda t: t.with_columns(m_500c=float("inf")), "m_500c must hold positive numbers"),
    "no number": (lambda t: t.with_columns(m_500c=float("nan")), "m_500c must hold positive numbers"),
    "unknown mass": (lambda t: t.with_columns(m_500c=pl.lit(None, dtype=pl.Float64)), "m_500c must hold positive"),
    "blueshift": (lambda t: t.with_columns(z=-0.1), "z must hold positive numbers"),
}


@pytest.mark.parametrize(("change", "message"), BAD_FILES.values(), ids=BAD_FILES)
def test_unusable_files_are_refused(tmp_path, change, message):
    if change:
        change(several_cosmologies(n=3, per_simulation=3)).write_csv(tmp_path / "t.csv")
    with pytest.raises(InputError, match=message):
        read_clusters(tmp_path / "t.csv")
