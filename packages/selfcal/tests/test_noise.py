"""Laws of errors of measurement: they add to the scatter, do not bias, and are those that mocks record."""

import numpy as np
import pytest
from earnest_common.errors import InputError
from earnest_common.survey.presets import preset
from earnest_selfcal.exact_posterior.catalogs import ModelCatalogs, draw_catalog
from earnest_selfcal.forward.observable import relation_of
from earnest_selfcal.survey.measurement_errors import MeasurementErrors, noise_of, recorded_noise

LOUD = MeasurementErrors(t_x=0.3, m_gas=0.2)


def test_factors_have_mean_one_and_the_stated_width():
    rng = np.random.default_rng(1)
    for name in ("t_x", "m_gas"):
        factor = 10 ** (LOUD.offset(name) + LOUD.dex(name) * rng.standard_normal(200_000))
        assert factor.mean() == pytest.approx(1, abs=0.003)
        assert factor.std() == pytest.approx(getattr(LOUD, name), rel=0.02)


def test_y_x_scatters_by_both():
    chosen = preset("paper")
    quiet, loud = (relation_of("y_x", chosen.relations, chosen.correlation, n) for n in (MeasurementErrors(), LOUD))
    added = loud.scatter**2 - quiet.scatter**2
    assert added == pytest.approx(LOUD.dex("t_x") ** 2 + LOUD.dex("m_gas") ** 2)
    assert relation_of("l_x", chosen.relations, chosen.correlation, LOUD) == chosen.relations.l_x


def test_model_catalogs_are_measured_with_errors():
    """The same clusters are drawn and selected: only t_x and m_gas of a cluster differ, by the errors."""
    chosen = preset("realistic")
    truth = {name: float(value[0]) for name, value in chosen.priors.draw(1, rng=np.random.default_rng(2)).items()}
    one, other = (
        draw_catalog(ModelCatalogs.of(chosen, noise=noise), truth, rng=np.random.default_rng(3))
        for noise in (MeasurementErrors(t_x=1e-9, m_gas=1e-9), LOUD)
    )
    np.testing.assert_array_equal(one["l_x"], other["l_x"])
    for name in ("t_x", "m_gas"):
        off = np.log10(other[name] / one[name])
        assert off.std() == pytest.approx(LOUD.dex(name), rel=5 / np.sqrt(2 * len(off)))


def test_recorded_by_mocks():
    assert recorded_noise({}) is None
    record = {"noise": {"t_x": 0.03, "m_gas_profile": 0.025, "gas_slope_profile": 0.05}}
    assert recorded_noise(record) == noise_of(preset("realistic"))
    assert recorded_noise({"noise": {"t_x": 0.0}}) == noise_of(preset("paper"))


def test_impossible_errors():
    with pytest.raises(InputError, match=r"t_x = -0\.1"):
        MeasurementErrors(t_x=-0.1)
