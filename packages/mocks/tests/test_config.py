"""Configurations: presets, changes by file and option, and messages for those that cannot be used."""

import pytest
from earnest_common.errors import InputError
from earnest_common.survey.presets import preset
from earnest_mocks.catalogs.config import DonorRule, resolve_config


def test_presets_bring_their_own_survey_priors_and_donors():
    paper, realistic = resolve_config("paper"), resolve_config("realistic")
    assert paper.survey == preset("paper").survey
    assert realistic.survey.cut == "flux"
    assert not realistic.priors.grid
    assert paper.donors == DonorRule()
    assert realistic.donors.split


def test_an_option_wins_over_the_file_and_the_file_over_the_preset(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text(
        'base_sample = "mine.parquet"\n[survey]\nvolume = 1e8\n[survey.selection]\nlog10_m_break = 14.3\n'
        "[priors.sigma8]\nlow = 0.75\n[donors]\nat_least = 3\n"
    )
    found = resolve_config("realistic", file=file, options={"survey": {"volume": 2e8}})
    assert found.survey.volume == 2e8
    assert found.survey.selection.log10_m_break == 14.3
    assert found.survey.selection.l_x == preset("realistic").survey.selection.l_x
    assert found.survey.cut == "flux"
    assert (found.priors.sigma8.low, found.priors.sigma8.high) == (0.75, 0.92)
    assert found.donors == DonorRule(at_least=3, split=True, recombine=0.3)
    assert str(found.base_sample) == "mine.parquet"


WRONG = {
    "unknown field": ({"volume": 1}, "unknown field.s. volume; allowed are preset, survey, priors"),
    "unknown nested field": (
        {"survey": {"volumen": 1}},
        "table survey: unknown field.s. volumen; allowed are volume, z",
    ),
    "wrong type": ({"survey": {"volume": "big"}}, "survey.volume: Input should be a valid number.* found 'big'"),
    "wrong choice": ({"survey": {"cut": "x"}}, "survey.cut: Input should be 'mass' or 'flux', found 'x'"),
    "number for a table": ({"survey": 3}, "survey = 3 must be a table with the fields volume"),
    "impossible survey": ({"survey": {"volume": -1}}, r"volume = -1.0 must be positive"),
    "impossible prior": ({"priors": {"sigma8": {"low": 1.0}}}, "low must not exceed high"),
    "impossible cosmology": ({"cosmology": {"Om0": 1.2}}, "Ob0 < Om0 <= 1 must hold"),
    "break below the cut": ({"survey": {"selection": {"log10_m_min": 14.5}}}, "must lie below log10_m_break"),
    "preset as a field": ({"preset": "paper"}, "'preset' is not a field to change"),
}


@pytest.mark.parametrize(("options", "message"), WRONG.values(), ids=WRONG)
def test_what_cannot_be_used_is_named(options, message):
    with pytest.raises(InputError, match=message):
        resolve_config("paper", options=options)


def test_all_wrong_fields_are_named_at_once():
    with pytest.raises(InputError, match="2 field") as caught:
        resolve_config("paper", options={"survey": {"a": 1}, "priors": {"b": 2}})
    assert "table survey: unknown field(s) a" in str(caught.value)
    assert "table priors: unknown field(s) b" in str(caught.value)
