"""The numbers at the top of the page, each with its error and beside the prior of the sample that it comes from."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

from earnest_common.report.section import Section
from earnest_common.spread import skill

from earnest_interpret.accuracy import Accuracy
from earnest_interpret.page import Headline, question_of
from earnest_interpret.words import format_number, format_signed, percent

__all__ = ["headline_numbers", "headlines", "samples_in_words"]

_OF_ACCURACY: Final = (
    *("scatter", "scatter_err", "bias", "bias_err", "prior_scatter", "skill", "coverage_68", "n_catalogs"),
)
_OF_COUNTS: Final = {"n_only_scatter": "Counts alone", "n_median_y_x_scatter": "Counts and median Y_X"}
_OF_SAMPLE: Final = ("n_catalogs", "prior_scatter")


def headline_numbers(
    accuracy: Accuracy | None, include: Sequence[Section], summaries: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Return the headline numbers by name; those of different samples are not mixed.

    A record with a ``scatter`` replaces all numbers on accuracy before it. The sample of a record on counts
    is named ``counts_n_catalogs`` and ``counts_prior_scatter``.

    Parameters
    ----------
    accuracy
        Of the interpreted sample, the first record.
    include
        Sections; those on accuracy and on counts are read.
    summaries
        Further records, the last of which wins.

    Examples
    --------
    >>> counts = {"n_only_scatter": 0.026, "n_catalogs": 30}
    >>> headline_numbers(None, (), [{"scatter": 0.017, "n_catalogs": 300}, counts])
    {'scatter': 0.017, 'n_catalogs': 300, 'n_only_scatter': 0.026, 'counts_n_catalogs': 30}
    """
    own = {name: getattr(accuracy, name) for name in _OF_ACCURACY} if accuracy else {}
    counts: dict[str, Any] = {}
    sections = [(question_of(section), section.summary) for section in include]
    for question, numbers in (*sections, *((_subject(record), record) for record in summaries)):
        if question == "accuracy":
            own = {**({} if "scatter" in numbers else own), **numbers}
        if question == "counts" or not _OF_COUNTS.keys().isdisjoint(numbers):
            counts |= {name: value for name, value in numbers.items() if name not in _OF_ACCURACY}
            counts |= {f"counts_{name}": numbers[name] for name in _OF_SAMPLE if name in numbers}
    return {**own, **counts}


def _subject(record: Mapping[str, Any]) -> str:
    return "accuracy" if "scatter" in record or _OF_COUNTS.keys().isdisjoint(record) else "counts"


def headlines(numbers: Mapping[str, Any]) -> tuple[Headline, ...]:
    """Return the tiles."""
    return (
        Headline(
            label="Scatter of σ₈", value=format_number(_number(numbers, "scatter"), 4), note=_beside_scatter(numbers)
        ),
        Headline(label="Bias", value=format_signed(_number(numbers, "bias")), note=_beside_bias(numbers)),
        _coverage(numbers),
        *(_counts(label, name, numbers) for name, label in _OF_COUNTS.items()),
    )


def samples_in_words(numbers: Mapping[str, Any]) -> str:
    """Return a sentence if the model and the counts are judged on quite different catalogs, else nothing.

    Some catalogs show numbers that counts cannot explain: up to one in a hundred missing is the same sample.

    Examples
    --------
    >>> print(samples_in_words({"n_catalogs": 300, "counts_n_catalogs": 30}))
    These numbers come from different samples, the model's from 300 catalogs and those of counts from 30: compare ...
    >>> samples_in_words({"n_catalogs": 4968, "counts_n_catalogs": 4966})
    ''
    """
    ours, theirs = _number(numbers, "n_catalogs"), _number(numbers, "counts_n_catalogs")
    if not (math.isfinite(ours) and math.isfinite(theirs)) or abs(ours - theirs) <= 0.01 * max(ours, theirs):
        return ""
    return (
        f"These numbers come from different samples, the model's from {ours:,.0f} catalogs and those of counts from "
        f"{theirs:,.0f}: compare skills, each of which is relative to the prior of its own sample, and mind the errors."
    )


def _beside_scatter(numbers: Mapping[str, Any]) -> str:
    """Return what stands beside the scatter: its error, the prior's, the best possible, the skill, the catalogs."""
    parts = {"scatter_err": "±", "prior_scatter": "prior alone", "referee_scatter": "best possible", "skill": "skill"}
    values = {name: _number(numbers, name) for name in parts}
    digits = {"skill": 3}
    words = [f"{parts[n]} {format_number(v, digits.get(n, 4))}" for n, v in values.items() if math.isfinite(v)]
    return "; ".join([*words, *_catalogs(numbers, "n_catalogs")])


def _beside_bias(numbers: Mapping[str, Any]) -> str:
    error, n = _number(numbers, "bias_err"), _number(numbers, "n_catalogs")
    if not math.isfinite(error) and n > 0:
        error = _number(numbers, "scatter") / math.sqrt(n)
    words = f"± {format_number(error, 4)}" if math.isfinite(error) else "mean of inferred minus true"
    return "; ".join([words, *_catalogs(numbers, "n_catalogs")])


def _coverage(numbers: Mapping[str, Any]) -> Headline:
    covered, n = _number(numbers, "coverage_68"), _number(numbers, "n_catalogs")
    error = f"± {percent(math.sqrt(covered * (1 - covered) / n), 1)} " if 0 <= covered <= 1 and n > 0 else ""
    note = "; ".join([f"{error}of the true values", *_catalogs(numbers, "n_catalogs")])
    return Headline(label="68 % interval covers", value=percent(covered), note=note)


def _counts(label: str, name: str, numbers: Mapping[str, Any]) -> Headline:
    value, error = _number(numbers, name), _number(numbers, f"{name}_err")
    if not math.isfinite(value):
        return Headline(label=label, value="\N{EN DASH}", note="not included")
    prior = _number(numbers, "counts_prior_scatter")
    words = [f"± {format_number(error, 4)}"] if math.isfinite(error) else ["scatter of σ₈"]
    if prior > 0:
        words += [f"prior alone {format_number(prior, 4)}", f"skill {format_number(skill(value, prior), 3)}"]
    return Headline(
        label=label, value=format_number(value, 4), note="; ".join([*words, *_catalogs(numbers, "counts_n_catalogs")])
    )


def _catalogs(numbers: Mapping[str, Any], name: str) -> list[str]:
    n = _number(numbers, name)
    return [f"{n:,.0f}\N{NO-BREAK SPACE}catalogs"] if math.isfinite(n) else []


def _number(numbers: Mapping[str, Any], name: str) -> float:
    value = numbers.get(name)
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else math.nan
