"""Mocks of an own base sample and what is read of them: relations of another law, another redshift, fields refused."""

import json
import sys
from dataclasses import replace

import numpy as np
import pytest
from earnest_common.catalogs import CatalogSet, write_batch
from earnest_common.catalogs.base_relations import recorded_relations
from earnest_common.catalogs.understood import MOCKS_FIELDS
from earnest_common.cli.root import main
from earnest_common.errors import InputError
from earnest_common.survey.evolution import evolved
from earnest_mocks.catalogs.config import resolve_config
from earnest_mocks.catalogs.generate import generate, statements
from earnest_mocks.catalogs.source import make_source
from earnest_selfcal.cli.answer import evaluate_set, survey_of_set
from earnest_selfcal.cli.referee_answer import referee_set
from earnest_selfcal.exact_posterior.posterior import RefereeConfig
from earnest_selfcal.forward.resolution import Resolution
from earnest_selfcal.survey.recorded import preset_of

N_HALOS = 2000
SLOPES, AT_PIVOT = np.array([1.45, 0.55, 1.05]), np.array([0.45, 0.60, 13.50])  # log10 at 10^14.4 solMass, z = 0.0663
SCATTER = np.array([0.18, 0.05, 0.06])
CORRELATION = np.array([[1.0, 0.5, 0.7], [0.5, 1.0, -0.2], [0.7, -0.2, 1.0]])
COARSE = Resolution(n_nuisance=256)

MAPPING = """
name = "halos"
title = "halos of another law"
kind = "simulation"
l_x = "{l_x}"
[reader]
kind = "csv"
[cosmology]
H0 = 70.4
Om0 = {Om0}
[columns]
z = {{ value = {z} }}
m_500c = {{ source = "m", unit = "Msun" }}
l_x = {{ source = "l", unit = "1e44 erg/s" }}
t_x = {{ source = "t", unit = "keV" }}
m_gas = {{ source = "g", unit = "Msun" }}
"""


def e_of(z, om0=0.272):
    return np.sqrt(om0 * (1 + z) ** 3 + 1 - om0)


def halo_table(path, *, z, l_x="bolometric", om0=0.272):
    """Write 2,000 halos whose relations evolve self-similarly, and a mapping for them."""
    rng = np.random.default_rng(7)
    log10_m = 13.4 - np.log10(1 - rng.random(N_HALOS) * (1 - 10 ** (-1.6 * 1.8))) / 1.6
    residuals = rng.multivariate_normal(np.zeros(3), CORRELATION * np.outer(SCATTER, SCATTER), size=N_HALOS)
    growth = np.log10(e_of(z, om0) / e_of(0.0663, om0)) * np.array([7 / 3, 2 / 3, 0.0])
    values = 10 ** (AT_PIVOT + SLOPES * (log10_m - 14.4)[:, None] + growth + residuals)
    np.savetxt(path / "halos.csv", np.column_stack([10**log10_m, values]), delimiter=",", header="m,l,t,g", comments="")
    (path / "halos.toml").write_text(MAPPING.format(z=z, l_x=l_x, Om0=om0))


def earnest(monkeypatch, *words):
    monkeypatch.setattr(sys, "argv", ["earnest", *(str(word) for word in words)])
    with pytest.raises(SystemExit) as stopped:
        main()
    return stopped.value.code


def base_sample(monkeypatch, path, **law):
    """Return the file of a base sample that the commands made of a halo table."""
    halo_table(path, **law)
    table, mapping = path / "halos.csv", path / "halos.toml"
    assert earnest(monkeypatch, "catalogs", "import", table, "--format", mapping, "--out", path / "halos") == 0
    assert earnest(monkeypatch, "mocks", "base-sample", "--from", path / "halos", "--out", path / "base.parquet") == 0
    return path / "base.parquet"


@pytest.fixture(scope="module")
def near(tmp_path_factory):
    with pytest.MonkeyPatch.context() as monkeypatch:
        return base_sample(monkeypatch, tmp_path_factory.mktemp("near"), z=0.0663)


@pytest.fixture(scope="module")
def far(tmp_path_factory):
    with pytest.MonkeyPatch.context() as monkeypatch:
        return base_sample(monkeypatch, tmp_path_factory.mktemp("far"), z=0.3)


@pytest.fixture(scope="module")
def mocks(near, tmp_path_factory):
    config = resolve_config("paper", options={"base_sample": str(near), "survey": {"volume": 2e7}})
    path = tmp_path_factory.mktemp("sets") / "mocks"
    generate(config, path, seed=11, n_catalogs=1500)
    return CatalogSet.open(path)


