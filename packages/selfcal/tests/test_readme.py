"""The README's example runs as printed."""

import doctest
from pathlib import Path


def test_readme():
    readme = Path(__file__).parents[1] / "README.md"
    assert doctest.testfile(str(readme), module_relative=False) == doctest.TestResults(failed=0, attempted=4)
