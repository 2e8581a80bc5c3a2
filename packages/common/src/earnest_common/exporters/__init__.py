"""Catalogs out: FITS, VOTable, ECSV and CSV with units, descriptions and provenance."""

from earnest_common.exporters.export import FORMATS, export

__all__ = ["FORMATS", "export"]
