"""The report: one page and its numbers, from interpretation results and from the sections of other packages."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, final

from earnest_common.errors import InputError
from earnest_common.notebook import html_table, plural
from earnest_common.report.section import Figure, Section
from earnest_common.run.files import named
from earnest_common.run.numbers import json_ready
from earnest_common.run.parts import Content, Outputs
from earnest_common.run.records import ANSWER

from earnest_interpret.page import Headline, Page, question_of, render
from earnest_interpret.page.headlines import headline_numbers, headlines, samples_in_words
from earnest_interpret.page.interpretation import Interpretation
from earnest_interpret.words import format_number

__all__ = ["Report", "beside_page", "build_report", "read_summary", "write_report"]

TITLE: Final = "σ₈ from galaxy clusters, and the reasons for it"

_SILENCE: Final = {
    "verdict": (
        "This page gives no verdict. Testing whether a model is overspecialised takes at least 60 catalogs of known "
        "σ₈ that it was not trained on: use a larger set, or --split all with a set that is not that of the training."
    ),
    "counts": (
        "Not part of this page. The purely statistical answer from the number of clusters and their median Y_X comes "
        "from the package selfcal; include its section to see it here."
    ),
}


_MADE: Final = (
    "Configuration, seed, hashes of the inputs and versions, as in the JSON file beside this page. The same command on "
    "the same inputs with the same versions writes the same bytes."
)


@final
@dataclass(frozen=True, kw_only=True)
class Report:
    """A page and the numbers on it.

    Attributes
    ----------
    html
        The page.
    numbers
        The same as JSON values; ``reasons`` are the sentences, ``checks`` the sentences with their numbers.
    figures
        The figures on it, in its order.
    """

    html: str
    numbers: Mapping[str, Any]
    figures: tuple[Figure, ...] = ()

    def __repr__(self) -> str:
        """Return one line: on what, and how much there is on the page."""
        emulated = ", with emulated parts" if self.numbers["synthetic"] else ""
        return f"Report({self.numbers['sample']}: {plural(len(self.figures), 'figure')}{emulated})"

    def _repr_html_(self) -> str:
        summary = self.numbers["summary"]
        shown = ("scatter", "prior_scatter", "bias", "skill", "coverage_68")
        rows = {name: summary[name] for name in shown if name in summary}
        reasons = {f"reason {number}": text for number, text in enumerate(self.numbers["reasons"], start=1)}
        rows = {"catalogs": self.numbers["sample"], "synthetic": self.numbers["synthetic"], **rows, **reasons}
        return html_table(str(self.numbers["title"]), rows)

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers on the page by name."""
        return dict(self.numbers)


def build_report(
    interpretation: Interpretation,
    *,
    model: str,
    title: str = TITLE,
    include: Sequence[Section] = (),
    summaries: Sequence[Mapping[str, Any]] = (),
    provenance: Mapping[str, Any] | None = None,
) -> Report:
    """Return the report.

    Parameters
    ----------
    interpretation
        All results for the model and the sample.
    model
        The model in words.
    title
        Heading of the page.
    include
        Sections of other packages; each answers the question that its key begins with.
    summaries
        Records of headline numbers by name, which win over those of the sections and over interpret's own.
    provenance
        How the report is made.

    Raises
    ------
    InputError
        If an included figure is not an SVG document or makes the page too large.
    """
    headline = headline_numbers(interpretation.accuracy, include, summaries)
    page = Page(
        title=title,
        subtitle=f"{model}, interpreted on {interpretation.sample.text}.",
        synthetic=interpretation.synthetic,
        headlines=headlines(headline) if "scatter" in headline else _inferred(interpretation),
        note=samples_in_words(headline),
        reasons=interpretation.reasons,
        sections=(*include, *_own(interpretation, include)),
        silence={**_silence(include), "reality": _reality(interpretation), "provenance": _MADE},
        provenance=provenance or {},
    )
    numbers = {
        "title": title,
        "model": model,
        "summary": headline,
        **_numbers_of(interpretation, include),
        "provenance": provenance or {},
    }
    figures = tuple(figure for section in page.sections for figure in section.figures)
    return Report(html=render(page), numbers=json_ready(numbers), figures=figures)


