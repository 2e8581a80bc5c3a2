"""Writing catalogs in the formats that other tools read."""

import json
from collections.abc import Iterator
from os import PathLike
from pathlib import Path
from typing import Any

import polars as pl

from earnest_common.catalogs import CatalogSet
from earnest_common.catalogs.batch import CatalogBatch
from earnest_common.catalogs.reader import Catalogs, open_catalogs
from earnest_common.errors import InputError, MissingExtraError
from earnest_common.exporters.csv_tables import flat, write_csv
from earnest_common.run.files import refuse_existing
from earnest_common.run.provenance import versions
from earnest_common.schema import CATALOGS, CLUSTERS, SCHEMA_VERSION

__all__ = ["FORMATS", "export", "to_astropy", "to_pandas"]

FORMATS = ("fits", "votable", "ecsv", "csv")
"""FITS and VOTable files hold both tables, ECSV and CSV files one."""

_SUFFIXES = {".fits": "fits", ".fit": "fits", ".vot": "votable", ".votable": "votable", ".xml": "votable"}
_SUFFIXES |= {".ecsv": "ecsv", ".csv": "csv"}
_FOREIGN = (".parquet", ".json", ".hdf5", ".h5", ".txt", ".dat")

_TABLES = {"clusters": CLUSTERS, "catalogs": CATALOGS}


def export(
    source: CatalogBatch | CatalogSet, path: str | PathLike[str], format: str | None = None, *, table: str = "clusters"
) -> str:
    """Write catalogs to one file with units, descriptions, schema version and provenance.

    CSV is written batch by batch, however large the set; the other formats need it in memory. In CSV a profile becomes
    the columns ``_1`` to ``_7``, and units stand in comment lines above the header.

    Parameters
    ----------
    source
        Catalogs in memory or on disk.
    path
        The file; it must not exist, and is whole or absent.
    format
        One of ``FORMATS``; by default the one of the path's suffix.
    table
        ``clusters`` or ``catalogs``, for the formats that hold one table.

    Returns
    -------
    The format.

    Raises
    ------
    InputError
        If the format or the table is unknown, or the path has the suffix of another format.
    OutputExistsError
        If the path is taken.
    MissingExtraError
        If a format other than CSV is asked for without astropy.

    Examples
    --------
    >>> import tempfile
    >>> from earnest_common.testing import toy_batch
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = export(toy_batch(n_catalogs=1, seed=1), Path(folder) / "toy.csv", "csv")
    ...     print(Path(folder, "toy.csv").read_text(encoding="utf-8").splitlines()[0])
    # earnest table 'clusters': One row per cluster, sorted by catalog and by falling X-ray luminosity
    """
    format = _agreed(Path(path), format)
    _refuse_unknown(table)
    out = refuse_existing(Path(path))
    facts = _facts(source)
    if format == "csv":
        write_csv(out, _frames(source, table), _TABLES[table], facts=facts)
        return format
    from earnest_common.exporters.astropy_tables import write_astropy

    batch = source if isinstance(source, CatalogBatch) else source.read()
    frames = {"clusters": batch.clusters, "catalogs": batch.catalogs}
    chosen = [table] if format == "ecsv" else ["clusters", "catalogs"]
    write_astropy(out, format, [(_TABLES[name], frames[name]) for name in chosen], facts=facts)
    return format


def _agreed(path: Path, format: str | None) -> str:
    """Return the format that a file's suffix and the caller agree on."""
    if format is not None and format not in FORMATS:
        raise InputError(f"unknown export format '{format}'; known are {', '.join(FORMATS)}")
    suffix = path.with_suffix("").suffix if path.suffix == ".gz" else path.suffix
    meant = _SUFFIXES.get(suffix.lower())
    if format is None and meant is None:
        raise InputError(f"output {path}: name a format ({', '.join(FORMATS)}), or end it in {', '.join(_SUFFIXES)}")
    if format is not None and (meant not in (None, format) or suffix.lower() in _FOREIGN):
        raise InputError(
            f"output {path}: '{suffix}' is not a suffix of format {format}; rename it or leave the format out"
        )
    return str(format or meant)


