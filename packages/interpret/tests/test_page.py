"""Laws of the page: nothing acts, nothing is fetched, every name is unique, and the bytes are reproducible."""

import re
from html.parser import HTMLParser

import numpy as np
import pytest
from earnest_common.drawing import draw
from earnest_common.errors import InputError
from earnest_common.section import DataTable, Figure, Section
from earnest_interpret.page import QUESTIONS, Headline, Page, question_of, render
from earnest_interpret.page.colour import for_dark_paper, to_hex
from earnest_interpret.page.render import MAX_BYTES
from earnest_interpret.page.svg import inline
from earnest_interpret.page.text import column, prose
from earnest_interpret.palette import loudness

EVIL = '<script>alert(1)</script><img src="https://example.org/x.png" onerror="alert(2)">'
VOID = {"meta", "link", "br", "img", "hr", "input"}


class Reader(HTMLParser):
    """Collect elements and attributes, and check that elements nest."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.open: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def read(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    assert reader.open == []
    return reader


def figure(name: str, svg: str | None = None) -> Figure:
    drawn = svg or draw(lambda axes: axes.plot([0, 1], [0, 1], clip_on=True, label="x"))
    return Figure(name=name, svg=drawn, alt=f"A line, {EVIL}", caption=f"It rises {EVIL}")


def page(*sections: Section, **fields) -> str:
    return render(Page(title=f"Title {EVIL}", subtitle=EVIL, sections=sections, **fields))


def section(key: str = "accuracy", **fields) -> Section:
    return Section(key=key, title=f"Part {EVIL}", text=(EVIL,), **fields)


def test_prose_is_escaped_and_nothing_acts_or_is_fetched():
    table = DataTable(name="t", columns=(EVIL, "n"), rows=((EVIL, 1), (None, 2)), caption=EVIL)
    html = page(
        section(figures=(figure("one"),), tables=(table,)),
        synthetic=EVIL,
        headlines=(Headline(label=EVIL, value=EVIL, note=EVIL),),
        silence={"counts": EVIL},
        provenance={EVIL: {"deep": [EVIL]}},
    )
    reader = read(html)
    assert "script" not in reader.tags
    assert "img" not in reader.tags
    assert not [name for _, name, _ in reader.attributes if name.startswith("on")]
    fetching = [(t, n, v) for t, n, v in reader.attributes if n in ("src", "href", "srcset", "data", "action")]
    assert all(value.startswith(("#", "data:image/png;base64,", "data:,")) for _, _, value in fetching)
    assert not re.search(r"url\((?!#f\d)", html)
    assert "@import" not in html


def test_ids_are_unique_and_references_have_targets():
    html = page(
        section("accuracy", figures=(figure("same"), figure("other"))), section("counts", figures=(figure("same"),))
    )
    reader = read(html)
    ids = [value for _, name, value in reader.attributes if name == "id"]
    assert len(ids) == len(set(ids))
    wanted = {v[1:] for _, name, v in reader.attributes if name == "href" and v.startswith("#")}
    wanted |= set(re.findall(r"url\(#([^)]+)\)", html))
    wanted |= {v for _, name, v in reader.attributes if name == "aria-labelledby"}
    assert wanted <= set(ids)
    assert html.count('role="img"') == 3


def test_the_same_numbers_give_the_same_bytes():
    first, second = (page(section(figures=(figure("one"),)), provenance={"seed": 1}) for _ in range(2))
    assert first == second


def test_questions_come_in_order_and_figures_count_on():
    keys = ("selfcal", "weird", "terse.x", "mocks", "accuracy/table", "real")
    html = page(*(section(key, figures=(figure(f"f{key}"),)) for key in keys))
    places = [html.index(f'<section id="{question}"') for question in QUESTIONS if f'<section id="{question}"' in html]
    assert places == sorted(places)
    assert re.findall(r"<b>Figure (\d)", html) == ["1", "2", "3", "4", "5", "6"]
    assert [question_of(section(key)) for key in keys] == ["counts", "more", "terse", "reality", "accuracy", "reality"]


def test_tables_have_headers_and_even_decimals():
    table = DataTable(name="t", columns=("name", "x"), rows=(("a", -0.5), ("b", 0.125)), caption="c")
    html = page(section(tables=(table,)))
    assert html.count('scope="col"') == 2
    assert html.count('scope="row"') == 2
    assert ">\N{MINUS SIGN}0.500<" in html


@pytest.mark.parametrize(
    "svg", ["", "not xml", "<html></html>", "<svg><g></svg>", '<!DOCTYPE x [<!ENTITY a "b">]><svg>&a;</svg>']
)
def test_what_is_not_a_drawing_is_refused(svg):
    with pytest.raises(InputError, match="SVG"):
        inline(svg, prefix="f", alt="")


def test_a_page_too_large_is_refused():
    path = f"<path d='{'M 0 0 ' * (MAX_BYTES // 6)}'/>"
    with pytest.raises(InputError, match="more than"):
        page(section(figures=(figure("large", f"<svg width='1' height='1'>{path}</svg>"),)))


def test_drawings_are_disarmed():
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="100pt" '
        'height="50pt" onload="alert(1)"><style>* {fill: url(https://example.org)}</style><script>alert(1)</script>'
        '<foreignObject><p>x</p></foreignObject><a xlink:href="https://example.org"><path d="M 0 0"/></a>'
        '<image xlink:href="https://example.org/x.png"/><use xlink:href="other.svg#x"/>'
        '<rect id="r" style="fill: url(https://example.org#a)" stroke="red" onclick="alert(1)"/>'
        '<rect style="fill: url(#g)"/><linearGradient id="g"/><text>a &lt; b</text></svg>'
    )
    drawing = inline(svg, prefix="p", alt='a "quoted" alt')
    for word in ("example.org", "alert", "script", "foreignObject", "other.svg", "<a", "style>"):
        assert word not in drawing.markup
    assert 'id="p-g"' in drawing.markup
    assert "url(#p-g)" in drawing.markup
    assert 'id="p-r"' not in drawing.markup  # nothing refers to it
    assert "a &lt; b" in drawing.markup
    assert 'aria-label="a &quot;quoted&quot; alt"' in drawing.markup
    assert drawing.width == pytest.approx(400 / 3)


def test_colours_become_variables_with_a_dark_side():
    svg = '<svg width="1" height="1"><path fill="#fff" stroke="black" style="stroke: #123; fill-opacity: 0.5"/></svg>'
    drawing = inline(svg, prefix="p", alt="")
    assert drawing.colours == {"#000000", "#ffffff", "#112233"}
    assert "fill-opacity:0.5" in drawing.markup
    html = page(section(figures=(figure("one", svg),)))
    for colour in drawing.colours:
        assert f"--k-{colour[1:]}:{colour};" in html
        assert f"--k-{colour[1:]}:{for_dark_paper(colour)};" in html


def _luminance(colour: str) -> float:
    parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: str, other: str) -> float:
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize(
    "colour", ["#000000", "#22262b", "#2f5f8f", "#b0512e", "#3f7d5e", "#b98a2b", "#440154", "#868c94"]
)
def test_lines_are_seen_on_dark_paper(colour):
    assert _contrast(for_dark_paper(colour), for_dark_paper("#ffffff")) > 3


def test_colours_are_read_in_every_form():
    assert [to_hex(text) for text in ("#ABC", "rgb(170,187,204)", "Black", "none", "url(#a)", "#12345")] == [
        *("#aabbcc", "#aabbcc", "#000000", None, None, None)
    ]


def test_columns_and_prose():
    assert [str(text) for text in column([1e-9, 2.5, None])] == [
        *("1 \N{MULTIPLICATION SIGN} 10<sup>\N{MINUS SIGN}9</sup>", "2.5", "\N{EN DASH}")
    ]
    assert str(prose("R₅₀₀ h⁻¹ M☉ Y_X max_rows")) == (
        "R<sub>500</sub>\N{NO-BREAK SPACE}h<sup>\N{MINUS SIGN}1</sup>\N{NO-BREAK SPACE}M<sub>☉</sub> "
        "Y<sub>X</sub> max_rows"
    )


HALF_TURN = np.array([[-0.574, 1.430, 0.144], [0.426, 0.430, 0.144], [0.426, 1.430, -0.856]])
"""CSS hue-rotate(180deg), from the specification of filter effects."""


@pytest.mark.parametrize("place", np.linspace(0, 1, 9))
def test_pictures_keep_clear_of_the_paper_inverted_or_not(place):
    """The page turns rasterised layers round with invert(1) hue-rotate(180deg) on dark paper."""
    rgb = np.array(loudness()(place)[:3])
    shown = [
        to_hex("rgb({},{},{})".format(*np.round(255 * c).astype(int)))
        for c in (rgb, np.clip(HALF_TURN @ (1 - rgb), 0, 1))
    ]
    assert _contrast(shown[0], "#ffffff") > 1.8
    assert _contrast(shown[1], for_dark_paper("#ffffff")) > 1.8
