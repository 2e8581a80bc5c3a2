"""What is exported comes back the same, with units, and other tools can read it."""

import builtins
import json
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from earnest_common.catalogs import CatalogSet, Plan, write_batch
from earnest_common.catalogs.batch import CatalogBatch
from earnest_common.errors import InputError, MissingExtraError, OutputExistsError
from earnest_common.exporters import FORMATS, astropy_tables, export, to_astropy, to_pandas
from earnest_common.exporters.escapes import escaped
from earnest_common.importers import ImportOptions, import_table
from earnest_common.schema import CATALOGS, CLUSTERS, SCHEMA_VERSION, Table
from earnest_common.testing import toy_batch
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

SUFFIX = {"fits": ".fits", "votable": ".vot", "ecsv": ".ecsv", "csv": ".csv"}
WITH_UNITS = ("fits", "votable", "ecsv")


def with_gaps(batch: CatalogBatch) -> CatalogBatch:
    """Return the batch with every third value of the nullable columns unknown."""
    names = [c.name for c in CLUSTERS.columns if c.nullable]
    gap = (pl.int_range(pl.len()) % 3 == 0) & (pl.col("catalog_id") >= 0)
    clusters = batch.clusters.with_columns(pl.when(~gap).then(pl.col(name)).alias(name) for name in names)
    return CatalogBatch.conformed(batch.catalogs, clusters, subject="with gaps")


def read(path: Path, format_name: str, table: str = "clusters") -> object:
    pytest.importorskip("astropy")
    from astropy.table import Table as AstropyTable

    options = {"fits": {"hdu": table}, "votable": {"table_id": table}}.get(format_name, {})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the erg
        return AstropyTable.read(path, format="ascii.ecsv" if format_name == "ecsv" else format_name, **options)


@pytest.fixture
def batch() -> CatalogBatch:
    return with_gaps(toy_batch(n_catalogs=3, seed=4, mean_n_clusters=12))


@pytest.mark.parametrize("format_name", FORMATS)
def test_exported_clusters_are_imported_unchanged(format_name: str, batch: CatalogBatch, tmp_path: Path):
    if format_name != "csv":
        pytest.importorskip("astropy")
    path = tmp_path / f"toy{SUFFIX[format_name]}"
    export(batch, path, format_name)
    for number in range(3):
        options = ImportOptions(where=(f"catalog_id == {number}",))
        back, report = import_table(path, "earnest", options=options)
        expected = batch.select([number]).clusters.with_columns(catalog_id=pl.lit(0, pl.Int64))
        # truth of mocks survives, only the donors of a set that is not at hand do not
        assert_frame_equal(back.clusters.drop("donor_id"), expected.drop("donor_id"), check_exact=True)
        assert report.n_read == batch.n_clusters


@pytest.mark.parametrize("format_name", WITH_UNITS)
def test_astropy_reads_values_units_and_gaps(format_name: str, batch: CatalogBatch, tmp_path: Path):
    units = pytest.importorskip("astropy.units")
    path = tmp_path / "toy"
    export(batch, path, format_name)
    table = read(path, format_name)
    for column in CLUSTERS.columns:
        found = table[column.name]
        assert (found.unit or units.dimensionless_unscaled) == units.Unit(column.unit)
        values, unknown = np.ma.getdata(found), batch.clusters[column.name].is_null().to_numpy()
        mask = np.ma.getmaskarray(found).reshape(len(found), -1)
        np.testing.assert_array_equal(mask.all(axis=1), unknown)
        np.testing.assert_array_equal(mask.any(axis=1), unknown)
        np.testing.assert_array_equal(values[~unknown], batch.column(column.name)[~unknown])


@pytest.mark.parametrize("format_name", WITH_UNITS)
def test_integers_are_signed_and_profiles_stay_arrays(format_name: str, batch: CatalogBatch, tmp_path: Path):
    export(batch, tmp_path / "toy", format_name)
    table = read(tmp_path / "toy", format_name)
    assert table["cluster_id"].dtype.newbyteorder("=") == np.dtype("int64")
    assert table["m_gas_profile"].shape == (batch.n_clusters, 7)
    assert table["m_gas_profile"].dtype.newbyteorder("=") == np.dtype("float32")


