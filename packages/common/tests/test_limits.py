"""Laws of limits: they come from whatever package knows one, and not knowing is an answer, not an error."""

from dataclasses import replace
from importlib.metadata import EntryPoint

import pytest
from earnest_common import plugins
from earnest_common.errors import InputError, PluginError
from earnest_common.plugins import LIMITS, known_limit
from earnest_common.survey.limits import Limit

LIMIT = Limit(scatter=0.015, scatter_err=0.001, n_catalogs=100, text="this test")


def only_of_weak_lensing(preset: str, *, columns: tuple[str, ...]) -> Limit | None:
    return LIMIT if preset == "paper" and "m_wl" in columns else None


def knows_nothing(preset: str, *, columns: tuple[str, ...]) -> Limit | None:
    return None


def offer(monkeypatch: pytest.MonkeyPatch, *names: str):
    points = [EntryPoint(name, f"{__name__}:{name}", LIMITS) for name in names]
    monkeypatch.setattr(plugins, "entry_points", lambda group: points if group == LIMITS else [])
    monkeypatch.setattr(EntryPoint, "load", lambda point: globals()[point.attr])


def test_nobody_offers_one(monkeypatch: pytest.MonkeyPatch):
    offer(monkeypatch)
    assert known_limit("paper", columns=("m_wl",)) is None


def test_the_first_that_knows(monkeypatch: pytest.MonkeyPatch):
    offer(monkeypatch, "knows_nothing", "only_of_weak_lensing")
    assert known_limit("paper", columns=("t_x", "m_wl")) is LIMIT
    assert known_limit("paper", columns=("t_x",)) is None
    assert known_limit("a preset of the future", columns=("m_wl",)) is None


def test_broken_package_is_told(monkeypatch: pytest.MonkeyPatch):
    point = EntryPoint("broken", "no_such_package_of_earnest:limit", LIMITS)
    monkeypatch.setattr(plugins, "entry_points", lambda group: [point])
    with pytest.raises(PluginError, match=r"'broken' of earnest\.limits cannot be loaded"):
        known_limit("paper", columns=())


def test_efficiency_is_a_ratio_of_variances():
    assert LIMIT.efficiency(LIMIT.scatter) == 1
    assert LIMIT.efficiency(2 * LIMIT.scatter) == pytest.approx(0.25)
    assert LIMIT.efficiency_without_grid(LIMIT.scatter) is None
    more = replace(LIMIT, without_grid=0.02, fewer_inputs=True)
    assert more.efficiency(0.02) is more.efficiency_without_grid(0.02) is None
    assert replace(LIMIT, without_grid=2 * LIMIT.scatter).efficiency_without_grid(2 * LIMIT.scatter) == 1


@pytest.mark.parametrize("change", [{"scatter": 0.0}, {"scatter_err": -0.1}, {"n_catalogs": 0}])
def test_impossible_limits(change: dict[str, float]):
    with pytest.raises(InputError, match="limit"):
        Limit(**({"scatter": 0.01, "scatter_err": 0.001, "n_catalogs": 10, "text": ""} | change))
