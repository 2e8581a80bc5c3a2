"""Clusters measured elsewhere: simulations' tables, and profiles reduced from photons (section 2.1.2)."""
