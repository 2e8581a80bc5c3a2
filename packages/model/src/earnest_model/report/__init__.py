"""Figures, tables and sections about a model."""
