"""Scaling relations: the paper's numbers, factors about the pivot, the scatter of Y_X."""

import numpy as np
import pytest
from earnest_common.errors import InputError
from earnest_common.survey.cosmology import MAGNETICUM
from earnest_common.survey.scaling import (
    FACTORS,
    TABLE_2,
    ResidualCorrelation,
    log10_y_x_of_paper,
    with_factors,
    y_x_relation,
)

PIVOT = 14.4 - np.log10(MAGNETICUM.h)


def test_table_2_at_its_pivot():
    # Slope * 14.4 + intercept of table 2: 1.76e44 erg/s, 3.42 keV and 2.42e13 solMass/h at 10^14.4 solMass/h.
    assert 10 ** TABLE_2.l_x.log10_mean(PIVOT) == pytest.approx(1.76, abs=0.005)
    assert 10 ** TABLE_2.t_x.log10_mean(PIVOT) == pytest.approx(3.42, abs=0.005)
    assert 10 ** TABLE_2.m_gas.log10_mean(PIVOT) * MAGNETICUM.h == pytest.approx(2.42e13, rel=0.002)


def test_y_x_at_the_typical_mass():
    # Table 2 by hand at 10^14.2 solMass/h: 0.61 * 14.2 - 8.25 + 1.16 * 14.2 - 3.32 = 13.564.
    y_x = y_x_relation(TABLE_2, ResidualCorrelation())
    found = log10_y_x_of_paper(y_x.log10_mean(14.2 - np.log10(MAGNETICUM.h)), MAGNETICUM.h)
    assert found == pytest.approx(13.564, abs=1e-9)


@pytest.mark.parametrize("name", FACTORS)
def test_a_factor_changes_one_number(name):
    observable, kind = name.rsplit("_", 1)
    multiplies = kind in ("normalisation", "calibration")
    field = "log10_normalisation" if multiplies else kind
    before, after = getattr(TABLE_2, observable), getattr(with_factors(TABLE_2, {name: 1.2}), observable)
    expected = getattr(before, field) + np.log10(1.2) if multiplies else getattr(before, field) * 1.2
    assert getattr(after, field) == pytest.approx(expected)
    others = {"log10_normalisation", "slope", "scatter", "log10_pivot"} - {field}
    assert all(getattr(before, other) == getattr(after, other) for other in others)


def test_slope_turns_about_the_pivot():
    assert with_factors(TABLE_2, {"l_x_slope": 1.3}).l_x.log10_mean(PIVOT) == TABLE_2.l_x.log10_mean(PIVOT)


def test_arrays_of_factors_stand_for_many_catalogs():
    factors = {"l_x_normalisation": np.array([0.8, 1.3]), "l_x_slope": np.array([1.2, 0.7])}
    masses = np.array([13.9, 14.9])
    together = with_factors(TABLE_2, factors).l_x.log10_mean(masses)
    alone = [
        with_factors(TABLE_2, {name: float(values[i]) for name, values in factors.items()}).l_x.log10_mean(masses[i])
        for i in range(2)
    ]
    np.testing.assert_allclose(together, alone, rtol=1e-15)


def test_unknown_factor_is_refused():
    with pytest.raises(InputError, match="unknown factor t_x_slope; known are l_x_normalisation"):
        with_factors(TABLE_2, {"t_x_slope": 1.1})


@pytest.mark.parametrize("rho", [-0.9, 0.0, 0.5])
def test_scatter_of_y_x_agrees_with_simulated_residuals(rho):
    correlation = ResidualCorrelation(t_x_m_gas=rho, l_x_m_gas=0.0, l_x_t_x=0.0)
    draws = np.random.default_rng(1).multivariate_normal(np.zeros(3), correlation.matrix, size=200_000)
    residuals = draws[:, 1] * TABLE_2.t_x.scatter + draws[:, 2] * TABLE_2.m_gas.scatter
    # 1 %: four standard errors of a standard deviation from 2e5 draws are 0.6 %.
    assert y_x_relation(TABLE_2, correlation).scatter == pytest.approx(residuals.std(), rel=0.01)


def test_impossible_correlations_are_refused():
    with pytest.raises(InputError, match="negative eigenvalue"):
        ResidualCorrelation(t_x_m_gas=-0.99, l_x_m_gas=0.9, l_x_t_x=0.9)
