"""What a person asks of a model, and the answers: one function for each question, one frozen result for each answer.

Import from the package's top, or from the modules; each is named after what is looked at.
"""
