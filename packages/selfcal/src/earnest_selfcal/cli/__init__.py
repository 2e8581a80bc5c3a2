"""The commands `earnest selfcal`."""
