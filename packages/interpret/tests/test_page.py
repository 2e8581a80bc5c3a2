"""Laws of the page: nothing acts, nothing is fetched, every name is unique, and the bytes are reproducible."""

import base64
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from earnest_common.errors import InputError
from earnest_common.report.drawing import draw
from earnest_common.report.section import DataTable, Figure, Section
from earnest_interpret.page import QUESTIONS, Headline, Page, question_of, render
from earnest_interpret.page.render import MAX_BYTES
from earnest_interpret.page.text import column, prose
from earnest_interpret.sections.palette import saliency_colours
from matplotlib.colors import to_hex

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
    assert reader.tags.count("img") == 1
    assert not [name for _, name, _ in reader.attributes if name.startswith("on")]
    fetching = [(t, n, v) for t, n, v in reader.attributes if n in ("src", "href", "srcset", "data", "action")]
    assert all(value.startswith(("#", "data:image/svg+xml;base64,", "data:,")) for _, _, value in fetching)
    assert "url(" not in html
    assert "@import" not in html


def test_ids_are_unique_and_references_have_targets():
    html = page(
        section("accuracy", figures=(figure("same"), figure("other"))), section("counts", figures=(figure("same"),))
    )
    reader = read(html)
    ids = [value for _, name, value in reader.attributes if name == "id"]
    assert len(ids) == len(set(ids))
    wanted = {v[1:] for _, name, v in reader.attributes if name == "href" and v.startswith("#")}
    wanted |= {v for _, name, v in reader.attributes if name == "aria-labelledby"}
    assert wanted <= set(ids)
    assert read(html).tags.count("img") == 3


def test_the_same_numbers_give_the_same_bytes():
    first, second = (page(section(figures=(figure("one"),)), provenance={"seed": 1}) for _ in range(2))
    assert first == second


def test_questions_come_in_order_and_figures_count_on():
    keys = ("selfcal", "weird", "terse.x", "mocks", "accuracy/table", "real")
    html = page(*(section(key, figures=(figure(f"f{key.replace('/', '-')}"),)) for key in keys))
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


def test_a_page_too_large_is_refused():
    path = f"<path d='{'M 0 0 ' * (MAX_BYTES // 6)}'/>"
    with pytest.raises(InputError, match="more than"):
        page(section(figures=(figure("large", f"<svg width='1' height='1'>{path}</svg>"),)))


def pictures(html: str) -> list[str]:
    sources = [value for tag, name, value in read(html).attributes if (tag, name) == ("img", "src")]
    prefix = "data:image/svg+xml;base64,"
    assert all(source.startswith(prefix) for source in sources)
    return [base64.b64decode(source.removeprefix(prefix)).decode() for source in sources]


def test_figures_are_images_which_a_browser_neither_runs_nor_lets_fetch():
    one, other = figure("one"), figure("other")
    assert pictures(page(section(figures=(one, other)))) == [one.svg, other.svg]


def test_a_drawing_without_the_namespace_of_images_gets_it():
    plain = Figure(name="plain", svg="<svg width='9' height='6'><g/></svg>", alt="", caption="")
    html = page(section(figures=(plain,)))
    assert pictures(html) == ["<svg xmlns=\"http://www.w3.org/2000/svg\" width='9' height='6'><g/></svg>"]
    assert {("img", "width", "9"), ("img", "height", "6")} <= set(read(html).attributes)


def _luminance(colour: str) -> float:
    parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: str, other: str) -> float:
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_columns_and_prose():
    assert [str(text) for text in column([1e-9, 2.5, None])] == [
        *("1 \N{MULTIPLICATION SIGN} 10<sup>\N{MINUS SIGN}9</sup>", "2.5", "\N{EN DASH}")
    ]
    assert str(prose("R₅₀₀ h⁻¹ M☉ Y_X max_rows")) == (
        "R<sub>500</sub>\N{NO-BREAK SPACE}h<sup>\N{MINUS SIGN}1</sup>\N{NO-BREAK SPACE}M<sub>☉</sub> "
        "Y<sub>X</sub> max_rows"
    )


@pytest.mark.parametrize("card", ["#ffffff", "#f1f2f3"])
@pytest.mark.parametrize("place", np.linspace(0, 1, 9))
def test_pictures_keep_clear_of_their_card_on_light_and_dark_pages(place, card):
    assert _contrast(to_hex(saliency_colours()(place)), card) > 1.7


def test_the_card_of_dark_pages_is_that_of_the_style_sheet():
    assert ".drawing img { padding: 10px; border-radius: 6px; background: #f1f2f3; }" in page()
