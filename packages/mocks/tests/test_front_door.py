"""The names at the top of the package."""

from earnest_common.testing import front_door_problems


def test_names():
    assert front_door_problems("earnest_mocks") == []
