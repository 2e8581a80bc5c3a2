"""Nulls and the information map: how much of sigma8 each part of the data tells, and which assumption lets it.

Import from the modules: ``variants`` (surveys and data), ``information`` (the scatter of each), ``answer`` (all of it).
"""
