"""Drawings are the same bytes for the same data, and say what to install where they cannot be made."""

import sys

import pytest
from earnest_common.drawing import draw, draw_panels
from earnest_common.errors import MissingExtraError


def test_same_data_same_bytes():
    svgs = {draw_panels(lambda axes: [a.plot([0, 1], [0, 1]) for a in axes], panels=2, size=(4, 2)) for _ in range(2)}
    assert len(svgs) == 1
    assert svgs.pop().count('id="axes_') == 2


def test_no_date_and_no_outside_reference():
    svg = draw(lambda axes: axes.scatter([0, 1], [0, 1]))
    assert "<dc:date>" not in svg
    assert 'href="http' not in svg


def test_missing_matplotlib_is_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtraError, match=r'pip install "earnest-common\[figures\]"'):
        draw(lambda axes: axes.plot([0]))
