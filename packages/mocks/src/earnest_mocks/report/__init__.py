"""Figures, tables and sections about mock catalogs."""
