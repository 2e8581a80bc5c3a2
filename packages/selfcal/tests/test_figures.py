"""Figures of self-calibration: what they show, and that thousands of catalogs do not make them heavy."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from earnest_selfcal.posterior.evaluation import Evaluation, Score
from earnest_selfcal.report.figures import estimates_figure, plane_figure

pytest.importorskip("matplotlib")

ESTIMATORS = ("n_only", "n_median_y_x")


def evaluation_of(n: int) -> Evaluation:
    """Catalogs around the middle of preset paper: more clusters and a higher median for a larger sigma8."""
    rng = np.random.default_rng(n)
    sigma8 = rng.uniform(0.75, 0.85, n)
    clusters = rng.poisson(140 * np.exp(6 * (sigma8 - 0.8)))
    estimates = pl.DataFrame(
        {
            "catalog_id": np.arange(n),
            "sigma8": sigma8,
            "n_clusters": clusters,
            "median_log10_y_x": 13.75 + 0.5 * (sigma8 - 0.8) + rng.normal(0, 0.02, n),
            "n_only": sigma8 + rng.normal(0, 0.03, n),
            "n_median_y_x": sigma8 + rng.normal(0, 0.02, n),
        }
    )
    scores = {name: Score(scatter=0.02, scatter_err=0.001, bias=0.0, coverage_68=0.68) for name in ESTIMATORS}
    return Evaluation(scores=scores, prior_scatter=0.03, n_catalogs=n, n_refused=0, estimates=estimates)


def test_the_plane_of_thousands_of_catalogs_is_a_light_figure(paper_table):
    many, more = (plane_figure(paper_table, evaluation_of(n)) for n in (5_000, 20_000))
    assert len(more.svg) < 1.5 * len(many.svg)  # a dot of its own for each catalog would make it four times as large
    assert len(many.svg) < 500_000
    assert "5000 catalogs" in many.caption
    assert many.alt
    assert many.svg == plane_figure(paper_table, evaluation_of(5_000)).svg


def test_catalogs_without_clusters_are_not_drawn(paper_table):
    whole = evaluation_of(40)
    empty = whole.estimates.with_columns(
        pl.when(pl.col("catalog_id") == 3).then(0).otherwise("n_clusters").alias("n_clusters")
    )
    assert "39 catalogs" in plane_figure(paper_table, replace(whole, estimates=empty)).caption


def test_estimates_are_drawn_for_both_estimators():
    drawn = estimates_figure(evaluation_of(400))
    assert drawn.name == "selfcal-estimates"
    assert drawn.svg.startswith("<?xml")
    assert drawn.caption
