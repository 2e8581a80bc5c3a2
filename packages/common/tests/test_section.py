"""Laws of report sections: read back as written, and anything else refused."""

from pathlib import Path

import pytest
from earnest_common.errors import InputError
from earnest_common.section import DataTable, Figure, Section, read_section, write_section

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


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": "other"}', '{"format": "earnest-section-1"}'])
def test_other_files(tmp_path: Path, text: str):
    (tmp_path / "s.json").write_text(text)
    with pytest.raises(InputError, match="is not a report section"):
        read_section(tmp_path / "s.json")
