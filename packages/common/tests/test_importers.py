"""The same invented clusters, written in the layout of every shipped format, give the same catalog."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from earnest_common.catalogs.batch import CatalogBatch
from earnest_common.importers import ImportOptions, ImportReport, import_table, load_mapping, mapping_names
from earnest_common.importers.mapping import TableCosmology
from earnest_common.importers.plausibility import critical_density
from earnest_common.survey.scaling import TABLE_2
from hypothesis import given, settings
from hypothesis import strategies as st

Truth = dict[str, np.ndarray]
N = 12


def invent(h: float = 0.704, om0: float = 0.272, *, z: float | None = None) -> Truth:
    """Return clusters on the mean relations, in no particular order, in schema units."""
    log10_m = 13.7 + 1.2 * np.modf(np.arange(1, N + 1) * 0.618)[0]
    redshift = np.linspace(0.05, 0.4, N) if z is None else np.full(N, z)
    mass = 10**log10_m
    density = 500 * critical_density(redshift, TableCosmology(H0=100 * h, Om0=om0))
    return {
        "z": redshift,
        "m_500c": mass,
        "l_x": 10 ** TABLE_2.l_x.log10_mean(log10_m),
        "t_x": 10 ** TABLE_2.t_x.log10_mean(log10_m),
        "m_gas": 10 ** TABLE_2.m_gas.log10_mean(log10_m),
        "r_500c": (mass / (4 * np.pi / 3 * density)) ** (1 / 3),
    }


def text(path: Path, columns: dict[str, object], *, header: str | None, separator: str = "  ") -> Path:
    """Write a text table; the header is its prefix, or ``None`` for none."""
    values = [np.broadcast_to(np.asarray(v, dtype=object), (N,)) for v in columns.values()]
    rows = [separator.join(str(v) for v in row) for row in zip(*values, strict=True)]
    lines = [] if header is None else [header + separator.join(columns)]
    path.write_text("\n".join([*lines, *rows]) + "\n")
    return path


def snap(folder: Path, t: Truth) -> Path:
    h, a = 0.704, 1 / (1 + t["z"])
    columns = {"x[kpc/h]": 1.0, "c_new": 5, "m500c[Msol/h]": t["m_500c"] * h, "r500c[kpc/h]": t["r_500c"] * h / a}
    columns |= {"gas_frac": t["m_gas"] / t["m_500c"], "T[kev]": t["t_x"], "Lx[1e44erg/s]": t["l_x"], "vx[km/s]": -3.0}
    return text(folder / "cluster.txt", columns, header="# ")


def lightcone(folder: Path, t: Truth) -> Path:
    h, a = 0.704, 1 / (1 + t["z"])
    names = "ihal x_pix y_pix z_pix Rrel Mvir z_true z_obs M500 R500 Mstar500 Mgas500 T500 Lx500 Ysz500 M200 R200 flag"
    columns: dict[str, object] = dict.fromkeys(names.split(), 0.5)
    columns |= {"z_true": t["z"], "M500": t["m_500c"] * h, "R500": t["r_500c"] * h / a, "flag": 0}
    columns |= {"Mgas500": t["m_gas"] * h, "T500": t["t_x"], "Lx500": t["l_x"]}
    return text(folder / "cluster.dat", columns, header="")


def headerless(folder: Path, t: Truth) -> Path:
    h, a = 0.704, 1 / (1 + t["z"])
    columns: dict[str, object] = dict.fromkeys([f"c{i}" for i in range(14)], 7.5)
    columns |= {
        "c8": t["m_500c"] * h,
        "c9": t["r_500c"] * h / a,
        "c10": t["m_gas"] * h,
        "c12": t["t_x"],
        "c13": t["l_x"],
    }
    path = text(folder / "cluster_136.dat", columns, header=None)
    path.write_text("# made by nobody\n# two comments\n" + path.read_text())
    return path


def portal(folder: Path, t: Truth) -> Path:
    h = 0.704
    columns = {"# id": np.arange(N), "uid": "None", "z": 351000.0, "m500c[Msol/h]": t["m_500c"] * h}
    columns |= {"Lx[1e44erg/s]": t["l_x"], "T[keV]": t["t_x"], "mgas500c[Msol/h]": t["m_gas"] * h}
    return text(folder / "dataset.csv", columns, header="", separator=", ")


def erass1(folder: Path, t: Truth) -> Path:
    from astropy.table import Table

    table = Table({"DETUID": [f"em01_{i}" for i in range(N)], "BEST_Z": t["z"], "M500": t["m_500c"] / 1e13})
    table["Lbol500"], table["KT"] = (t["l_x"] * 100).astype(np.float32), t["t_x"]
    table["MGAS500"], table["R500"] = t["m_gas"] / 1e11, t["r_500c"]
    table["M500"].unit = "1e13 solMass"
    table.write(folder / "erass1.fits")
    return folder / "erass1.fits"


def mcxc(folder: Path, t: Truth) -> Path:
    columns = {"MCXC": "J0000.0+0000", "AName": '"A1, A2"', "z": t["z"], "L500": t["l_x"]}
    columns |= {"M500": t["m_500c"] / 1e14, "R500": t["r_500c"] / 1e3}
    return text(folder / "mcxc.csv", columns, header="", separator=",")


def reflex(folder: Path, t: Truth) -> Path:
    columns = {"RXC": "J0", "z": t["z"], "LumCor": t["l_x"], "RAdeg": np.arange(N) * 30.0, "DEdeg": -45.0}
    return text(folder / "reflex.csv", columns, header="", separator=",")


def planck(folder: Path, t: Truth) -> Path:
    columns = {"name": "G1", "z": t["z"], "r500_kpc": t["r_500c"], "m500_1e14Msun": t["m_500c"] / 1e14, "m500_ep": 0.1}
    columns |= {"mgas500_1e13Msun": t["m_gas"] / 1e13, "Tx_keV": t["t_x"], "Lbol_1e44": t["l_x"], "Lx_0.1-2.4_1e44": 1}
    return text(folder / "esz.csv", columns, header="", separator=",")


CASES: dict[str, tuple[Callable[[Path, Truth], Path], float, float, float | None]] = {
    "magneticum-snap": (snap, 0.704, 0.272, 0.0663),
    "magneticum-lightcone": (lightcone, 0.704, 0.272, None),
    "magneticum-headerless": (headerless, 0.704, 0.272, 0.0663),
    "magneticum-portal": (portal, 0.704, 0.272, 0.0663),
    "erass1": (erass1, 0.7, 0.3, None),
    "mcxc": (mcxc, 0.7, 0.3, None),
    "reflex": (reflex, 0.7, 0.3, None),
    "planck-esz": (planck, 0.7, 0.3, None),
}


def imported(name: str, folder: Path, **options: object) -> tuple[Truth, CatalogBatch, ImportReport]:
    write, h, om0, z = CASES[name]
    if name == "erass1":
        pytest.importorskip("astropy")
    truth = invent(h, om0, z=z)
    batch, report = import_table(write(folder, truth), name, options=ImportOptions(**{"z": z, **options}))
    return truth, batch, report


def test_every_shipped_mapping_is_tested():
    assert set(mapping_names()) == {*CASES, "earnest"}


@pytest.mark.parametrize("name", CASES)
def test_a_layout_gives_back_the_clusters(name: str, tmp_path: Path):
    truth, batch, report = imported(name, tmp_path)
    order = np.argsort(-truth["l_x"])
    assert batch.problems() == []
    assert batch.clusters["cluster_id"].to_list() == order.tolist()
    assert batch.clusters["rank"].to_list() == list(range(N))
    for column in ("z", "m_500c", "l_x", "t_x", "m_gas"):
        if column in load_mapping(name).columns or column == "z":
            np.testing.assert_allclose(batch.column(column), truth[column][order], rtol=1e-6)
        else:
            assert batch.clusters[column].null_count() == N
    assert (report.n_read, report.n_kept, report.dropped) == (N, N, {})
    assert all(check.passed and check.value == pytest.approx(1, rel=0.5) for check in report.checks)
    assert report.warnings == ()


@pytest.mark.parametrize("name", CASES)
def test_the_report_tells_kind_luminosity_and_source(name: str, tmp_path: Path):
    _, batch, report = imported(name, tmp_path)
    simulated = name.startswith("magneticum")
    assert report.kind == ("simulation" if simulated else "observed")
    assert (batch.catalogs["sigma8"].null_count() == 0) == simulated
    assert "bolometric" in report.l_x
    assert report.citation
    assert report.obtain
    assert "m_wl" in report.unknown_columns
    assert len(report.sha256) == 64
    assert any("please cite" in line for line in report.lines())


@pytest.mark.parametrize("name", [n for n in CASES if n.startswith("magneticum")])
@given(h=st.floats(0.5, 1.0))
@settings(max_examples=5, deadline=None)
def test_another_h_rescales_masses_and_nothing_else(name: str, tmp_path_factory: pytest.TempPathFactory, h: float):
    folder = tmp_path_factory.mktemp("h")
    _, first, _ = imported(name, folder)
    _, second, _ = imported(name, folder, h=h, trust_units=True)
    for column in ("m_500c", "m_gas"):
        np.testing.assert_allclose(second.column(column) * h, first.column(column) * 0.704, rtol=1e-12)
    for column in ("z", "l_x", "t_x"):
        np.testing.assert_array_equal(second.column(column), first.column(column))


def test_compressed_tables_are_read_as_they_are(tmp_path: Path):
    import gzip

    path = snap(tmp_path, invent(z=0.1))
    packed = tmp_path / "cluster.txt.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    options = ImportOptions(z=0.1)
    assert import_table(packed, "magneticum-snap", options=options)[0].clusters.equals(
        import_table(path, "magneticum-snap", options=options)[0].clusters
    )


def test_rows_without_luminosity_or_failing_a_condition_are_dropped_and_counted(tmp_path: Path):
    truth = invent()
    path = lightcone(tmp_path, truth)
    frame = pl.read_csv(path.read_bytes().replace(b"  ", b","))
    frame = frame.with_columns(
        flag=pl.when(pl.int_range(pl.len()) == 3).then(1).otherwise(0),
        Lx500=pl.when(pl.int_range(pl.len()) == 5).then(0.0).otherwise("Lx500"),
    )
    frame.write_csv(tmp_path / "cluster.csv")
    batch, report = import_table(
        tmp_path / "cluster.csv", "magneticum-lightcone", options=ImportOptions(where=("z < 0.3", "ihal == 0.5"))
    )
    far = int((truth["z"] >= 0.3).sum())
    assert report.dropped == {
        "'flag == 0' does not hold": 1,
        "'z < 0.3' does not hold": far,
        "l_x unknown or not positive": 1,
    }
    assert batch.n_clusters == N - far - 2
    assert {3, 5}.isdisjoint(batch.clusters["cluster_id"].to_list())


def test_a_fits_unit_is_compared_with_the_mapping(tmp_path: Path):
    pytest.importorskip("astropy")
    _, _, report = imported("erass1", tmp_path)
    described = {column.name: column for column in report.columns}
    assert (described["m_500c"].source_unit, described["m_500c"].factor) == ("1e13 Msun", 1e13)


@given(
    rows=st.lists(
        st.tuples(st.floats(1e-3, 1e3), st.floats(0, 2), st.one_of(st.none(), st.floats(1e12, 1e16))),
        min_size=1,
        max_size=4,
    )
)
@settings(max_examples=40, deadline=None)
def test_numbers_survive_exactly(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[float, float, float | None]]
):
    path = tmp_path_factory.mktemp("exact") / "table.csv"
    path.write_text("\n".join(["l_x,z,m_500c", *(f"{l},{z},{'' if m is None else m}" for l, z, m in rows)]))  # noqa: E741
    batch, _ = import_table(path, "earnest", options=ImportOptions(trust_units=True))
    back = sorted(batch.clusters.select("cluster_id", "l_x", "z", "m_500c").rows())
    assert back == [(number, *row) for number, row in enumerate(rows)]
    assert batch.clusters["l_x"].is_sorted(descending=True)


def test_the_python_of_the_documentation_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    page = Path(__file__).parents[3] / "docs" / "tables.md"
    if not page.is_file():
        pytest.skip("the documentation is not part of an installed package")
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    exec(page.read_text().split("```python\n")[1].split("```")[0], names)
    assert len(names["batch"].clusters) == 2
    assert names["report"].dropped == {"'z < 0.1' does not hold": 1}


def test_the_mapping_of_the_documentation_works(tmp_path: Path):
    page = Path(__file__).parents[3] / "docs" / "tables.md"
    if not page.is_file():
        pytest.skip("the documentation is not part of an installed package")
    (tmp_path / "mine.toml").write_text(page.read_text().split("```toml\n")[1].split("```")[0])
    rows = "# redshift M500 logLx T500 f_gas M_wl contaminated\n" + "0.07 6774 43.5 2.0 0.1 3e13 0\n" * 3
    (tmp_path / "table.txt").write_text(rows + "0.07 6774 44.5 - - - 0\n0.07 6774 45 2 0.1 - 1\n")
    batch, report = import_table(tmp_path / "table.txt", tmp_path / "mine.toml")
    assert batch.clusters["cluster_id"].to_list() == [3, 0, 1, 2]
    np.testing.assert_allclose(batch.column("l_x"), [10**0.5, *[10**-0.5] * 3])
    np.testing.assert_allclose(batch.column("m_500c"), 1e14)
    np.testing.assert_allclose(batch.column("m_gas")[1:], 1e13)
    np.testing.assert_allclose(batch.column("m_wl")[1:], 3e13 * 0.7 / 0.6774)
    assert batch.clusters.select("t_x", "m_gas", "m_wl").row(0) == (None, None, None)
    assert report.dropped == {"'contaminated == 0' does not hold": 1}
