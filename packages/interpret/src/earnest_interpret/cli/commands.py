"""What the commands do: compute, write whole files, and return the answer."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, final

import polars as pl
from earnest_common.errors import InputError
from earnest_common.report.section import Section, read_section, section_text
from earnest_common.run.files import file_sha256, named
from earnest_common.run.numbers import json_ready
from earnest_common.run.parquet import parquet_bytes
from earnest_common.run.parts import Content
from earnest_common.run.progress import progress
from earnest_common.run.records import ANSWER

from earnest_interpret.analyses.saliency.gradients import Method
from earnest_interpret.analyses.terse.correlations import mass_proxies
from earnest_interpret.analyses.terse.proxy import find_proxy, proxy_table
from earnest_interpret.answers.ablation import Ablation, ablation
from earnest_interpret.answers.clusters import LeaveOneOut, leave_one_out
from earnest_interpret.answers.inputs import Saliency, saliency
from earnest_interpret.answers.report import model_in_words
from earnest_interpret.answers.samples import result_dict
from earnest_interpret.answers.terse_value import TerseValues, terse
from earnest_interpret.caution import caution_of, section_caution_of
from earnest_interpret.cli.inputs import Inputs
from earnest_interpret.page.agreement import agreed
from earnest_interpret.page.interpretation import interpret
from earnest_interpret.page.numbers import closed_form_numbers, proxy_numbers
from earnest_interpret.page.reasons import proxy_reasons
from earnest_interpret.page.report import TITLE, build_report, read_summary, write_report
from earnest_interpret.responses.questions import Target
from earnest_interpret.sample import mass_axis
from earnest_interpret.sections.formulas import formula_text

__all__ = [
    "Included",
    "ablation_command",
    "leave_one_out_command",
    "proxy_command",
    "read_included",
    "report_command",
    "saliency_command",
    "table_paths",
    "terse_command",
]


def leave_one_out_command(inputs: Inputs, *, out: Path, section: Path | None) -> dict[str, Any]:
    """Write the change of sigma8 per cluster, and return the summary."""
    return _written(inputs, leave_one_out(inputs.estimator, inputs.sample, config=inputs.config), out, section)


def saliency_command(inputs: Inputs, *, of: Target, method: Method, out: Path, section: Path | None) -> dict[str, Any]:
    """Write what each input of each cluster does, and return the averages."""
    found = saliency(
        inputs.estimator,
        inputs.sample,
        of=of,
        method=method,
        also=inputs.also,
        compare=inputs.compare,
        compare_name=inputs.compare_name,
        config=inputs.config,
    )
    return _written(inputs, found, out, section)


def ablation_command(inputs: Inputs, *, out: Path | None, section: Path | None) -> dict[str, Any]:
    """Return the scatter of sigma8 with changed inputs; write inferred values per catalog where asked."""
    return _written(inputs, ablation(inputs.estimator, inputs.sample, config=inputs.config), out, section)


def terse_command(inputs: Inputs, *, out: Path | None, section: Path | None) -> dict[str, Any]:
    """Return what the terse value follows; write terse values per cluster where asked."""
    return _written(inputs, terse(inputs.estimator, inputs.sample, config=inputs.config), out, section)


def _written(
    inputs: Inputs, found: Ablation | LeaveOneOut | Saliency | TerseValues, out: Path | None, section: Path | None
) -> dict[str, Any]:
    """Write the table and the section of an answer where asked, and return its numbers."""
    answer = found.to_dict()
    written = _table(out, found.table, answer, inputs) if out else {}
    if section:
        written |= _section(section, found.section(), inputs)
    inputs.outputs.write(written)
    return answer


def proxy_command(inputs: Inputs, *, out: Path | None, section: Path | None) -> dict[str, Any]:
    """Return how well the terse value predicts mass and which formula it follows; write errors where asked."""
    batch, axis = inputs.sample.batch, mass_axis(inputs.sample.batch)
    values = inputs.responses.terse
    found = find_proxy(inputs.estimator, values, batch, axis)
    why = None if found.proxies else "true masses are unknown, so no proxy of them can be tested"
    members = inputs.responses.members
    by_member = [proxy_reasons(mass_proxies(one.terse, batch, axis)) for one in members]
    reasons = [reason.text for reason in agreed(proxy_reasons(found.proxies), by_member)]
    if found.forms:
        text = formula_text(found.forms, batch.radii)
        reasons.append(f"{text} [{caution_of(len(members))}]")
    numbers = {
        "caution": caution_of(len(members)),
        "mass_proxies": proxy_numbers(found.proxies),
        "missing": why,
        "formula": closed_form_numbers(found.forms),
    }
    answer = result_dict(inputs.sample, inputs.synthetic, {**numbers, "reasons": reasons})
    written: dict[Path, Content] = {}
    if out:
        written |= _table(out, proxy_table(batch, values, found), answer, inputs)
    if section:
        from earnest_interpret.sections import proxy_section

        made = proxy_section(
            found.proxies,
            found.forms,
            values,
            found.formula_values,
            radii=batch.radii,
            caution=section_caution_of(len(members)),
        )
        written |= _section(section, made, inputs)
    inputs.outputs.write(written)
    return answer


@final
@dataclass(frozen=True, kw_only=True)
class Included:
    """What other commands wrote for the page.

    Attributes
    ----------
    sections, summaries
        Sections, and headline numbers.
    hashes
        Of their files, by name.
    """

    sections: tuple[Section, ...] = ()
    summaries: tuple[Mapping[str, Any], ...] = ()
    hashes: Mapping[str, str] = field(default_factory=dict)


def read_included(include: Sequence[Path], summary: Sequence[Path]) -> Included:
    """Return what files of other commands hold.

    Raises
    ------
    InputError
        If one of them is missing or something else.
    """
    return Included(
        sections=tuple(read_section(path) for path in include),
        summaries=tuple(read_summary(path) for path in summary),
        hashes={f"include {path.name}": file_sha256(path) for path in (*include, *summary)},
    )


def report_command(
    inputs: Inputs,
    *,
    out: Path,
    included: Included,
    title: str | None,
    verdict: Sequence[Section] = (),
    figures: Path | None = None,
) -> dict[str, Any]:
    """Write the page, its numbers, and its figures where asked; return the numbers.

    An included verdict wins over the one given.
    """
    keys = {section.key for section in included.sections}
    sections = [*included.sections, *(section for section in verdict if section.key not in keys)]
    with progress(5, "interpret") as bar:
        found = interpret(
            inputs.responses,
            inputs.sample,
            inputs.config,
            also=inputs.also,
            compare=(inputs.compare, inputs.compare_name),
            advance=lambda word: bar.advance(note=word),
        )
    record = {**inputs.provenance, "inputs": {**inputs.provenance["inputs"], **included.hashes}}
    report = build_report(
        found,
        model=model_in_words(inputs.estimator),
        title=title or TITLE,
        include=sections,
        summaries=included.summaries,
        provenance=record,
    )
    write_report(out, report, figures=figures, outputs=inputs.outputs)
    return dict(report.numbers)


def table_paths(out: Path | None) -> tuple[Path | None, ...]:
    """Return where a table and its record go: OUT, and beside it OUT with the suffix .json.

    Raises
    ------
    InputError
        If they would be the same file.
    """
    if out is not None and out.suffix == ".json":
        raise InputError(
            f"--out {out}: the table needs another suffix than .json, which its record takes; use .parquet"
        )
    return (out, None if out is None else named(out).with_suffix(".json"))


def _table(out: Path, table: pl.DataFrame, answer: Mapping[str, Any], inputs: Inputs) -> dict[Path, Content]:
    """Return a Parquet table and, beside it, the summary with configuration, seed and versions."""
    data = parquet_bytes(table, {"earnest.synthetic": inputs.synthetic} if inputs.synthetic else None)
    record = {**answer, "provenance": json_ready(inputs.provenance), "table_sha256": hashlib.sha256(data).hexdigest()}
    return {out.with_suffix(".json"): ANSWER.text(record), out: data}


def _section(path: Path, section: Section, inputs: Inputs) -> dict[Path, Content]:
    return {path: section_text(replace(section, provenance=json_ready(inputs.provenance)))}
