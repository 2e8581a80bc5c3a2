"""Figures, sections and words about self-calibration."""
