"""Surveys from presets, files and options, and what is refused."""

from dataclasses import replace

import numpy as np
import pytest
from earnest_common.errors import InputError
from earnest_common.survey.presets import MAGNETICUM_VOLUME, PRESETS
from earnest_common.survey.priors import Uniform
from earnest_selfcal.survey.config import resolve_survey


@pytest.mark.parametrize("name", PRESETS)
def test_no_change_is_the_preset(name):
    assert resolve_survey(options={"preset": name}) == PRESETS[name]


def test_option_wins_over_file_and_file_over_preset(tmp_path):
    file = tmp_path / "survey.toml"
    file.write_text(
        'preset = "realistic"\nz = 0.05\nvolume_fraction = 0.3\n'
        "[priors]\nsigma8 = { low = 0.6, high = 1.0 }\n[relations.l_x]\nscatter = 0.18\n"
    )
    survey = resolve_survey(file=file, options={"volume_fraction": 0.8, "z": None})
    assert survey.name == "realistic"
    assert survey.survey.z == 0.05
    assert survey.survey.volume == 0.8 * MAGNETICUM_VOLUME
    assert survey.priors == replace(PRESETS["realistic"].priors, sigma8=Uniform(low=0.6, high=1.0))
    law = PRESETS["realistic"].relations.l_x
    e = [np.sqrt(0.272 * (1 + z) ** 3 + 0.728) for z in (0.05, 0.0663)]
    moved = law.log10_normalisation + 7 / 3 * np.log10(e[0] / e[1])
    assert survey.relations.l_x.log10_normalisation == pytest.approx(moved, abs=1e-12)
    assert survey.relations.l_x == replace(
        law, scatter=0.18, log10_normalisation=survey.relations.l_x.log10_normalisation
    )


def test_relations_are_moved_to_another_redshift_and_the_break_stays():
    near, far = resolve_survey(), resolve_survey(options={"z": 0.3})
    e = [np.sqrt(0.272 * (1 + z) ** 3 + 0.728) for z in (0.3, 0.0663)]
    change = np.log10(e[0] / e[1])
    for name, power in (("l_x", 7 / 3), ("t_x", 2 / 3), ("m_gas", 0)):
        laws = [getattr(one.relations, name).log10_normalisation for one in (near, far)]
        assert laws[1] - laws[0] == pytest.approx(power * change, abs=1e-12)
    assert far.survey.selection.log10_m_break_of(far.relations.l_x) == pytest.approx(14.4, abs=1e-12)


def test_the_break_keeps_its_mass_when_the_relation_changes():
    survey = resolve_survey(options={"relations": {"l_x": {"slope": 1.5, "log10_normalisation": 0.1}}})
    assert survey.survey.selection.log10_m_break_of(survey.relations.l_x) == pytest.approx(14.4)


OF_MOCKS = """
[survey]
volume = 1e8
z = 0.05
cut = "flux"
[survey.selection]
log10_m_min = 13.8
[priors.sigma8]
low = 0.6
[donors]
half_width = 0.05
"""


def test_a_configuration_of_mocks_is_the_same_survey(tmp_path):
    (tmp_path / "mocks.toml").write_text(OF_MOCKS)
    (tmp_path / "flat.toml").write_text(
        'volume = 1e8\nz = 0.05\ncut = "flux"\nlog10_m_min = 13.8\n'
        "[priors.sigma8]\nlow = 0.6\nhigh = 0.92\nstep = 0.01\n"
    )
    for options in ({"preset": "paper"}, {"slope": 2.0}, {"relations": {"l_x": {"slope": 1.5}}}):
        both = [resolve_survey(file=tmp_path / name, options=options) for name in ("mocks.toml", "flat.toml")]
        assert both[0] == both[1]
        assert both[0].survey.volume == 1e8
    realistic = resolve_survey(file=tmp_path / "mocks.toml", options={"preset": "realistic"})
    assert (realistic.name, realistic.priors.sigma8) == ("realistic", Uniform(low=0.6, high=0.92))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[survey]\nvolumen = 1\n", r"own\.toml: table survey: unknown field\(s\) volumen; allowed are volume"),
        ("[survey]\n[noise]\nt_x = 0.1\n", r"own\.toml: noise would change the forward model.*--set SET"),
        ("volume_fraction = 0.3\n[survey]\nz = 0.05\n", r"unknown field\(s\) volume_fraction; allowed are survey"),
    ],
)
def test_configurations_of_mocks_that_cannot_be(tmp_path, text, message):
    (tmp_path / "own.toml").write_text(text)
    with pytest.raises(InputError, match=message):
        resolve_survey(file=tmp_path / "own.toml")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"area": 3.0}, "unknown field.* area; allowed are preset, volume_fraction"),
        ({"cut": "redshift"}, "cut: Input should be 'mass' or 'flux'"),
        ({"volume": 1e8, "volume_fraction": 0.5}, "say the same; give one of them"),
        ({"volume_fraction": -0.5}, "must be positive"),
        ({"log10_m_min": 14.5}, "must lie below log10_m_break"),
        ({"priors": {"sigma9": {"low": 0.7, "high": 0.9}}}, "unknown prior sigma9; allowed are sigma8"),
        ({"priors": {"sigma8": {"low": 0.9, "high": 0.7}}}, "low must not exceed high"),
        ({"relations": {"l_x": {"amplitude": 1.0}}}, "relations.l_x.*amplitude"),
        ({"correlation": {"t_x_m_gas": 0.9, "l_x_m_gas": 0.9, "l_x_t_x": -0.9}}, "negative eigenvalue"),
        ({"preset": "sdss"}, "choose one of paper, paper-h, paper-msun, realistic"),
        ({"preset": "overspecialised"}, "for mocks alone: .* follow sigma8 by a prescription"),
    ],
)
def test_surveys_that_cannot_be(options, message):
    with pytest.raises(InputError, match=message):
        resolve_survey(options=options)
