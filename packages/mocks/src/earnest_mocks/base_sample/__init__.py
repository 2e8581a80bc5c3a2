"""The clusters of known mass that mock catalogs are made from, emulated or from a simulation (section 2.1)."""
