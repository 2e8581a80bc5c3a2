"""Laws of drawings from other hands: they draw and do nothing else, and their names are no paths."""

import json
from pathlib import Path

import pytest
from earnest_common.errors import InputError
from earnest_common.report.drawing import draw
from earnest_common.report.section import Figure, read_section
from earnest_common.report.svg import check_name, check_svg, natural_size

SVG = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">{}</svg>'


@pytest.mark.parametrize(
    "name", ["../x", "/x", "a/b", "a\\b", "", ".", "..", ".hidden", "a b", "é", "x" * 101, "a\n", 3]
)
def test_names_that_are_not_plain_are_refused(name: object):
    with pytest.raises(InputError, match=r"figure name .* is not plain"):
        check_name(name)


def test_a_section_with_such_a_name_is_neither_written_nor_read(tmp_path: Path):
    figure = {"name": "../plain", "svg": "<svg/>", "alt": "", "caption": ""}
    parts = {"key": "k", "title": "t", "text": [], "tables": [], "summary": {}, "provenance": {}}
    record = {"format": "earnest-section-1", **parts, "figures": [figure]}
    (tmp_path / "other.json").write_text(json.dumps(record))
    with pytest.raises(InputError, match=r"'\.\./plain' is not plain"):
        read_section(tmp_path / "other.json")
    with pytest.raises(InputError, match=r"'\.\./plain' is not plain"):
        Figure(name="../plain", svg="<svg/>", alt="", caption="")


@pytest.mark.parametrize(
    "svg",
    [
        "",
        "not xml",
        "<html></html>",
        "<svg><g></svg>",
        '<!DOCTYPE x [<!ENTITY a "b">]><svg>&a;</svg>',
        "<svg\ud800/>",
        7,
    ],
)
def test_what_is_not_a_drawing_is_refused(svg: object):
    with pytest.raises(InputError, match=r"figure 'f' is (not )?an SVG document"):
        check_svg(svg, name="f")


@pytest.mark.parametrize(
    "part",
    [
        "<script>1</script>",
        "<g><foreignObject/></g>",
        '<rect onclick="1"/>',
        '<image xlink:href="https://example.org/x.png"/>',
        '<use href="other.svg#x"/>',
        '<a href="javascript:1"/>',
        "<style>@import 'x'</style>",
        "<style>* {fill: url( 'https://example.org')}</style>",
        '<image href="data:text/html;base64,AAAA"/>',
    ],
)
def test_what_acts_or_fetches_is_refused(part: str):
    with pytest.raises(InputError, match="figure 'f'"):
        check_svg(SVG.format(part), name="f")


def test_uses_within_uses_are_counted_as_they_are_drawn():
    def nested(levels: int) -> str:
        twice = ["<use xlink:href='#l{0}'/><use xlink:href='#l{0}'/>".format(k - 1) for k in range(1, levels)]
        groups = "".join(f"<g id='l{k}'>{inner}</g>" for k, inner in enumerate(["<path/>", *twice]))
        return SVG.format(groups)

    check_svg(nested(6), name="f")
    with pytest.raises(InputError, match="draws more than"):
        check_svg(nested(40), name="f")
    with pytest.raises(InputError, match="draws more than"):
        check_svg(SVG.format("<g id='a'><use href='#a'/></g>"), name="f")


def test_our_own_drawings_pass_with_their_size():
    svg = draw(lambda axes: axes.pcolormesh([[1, 2], [3, 4]], rasterized=True), size=(4.0, 3.0))
    check_svg(svg, name="f")
    assert natural_size(svg, name="f") == pytest.approx((4.0 * 96, 3.0 * 96))
