"""A table that cannot be used is refused with one message: what, found, allowed, remedy. A likely slip is named."""

import gzip
from pathlib import Path

import numpy as np
import pytest
from earnest_common.errors import EarnestError, InputError, SchemaError
from earnest_common.importers import ImportOptions, import_catalog_set, import_table, load_mapping, parse_units

MAPPING = """
name = "own"
title = "a table of my own"
kind = "simulation"
l_x = "bolometric"

[reader]
kind = "csv"

[cosmology]
H0 = 70
Om0 = 0.3

[columns]
z = { source = "redshift" }
m_500c = { source = "mass", unit = "Msun" }
l_x = { source = "lum", unit = "1e44 erg/s" }
t_x = { source = "temp", unit = "keV" }
m_gas = { source = "gas", unit = "Msun", optional = true }
"""
ROWS = ["redshift,mass,lum,temp,gas", "0.1,3e14,2.0,3.5,3e13", "0.2,2e14,1.0,2.9,2e13", "0.3,4e14,4.0,4.2,4e13"]


def write(folder: Path, rows: list[str], mapping: str = MAPPING) -> tuple[Path, Path]:
    (folder / "table.csv").write_text("\n".join(rows) + "\n")
    (folder / "own.toml").write_text(mapping)
    return folder / "table.csv", folder / "own.toml"


def test_a_mapping_of_ones_own(tmp_path: Path):
    batch, report = import_table(*write(tmp_path, ROWS))
    assert batch.clusters["cluster_id"].to_list() == [2, 0, 1]
    assert (report.format, report.unknown_columns) == ("own", ("m_wl", "m_gas_profile", "gas_slope_profile"))


BAD_TABLES = {
    "missing column": (
        ["redshift,lum,temp", "0.1,1,3"],
        r"format own finds nothing for m_500c: found the columns redshift, lum, temp",
    ),
    "no luminosity": (["redshift,mass,temp", "0.1,1e14,3"], r"nothing for l_x: .*allowed: l_x from lum; name the col"),
    "no redshift": (["mass,lum,temp", "1e14,1,3"], r"nothing for z: .*--z"),
    "NaN mass": ([*ROWS[:3], "0.3,nan,4.0,4.2,4e13"], r"'m_500c': found 1 values that are not a number.*line 4 = nan"),
    "negative mass": (
        [*ROWS[:3], "0.3,-4e14,4.0,4.2,4e13"],
        r"'m_500c': found 1 values that are zero or negative.*line 4",
    ),
    "infinite": ([*ROWS[:3], "0.3,4e14,inf,4.2,4e13"], r"'l_x': found 1 values that are not a number"),
    "redshift": ([*ROWS[:3], "-0.3,4e14,4,4.2,4e13"], r"'z': found 1 values that are not between 0 and 20"),
    "text": (
        [*ROWS[:3], "0.3,heavy,4,4.2,4e13"],
        r"'mass': found 1 values that are no numbers \(first: line 4 = 'heavy'\)",
    ),
    "empty": (ROWS[:1], r"is empty: found 5 columns and no rows"),
    "nothing": ([], r"is empty: it has no header row"),
    "ragged": ([*ROWS[:3], "0.3,4e14"], r"1 of 3 rows do not have the 5 columns of the header \(first: line 4 has 2\)"),
    "names twice": (["redshift,mass,lum,lum", "0.1,1e14,1,1"], r"column names occur twice: lum"),
    "all dropped": ([ROWS[0], "0.3,4e14,0,4.2,4e13"], r"no row is left: found 1 rows, all dropped \(1 l_x unknown"),
}


@pytest.mark.parametrize(("rows", "message"), BAD_TABLES.values(), ids=BAD_TABLES)
def test_bad_tables_are_refused(rows: list[str], message: str, tmp_path: Path):
    table, mapping = write(tmp_path, rows)
    with pytest.raises(EarnestError, match=message):
        import_catalog_set(table, mapping, tmp_path / "set")
    assert not (tmp_path / "set").exists()


def test_all_problems_come_at_once(tmp_path: Path):
    rows = ["redshift,lum,temp,gas", "0.1,1,nan,-1", "0.2,1,3,x"]
    with pytest.raises(SchemaError) as caught:
        import_table(*write(tmp_path, rows), options=ImportOptions(where=("mass > 1",)))
    assert len(caught.value.problems) == 5
    assert all("allowed: " in problem for problem in caught.value.problems)


BAD_OPTIONS = {
    "h as H0": (ImportOptions(h=70.4), "h = 70.4 is not plausible"),
    "redshift": (ImportOptions(z=-1), "z = -1 is not a redshift"),
    "unit of what": (
        ImportOptions(units={"mass": "Msun"}),
        "unknown column mass; a table can fill cluster_id, z, m_500c",
    ),
    "without what": (ImportOptions(without=("mass",)), "unknown column mass"),
    "unit": (
        ImportOptions(units={"m_500c": "stone"}),
        r"unknown unit 'stone'; allowed: solMass or Msun",
    ),
    "quantity": (ImportOptions(units={"t_x": "Msun"}), "measures a mass; 'keV' measures a temperature"),
    "condition": (ImportOptions(where=("heavy",)), "condition 'heavy' is not of the form COLUMN OPERATOR NUMBER"),
    "name": (ImportOptions(where=("weight > 1",)), "no column 'weight'; allowed: z, m_500c"),
}


