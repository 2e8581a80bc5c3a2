"""A trained network on disk: saved, loaded, served and exported."""
