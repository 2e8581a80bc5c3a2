"""The example of the README runs."""

import doctest
from pathlib import Path

README = Path(__file__).parents[1] / "README.md"


def test_readme():
    assert doctest.testfile(str(README), module_relative=False).failed == 0
    assert doctest.testfile(str(README), module_relative=False).attempted > 5
