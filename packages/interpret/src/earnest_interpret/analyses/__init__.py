"""The analyses of section 5, one folder each."""
