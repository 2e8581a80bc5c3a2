"""The commands `earnest interpret`."""