@pytest.mark.parametrize(("options", "message"), BAD_OPTIONS.values(), ids=BAD_OPTIONS)
def test_bad_options_are_refused(options: ImportOptions, message: str, tmp_path: Path):
    with pytest.raises(EarnestError, match=message):
        import_table(*write(tmp_path, ROWS), options=options)


BAD_MAPPINGS = {
    "toml": ("name =", "is not valid TOML"),
    "unknown field": (MAPPING + "\ncolour = 3", r"columns.colour: .*\n?"),
    "unknown column": (MAPPING + '\nmass = { source = "mass" }', "columns.mass is no schema column; allowed are"),
    "unit": (MAPPING.replace('"keV"', '"warm"'), "columns.t_x: unknown unit 'warm'"),
    "reader": (MAPPING.replace('"csv"', '"excel"'), "reader.kind: Input should be 'whitespace', 'csv'"),
    "no luminosity": (MAPPING.replace("l_x = {", "m_wl = {"), "columns.l_x is missing"),
    "nothing": (MAPPING.replace('{ source = "redshift" }', "{}"), "columns.z: give either a source"),
    "times": (MAPPING.replace('unit = "keV"', 'times = "gas"'), "times = 'gas' must name a column"),
    "null": (MAPPING.replace('unit = "keV"', 'null = "none"'), "condition 'none' is not of the form OPERATOR NUMBER"),
    "headerless": (MAPPING.replace('"csv"', '"csv"\nheader = "none"'), "reader.names is missing"),
}


@pytest.mark.parametrize(("mapping", "message"), BAD_MAPPINGS.values(), ids=BAD_MAPPINGS)
def test_bad_mappings_are_refused(mapping: str, message: str, tmp_path: Path):
    with pytest.raises(InputError, match=message):
        import_table(*write(tmp_path, ROWS, mapping))


def test_unknown_formats_and_files_are_named(tmp_path: Path):
    with pytest.raises(InputError, match="unknown table format 'excel'; known are earnest, erass1, magneticum"):
        load_mapping("excel")
    with pytest.raises(InputError, match="cannot be read"):
        load_mapping(tmp_path / "none.toml")
    with pytest.raises(InputError, match="there is no such file"):
        import_table(tmp_path / "none.csv", "mcxc")
    with pytest.raises(InputError, match=r"does not tell the layout; known are \.csv"):
        import_table(_file(tmp_path / "table.docx", b"x"), "mcxc")
    with pytest.raises(InputError, match="not UTF-8 text"):
        import_table(_file(tmp_path / "table.csv", b"\xff\xfe\x00"), "mcxc")
    with pytest.raises(InputError, match="cannot be read"):
        import_table(_file(tmp_path / "table.dat", b"\x1f\x8bnothing"), "magneticum-lightcone")
    with pytest.raises(InputError, match="nothing names its 3 columns: line 1 is data"):
        import_table(_file(tmp_path / "cluster.txt", b"1 2 3\n"), "magneticum-snap")


@pytest.mark.parametrize("name", ["table.fits", "table.vot", "table.ecsv"])
def test_broken_binary_tables_are_named(name: str, tmp_path: Path):
    pytest.importorskip("astropy")
    with pytest.raises(InputError, match="cannot be read as"):
        import_table(_file(tmp_path / name, b"nothing of the kind"), "earnest")


def test_missing_luminosities_can_be_refused(tmp_path: Path):
    rows = [*ROWS, "0.3,4e14,,4.2,4e13"]
    assert import_table(*write(tmp_path, rows))[1].dropped == {"l_x unknown or not positive": 1}
    with pytest.raises(SchemaError, match=r"column 'l_x': found 1 rows without a usable value \(first: line 5\)"):
        import_table(*write(tmp_path, rows), options=ImportOptions(missing="refuse"))


def test_a_header_without_unit_asks_for_it(tmp_path: Path):
    (tmp_path / "d.csv").write_text("m500c,lx[1e44erg/s]\n1e14,1\n2e14,2\n")
    with pytest.raises(SchemaError, match=r"'m_500c' \(from 'm500c'\): found no unit.*--unit m_500c=UNIT"):
        import_table(tmp_path / "d.csv", "magneticum-portal", options=ImportOptions(z=0.1))
    options = ImportOptions(z=0.1, units={"m_500c": "Msun/h"})
    batch, _ = import_table(tmp_path / "d.csv", "magneticum-portal", options=options)
    np.testing.assert_allclose(batch.column("m_500c"), np.array([2e14, 1e14]) / 0.704)


def test_a_stated_unit_that_contradicts_the_mapping_is_refused(tmp_path: Path):
    (tmp_path / "d.txt").write_text("# m500c[Msol] gas_frac T[keV] Lx[1e44erg/s]\n1e14 0.1 2 1\n")
    with pytest.raises(SchemaError, match=r"found unit 'Msol' in the file; allowed: 'Msun/h', which the mapping says"):
        import_table(tmp_path / "d.txt", "magneticum-snap", options=ImportOptions(z=0.1))


