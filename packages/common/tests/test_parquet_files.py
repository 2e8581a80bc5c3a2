"""Laws of single Parquet files: every flipped bit is refused, rows and metadata return, names are no patterns."""

from pathlib import Path

import polars as pl
import pytest
from earnest_common.errors import InputError, IntegrityError
from earnest_common.run.parquet import parquet_bytes, read_csv_or_parquet, read_parquet, write_parquet

FRAME = pl.DataFrame(
    {
        "n": [1, 2**62 + 1, None],
        "x": [0.1, float("nan"), -0.0],
        "s": ["a", "0" * 64, None],
        "p": pl.Series([[1.0, 2.0], None, [3.0, 4.0]], dtype=pl.Array(pl.Float32, 2)),
    }
)
WORDS = {"what": "toy table", "remedy": "make it again"}


def test_rows_and_metadata_return(tmp_path: Path):
    write_parquet(tmp_path / "x.parquet", FRAME, {"key": "value"})
    file = read_parquet(tmp_path / "x.parquet", **WORDS)
    assert file.stamped
    assert file.frame.equals(FRAME)
    assert file.metadata["key"] == "value"
    assert pl.read_parquet(tmp_path / "x.parquet").equals(FRAME)  # any other reader opens it too


@pytest.mark.parametrize("bit", range(8))
def test_every_flipped_bit_is_refused(tmp_path: Path, bit: int):
    data, path = parquet_bytes(FRAME, {"key": "value"}), tmp_path / "x.parquet"
    for place in range(len(data)):
        path.write_bytes(data[:place] + bytes([data[place] ^ 1 << bit]) + data[place + 1 :])
        with pytest.raises(IntegrityError, match=r"toy table .*x\.parquet .*; make it again"):
            read_parquet(path, **WORDS)


@pytest.mark.parametrize("length", [0, 3, 100, -9, -1])
def test_cut_files_are_refused(tmp_path: Path, length: int):
    (tmp_path / "x.parquet").write_bytes(parquet_bytes(FRAME)[:length])
    with pytest.raises(IntegrityError):
        read_parquet(tmp_path / "x.parquet", **WORDS)


def test_files_of_others_have_no_stamp(tmp_path: Path):
    FRAME.write_parquet(tmp_path / "x.parquet")
    assert not read_parquet(tmp_path / "x.parquet", **WORDS).stamped
    FRAME.write_parquet(tmp_path / "y.parquet", metadata={"earnest.file_version": "2"})
    with pytest.raises(IntegrityError, match="lacks its checksum"):
        read_parquet(tmp_path / "y.parquet", **WORDS)


def test_a_recorded_checksum_wins(tmp_path: Path):
    write_parquet(tmp_path / "x.parquet", FRAME)
    with pytest.raises(IntegrityError, match="checksum differs"):
        read_parquet(tmp_path / "x.parquet", **WORDS, sha256="0" * 64)


@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
@pytest.mark.parametrize("name", ["t[1]", "a*b", "q?"])
def test_a_name_is_no_pattern(tmp_path: Path, name: str, suffix: str):
    for sibling in ("t1", "aab", "qq", name):
        frame = pl.DataFrame({"name": [sibling]})
        file = tmp_path / f"{sibling}{suffix}"
        frame.write_parquet(file) if suffix == ".parquet" else file.write_bytes(frame.write_csv().encode())
    assert read_csv_or_parquet(tmp_path / f"{name}{suffix}", what="table").rows() == [(name,)]


def test_missing_and_foreign_files(tmp_path: Path):
    with pytest.raises(InputError, match="does not exist"):
        read_parquet(tmp_path / "nope.parquet", **WORDS)
    with pytest.raises(InputError, match="Is a directory"):
        read_parquet(tmp_path, **WORDS)
    (tmp_path / "x.csv").write_bytes(b"\xff\x00")
    with pytest.raises((InputError, IntegrityError)):
        read_csv_or_parquet(tmp_path / "x.parquet", what="table")