def to_astropy(source: Catalogs, *, table: str = "clusters") -> Any:  # noqa: ANN401 - astropy has no types
    """Return catalogs as an ``astropy.table.QTable`` with units and descriptions; unknown values are masked.

    Parameters
    ----------
    source
        Catalogs in memory, on disk, or the folder of a set.
    table
        ``clusters`` or ``catalogs``.

    Raises
    ------
    InputError
        If the table is unknown.
    MissingExtraError
        If astropy is not installed.

    Examples
    --------
    >>> from earnest_common.testing import toy_batch
    >>> clusters = to_astropy(toy_batch(n_catalogs=1, seed=1))
    >>> clusters["m_500c"].unit, clusters["m_gas_profile"].to("kg").shape
    (Unit("solMass"), (78, 7))
    """
    _refuse_unknown(table)
    from earnest_common.exporters.astropy_tables import quantity_table

    opened = open_catalogs(source)
    return quantity_table(_TABLES[table], _whole(opened, table), facts=_facts(opened))


def to_pandas(source: Catalogs, *, table: str = "clusters") -> Any:  # noqa: ANN401 - pandas has no types here
    """Return catalogs as a ``pandas.DataFrame``; a profile becomes the columns ``_1`` to ``_7``, as in CSV.

    Units by column are in ``attrs["units"]``. Unknown numbers are NaN.

    Parameters
    ----------
    source
        Catalogs in memory, on disk, or the folder of a set.
    table
        ``clusters`` or ``catalogs``.

    Raises
    ------
    InputError
        If the table is unknown.
    MissingExtraError
        If pandas or pyarrow are not installed.

    Examples
    --------
    >>> from earnest_common.testing import toy_batch
    >>> frame = to_pandas(toy_batch(n_catalogs=1, seed=1))
    >>> frame.shape, frame.attrs["units"]["m_gas_profile_7"]
    ((78, 25), 'solMass')
    """
    _refuse_unknown(table)
    opened, schema = open_catalogs(source), _TABLES[table]
    try:
        frame = flat(_whole(opened, table), schema).to_pandas()
    except ImportError as error:
        raise MissingExtraError.of("a table of pandas", "earnest-common", "astropy") from error
    names = {column.name: column.unit for column in schema.columns if column.unit}
    frame.attrs = {"units": {name: unit for name in frame.columns if (unit := names.get(_column_of(name, names)))}}
    frame.attrs |= _facts(opened)
    return frame


def _column_of(name: str, known: dict[str, str]) -> str:
    """Return the column of the schema that a column of a flat table is of."""
    return name if name in known else name.rpartition("_")[0]


def _whole(source: CatalogBatch | CatalogSet, table: str) -> pl.DataFrame:
    return pl.concat(_frames(source, table))


def _refuse_unknown(table: str) -> None:
    if table not in _TABLES:
        raise InputError(f"unknown table '{table}'; known are {', '.join(_TABLES)}")


def _frames(source: CatalogBatch | CatalogSet, table: str) -> Iterator[pl.DataFrame]:
    batches = iter([source]) if isinstance(source, CatalogBatch) else source.batches()
    for batch in batches:
        yield batch.clusters if table == "clusters" else batch.catalogs


def _facts(source: CatalogBatch | CatalogSet) -> dict[str, str]:
    """Return what a reader of the file must know, as text by name."""
    radii = source.radii if isinstance(source, CatalogBatch) else tuple(source.manifest.plan.radii)
    facts = {"schema_version": str(SCHEMA_VERSION), "radii_r500c": json.dumps(list(radii))}
    if isinstance(source, CatalogSet):
        plan = source.manifest.plan
        facts |= {
            "kind": plan.kind,
            "preset": plan.preset,
            "seed": json.dumps(plan.seed),
            "synthetic": json.dumps(plan.synthetic),
            "cosmology": json.dumps(dict(plan.cosmology)),
            "config": json.dumps(dict(plan.config)),
            "inputs": json.dumps(dict(plan.inputs)),
            "data_hash": source.manifest.data_hash,
        }
    return {**facts, "versions": json.dumps(versions())}
