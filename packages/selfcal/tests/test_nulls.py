"""The information map: variants, points, sentences, table, figure and interruptions."""

import math
from dataclasses import replace

import pytest
from earnest_common.errors import InputError, OutputExistsError
from earnest_common.report.section import read_section
from earnest_common.survey.presets import preset
from earnest_common.survey.priors import Uniform
from earnest_selfcal.cli import information_answer as answer
from earnest_selfcal.cli.information_answer import information_map
from earnest_selfcal.exact_posterior.posterior import RefereeConfig
from earnest_selfcal.forward.resolution import Resolution
from earnest_selfcal.information.scatter import Effort, InformationPoint, measure, model_cases
from earnest_selfcal.information.variants import DATA, Variant, mass_prior, survey_variants, width_variants
from earnest_selfcal.report.information_words import sentences
from earnest_selfcal.survey.measurement_errors import noise_of

PAPER = preset("paper")
QUICK = RefereeConfig(n_draws=300, target_ess=60, max_rounds=3)
COARSE = Resolution(n_nuisance=256, log10_m_step=0.04)
EFFORT = Effort(n_catalogs=24, referee=QUICK, grid=COARSE)
FEW = Effort(n_catalogs=10, referee=QUICK, grid=COARSE)


def small(chosen):
    return replace(chosen, survey=replace(chosen.survey, volume=chosen.survey.volume / 8))


def test_variants_change_one_thing_at_a_time():
    mass, smoothed, continuous, flux, real = survey_variants(PAPER)
    assert mass.preset == replace(PAPER, survey=PAPER.survey)
    assert smoothed.preset.survey.selection.smoothing == 0.076
    assert not continuous.preset.priors.grid
    assert continuous.preset.survey == mass.preset.survey
    assert flux.preset.priors == continuous.preset.priors
    assert flux.preset.survey.cut == "flux"
    assert real.preset == flux.preset
    assert (flux.noise, real.noise) == (noise_of(PAPER), noise_of(preset("realistic")))


def test_last_variant_is_the_realistic_preset():
    realistic = preset("realistic")
    variants = survey_variants(realistic)
    assert [one.key for one in variants] == ["mass", "mass_smoothed", "realistic"]
    assert variants[-1].preset == realistic
    assert {one.noise for one in variants} == {noise_of(realistic)}


def test_widths_are_those_of_the_priors():
    for variant, width in zip(width_variants(PAPER, (0.0, 0.3), cut="flux"), (0.0, 0.3), strict=True):
        prior = variant.preset.priors.m_gas_normalisation
        assert (prior.low, prior.high) == (1 - width, 1 + width)
    with pytest.raises(InputError, match="from 0 to below 1"):
        width_variants(PAPER, (1.5,), cut="mass")


def test_mass_prior_combines_three_relations():
    chosen = replace(PAPER, priors=replace(PAPER.priors, **dict.fromkeys(_norms(), Uniform(low=0.7, high=1.3))))
    expected = (0.6 / math.sqrt(12)) / math.sqrt(1.74**2 + 0.61**2 + 1.16**2)
    assert mass_prior(chosen) == pytest.approx(expected)
    assert 0.07 < mass_prior(chosen) < 0.085  # the three priors of 30 % are one of 8 % in mass
    known = replace(chosen, priors=replace(chosen.priors, t_x_normalisation=Uniform(low=1, high=1)))
    assert mass_prior(known) == 0


def _norms():
    return ("l_x_normalisation", "t_x_normalisation", "m_gas_normalisation")


@pytest.fixture(scope="module")
def points():
    variant = survey_variants(small(PAPER))[0]
    return variant, measure(variant, effort=EFFORT, seed=1)


def test_more_data_tell_more(points):
    _, found = points
    scatter = {point.data: point.scatter for point in found}
    assert list(scatter) == list(DATA)
    assert scatter["n"] < PAPER.priors.sigma8.std
    assert scatter["n_median_y_x"] < scatter["n"]
    assert scatter["x_ray"] < scatter["n_median_y_x"]
    assert scatter["profiles"] < scatter["x_ray"] * 1.01
    assert scatter["all"] < scatter["profiles"] * 1.01
    assert scatter["perfect"] < scatter["all"] * 1.02


