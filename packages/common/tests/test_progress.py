"""Progress goes to standard error in lines that a log file can hold."""

import pytest
from earnest_common.run.progress import progress


def test_lines_on_standard_error(capsys: pytest.CaptureFixture[str]):
    with progress(3, "training", seconds_between_lines=0) as bar:
        bar.advance(1)
        bar.advance(2, note="loss 0.1")
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.splitlines()[0].startswith("training: 1/3, ")
    assert told.err.splitlines()[1].endswith("loss 0.1")


def test_quick_work_tells_only_its_end(capsys: pytest.CaptureFixture[str]):
    with progress(100, "work") as bar:
        for _ in range(100):
            bar.advance()
    assert len(capsys.readouterr().err.splitlines()) == 1
