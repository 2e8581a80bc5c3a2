"""The VOTable header that gives a Parquet file units and descriptions (VOParquet, IVOA Note 1.0)."""

import re
from collections.abc import Mapping
from xml.etree import ElementTree as ET

import polars as pl

from earnest_common.schema.column import Column, Table

__all__ = ["votable_header"]

_DATATYPES = {pl.Int64(): "long", pl.Float64(): "double", pl.Float32(): "float", pl.String(): "char"}


def votable_header(
    table: Table, parameters: Mapping[str, str] | None = None, *, text_lengths: Mapping[str, int] | None = None
) -> str:
    """Return the VOTable document, without rows, that describes a table.

    Parameters
    ----------
    table
        The schema.
    parameters
        Further facts for the header, such as the schema version; all are stored as text.
    text_lengths
        Greatest number of characters by text column. astropy 8 joins a column of text with this header only if the
        header gives its length.

    Examples
    --------
    >>> from earnest_common.schema import PREDICTIONS
    >>> '<FIELD name="sigma8" datatype="double"' in votable_header(PREDICTIONS)
    True
    """
    root = ET.Element("VOTABLE", version="1.3", xmlns="http://www.ivoa.net/xml/VOTable/v1.3")
    resource = ET.SubElement(root, "RESOURCE", type="results")
    node = ET.SubElement(resource, "TABLE", name=table.name)
    ET.SubElement(node, "DESCRIPTION").text = table.description
    for name, value in (parameters or {}).items():
        ET.SubElement(node, "PARAM", name=name, datatype="char", arraysize="*", value=value)
    for column in table.columns:
        _add_field(node, column, (text_lengths or {}).get(column.name))
    return ET.tostring(root, encoding="unicode", xml_declaration=True)


def _add_field(node: ET.Element, column: Column, length: int | None) -> None:
    inner = column.dtype.inner if isinstance(column.dtype, pl.Array) else column.dtype
    attributes = {"name": column.name, "datatype": _DATATYPES[inner]}  # type: ignore[index]
    if column.width:
        attributes["arraysize"] = str(column.width)
    elif column.dtype == pl.String:
        attributes |= {"datatype": "unicodeChar", "arraysize": f"{length}*" if length else "*"}
    if column.unit:
        attributes["unit"] = _cds_unit(column.unit)
    if column.ucd:
        attributes["ucd"] = column.ucd
    field = ET.SubElement(node, "FIELD", attributes)
    ET.SubElement(field, "DESCRIPTION").text = column.description


def _cds_unit(unit: str) -> str:
    """Spell a unit as VOTable 1.3 does: 1e44 is 10+44 and a product has a dot (later versions deprecate the erg)."""
    return re.sub(r"1e(\d+) ", r"10+\1", unit).replace(" ", ".")