FEW = {
    "one in kelvin": ([f"0.1,3e14,2.0,{3.5 / 8.617e-8},3e13"], "'t_x' is in kelvin rather than keV"),
    "three in kelvin": ([f"0.1,{m}e14,{m},{3 / 8.617e-8},{m}e13" for m in (2, 3, 4)], "'t_x' is in kelvin"),
    "three in keV read as kelvin": (
        [f"0.1,{m}e14,{m},{3 * 8.617e-8},{m}e13" for m in (2, 3, 4)],
        "in keV rather than kelvin",
    ),
    "one mass in 1e14": (["0.1,3,2.0,3.5,3e13"], "'m_500c' is 1e14 times too small"),
}


@pytest.mark.parametrize(("rows", "suspect"), FEW.values(), ids=FEW)
def test_few_clusters_are_judged_too(rows: list[str], suspect: str, tmp_path: Path):
    with pytest.raises(SchemaError, match=suspect):
        import_table(*write(tmp_path, [ROWS[0], *rows]))


def test_one_cluster_may_be_less_usual_than_a_median(tmp_path: Path):
    hot = "0.1,3e14,2.0,10,3e13"  # 2.7 times the usual temperature: no median of five, but some cluster
    assert len(import_table(*write(tmp_path, [ROWS[0], hot]))[0].clusters) == 1
    with pytest.raises(SchemaError, match="units are implausible"):
        import_table(*write(tmp_path, [ROWS[0], *[hot] * 5]))


def test_an_exported_table_in_another_format_is_told(tmp_path: Path):
    (tmp_path / "mocks.csv").write_text("cluster_id,z,m_500c,l_x\n0,0.1,3e14,2\n")
    with pytest.raises(SchemaError, match=r"nothing for m_500c, l_x: .*l_x from L500.* or use --format earnest"):
        import_table(tmp_path / "mocks.csv", "mcxc")


IDS = {
    "several catalogs": (["0", "1", "0"], "1 ids that occur before"),
    "names": (["0.5", "-1", "2"], "2 ids that are no whole numbers from 0"),
    "gap": (["0", "", "2"], "1 ids that are no whole numbers from 0"),
}


@pytest.mark.parametrize(("ids", "message"), IDS.values(), ids=IDS)
def test_clusters_must_be_told_apart(ids: list[str], message: str, tmp_path: Path):
    (tmp_path / "t.csv").write_text("cluster_id,z,l_x\n" + "".join(f"{i},0.1,{n}\n" for n, i in enumerate(ids, 1)))
    with pytest.raises(SchemaError, match=message):
        import_table(tmp_path / "t.csv", "earnest")
    batch, _ = import_table(tmp_path / "t.csv", "earnest", options=ImportOptions(without=("cluster_id",)))
    assert batch.clusters["cluster_id"].to_list() == [2, 1, 0]


HEADERS = {
    "first row": "z,mass,lum\n",
    "comment": "# made by me\n# z,mass,lum\n",
    "comment, then others": "# z,mass,lum\n# units: none, 1, 2, 3 and so on\n",
    "row after comments": "# a,b,c\n\nz,mass,lum\n",
}


@pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS)
def test_column_names_are_found_where_they_stand(header: str, tmp_path: Path):
    mapping = MAPPING.replace('"redshift"', '"z"').replace('t_x = { source = "temp", unit = "keV" }', "")
    rows = [*header.splitlines(), "0.1,3e14,2.0", "0.1,3e14,1.0"]
    assert import_table(*write(tmp_path, rows, mapping))[0].clusters["l_x"].to_list() == [2, 1]


def test_texts_of_units_are_read():
    assert parse_units(["m_500c=1e14 Msun/h"]) == {"m_500c": "1e14 Msun/h"}
    with pytest.raises(InputError, match="not of the form COLUMN=UNIT"):
        parse_units(["m_500c"])


def test_implausible_units_can_be_trusted(tmp_path: Path):
    rows = [ROWS[0], *[f"0.1,{m}e14,{m},3,{m}e3" for m in range(1, 8)]]
    with pytest.raises(SchemaError, match="units are implausible"):
        import_table(*write(tmp_path, rows))
    _, report = import_table(*write(tmp_path, rows), options=ImportOptions(trust_units=True))
    assert "units are implausible" in report.warnings[0]


def _file(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def test_damaged_compressed_text_is_refused(tmp_path: Path):
    table, mapping = write(tmp_path, ROWS)
    data, whole, refused = gzip.compress(table.read_bytes(), mtime=0), import_table(table, mapping)[0].clusters, 0
    for at in range(10, len(data) - 8):  # between the header and the checksum
        table.write_bytes(data[:at] + bytes([data[at] ^ 0x10]) + data[at + 1 :])
        try:
            assert import_table(table, mapping)[0].clusters.equals(whole)  # a bit that means nothing, such as padding
        except InputError:
            refused += 1
    assert refused > 50