def test_what_happens_is_what_is_promised(points):
    _, found = points
    for point in found:
        assert point.rms == pytest.approx(point.scatter, abs=4 * point.rms_err)
        assert abs(point.coverage_68 - 0.6827) < 4 * math.sqrt(0.6827 * 0.3173 / 24)


def test_variants_share_their_random_numbers():
    cases = [model_cases(one, n_catalogs=2, seed=3) for one in survey_variants(PAPER)[:2]]
    assert cases[0][1].sigma8_true == cases[1][1].sigma8_true
    assert len(cases[0][0].observed["l_x"]) != len(cases[1][0].observed["l_x"])


def made_up(variants):
    """Return points as the theory would have them, without computing anything."""
    level = dict(zip(DATA, (0.05, 0.04, 0.03, 0.02, 0.018, 0.017, 0.016), strict=True))
    points = []
    for one in variants:
        flux = 1.2 if one.preset.survey.cut == "flux" else 1.0
        for name in one.data:
            scatter = level[name] * flux * (1 + (one.width or 0))
            points.append(
                InformationPoint(
                    survey=one.key,
                    data=name,
                    width=one.width,
                    scatter=scatter,
                    scatter_err=0.001,
                    rms=scatter + 0.002,
                    rms_err=0.001,
                    coverage_68=0.68,
                    n_catalogs=10,
                )
            )
    return points


@pytest.mark.parametrize("name", ["paper", "realistic"])
def test_sentences_have_the_numbers(name):
    chosen = preset(name)
    variants = (*survey_variants(chosen), *width_variants(chosen, (0.0, 0.5), cut="flux"))
    text = sentences(chosen, variants, made_up(variants))
    assert "is real: with none of the simplifications it tells σ₈ to 0.0240 ± 0.0010" in text[1]
    assert "from 0.0200 ± 0.0010 to 0.0180 ± 0.0010 under a sharp cut" in text[2]
    assert "is a ruler: without weak lensing it gives 0.0200 ± 0.0010" in text[3]
    assert "0.0240 ± 0.0010 (+44 % in variance)" in text[3]
    assert "the sharp edge by itself matters little" in text[3]
    assert any("multiples of 0.1" in one for one in text) == (name == "paper")
    assert any("±50 % (13." in one for one in text)
    assert "at most 2.0 of its errors" in text[-1]


def test_points_are_kept_until_all_are_there(tmp_path):
    variant = replace(survey_variants(small(PAPER))[0], data=("n", "x_ray"))

    def die(_):
        if list(tmp_path.glob("*-n.parquet")):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        measure(variant, effort=FEW, seed=1, folder=tmp_path, on_done=die)
    kept = {path.name for path in tmp_path.iterdir()}
    assert "mass-n.parquet" in kept
    again = measure(variant, effort=FEW, seed=1, folder=tmp_path)
    assert again == measure(variant, effort=FEW, seed=1)


def test_map_is_written_once(tmp_path, monkeypatch):
    """The map with made-up numbers in place of computed ones."""
    section = tmp_path / "map.json"
    seen = []

    def pretend(variant, *, effort, seed, executor, folder, on_done):
        seen.append(folder)
        if len(seen) == 3:
            raise KeyboardInterrupt
        on_done(effort.n_catalogs)
        return made_up([variant])

    monkeypatch.setattr(answer, "measure", pretend)
    with pytest.raises(KeyboardInterrupt):
        information_map(PAPER, section=section)
    with pytest.raises(InputError, match="parts of another computation"):
        information_map(PAPER, section=section, seed=5)
    told = information_map(PAPER, section=section)
    assert {folder.name for folder in seen} == {"map.json.parts"}
    assert not (tmp_path / "map.json.parts").exists()
    written = read_section(section)
    assert written.summary == told["headline"]
    assert told["headline"]["realistic_x_ray_scatter"] == pytest.approx(0.024)
    assert len(written.tables[0].rows) == 1 + 5 * len(DATA) + 10 * 3
    assert written.figures[0].svg.count("<svg") == 1
    assert list(written.text) == told["text"]
    with pytest.raises(OutputExistsError):
        information_map(PAPER, section=section)


def test_too_few_surveys():
    with pytest.raises(InputError, match="at least 10 surveys"):
        Effort(n_catalogs=3)


def test_variant_defaults_to_all_data():
    assert Variant(key="x", title="x", preset=PAPER).data == tuple(DATA)
