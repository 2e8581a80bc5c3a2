"""The functions at the package's top: one for each question about a model, with one frozen result for each.

Import from the package's top, or from the modules; each is named after what is looked at.
"""
