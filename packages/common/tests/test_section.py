"""Laws of report sections: read back as written, and anything else refused."""

from pathlib import Path

import pytest
from earnest_common.errors import EarnestError, InputError
from earnest_common.report.section import DataTable, Figure, Section, read_section, write_section

SECTION = Section(
    key="accuracy",
    title="How accurate?",
    text=("One.",),
    figures=(Figure(name="f", svg="<svg/>", alt="a", caption="c"),),
    tables=(DataTable(name="t", columns=("x", "y"), rows=((1, "a"), (0.5, None)), caption="c"),),
    summary={"scatter": 0.017},
    provenance={"seed": 1},
)


def test_round_trip(tmp_path: Path):
    write_section(tmp_path / "s.json", SECTION)
    assert read_section(tmp_path / "s.json") == SECTION


OTHER = {
    "empty": ("", "it is not JSON"),
    "list": ("[]", "its JSON is no object"),
    "object": ("{}", "it lacks format, format_version, sha256"),
    "format": ('{"format": "other"}', "its format is 'other', not 'earnest-section'"),
    "part": ('{"format": "earnest-section-1"}', "it lacks the key 'figures'"),
    "kind": ('{"format": "earnest-section-1", "figures": [1]}', "its parts are not those of a section"),
}


@pytest.mark.parametrize(("text", "why"), OTHER.values(), ids=OTHER)
def test_other_files(tmp_path: Path, text: str, why: str):
    (tmp_path / "s.json").write_text(text)
    with pytest.raises(
        EarnestError, match=f"is not a (whole )?report section: {why}.*; write one with --section"
    ) as caught:
        read_section(tmp_path / "s.json")
    assert "Error" not in str(caught.value)


def test_files_that_cannot_be_read(tmp_path: Path):
    with pytest.raises(InputError, match="does not exist"):
        read_section(tmp_path / "nope.json")
    with pytest.raises(InputError, match="cannot be read: Is a directory"):
        read_section(tmp_path)


def test_numbers_that_are_not_finite_become_null(tmp_path: Path):
    table = DataTable(name="t", columns=("a",), rows=((float("nan"),), (1.0,)), caption="c")
    section = Section(key="k", title="t", tables=(table,), summary={"scatter": float("inf"), "of": [float("nan")]})
    write_section(tmp_path / "s.json", section)
    again = read_section(tmp_path / "s.json")
    assert (again.tables[0].rows, dict(again.summary)) == (((None,), (1.0,)), {"scatter": None, "of": [None]})
