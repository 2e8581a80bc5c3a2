"""The commands `earnest mocks`."""
