"""The commands `earnest model`."""
