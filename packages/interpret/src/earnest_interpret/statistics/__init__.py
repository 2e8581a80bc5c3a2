"""Correlation, dependence and permutation tests."""
