"""The names at the top of the package."""

from earnest_common.testing import front_door_problems


def test_names():
    assert front_door_problems("earnest_common") == []


def test_a_slip_is_told(monkeypatch):
    """What the test above would say of a name that the stub does not know."""
    import earnest_common

    monkeypatch.setattr(earnest_common, "__all__", [*earnest_common.__all__, "errors"])
    assert "errors is not in both stub and __all__" in front_door_problems("earnest_common")
