"""Surveys over a range of redshift, and limited in flux."""
