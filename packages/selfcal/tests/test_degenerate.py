"""Samples without any spread: scores are zero or null, and nothing is divided by them."""

import numpy as np
import polars as pl
import pytest
from earnest_common.posterior import Posterior
from earnest_selfcal.exact_posterior.score import score as referee_score
from earnest_selfcal.posterior.evaluation import score


def point(value: float) -> Posterior:
    """All probability at one value of three."""
    return Posterior.of_cells(np.array([value - 0.1, value, value + 0.1]), 0.1, np.array([0.0, 1.0, 0.0]))


def test_estimates_that_are_all_right_have_no_scatter_and_no_error_of_it():
    found = score([point(0.809)] * 5, np.full(5, 0.809))
    assert (found.scatter, found.scatter_err) == (0.0, 0.0)
    assert found.bias == pytest.approx(0, abs=1e-12)


def test_a_referee_that_is_always_right_is_scored():
    columns = {
        **{name: [0.809] * 4 for name in ("sigma8", "sigma8_true")},
        **{name: [0.0] * 4 for name in ("sigma8_err", "numerical_error")},
        **{name: [1.0] * 4 for name in ("inside_68", "inside_95")},
        "ess": [500.0] * 4,
    }
    numbers = referee_score(pl.DataFrame(columns), prior_scatter=0.0)
    assert (numbers["scatter"], numbers["scatter_err"], numbers["expected_scatter_err"]) == (0.0, 0.0, None)
