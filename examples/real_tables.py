"""Real tables in the main job: what is imported, and what can and cannot be concluded from it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from earnest_common.report.section import DataTable, Section, write_section

MAGNETICUM = "magneticum"
PLANCK = "planck-esz"

_TABLES = {
    MAGNETICUM: ("magneticum-lightcone", "magneticum_box2hr_lightcone_49clusters.csv"),
    PLANCK: ("planck-esz", "lovisari2020_planck_esz.csv"),
}

_CONCLUSIONS = {
    MAGNETICUM: (
        "The Magneticum lightcone clusters come from the paper's simulation, with mass, luminosity, temperature "
        "and gas mass. They can test the emulated base sample's scaling relations above 10^14 Msun/h. They cannot test "
        "its profiles (none are published) or its group-mass scatter (no such clusters are in the table), nor give "
        "sigma8: they are of one cosmology and many redshifts."
    ),
    PLANCK: (
        "The Planck ESZ clusters are real, with hydrostatic masses, temperatures, gas masses, luminosities. They show "
        "that an observed sample fits the catalog schema with its truth unknown. sigma8 cannot be inferred from them "
        "with this model: they were selected by SZ signal at redshifts up to 0.55, not by X-ray flux within 0.07, and "
        "have neither weak-lensing masses nor gas profiles in the table; most are more massive than any cluster of a "
        "local survey."
    ),
}


def import_real_tables(
    folder: Path, out: Path, *, make: Callable[..., Path], answer: Callable[..., dict[str, Any]]
) -> dict[str, dict[str, Any]]:
    """Import the tables that are there and return what each imported set holds."""
    found = {}
    for name, (mapping, file) in _TABLES.items():
        if (folder / file).is_file():
            path = make(out / name, "catalogs", "import", folder / file, "--format", mapping)
            found[name] = answer(out / f"{name}.json", "catalogs", "describe", path)
    return found


def real_tables_section(path: Path, real: dict[str, dict[str, Any]]) -> None:
    """Write the page's section on real tables, or on how to get them."""
    if not real:
        text = (
            "No published tables were found, and earnest ships none. docs/tables.md says where to get the Magneticum "
            "lightcone table and the Planck ESZ clusters; run the main job again with --real-tables FOLDER.",
        )
        write_section(path, Section(key="real", title="What do real tables say?", text=text))
        return
    columns = ("m_500c", "l_x", "t_x", "m_gas", "z")
    rows = tuple(
        (name, told["n_clusters"], *(_span(told["clusters"][column]) for column in columns))
        for name, told in real.items()
    )
    table = DataTable(
        name="real-tables",
        columns=("table", "clusters", "m_500c [solMass]", "l_x [1e44 erg/s]", "t_x [keV]", "m_gas [solMass]", "z"),
        rows=rows,
        caption="Imported tables: smallest, median and largest value of each column.",
    )
    section = Section(
        key="real",
        title="What do real tables say?",
        text=tuple(_CONCLUSIONS[name] for name in real),
        tables=(table,),
        summary={name: told["n_clusters"] for name, told in real.items()},
        provenance={name: told["data_hash"] for name, told in real.items()},
    )
    write_section(path, section)


def _span(values: dict[str, Any]) -> str:
    numbers = [values[what] for what in ("min", "median", "max")]
    return "unknown" if None in numbers else " / ".join(f"{number:.3g}" for number in numbers)
