"""Real tables in: any published table becomes a catalog through a mapping of its columns and units."""

from earnest_common.importers.mapping import Mapping, load_mapping, mapping_names, mapping_text
from earnest_common.importers.report import Check, ImportReport, SourceColumn
from earnest_common.importers.table import ImportOptions, import_catalog_set, import_rows, import_table, parse_units

__all__ = [
    "Check",
    "ImportOptions",
    "ImportReport",
    "Mapping",
    "SourceColumn",
    "import_catalog_set",
    "import_rows",
    "import_table",
    "load_mapping",
    "mapping_names",
    "mapping_text",
    "parse_units",
]
