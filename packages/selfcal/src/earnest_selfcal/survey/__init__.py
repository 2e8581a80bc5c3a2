"""The survey that a forward model describes: selection, errors of measurement, footprint."""