@pytest.mark.parametrize("format_name", ["fits", "votable"])
def test_both_tables_are_in_the_file(format_name: str, batch: CatalogBatch, tmp_path: Path):
    export(batch, tmp_path / "toy", format_name)
    catalogs = read(tmp_path / "toy", format_name, "catalogs")
    assert tuple(catalogs.colnames) == CATALOGS.names
    np.testing.assert_array_equal(catalogs["sigma8"], batch.label("sigma8"))
    assert [str(s) for s in catalogs["split"]] == batch.catalogs["split"].to_list()


@pytest.mark.parametrize(("format_name", "table"), [(f, t) for f in ("csv", "ecsv") for t in (CLUSTERS, CATALOGS)])
def test_one_table_per_text_file(format_name: str, table: Table, batch: CatalogBatch, tmp_path: Path):
    if format_name == "ecsv":
        pytest.importorskip("astropy")
    export(batch, tmp_path / "toy", format_name, table=table.name)
    lines = (tmp_path / "toy").read_text().splitlines()
    data = [line for line in lines if not line.startswith("#")]
    rows = batch.clusters if table is CLUSTERS else batch.catalogs
    assert len(data) == rows.height + 1
    assert any("schema_version" in line for line in lines)
    for column in table.columns:
        assert any(column.description in line for line in lines)


def test_descriptions_and_content_descriptors_are_written(batch: CatalogBatch, tmp_path: Path):
    fits = pytest.importorskip("astropy.io.fits")
    export(batch, tmp_path / "toy.fits", "fits")
    with fits.open(tmp_path / "toy.fits", checksum=True) as file:
        header = file["clusters"].header
        number = CLUSTERS.names.index("l_x") + 1
        assert header[f"TTYPE{number}"] == "l_x"
        assert header[f"TCOMM{number}"] == CLUSTERS.column("l_x").description
        assert header[f"TUCD{number}"] == CLUSTERS.column("l_x").ucd
        assert header["SCHEMAV"] == str(SCHEMA_VERSION)
        assert json.loads(header["RADII"]) == list(batch.radii)
    export(batch, tmp_path / "toy.vot", "votable")
    assert 'name="schema_version"' in (tmp_path / "toy.vot").read_text()
    assert f'ucd="{CLUSTERS.column("l_x").ucd}"' in (tmp_path / "toy.vot").read_text()


def test_a_set_is_exported_with_its_provenance(batch: CatalogBatch, tmp_path: Path):
    plan = Plan(kind="mock", preset="toy", seed=4, n_catalogs=3, catalogs_per_shard=2, synthetic="a toy")
    manifest = write_batch(tmp_path / "set", batch, plan)
    export(CatalogSet.open(tmp_path / "set"), tmp_path / "set.csv", "csv")
    export(batch, tmp_path / "batch.csv", "csv")
    of_set, of_batch = ((tmp_path / name).read_text().splitlines() for name in ("set.csv", "batch.csv"))
    assert [line for line in of_set if line[0] != "#"] == [line for line in of_batch if line[0] != "#"]
    for fact in ("# preset = toy", "# seed = 4", '# synthetic = "a toy"', f"# data_hash = {manifest.data_hash}"):
        assert fact in of_set
    fits = pytest.importorskip("astropy.io.fits")
    export(CatalogSet.open(tmp_path / "set"), tmp_path / "set.fits", "fits")
    header = fits.getheader(tmp_path / "set.fits", "clusters")
    assert (header["DATAHASH"], header["PRESET"], header["SEED"]) == (manifest.data_hash, "toy", "4")


