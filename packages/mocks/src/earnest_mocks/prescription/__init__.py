"""Clones of a base sample by a published prescription (appendix B)."""
