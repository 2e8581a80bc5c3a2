"""The page itself: questions in a fixed order, numbered figures and tables, one style sheet, no script."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any, Final, final

from earnest_common.errors import InputError
from earnest_common.report.section import DataTable, Figure, Section
from earnest_common.report.svg import natural_size

from earnest_interpret.page.reasons import Reason
from earnest_interpret.page.text import column, is_number, lines_of, prose

__all__ = ["MAX_BYTES", "QUESTIONS", "Headline", "Page", "question_of", "render"]

QUESTIONS: Final = {
    "accuracy": "How accurate is it?",
    "why": "Why this answer?",
    "clusters": "Which clusters matter?",
    "inputs": "Which inputs is it sensitive to?",
    "terse": "What does the terse number mean?",
    "verdict": "Is it overspecialised?",
    "applicability": "May it be applied elsewhere?",
    "counts": "What do counts alone give?",
    "reality": "What is real and what is emulated?",
    "more": "What else is there?",
    "provenance": "How was this made?",
}
"""The questions in order. A section answers the one that its key begins with, as in ``accuracy.table_4``."""

_ALSO: Final = {"model": "accuracy", "selfcal": "counts", "mocks": "reality", "real": "reality"}
"""Other beginnings of keys, after the packages that write them."""

MAX_BYTES: Final = 5_000_000
"""Largest page that is written."""

_PIXELS_LARGE = 760.0
_NAMESPACE = "http://www.w3.org/2000/svg"
_OUTCOMES = {
    "finding": "",
    "passed": "check passed",
    "failed": "check failed",
    "impossible": "not possible",
    "undetermined": "withheld",
}


@final
@dataclass(frozen=True, kw_only=True)
class Headline:
    """One number at the top of the page.

    Attributes
    ----------
    label
        What it is.
    value
        The number as text.
    note
        What to compare it with, or why it is missing.
    """

    label: str
    value: str
    note: str = ""


@final
@dataclass(frozen=True, kw_only=True)
class Page:
    """Everything that is on the page.

    Attributes
    ----------
    title, subtitle
        Heading, and the model and catalogs in words.
    synthetic
        What the catalogs emulate; ``None`` if they are real.
    headlines, note
        Numbers at the top, and what must be known of them.
    reasons
        Sentences under "Why this answer?".
    sections
        Figures, tables and sentences, in the order within each question.
    silence
        For a question without sections, the sentence that says why.
    provenance
        How the page was made.
    """

    title: str
    subtitle: str
    synthetic: str | None = None
    headlines: tuple[Headline, ...] = ()
    note: str = ""
    reasons: tuple[Reason, ...] = ()
    sections: tuple[Section, ...] = ()
    silence: Mapping[str, str] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)


def question_of(section: Section) -> str:
    """Return the question that a section answers.

    Examples
    --------
    >>> question_of(Section(key="counts.peak", title="The peak")), question_of(Section(key="extra", title="Extra"))
    ('counts', 'more')
    """
    first = section.key.replace("/", ".").partition(".")[0]
    question = _ALSO.get(first, first)
    return question if question in QUESTIONS else "more"


def render(page: Page) -> str:
    """Return the page as one HTML document that needs no other file, no script and no network.

    Raises
    ------
    InputError
        If the page exceeds ``MAX_BYTES``.
    """
    # Imported here because only the report needs it.
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("earnest_interpret.page", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["prose"] = prose
    html = environment.get_template("page.html").render(
        page=page,
        style=files("earnest_interpret.page").joinpath("page.css").read_text(encoding="utf-8"),
        questions=_questions(page),
        outcomes=_OUTCOMES,
        provenance=lines_of(page.provenance),
    )
    size = len(html.encode())
    if size > MAX_BYTES:
        raise InputError(f"the page would be {size:,} bytes, more than {MAX_BYTES:,}; include fewer or lighter figures")
    return html


def _questions(page: Page) -> list[dict[str, Any]]:
    """Return the questions with their sections; figures and tables are numbered in reading order."""
    found: list[dict[str, Any]] = []
    n_figures = n_tables = 0
    for key, title in QUESTIONS.items():
        blocks = []
        for section in (s for s in page.sections if question_of(s) == key):
            drawn = [_figure(f, n_figures + k) for k, f in enumerate(section.figures, start=1)]
            tables = [_table(t, n_tables + k) for k, t in enumerate(section.tables, start=1)]
            n_figures, n_tables = n_figures + len(drawn), n_tables + len(tables)
            blocks.append(
                {
                    "title": section.title,
                    "text": section.text,
                    "figures": drawn,
                    "tables": tables,
                    "width": _width(drawn),
                }
            )
        silent = page.silence.get(key, "")
        if blocks or silent or (key == "why" and page.reasons) or (key == "provenance" and page.provenance):
            found.append({"key": key, "title": title, "sections": blocks, "silence": silent})
    return found


def _width(figures: Sequence[Mapping[str, Any]]) -> int:
    """Return the natural width that the columns of a row of figures are made for."""
    return max((figure["width"] for figure in figures if not figure["is_wide"]), default=round(_PIXELS_LARGE))


def _figure(figure: Figure, number: int) -> dict[str, Any]:
    """Return a figure as an image, in which a browser runs no script and fetches nothing."""
    width, height = natural_size(figure.svg, name=figure.name)
    # An image needs the namespace that an element of HTML may leave out.
    svg = figure.svg if _NAMESPACE in figure.svg else figure.svg.replace("<svg", f'<svg xmlns="{_NAMESPACE}"', 1)
    return {
        "number": number,
        "source": f"data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}",
        "alt": figure.alt,
        "width": round(width),
        "height": round(height),
        "caption": figure.caption,
        "is_wide": width > _PIXELS_LARGE,
    }


def _table(table: DataTable, number: int) -> dict[str, Any]:
    columns = [[row[k] for row in table.rows] for k in range(len(table.columns))]
    numeric = [all(is_number(value) for value in values) for values in columns]
    rows = zip(*(column(values) for values in columns), strict=True)
    return {
        "number": number,
        "caption": table.caption,
        "columns": list(zip(table.columns, numeric, strict=True)),
        "rows": [list(zip(row, numeric, strict=True)) for row in rows],
        "is_long": len(table.rows) > 24,
    }
