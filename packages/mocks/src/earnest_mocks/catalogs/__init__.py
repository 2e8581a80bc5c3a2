"""Mock catalogs of clusters above a selection, for many cosmologies (section 2.2)."""
