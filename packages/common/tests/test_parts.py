"""Laws of outputs of several files: all or none, resumed after a kill at every change, never another's."""

import itertools
import multiprocessing
import os
import time
from pathlib import Path

import pytest
from earnest_common.errors import InputError, OutputExistsError
from earnest_common.run.files import (
    atomic_folder,
    remove_folder,
    replace_atomically,
    sweep,
    temporary,
    write_atomic,
)
from earnest_common.run.parts import Outputs, claim

CALLS = ("rename", "replace", "mkdir", "unlink", "rmdir", "open", "close")


class Killed(BaseException):
    """Stands for the end of the process: nothing after it may run, so the test forbids every further change."""


def command(folder: Path, plan: object = 1) -> list[Path]:
    """Write two files and a folder, of which one goes elsewhere, with a finished part that waits."""
    paths = [folder / "t.parquet", folder / "t.json", folder / "other" / "figures"]
    outputs = Outputs.open(paths, plan={"seed": plan})
    part = outputs.keep() / "part-0"
    if not part.is_file():
        write_atomic(part, "half of the work")
    outputs.write({paths[0]: b"rows", paths[1]: "{}", paths[2]: {"a.svg": "<svg/>", "b.txt": "ö"}})
    return paths


def content(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def killed_at(folder: Path, change: int) -> bool:
    """Run the command in a process that ends at its n-th change of the file system; say whether it did."""

    def run() -> None:
        counter = itertools.count()

        def wrap(name: str) -> None:
            original = getattr(os, name)

            def counted(*words: object, **named: object) -> object:
                if next(counter) == change:
                    os._exit(9)
                return original(*words, **named)

            setattr(os, name, counted)

        for name in CALLS:
            wrap(name)
        command(folder)
        os._exit(0)

    process = multiprocessing.get_context("fork").Process(target=run)
    process.start()
    process.join(60)
    return process.exitcode == 9


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
def test_killed_at_every_change_the_same_command_ends_complete(tmp_path: Path):
    whole = tmp_path / "whole"
    (whole / "other").mkdir(parents=True)
    command(whole)
    for change in itertools.count():
        folder = tmp_path / str(change)
        (folder / "other").mkdir(parents=True)
        if not killed_at(folder, change):
            break
        before = content(folder)
        assert all(before[name] == content(whole)[name] for name in before if name in content(whole))
        try:
            command(folder)
        except OutputExistsError:  # killed after the last of its work: complete, and clean
            assert set(before) >= set(content(whole))
        assert content(folder) == content(whole)
        assert sorted(p.name for p in folder.rglob("*")) == sorted(p.name for p in whole.rglob("*"))
    assert change > 20


def test_what_another_command_left_stays(tmp_path: Path):
    (tmp_path / "other").mkdir()
    outputs = Outputs.open((tmp_path / "t.parquet",), plan={"seed": 2})
    write_atomic(outputs.keep() / "part-0", "hours of work")
    before = content(tmp_path)
    with pytest.raises(OutputExistsError, match="seed: 2 there, 1 now"):
        command(tmp_path, 1)
    assert content(tmp_path) == before


def outputs_of(folder: Path) -> dict[str, bytes]:
    return {name: data for name, data in content(folder).items() if not name.startswith(".")}


def remove(path: Path) -> None:
    remove_folder(path) if path.is_dir() else path.unlink()


SUBSETS = [subset for n in (1, 2, 3) for subset in itertools.combinations(range(3), n)]


@pytest.mark.parametrize("missing", SUBSETS, ids=str)
def test_the_same_command_writes_what_is_missing(tmp_path: Path, missing: tuple[int, ...]):
    (tmp_path / "other").mkdir()
    paths = command(tmp_path)
    whole = content(tmp_path)
    for k in missing:
        remove(paths[k])
    command(tmp_path)
    assert content(tmp_path) == whole
    with pytest.raises(OutputExistsError, match="exists and is not overwritten"):
        command(tmp_path)
    assert content(tmp_path) == whole


@pytest.mark.parametrize("missing", [subset for subset in SUBSETS if len(subset) < 3], ids=str)
def test_outputs_of_other_settings_stay(tmp_path: Path, missing: tuple[int, ...]):
    (tmp_path / "other").mkdir()
    paths = command(tmp_path, 2)
    for k in missing:
        remove(paths[k])
    before = content(tmp_path)
    with pytest.raises(OutputExistsError, match=r"exists and is not overwritten.*seed: 2 there, 1 now"):
        command(tmp_path, 1)
    assert content(tmp_path) == before


@pytest.mark.parametrize("altered", ["t.parquet", "t.json", "other/figures/a.svg", "other/figures/mine.txt"])
@pytest.mark.parametrize("missing", range(3))
def test_an_altered_output_stays(tmp_path: Path, altered: str, missing: int):
    (tmp_path / "other").mkdir()
    paths = command(tmp_path)
    remove(paths[missing])
    if not (tmp_path / altered).parent.is_dir() or paths[missing] == tmp_path / altered:
        pytest.skip("what was altered is what is missing")
    (tmp_path / altered).write_text("mine")
    before = outputs_of(tmp_path)
    with pytest.raises(OutputExistsError, match="exists and is not overwritten"):
        command(tmp_path)
    assert outputs_of(tmp_path) == before


def test_a_moved_folder_goes_on(tmp_path: Path):
    (tmp_path / "a" / "other").mkdir(parents=True)
    remove(command(tmp_path / "a")[0])
    (tmp_path / "a").rename(tmp_path / "b")
    command(tmp_path / "b")
    assert (tmp_path / "b" / "t.parquet").read_bytes() == b"rows"


def test_outputs_that_cannot_be_placed_leave_nothing(tmp_path: Path):
    (tmp_path / "other").mkdir()
    paths = [tmp_path / "t.parquet", tmp_path / "t.json"]
    outputs = Outputs.open(paths, plan={"seed": 1})
    paths[1].write_text("mine")
    with pytest.raises(OutputExistsError, match=r"t\.json exists"):
        outputs.write({paths[0]: b"rows", paths[1]: "{}"})
    assert content(tmp_path) == {"t.json": b"mine"}


def test_a_finished_output_stays(tmp_path: Path):
    (tmp_path / "other").mkdir()
    (tmp_path / "t.json").write_text("mine")
    with pytest.raises(OutputExistsError, match=r"t\.json exists and is not overwritten"):
        command(tmp_path)
    assert content(tmp_path) == {"t.json": b"mine"}


def test_one_name_for_two_outputs(tmp_path: Path):
    with pytest.raises(InputError, match="named twice"):
        Outputs.open((tmp_path / "a", None, tmp_path / "a"), plan={})


@pytest.mark.parametrize("left", ["catalogs/", ".plan.json.abcdefgh.part", "a/b/"])
def test_a_folder_without_files_is_free(tmp_path: Path, left: str):
    folder = tmp_path / "set"
    folder.mkdir()
    (folder / left).mkdir(parents=True) if left.endswith("/") else (folder / left).touch()
    claim(folder, {"seed": 1}, what="a set")
    claim(folder, {"seed": 1}, what="a set")
    with pytest.raises(OutputExistsError, match="seed: 1 there, 2 now"):
        claim(folder, {"seed": 2}, what="a set")


def test_a_folder_with_files_is_not(tmp_path: Path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(OutputExistsError, match="is not a set"):
        claim(tmp_path, {}, what="a set")


def test_leftovers_of_the_dead_go_and_those_of_the_living_stay(tmp_path: Path):
    target = tmp_path / "a"
    for name in (".a.abcdefgh.part", ".b.abcdefgh.part", ".a.b.abcdefgh.part"):
        (tmp_path / name).touch()
    (tmp_path / ".a.zzzzzzzz.part").mkdir()
    with temporary(target) as mine:
        sweep(target)
        assert mine.exists()
        assert not (tmp_path / ".a.abcdefgh.part").exists()
        assert not (tmp_path / ".a.zzzzzzzz.part").exists()
    assert sorted(p.name for p in tmp_path.iterdir()) == [".a.b.abcdefgh.part", ".b.abcdefgh.part"]


def _write_often(path: Path, mark: str, until: float) -> None:
    while time.monotonic() < until:
        replace_atomically(path, lambda part: part.write_text(mark * 1000))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
def test_processes_that_write_the_same_file_at_once(tmp_path: Path):
    context, until = multiprocessing.get_context("fork"), time.monotonic() + 2
    processes = [context.Process(target=_write_often, args=(tmp_path / "a", mark, until)) for mark in "xyz"]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert [p.name for p in tmp_path.iterdir()] == ["a"]
    assert len((tmp_path / "a").read_text()) == 1000


@pytest.mark.parametrize(
    "words",
    [
        "No space left on device (os error 28)",
        "unable to write, errno = 28, error message = 'No space left on device'",
        "while writing to x: No space left on device",
    ],
)
def test_an_error_of_the_system_in_words_is_one(tmp_path: Path, words: str):
    def full(part: Path) -> None:
        part.write_text("half")
        raise ValueError(words)

    with pytest.raises(OSError, match="No space left") as caught:
        replace_atomically(tmp_path / "a", full)
    assert (caught.value.errno, caught.value.filename) == (28, str(tmp_path / "a"))
    assert not list(tmp_path.iterdir())


def test_a_folder_goes_in_one_step(tmp_path: Path):
    with atomic_folder(tmp_path / "f") as part:
        (part / "x").touch()
    remove_folder(tmp_path / "f")
    remove_folder(tmp_path / "f")
    assert not list(tmp_path.iterdir())