@given(
    values=st.lists(
        st.tuples(
            st.floats(1e-300, 1e5), st.floats(0, 20), st.one_of(st.none(), st.floats(2.0**-90, 2.0**53, width=32))
        ),
        min_size=1,
        max_size=5,
    )
)
@settings(max_examples=15, deadline=None)
def test_csv_keeps_every_bit(tmp_path_factory: pytest.TempPathFactory, values: list[tuple[float, float, float | None]]):
    path = tmp_path_factory.mktemp("bits") / "toy.csv"
    values = sorted(values, key=lambda row: -row[0])
    clusters = {
        "catalog_id": [0] * len(values),
        "cluster_id": list(range(len(values))),
        "rank": list(range(len(values))),
        "l_x": [row[0] for row in values],
        "z": [row[1] for row in values],
        "m_gas_profile": [None if row[2] is None else [row[2]] * 7 for row in values],
    }
    schema = {"m_gas_profile": pl.Array(pl.Float32, 7)}
    catalogs = pl.DataFrame({"catalog_id": [0], "n_clusters": [len(values)], "survey": ["any"]})
    frame = pl.DataFrame(clusters, schema_overrides=schema)
    batch = CatalogBatch.conformed(catalogs, frame, subject="any")
    export(batch, path, "csv")
    back, _ = import_table(path, "earnest", options=ImportOptions(trust_units=True))
    assert_frame_equal(back.clusters, batch.clusters, check_exact=True)


@pytest.mark.parametrize("format_name", FORMATS)
def test_nothing_is_overwritten(format_name: str, batch: CatalogBatch, tmp_path: Path):
    (tmp_path / "toy").write_text("mine")
    with pytest.raises(OutputExistsError, match="not overwritten"):
        export(batch, tmp_path / "toy", format_name)
    assert (tmp_path / "toy").read_text() == "mine"


