"""Drawings are the same bytes for the same data, and say what to install where they cannot be made."""

import sys
from pathlib import Path

import pytest
from earnest_common.errors import InputError, MissingExtraError
from earnest_common.report.drawing import draw, draw_panels, require_svg


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


@pytest.mark.parametrize("name", ["p.docx", "p.png", "p"])
def test_only_names_of_svg_files_are_taken(name: str):
    with pytest.raises(InputError, match=r"figures are drawn as SVG; name it p\.svg"):
        require_svg(Path(name))
    require_svg(Path("p.svg"))
    require_svg(Path("P.SVG"))


def test_the_users_settings_of_matplotlib_change_no_figure_and_stay():
    import matplotlib as mpl

    def paint(axes):
        axes.plot([0, 1], [0, 1], label="$x^2$")
        axes.legend()

    before = draw(paint)
    other = {"text.usetex": True, "xtick.direction": "in", "font.size": 30, "axes.prop_cycle": "cycler('color', 'r')"}
    with mpl.rc_context({**other, "svg.fonttype": "none", "axes.formatter.use_locale": True}):
        mine = dict(mpl.rcParams)
        assert draw(paint) == before
        assert dict(mpl.rcParams) == mine
