"""Laws of files: whole or absent, never overwritten."""

import os
from pathlib import Path

import pytest
from earnest_common.errors import InputError, OutputExistsError
from earnest_common.run.files import (
    atomic_folder,
    file_sha256,
    refuse_existing,
    replace_atomically,
    write_atomic,
)
from earnest_common.run.parts import Outputs


def test_content_and_checksum(tmp_path: Path):
    write_atomic(tmp_path / "a", "abc")
    # SHA-256 of "abc" as printed in FIPS 180-4's examples.
    assert file_sha256(tmp_path / "a") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_a_failed_write_keeps_the_old_file(tmp_path: Path):
    write_atomic(tmp_path / "a", "old")

    def fail(part: Path) -> None:
        part.write_text("half")
        raise RuntimeError

    with pytest.raises(RuntimeError):
        replace_atomically(tmp_path / "a", fail)
    assert {p.name: p.read_text() for p in tmp_path.iterdir()} == {"a": "old"}


def test_a_failed_folder_vanishes(tmp_path: Path):
    def fail() -> None:
        with atomic_folder(tmp_path / "f") as folder:
            (folder / "x").touch()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert not list(tmp_path.iterdir())


def test_a_finished_folder_appears(tmp_path: Path):
    with atomic_folder(tmp_path / "f") as folder:
        (folder / "x").write_text("1")
        assert not (tmp_path / "f").exists()
    assert (tmp_path / "f" / "x").read_text() == "1"


def test_existing_output_and_missing_parent(tmp_path: Path):
    with pytest.raises(OutputExistsError, match="is not overwritten"):
        refuse_existing(tmp_path)
    with pytest.raises(InputError, match="does not exist; create it first"):
        refuse_existing(tmp_path / "no" / "file")


def test_a_parent_that_takes_no_files(tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"file is a file, no folder; choose another place"):
        refuse_existing(tmp_path / "file" / "x")
    assert refuse_existing(tmp_path / "x") == tmp_path / "x"
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="no file system at hand that takes no files")
def test_a_folder_that_takes_no_files_is_named():
    wanted = r"output /proc/m: nothing can be written into the folder /proc \(.*\); choose another folder, or make"
    with pytest.raises(InputError, match=wanted):
        refuse_existing(Path("/proc/m"))


@pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="the mask of new files can only be read by setting it"
)
def test_written_files_obey_the_mask_and_do_not_set_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    before = os.umask(0o027)
    try:
        # Another thread that makes a file while the mask is 0 would make it writable for all.
        monkeypatch.setattr(os, "umask", lambda mask: pytest.fail(f"the mask of the process was set to {mask}"))
        write_atomic(tmp_path / "a", "abc")
        monkeypatch.undo()
        assert (tmp_path / "a").stat().st_mode & 0o777 == 0o640
    finally:
        os.umask(before)


@pytest.mark.parametrize("text", ["", ".", "/", "..", "folder/.."])
def test_outputs_without_a_name_are_refused(text):
    for refuse in (refuse_existing, lambda path: Outputs.open((path,), {})):
        with pytest.raises(InputError, match="has no name of its own"):
            refuse(Path(text))
