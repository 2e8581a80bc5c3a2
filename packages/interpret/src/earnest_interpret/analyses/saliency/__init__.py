"""Saliency: how the terse value responds to each input (section 5.2)."""