def test_a_set_records_the_law_of_its_base_sample(mocks):
    found = recorded_relations(mocks.manifest.plan)
    for i, name in enumerate(("l_x", "t_x", "m_gas")):
        law = getattr(found.relations, name)
        assert law.slope == pytest.approx(SLOPES[i], abs=5 * SCATTER[i] / np.sqrt(N_HALOS) / 0.3)
        assert law.log10_mean(14.4) == pytest.approx(AT_PIVOT[i], abs=0.02)
        assert law.scatter == pytest.approx(SCATTER[i], rel=0.08)
    np.testing.assert_allclose(found.correlation.matrix, CORRELATION, atol=0.08)
    assert (found.z, found.evolution, found.l_x, found.n_clusters) == (0.0663, None, "bolometric", N_HALOS)
    assert found.cosmology == {"H0": 70.4, "Om0": 0.272}


def test_the_recorded_moments_are_those_of_the_mocks(mocks):
    base = recorded_relations(mocks.manifest.plan)
    batch = mocks.read(limit=500)
    row = batch.segment_ids
    log10_m = np.log10(batch.column("m_500c"))
    here = np.abs(log10_m - 14.2) < 0.02
    for i, name in enumerate(("l_x", "t_x", "m_gas")):
        law = getattr(base.relations, name)
        slope = law.slope * (batch.label("l_x_slope")[row] if name == "l_x" else 1.0)
        mean = law.log10_normalisation + np.log10(batch.label(f"{name}_normalisation")[row])
        residual = np.log10(batch.column(name)) - mean - slope * (log10_m - law.log10_pivot)
        residual = (residual / (law.scatter * batch.label(f"{name}_scatter")[row]))[here]
        expected, covariance = base.moments.at(np.array([14.2]))
        n = here.sum()
        assert residual.mean() == pytest.approx(expected[0, i], abs=4 / np.sqrt(n) + 0.02)
        assert residual.var() == pytest.approx(covariance[0, i, i], rel=0.1)


def test_counts_and_medians_are_unbiased_and_cover(mocks):
    found = evaluate_set(mocks.path, split="all", resolution=COARSE)
    n = found["n_catalogs"]
    for name in ("n_only", "n_median_y_x", "n_median_l_x"):
        assert abs(found[f"{name}_bias"]) < 4 * found[f"{name}_scatter"] / np.sqrt(n), name
        assert found[f"{name}_coverage_68"] == pytest.approx(0.6827, abs=3.5 * np.sqrt(0.2166 / n)), name


def test_the_referee_is_unbiased_and_covers(mocks):
    n = 24
    quick = RefereeConfig(n_draws=1000, target_ess=200)
    found = referee_set(mocks, survey_of_set(mocks), split="all", max_catalogs=n, config=quick)
    assert abs(found["bias"]) < 3.5 * found["scatter"] / np.sqrt(n)
    assert found["coverage_68"] == pytest.approx(0.6827, abs=3.5 * np.sqrt(0.2166 / n))


def test_a_base_sample_of_another_redshift_agrees_with_the_law_at_the_survey(near, far):
    sources = [make_source(resolve_config("paper", options={"base_sample": str(file)}), seed=1) for file in (near, far)]
    ours, moved = (source.base.relations for source in sources)
    assert [source.base.z for source in sources] == [0.0663, 0.3]
    for name in ("l_x", "t_x", "m_gas"):
        one, other = getattr(ours, name), getattr(moved, name)
        assert other.log10_normalisation == pytest.approx(one.log10_normalisation, abs=1e-6)
        assert other.slope == pytest.approx(one.slope, abs=1e-6)
    assert sources[0].base.evolution is None
    assert "z = 0.3 to z = 0.0663" in statements(sources[1])[0]
    # The clusters themselves: equal draws, equal luminosities.
    columns = [source.batch(np.arange(3)).column("l_x") for source in sources]
    np.testing.assert_allclose(*columns, rtol=1e-5)


def test_mocks_at_the_redshift_of_the_base_sample_keep_its_values(far):
    config = resolve_config("paper", options={"base_sample": str(far), "survey": {"z": 0.3}})
    source = make_source(config, seed=1)
    growth = 7 / 3 * np.log10(e_of(0.3) / e_of(0.0663))
    assert source.base.evolution is None
    assert source.base.relations.l_x.log10_mean(14.4) == pytest.approx(AT_PIVOT[0] + growth, abs=0.02)


