"""What a file holds is what is imported: whole ids, unknown values of every format, columns that astropy composes."""

from pathlib import Path

import numpy as np
import pytest
from earnest_common.errors import InputError, SchemaError
from earnest_common.importers import ImportOptions, import_table
from hypothesis import given, settings
from hypothesis import strategies as st

MAPPING = """
name = "mine"
title = "made up"
kind = "observed"
l_x = "bolometric"
[reader]
kind = "suffix"
null = ["", "-", "-99"]
[columns]
cluster_id = { source = "ID", optional = true }
z = { source = "z" }
m_500c = { source = "m_500c", unit = "Msun" }
l_x = { source = "l_x", unit = "1e44 erg/s" }
t_x = { source = "t_x", unit = "keV", optional = true }
"""
ROWS = {"z": [0.1, 0.2, 0.1], "m_500c": [3e14, 5e14, 6e14], "l_x": [1.8, 4.4, 6.0], "t_x": [3.5, 4.9, 5.3]}
FORMATS = {"csv": "ascii.csv", "txt": "ascii.basic", "fits": "fits", "vot": "votable", "ecsv": "ascii.ecsv"}


@pytest.fixture
def mapping(tmp_path: Path) -> Path:
    path = tmp_path / "mine.toml"
    path.write_text(MAPPING)
    return path


def table(**columns: object):
    """Return an astropy table of three clusters, with further columns or other ones."""
    return pytest.importorskip("astropy.table").Table(ROWS | columns)


@pytest.mark.parametrize("suffix", FORMATS)
@given(ids=st.lists(st.integers(0, 2**63 - 1), min_size=3, max_size=3, unique=True))
@settings(max_examples=10, deadline=None)
def test_whole_ids_come_back_to_the_last_digit(suffix: str, ids: list[int], tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("ids")
    (folder / "mine.toml").write_text(MAPPING)
    table(ID=np.array(ids)).write(folder / f"t.{suffix}", format=FORMATS[suffix])
    batch, _ = import_table(folder / f"t.{suffix}", folder / "mine.toml")
    assert batch.clusters["cluster_id"].to_list() == ids[::-1]  # sorted by falling luminosity
    where = ImportOptions(where=(f"ID == {ids[1]}",))
    assert import_table(folder / f"t.{suffix}", folder / "mine.toml", options=where)[0].n_clusters == 1


@pytest.mark.parametrize("ids", [[2.0**60, 1.0, 2.0], [-1.0, 1.0, 2.0], [1.5, 1.0, 2.0], [np.nan, 1.0, 2.0]])
def test_ids_that_floating_point_cannot_hold_are_refused(ids: list[float], mapping: Path, tmp_path: Path):
    table(ID=ids).write(tmp_path / "t.fits")
    with pytest.raises(SchemaError, match=r"'cluster_id': found 1 ids that are no whole numbers.*--without cluster_id"):
        import_table(tmp_path / "t.fits", mapping)


def test_ids_beyond_64_bits_are_refused(mapping: Path, tmp_path: Path):
    table(ID=np.array([2**63, 1, 2], dtype=np.uint64)).write(tmp_path / "t.fits")
    with pytest.raises(SchemaError, match=f"up to {2**63 - 1}"):
        import_table(tmp_path / "t.fits", mapping)


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("unknown", [["-", "4.9", "5.3"], [-99.0, 4.9, 5.3], [-99, 4, 5], ["-99.0", "4.9", "5.3"]])
def test_what_stands_for_unknown_is_unknown_in_every_format(
    suffix: str, unknown: list[object], mapping: Path, tmp_path: Path
):
    table(t_x=unknown).write(tmp_path / f"t.{suffix}", format=FORMATS[suffix])
    batch, _ = import_table(tmp_path / f"t.{suffix}", mapping)
    assert batch.clusters["t_x"].is_null().to_list() == [False, False, True]


@pytest.mark.parametrize("suffix", ["fits", "vot", "ecsv"])
@pytest.mark.parametrize("values", [["3.5", "4.9", "5.3"], [3.5, 4.9, 5.3], [3, 4, 5]])
def test_masked_values_are_unknown(suffix: str, values: list[object], mapping: Path, tmp_path: Path):
    masked = pytest.importorskip("astropy.table").MaskedColumn(values, mask=[True, False, False])
    table(t_x=masked).write(tmp_path / f"t.{suffix}", format=FORMATS[suffix])
    batch, _ = import_table(tmp_path / f"t.{suffix}", mapping)
    assert batch.clusters["t_x"].is_null().to_list() == [False, False, True]


def test_columns_that_astropy_composes_do_not_disturb(mapping: Path, tmp_path: Path):
    units = pytest.importorskip("astropy.units")
    from astropy.coordinates import SkyCoord
    from astropy.table import QTable
    from astropy.time import Time

    whole = table(note=["a b", "c", ""], grid=np.ones((3, 2, 2)))
    whole["position"] = SkyCoord([1, 2, 3] * units.deg, [4, 5, 6] * units.deg)
    whole["observed"] = Time([50000.0, 50001.0, 50002.0], format="mjd")
    whole.write(tmp_path / "t.ecsv")
    QTable(whole).write(tmp_path / "t.fits")
    expected = import_table(tmp_path / "t.ecsv", mapping)
    assert {"position.ra", "position.dec", "observed", "note", "grid"} <= set(expected[1].ignored)
    assert import_table(tmp_path / "t.fits", mapping)[0].clusters.equals(expected[0].clusters)


@pytest.mark.parametrize("suffix", ["fits", "vot", "ecsv"])
def test_a_table_without_rows_is_refused(suffix: str, mapping: Path, tmp_path: Path):
    empty = table(name=np.array(["a", "b", "c"]))[:0]
    empty.write(tmp_path / f"t.{suffix}", format=FORMATS[suffix])
    with pytest.raises(InputError, match="is empty: found 5 columns and no rows"):
        import_table(tmp_path / f"t.{suffix}", mapping)
