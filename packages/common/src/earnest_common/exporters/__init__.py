"""Catalogs out: FITS, VOTable, ECSV and CSV with units, descriptions and provenance."""

from earnest_common.exporters.export import FORMATS, export, to_astropy, to_pandas

__all__ = ["FORMATS", "export", "to_astropy", "to_pandas"]
