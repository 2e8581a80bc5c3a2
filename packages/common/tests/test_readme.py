"""The README's examples run as printed, and its table is the schema."""

import doctest
from pathlib import Path

from earnest_common.schema import CLUSTERS

README = Path(__file__).parents[1] / "README.md"


def test_examples_run():
    found = doctest.testfile(str(README), module_relative=False)
    assert found.failed == 0
    assert found.attempted > 20


def test_the_table_is_that_of_the_schema():
    assert CLUSTERS.markdown() in README.read_text()