def test_the_built_in_sample_is_moved_as_the_reference_relations_are():
    source = make_source(resolve_config("paper", options={"survey": {"z": 0.3}}), seed=1)
    near = make_source(resolve_config("paper"), seed=1)
    expected = evolved(near.base.relations, from_z=0.0663, to_z=0.3, Om0=0.272)
    for name in ("l_x", "t_x", "m_gas"):
        wanted = getattr(expected, name).log10_normalisation
        assert getattr(source.base.relations, name).log10_normalisation == pytest.approx(wanted, abs=1e-9)
    selection = source.config.survey.selection
    assert selection.log10_m_break_of(source.base.relations.l_x) == pytest.approx(selection.log10_m_break, abs=1e-6)


def test_other_bands_are_not_moved_and_other_cosmologies_are_stated(monkeypatch, tmp_path):
    file = base_sample(monkeypatch, tmp_path, z=0.2, l_x="0.5-2 keV, within r_500c", om0=0.31)
    with pytest.raises(InputError, match=r"l_x is '0\.5-2 keV, within r_500c', whose evolution .* is not known"):
        make_source(resolve_config("paper", options={"base_sample": str(file)}), seed=1)
    there = make_source(resolve_config("paper", options={"base_sample": str(file), "survey": {"z": 0.2}}), seed=1)
    assert "Om0 = 0.31 (survey 0.272)" in statements(there)[0]


REFUSED = {
    "list of clusters": ({"donors": {"own_clusters": True}}, r"donors\.own_clusters = true; .* takes only false"),
    "prescription": ({"prescription": {"l_x": {"sigma8": 0.3}}}, r"prescription = .* takes only none"),
    "Om0": ({"Om0": {"low": 0.2, "high": 0.3, "step": None}}, r"Om0 = .* differ in Om0"),
    "new table": ({"background": {"counts": 3}}, r"background = .* is not known to .* in this release"),
    "new error": ({"noise": {"l_x": 0.1}}, r"noise\.l_x = 0\.1 is not known"),
    "new selection": ({"survey": {"selection": {"tilt": 0.5}}}, r"survey\.selection\.tilt = 0\.5 is not known"),
    "new prior": ({"priors": {"t_x_slope": {"low": 0.9, "high": 1.1}}}, r"priors\.t_x_slope = .* is not known"),
}


@pytest.mark.parametrize("case", REFUSED)
@pytest.mark.parametrize("options", [{}, {"preset": "paper"}])
def test_fields_that_the_forward_model_does_not_read_are_refused(mocks, tmp_path, case, options):
    config, message = REFUSED[case]
    plan = replace(mocks.manifest.plan, n_catalogs=3, catalogs_per_shard=3, config=config)
    write_batch(tmp_path / "set", mocks.read(limit=3), plan)
    with pytest.raises(InputError, match=message):
        survey_of_set(CatalogSet.open(tmp_path / "set"), options=options)


def test_every_field_of_the_configuration_of_mocks_is_looked_through():
    def leaves(record, above=""):
        for name, value in record.items():
            path = above + name
            whole = path in MOCKS_FIELDS or not isinstance(value, dict)
            yield from [path] if whole else leaves(value, f"{path}.")

    plain = make_source(resolve_config("realistic"), seed=1).plain_config()
    assert set(leaves(plain)) <= set(MOCKS_FIELDS)


def test_a_set_of_an_earlier_release_is_used_or_refused(mocks):
    plan = mocks.manifest.plan
    with pytest.raises(InputError, match=r"base sample 'base\.parquet' and, .* does not record"):
        preset_of(replace(plan, base_sample={}))
    built_in = replace(plan, base_sample={}, config={**plan.config, "base_sample": "built-in"})
    assert preset_of(built_in).moments is None
    with pytest.raises(InputError, match="records shape, which this release does not know"):
        preset_of(replace(plan, base_sample={**plan.base_sample, "shape": 1}))


def test_generate_states_the_move(monkeypatch, capsys, far, tmp_path):
    (tmp_path / "own.toml").write_text(f'base_sample = "{far}"\n[survey]\nvolume = 2e7\n')
    words = (
        "mocks",
        "generate",
        "--config",
        tmp_path / "own.toml",
        "--n-catalogs",
        2,
        "--out",
        tmp_path / "set",
        "--json",
    )
    assert earnest(monkeypatch, *words) == 0
    captured = capsys.readouterr()
    assert "base sample moved from z = 0.3 to z = 0.0663 at fixed m_500c: l_x as E(z)^(7/3)" in captured.err
    assert json.loads(captured.out)["n_catalogs"] == 2
    assert "x 0.769" in CatalogSet.open(tmp_path / "set").manifest.plan.base_sample["evolution"]
