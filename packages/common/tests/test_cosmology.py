"""Cosmology: plain numbers, refused when impossible."""

from dataclasses import replace

import pytest
from earnest_common.errors import InputError
from earnest_common.survey.cosmology import MAGNETICUM


def test_hubble_constant_in_units_of_100():
    assert MAGNETICUM.h == pytest.approx(0.704)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"Om0": -0.1}, "must be positive, found Om0"),
        ({"Ob0": 0.5}, "0 < Ob0 < Om0"),
        ({"sigma8": 0.0}, "sigma8 = 0.0"),
    ],
)
def test_impossible_cosmology_is_refused(change, message):
    with pytest.raises(InputError, match=message):
        replace(MAGNETICUM, **change)
