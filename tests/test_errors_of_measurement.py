"""Mocks and self-calibration mean the same survey: the errors of measurement of each preset."""

from dataclasses import asdict

import pytest
from earnest_common.survey.presets import PRESETS, preset
from earnest_mocks.catalogs.config import resolve_config
from earnest_selfcal.survey.measurement_errors import noise_of, recorded_noise


@pytest.mark.parametrize("name", PRESETS)
def test_presets_have_the_same_errors(name):
    assert recorded_noise(asdict(resolve_config(name))) == noise_of(preset(name))
