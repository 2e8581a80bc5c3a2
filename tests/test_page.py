"""The report page in a real browser: no request, no error, every figure seen, no sideways scroll, light and dark."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from earnest_common.report.section import DataTable, Figure, Section
from earnest_common.testing import toy_batch
from earnest_interpret.page.interpretation import InterpretConfig, interpret
from earnest_interpret.page.report import build_report, write_report
from earnest_interpret.sample import Sample
from earnest_interpret.testing import SaturatingEstimator

FLAGS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]
VIEWS = [(scheme, width) for scheme in ("light", "dark") for width in (1280, 400)]
WORDS_OF_THE_PAGE = (
    *("How accurate is it?", "Why this answer?", "Which clusters matter?", "Which inputs is it sensitive to?"),
    *("What does the terse number mean?", "Is it overspecialised?", "What do counts alone give?"),
    *("What is real and what is emulated?", "How was this made?"),
)

WIDE = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="1200" height="300" viewBox="0 0 1200 300">'
    '<rect width="1200" height="300" fill="white"/><path d="M 0 300 L 1200 0" stroke="black"/></svg>'
)


def make_page(path: Path) -> dict[str, Any]:
    """Write a page with an analytic estimator, a wide figure and a wide table of another package."""
    weights = {"log10_t_x": 0.4, **{f"log10_m_gas_profile_{k}": 0.03 * k for k in range(1, 8)}}
    estimator = SaturatingEstimator(weights=weights, constant=-0.02, per_terse=-0.1, per_ln_n=0.21, error=0.03)
    sample = Sample(batch=toy_batch(n_catalogs=60, seed=1), n_available=60, synthetic="toy clusters, no survey")
    found = interpret(estimator, sample, InterpretConfig(n_permutations=199))
    table = DataTable(
        name="wide", columns=tuple(f"a long heading {k}" for k in range(14)), rows=(tuple(range(14)),), caption="Wide."
    )
    figure = Figure(name="wide", svg=WIDE, alt="A line.", caption="A line rises.")
    counts = Section(key="counts", title="N", figures=(figure,), tables=(table,), summary={"n_only_scatter": 0.037})
    report = build_report(found, model="An analytic model", include=(counts,), provenance={"seed": 1})
    write_report(path, report)
    return dict(report.numbers)


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "page.html"
    make_page(path)
    return path


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="the browser test needs playwright")
    found = next(
        (p for n in ("chromium", "chromium-browser", "google-chrome", "chrome") if (p := shutil.which(n))), None
    )
    if found is None:
        pytest.skip("the browser test needs Chromium on PATH (apt install chromium)")
    with playwright.sync_playwright() as running:
        opened = running.chromium.launch(executable_path=found, args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture(params=VIEWS, ids=[f"{scheme}-{width}" for scheme, width in VIEWS])
def view(request: pytest.FixtureRequest, browser: Any, page_file: Path) -> Iterator[Any]:
    """The page as opened, which fails the test on any request or error."""
    scheme, width = request.param
    view = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    trouble: list[str] = []
    url = page_file.as_uri()
    view.on("request", lambda r: None if r.url == url or r.url.startswith("data:") else trouble.append(r.url))
    view.on("console", lambda message: trouble.append(message.text))
    view.on("pageerror", lambda error: trouble.append(str(error)))
    view.goto(url)
    yield view
    assert trouble == []
    view.close()


def test_every_figure_is_seen_and_nothing_scrolls_sideways(view: Any):
    headings = view.locator("main section > h2").all_inner_texts()
    assert tuple(headings) == WORDS_OF_THE_PAGE
    figures = view.locator("figure .drawing > img")
    assert figures.count() >= 15
    for k in range(figures.count()):
        box = figures.nth(k).bounding_box()
        assert box["width"] > 150
        assert box["height"] > 60
        assert figures.nth(k).is_visible()
        assert figures.nth(k).evaluate("image => image.decode().then(() => image.naturalWidth)") > 150
        assert len(figures.nth(k).get_attribute("alt")) > 5
    assert view.evaluate("document.documentElement.scrollWidth") <= view.viewport_size["width"]


def test_captions_and_tables_stay_inside(view: Any):
    width = view.viewport_size["width"]
    for box in view.evaluate(
        "[...document.querySelectorAll('p, figcaption, h1, h2, h3, dd, li')].map(e => e.getBoundingClientRect().right)"
    ):
        assert box <= width + 0.5
    wide = view.locator(".table", has_text="a long heading 13")
    assert wide.evaluate("e => e.scrollWidth > e.clientWidth")  # it scrolls within its own frame
    assert wide.evaluate("e => (e.scrollLeft = 100, e.scrollLeft)") > 0


def test_text_is_readable(view: Any):
    """Contrast of running text and captions against the paper, as WCAG asks (4.5)."""
    ratio = """selector => {
      const linear = c => { c /= 255; return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4 };
      const luminance = text => { const [r, g, b] = text.match(/[\\d.]+/g).map(Number);
        return 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b) };
      const ink = luminance(getComputedStyle(document.querySelector(selector)).color);
      const paper = luminance(getComputedStyle(document.body).backgroundColor);
      return (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05) }"""
    for selector in ("main p", "figcaption", "nav a", ".headlines .note", ".passed .outcome", ".synthetic strong"):
        assert view.evaluate(ratio, selector) >= 4.5, selector
    size = view.evaluate("parseFloat(getComputedStyle(document.querySelector('main p')).fontSize)")
    assert size >= 16


def test_the_keyboard_reaches_everything(view: Any):
    view.keyboard.press("Tab")
    assert view.evaluate("document.activeElement.className") == "skip"
    view.keyboard.press("Enter")
    assert view.evaluate("document.activeElement.id") == "content"
    assert view.evaluate(
        "[...document.querySelectorAll('nav a')].every(a => document.querySelector(a.getAttribute('href')))"
    )
    regions = view.locator("[role=region]")
    assert regions.count() > 3
    assert all(region.get_attribute("tabindex") == "0" for region in regions.all())


def test_it_prints(browser: Any, page_file: Path):
    view = browser.new_page(color_scheme="dark")
    view.goto(page_file.as_uri())
    view.emulate_media(media="print", color_scheme="dark")
    assert view.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert not view.locator("nav").is_visible()
    view.close()


def test_the_page_is_small_whole_and_the_same_again(page_file: Path, tmp_path: Path):
    html = page_file.read_text()
    assert len(html.encode()) < 3_000_000
    assert "http" not in html.replace("http-equiv", "").replace("http://www.w3.org", "")
    numbers = make_page(tmp_path / "again.html")
    assert (tmp_path / "again.html").read_bytes() == page_file.read_bytes()
    assert json.loads(page_file.with_suffix(".json").read_text()) == numbers
