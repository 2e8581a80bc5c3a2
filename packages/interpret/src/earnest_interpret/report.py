"""The report: one page and its numbers, from what interpret finds and from the sections of other packages."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, final

from earnest_common.errors import InputError
from earnest_common.files import atomic_folder, refuse_existing, write_atomic
from earnest_common.section import Figure, Section

from earnest_interpret.accuracy import Accuracy
from earnest_interpret.interpretation import Interpretation
from earnest_interpret.page import Headline, Page, question_of, render
from earnest_interpret.words import fixed, percent, signed

__all__ = ["Report", "build_report", "finite", "read_summary", "write_figures", "write_report"]

TITLE: Final = "What the clusters say about σ₈, and why"

_SILENCE: Final = {
    "verdict": (
        "Nobody asked here: to tell whether a model is overspecialised takes at least 60 catalogs of known σ₈ that it "
        "was not trained on (earnest interpret verdict)."
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


def build_report(
    found: Interpretation,
    *,
    model: str,
    title: str = TITLE,
    include: Sequence[Section] = (),
    summary: Mapping[str, Any] | None = None,
    provenance: Mapping[str, Any] | None = None,
) -> Report:
    """Return the report.

    Parameters
    ----------
    found
        What interpret found.
    model
        The model in words.
    title
        Heading of the page.
    include
        Sections of other packages; each answers the question that its key begins with.
    summary
        Headline numbers by name, which win over those of the sections and over interpret's own.
    provenance
        How the report is made.

    Raises
    ------
    InputError
        If an included figure is not an SVG document or makes the page too large.
    """
    headline = _headline_numbers(found.accuracy, include, summary or {})
    page = Page(
        title=title,
        subtitle=f"{model}, interpreted on {found.sample.text}.",
        synthetic=found.sample.synthetic,
        headlines=_headlines(headline, found),
        reasons=found.reasons,
        sections=(*include, *_own(found, include)),
        silence={**_silence(include), "reality": _reality(found), "provenance": _MADE},
        provenance=provenance or {},
    )
    told = {
        "title": title,
        "model": model,
        "summary": headline,
        **_told(found, include),
        "provenance": provenance or {},
    }
    figures = tuple(figure for section in page.sections for figure in section.figures)
    return Report(html=render(page), numbers=finite(told), figures=figures)


def _own(found: Interpretation, include: Sequence[Section]) -> list[Section]:
    """Return interpret's sections, without those that an included file replaces.

    Any section on accuracy that has figures replaces interpret's, which knows the sample alone.
    """
    replaced = {section.key for section in include}
    if any(question_of(section) == "accuracy" and section.figures for section in include):
        replaced.add("accuracy.interpret")
    return [section for section in found.sections() if section.key not in replaced]


def _told(found: Interpretation, include: Sequence[Section]) -> dict[str, Any]:
    checks = [{"key": r.key, "outcome": r.outcome, "text": r.text, "numbers": dict(r.numbers)} for r in found.reasons]
    return {
        "reasons": [reason.text for reason in found.reasons],
        "checks": checks,
        **found.numbers(),
        "included": {section.key: dict(section.summary) for section in include},
    }


def write_report(path: Path, report: Report) -> Path:
    """Write PAGE.html and PAGE.json beside it, and return the latter.

    Raises
    ------
    OutputExistsError
        If either is there already.
    """
    beside = path.with_suffix(".json")
    if beside == path:
        raise InputError(f"--out {path}: the page needs another suffix than .json, which its numbers take; use .html")
    refuse_existing(path)
    refuse_existing(beside)
    write_atomic(beside, json.dumps(report.numbers, indent=1, ensure_ascii=False) + "\n")
    write_atomic(path, report.html)
    return beside


def write_figures(path: Path, report: Report) -> None:
    """Write a folder with one SVG file per figure, and their captions in ``captions.md``; of equal names the first.

    Raises
    ------
    OutputExistsError
        If the folder is there already.
    """
    figures: dict[str, Figure] = {}
    for figure in report.figures:
        figures.setdefault(figure.name, figure)
    with atomic_folder(path) as folder:
        for name, figure in figures.items():
            (folder / f"{name}.svg").write_text(figure.svg)
        captions = [f"**{name}.svg** {figure.caption}" for name, figure in figures.items()]
        (folder / "captions.md").write_text("\n\n".join(captions) + "\n")


def read_summary(path: Path) -> dict[str, Any]:
    """Return the JSON object in a file, such as the answer of ``earnest model evaluate --json``.

    Raises
    ------
    InputError
        If the file is not a JSON object.
    """
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(
            f"summary {path} cannot be read ({error}); give the answer of a command with --json"
        ) from error
    if not isinstance(record, dict):
        raise InputError(f"summary {path} is not a JSON object; give the answer of a command with --json")
    return record


def finite(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Return a JSON value in which numbers that are not finite are null.

    Examples
    --------
    >>> finite({"a": [1.0, float("nan")]})
    {'a': [1.0, None]}
    """
    if isinstance(value, Mapping):
        return {str(name): finite(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _headline_numbers(
    accuracy: Accuracy | None, include: Sequence[Section], summary: Mapping[str, Any]
) -> dict[str, Any]:
    names = ("scatter", "scatter_err", "bias", "bias_err", "prior_scatter", "skill", "coverage_68", "n_catalogs")
    own: dict[str, Any] = {name: getattr(accuracy, name) for name in names} if accuracy else {}
    told = [dict(section.summary) for section in include if question_of(section) == "accuracy"]
    # Numbers of different samples are not mixed: interpret's own give way to a section's, or to a file's, as a whole.
    merged = {} if any("scatter" in numbers for numbers in (*told, summary)) else own
    for section in include:
        question = question_of(section)
        if question == "accuracy":
            merged.update(section.summary)
        elif question == "counts":
            merged.update({name: value for name, value in section.summary.items() if name not in names})
    merged.update(summary)
    return merged


def _headlines(numbers: Mapping[str, Any], found: Interpretation) -> tuple[Headline, ...]:
    if "scatter" not in numbers:
        return _inferred(found)
    prior, bias_err = _number(numbers, "prior_scatter"), _number(numbers, "bias_err")
    spread = f"± {fixed(bias_err, 4)}" if math.isfinite(bias_err) else "mean of inferred minus true"
    covered = percent(_number(numbers, "coverage_68"))
    return (
        Headline(label="Scatter of σ₈", value=fixed(_number(numbers, "scatter"), 4), note=_beside(numbers)),
        Headline(label="Bias", value=signed(_number(numbers, "bias")), note=spread),
        Headline(label="68 % interval covers", value=covered, note="of the true values"),
        _counts("Counts alone", "n_only_scatter", numbers, prior),
        _counts("Counts and median Y_X", "n_median_y_x_scatter", numbers, prior),
    )


def _beside(numbers: Mapping[str, Any]) -> str:
    """Return what stands beside the scatter: its error, the prior's, the best possible, and the skill."""
    parts = {"scatter_err": "±", "prior_scatter": "prior alone", "referee_scatter": "best possible", "skill": "skill"}
    told = {name: _number(numbers, name) for name in parts}
    digits = {"skill": 3}
    return "; ".join(f"{parts[n]} {fixed(v, digits.get(n, 4))}" for n, v in told.items() if math.isfinite(v))


def _counts(label: str, name: str, numbers: Mapping[str, Any], prior: float) -> Headline:
    value = _number(numbers, name)
    if not math.isfinite(value):
        return Headline(label=label, value="\N{EN DASH}", note="not included")
    share = 1 - (value / prior) ** 2
    note = f"scatter of σ₈; skill {fixed(share, 3)}" if math.isfinite(share) else "scatter of σ₈"
    return Headline(label=label, value=fixed(value, 4), note=note)


def _number(numbers: Mapping[str, Any], name: str) -> float:
    value = numbers.get(name)
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else math.nan


def _inferred(found: Interpretation) -> tuple[Headline, ...]:
    """Return the inferred values of the first unlabelled catalogs."""
    rows = found.predictions.head(5).iter_rows(named=True)
    return tuple(
        Headline(
            label=f"σ₈ of catalog {row['catalog_id']}",
            value=fixed(row["sigma8"], 3),
            note=f"68 %: {fixed(row['sigma8_lo68'], 3)} to {fixed(row['sigma8_hi68'], 3)}",
        )
        for row in rows
    )


def _silence(include: Sequence[Section]) -> dict[str, str]:
    answered = {question_of(section) for section in include}
    return {question: text for question, text in _SILENCE.items() if question not in answered}


def _reality(found: Interpretation) -> str:
    if found.sample.synthetic:
        return (
            f"The catalogs of this page are emulated: {found.sample.synthetic.rstrip('.')}. Every accuracy and every "
            "reason on it holds for such catalogs, and for real ones as far as they resemble them."
        )
    return "The catalog set does not declare its clusters as emulated."
