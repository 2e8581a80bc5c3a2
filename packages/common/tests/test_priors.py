"""Priors: the paper's grid, its spread, and draws that stay inside."""

import numpy as np
import pytest
from earnest_common.errors import InputError
from earnest_common.survey.priors import Priors, Uniform


def test_the_papers_grid():
    grid = Priors().grid_points()
    assert set(grid) == {"sigma8", "l_x_normalisation", "t_x_normalisation", "m_gas_normalisation"}
    assert {len(values) for values in grid.values()} == {4968}
    assert len(set(zip(*grid.values(), strict=True))) == 4968


def test_prior_scatter_of_the_papers_grid():
    # 23 values 0.01 apart: 0.01 sqrt((23^2 - 1) / 12) = 0.0663, the paper's "N only" scatter of 0.065.
    assert Priors().sigma8.std == pytest.approx(0.0663, abs=5e-5)
    assert Uniform(low=0.70, high=0.92).std == pytest.approx(0.22 / np.sqrt(12))


@pytest.mark.parametrize("name", Priors.names())
def test_draws_fill_the_prior(name):
    prior = Priors().of(name)
    drawn = Priors().draw(20_000, rng=np.random.default_rng(3))[name]
    assert (prior.low <= drawn).all()
    assert (drawn <= prior.high).all()
    # 3 %: four standard errors of a standard deviation from 20,000 flat draws are 1.3 %.
    assert drawn.std() == pytest.approx(prior.std, rel=0.03)
    if prior.step is not None:
        assert set(np.unique(drawn)) == set(prior.values)


def test_bad_prior_is_refused():
    with pytest.raises(InputError, match="low must not exceed high"):
        Uniform(low=1.0, high=0.0)
    with pytest.raises(InputError, match="continuous and has no grid"):
        _ = Uniform(low=0.0, high=1.0).values
    with pytest.raises(InputError, match=r"must lead from low to high, and takes 7\.333 steps"):
        Uniform(low=0.70, high=0.92, step=0.03)
    with pytest.raises(InputError, match=r"takes 0\.44 steps"):
        Uniform(low=0.70, high=0.92, step=0.5)
    with pytest.raises(InputError, match=r"sigma8 from 0\.0, l_x_scatter from -0\.2 must be positive"):
        Priors(sigma8=Uniform(low=0.0, high=1.0), l_x_scatter=Uniform(low=-0.2, high=0.8))
    assert Priors(m_wl_scatter=Uniform(low=0.0, high=0.0)).m_wl_scatter.low == 0