@pytest.mark.parametrize("format_name", FORMATS)
def test_a_failed_export_leaves_nothing(format_name: str, batch: CatalogBatch, tmp_path: Path, monkeypatch):
    if format_name != "csv":
        pytest.importorskip("astropy")

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("earnest_common.run.files.os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        export(batch, tmp_path / "toy", format_name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("format_name", WITH_UNITS)
def test_without_astropy_the_command_that_installs_it_is_named(
    format_name: str, batch: CatalogBatch, tmp_path: Path, monkeypatch
):
    monkeypatch.setattr(astropy_tables, "find_spec", lambda _: None)
    with pytest.raises(MissingExtraError, match=r'pip install "earnest-common\[astropy\]"'):
        export(batch, tmp_path / "toy", format_name)
    assert list(tmp_path.iterdir()) == []


def test_without_astropy_fits_cannot_be_imported(tmp_path: Path, monkeypatch):
    (tmp_path / "table.fits").write_bytes(b"")
    original = builtins.__import__

    def refuse(name: str, *arguments: object, **options: object) -> object:
        if name.startswith("astropy"):
            raise ImportError(name)
        return original(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(MissingExtraError, match=r'pip install "earnest-common\[astropy\]"'):
        import_table(tmp_path / "table.fits", "erass1")


def test_unknown_words_are_refused(batch: CatalogBatch, tmp_path: Path):
    with pytest.raises(InputError, match="unknown export format 'hdf5'; known are fits, votable, ecsv, csv"):
        export(batch, tmp_path / "toy", "hdf5")
    with pytest.raises(InputError, match="unknown table 'galaxies'; known are clusters, catalogs"):
        export(batch, tmp_path / "toy", "csv", table="galaxies")


@pytest.mark.parametrize("format_name", FORMATS)
@pytest.mark.parametrize("name", ["Böhringer", "Übersicht ⊙ 🌌", "two\nlines", "tab\tand\x01"])
def test_names_of_any_script_are_written_and_can_be_read_back(format_name: str, name: str, tmp_path: Path):
    if format_name != "csv":
        pytest.importorskip("astropy")
    few = toy_batch(n_catalogs=2, seed=4, mean_n_clusters=3)
    few = CatalogBatch.conformed(few.catalogs.with_columns(survey=pl.lit(name)), few.clusters, subject="few")
    plan = Plan(kind="observed", preset=name, seed=None, n_catalogs=2, config={"import": {"title": name}})
    write_batch(tmp_path / "set", few, plan)
    export(CatalogSet.open(tmp_path / "set"), tmp_path / "toy", format_name)
    if format_name == "csv":
        head = [line for line in (tmp_path / "toy").read_text(encoding="utf-8").splitlines() if line[0] == "#"]
        assert f"# preset = {escaped(name)}" in head
        assert pl.read_csv(tmp_path / "toy", comment_prefix="#").height == few.n_clusters
        return
    assert len(read(tmp_path / "toy", format_name)) == few.n_clusters
    if format_name == "fits":
        header = pytest.importorskip("astropy.io.fits").getheader(tmp_path / "toy", "clusters")
        assert json.loads('"' + header["PRESET"] + '"') == name
        survey = np.asarray(read(tmp_path / "toy", "fits", "catalogs")["survey"])[0].decode("ascii")
        assert json.loads(f'"{survey}"') == name


@pytest.mark.skipif(shutil.which("stilts") is None, reason="STILTS is not installed")
@pytest.mark.parametrize("gaps", [False, True])
def test_stilts_finds_nothing_to_complain_of(gaps: bool, tmp_path: Path):
    pytest.importorskip("astropy")
    toy = toy_batch(n_catalogs=3, seed=4, mean_n_clusters=12)
    export(with_gaps(toy) if gaps else toy, tmp_path / "toy.vot", "votable")
    export(with_gaps(toy) if gaps else toy, tmp_path / "toy.fits", "fits")
    lint = subprocess.run(["stilts", "votlint", tmp_path / "toy.vot"], capture_output=True, text=True, check=False)
    assert (lint.returncode, lint.stdout, lint.stderr) == (0, "", "")
    for file in ("toy.vot#0", "toy.fits#1"):
        count = ["stilts", "tpipe", f"in={tmp_path / file}", "omode=count"]
        counted = subprocess.run(count, capture_output=True, text=True, check=True).stdout
        assert f"rows: {toy.n_clusters}" in counted


def test_an_astropy_table_has_quantities(batch):
    """Through astropy's own conversion: keV in kelvin, solar masses in grams; what is unknown is masked."""
    import astropy.units as u

    whole = toy_batch(n_catalogs=3, seed=4)
    table = to_astropy(whole)
    kelvin = table["t_x"].to(u.K, equivalencies=u.temperature_energy()).value
    np.testing.assert_allclose(kelvin, whole.column("t_x") * 1.160451812e7, rtol=1e-6)
    grams = whole.column("m_gas_profile").astype(float) * 1.98841e33  # beyond single precision
    np.testing.assert_allclose(table["m_gas_profile"].to(u.g).value, grams, rtol=1e-5)
    assert table["l_x"].to(u.erg / u.s).value[0] == pytest.approx(whole.column("l_x")[0] * 1e44)
    assert to_astropy(whole, table="catalogs")["sigma8"].tolist() == whole.label("sigma8").tolist()
    np.testing.assert_array_equal(to_astropy(batch)["m_wl"].mask, np.isnan(batch.column("m_wl")))


def test_a_pandas_table_is_that_of_csv(batch, tmp_path):
    """Column by column what pandas reads from the exported file, with units of every profile column."""
    import pandas as pd

    frame = to_pandas(batch)
    export(batch, tmp_path / "toy.csv")
    pd.testing.assert_frame_equal(frame, pd.read_csv(tmp_path / "toy.csv", comment="#"), check_dtype=False, rtol=1e-6)
    assert frame.attrs["units"]["m_gas_profile_7"] == "solMass"
    assert "z" not in frame.attrs["units"]
    with pytest.raises(InputError, match="unknown table"):
        to_pandas(batch, table="halos")


@pytest.mark.parametrize(("function", "module"), [(to_astropy, "astropy"), (to_pandas, "pandas")])
def test_tables_name_the_extra_that_they_need(batch, monkeypatch, function, module):
    monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.setattr("earnest_common.exporters.astropy_tables.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"earnest-common\[astropy\]"):
        function(batch)