def _own(interpretation: Interpretation, include: Sequence[Section]) -> list[Section]:
    """Return interpret's sections, without those that an included file replaces.

    Any section on accuracy that has figures replaces interpret's, which is on the sample alone.
    """
    replaced = {section.key for section in include}
    if any(question_of(section) == "accuracy" and section.figures for section in include):
        replaced.add("accuracy.interpret")
    return [section for section in interpretation.sections() if section.key not in replaced]


def _numbers_of(interpretation: Interpretation, include: Sequence[Section]) -> dict[str, Any]:
    checks = [
        {"key": r.key, "outcome": r.outcome, "text": r.text, "numbers": dict(r.numbers), "by_member": list(r.by_member)}
        for r in interpretation.reasons
    ]
    return {
        "reasons": [reason.text for reason in interpretation.reasons],
        "checks": checks,
        **interpretation.numbers(),
        "included": {section.key: dict(section.summary) for section in include},
    }


def write_report(path: Path, report: Report, *, figures: Path | None = None, outputs: Outputs | None = None) -> Path:
    """Write PAGE.html, PAGE.json beside it and a folder of figures together, and return the path of PAGE.json.

    Parameters
    ----------
    path
        The page.
    report
        What is written.
    figures
        Folder for one SVG file per figure, and their captions in ``captions.md``; of equal names the first.
    outputs
        The outputs, where they were opened before the work.

    Raises
    ------
    OutputExistsError
        If one of them is there already.
    """
    beside = beside_page(path)
    if outputs is None:
        outputs = Outputs.open((path, beside, figures), {"report": dict(report.numbers)})
    contents: dict[Path, Content] = {
        beside: json.dumps(report.numbers, indent=1, ensure_ascii=False) + "\n",
        path: report.html,
    }
    outputs.write(contents | ({} if figures is None else {figures: _figure_files(report)}))
    return beside


def beside_page(path: Path) -> Path:
    """Return where the numbers of a page go.

    Raises
    ------
    InputError
        If that is where the page goes.
    """
    if path.suffix == ".json":
        raise InputError(f"--out {path}: the page needs another suffix than .json, which its numbers take; use .html")
    return named(path).with_suffix(".json")


def _figure_files(report: Report) -> dict[str, str]:
    figures: dict[str, Figure] = {}
    for figure in report.figures:
        figures.setdefault(figure.name, figure)
    label = [f"Synthetic data: {report.numbers['synthetic']}."] if report.numbers["synthetic"] else []
    captions = [*label, *(f"**{name}.svg** {figure.caption}" for name, figure in figures.items())]
    return {
        **{f"{name}.svg": figure.svg for name, figure in figures.items()},
        "captions.md": "\n\n".join(captions) + "\n",
    }


def read_summary(path: Path) -> dict[str, Any]:
    """Return the JSON object in a file, such as the answer of ``earnest model evaluate --json``.

    Raises
    ------
    InputError
        If the file is not a JSON object.
    """
    return ANSWER.content(path)


def _inferred(interpretation: Interpretation) -> tuple[Headline, ...]:
    """Return the inferred values of the first unlabelled catalogs."""
    rows = interpretation.predictions.head(5).iter_rows(named=True)
    return tuple(
        Headline(
            label=f"σ₈ of catalog {row['catalog_id']}",
            value=format_number(row["sigma8"], 3),
            note=f"68 %: {format_number(row['sigma8_lo68'], 3)} to {format_number(row['sigma8_hi68'], 3)}",
        )
        for row in rows
    )


def _silence(include: Sequence[Section]) -> dict[str, str]:
    answered = {question_of(section) for section in include}
    return {question: text for question, text in _SILENCE.items() if question not in answered}


def _reality(interpretation: Interpretation) -> str:
    if interpretation.sample.synthetic:
        return (
            f"The catalogs of this page are emulated: {interpretation.sample.synthetic.rstrip('.')}. Every accuracy "
            "and every reason on it holds for such catalogs, and for real ones as far as they resemble them."
        )
    undeclared = "The catalog set does not declare its clusters as emulated"
    if not interpretation.synthetic:
        return f"{undeclared}."
    return f"{undeclared}, but the model was trained on what is: {interpretation.synthetic}."
