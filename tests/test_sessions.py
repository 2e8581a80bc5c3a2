"""The short form of the sessions `fuzz` and `faults`: a few inputs, kills and flips of the quick commands."""

import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.mark.parametrize(
    "words",
    [
        ("fuzz/session.py", "--inputs", "75", "--only", "catalogs"),
        ("fuzz/session.py", "--inputs", "50", "--only", "selfcal"),
        ("faults/session.py", "kills", "--kills", "6", "--only", "catalogs"),
        ("faults/session.py", "kills", "--kills", "4", "--only", "mocks generate"),
        ("faults/session.py", "flips", "--flips", "12"),
    ],
    ids=" ".join,
)
def test_short_session(words: tuple[str, ...], tmp_path: Path):
    command = [sys.executable, str(HERE / words[0]), *words[1:], "--folder", str(tmp_path / "session")]
    process = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert process.returncode == 0, process.stdout + process.stderr
