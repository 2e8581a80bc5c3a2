"""The one catalog schema: columns with units and bounds, from which types, checks, headers and docs are made."""

from earnest_common.schema.checks import check, completed, conform
from earnest_common.schema.column import Column, Table
from earnest_common.schema.tables import CATALOGS, CLUSTERS, PREDICTIONS, RADII_R500C, SCHEMA_VERSION, SPLITS
from earnest_common.schema.votable import votable_header

__all__ = [
    "CATALOGS",
    "CLUSTERS",
    "PREDICTIONS",
    "RADII_R500C",
    "SCHEMA_VERSION",
    "SPLITS",
    "Column",
    "Table",
    "check",
    "completed",
    "conform",
    "votable_header",
]
