"""Accuracy, calibration and limits of an estimator on labelled catalogs (section 4)."""
