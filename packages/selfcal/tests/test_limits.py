"""Laws of the shipped limits: more data, more information; and who looks for one finds it."""

import pytest
from earnest_common.plugins import LIMITS, plugins
from earnest_common.plugins import known_limit as known_to_any
from earnest_common.survey.presets import PRESETS
from earnest_selfcal.information.limits import MEDIAN_Y_X, known_limit, measured_limits

LADDER = ((), (MEDIAN_Y_X,), ("l_x", "t_x", "m_gas"), ("l_x", "t_x", "m_gas", "m_wl"))


@pytest.mark.parametrize("name", PRESETS)
def test_more_data_tell_more(name: str):
    limits = [known_limit(name, columns=columns) for columns in LADDER]
    assert all(limits)
    scatters = [limit.scatter for limit in limits if limit]
    assert scatters == sorted(scatters, reverse=True)
    assert scatters[0] < PRESETS[name].priors.sigma8.std


@pytest.mark.parametrize("name", PRESETS)
def test_errors_are_those_of_a_mean_over_catalogs(name: str):
    """A standard deviation of n nearly Gaussian numbers is known to 1 / sqrt(2 n), longer tails make it worse.

    The root of a mean posterior variance is known better, for posteriors are much alike.
    """
    for columns in LADDER:
        limit = known_limit(name, columns=columns)
        assert limit is not None
        assert limit.scatter_err / limit.scatter < 0.04  # 150 catalogs, or fewer posteriors that are much alike
        assert 0.05 < limit.scatter_err / limit.scatter * (2 * limit.n_catalogs) ** 0.5 < 1.8


def test_profiles_and_other_columns():
    network = ("t_x", "m_gas_profile", "gas_slope_profile")
    for columns, scalars in ((network, ("l_x", "t_x", "m_gas")), ((*network, "l_x", "m_wl"), LADDER[-1])):
        found, limit = known_limit("paper", columns=columns), known_limit("paper", columns=scalars)
        assert (found.scatter, found.without_grid, found.n_catalogs) == (
            limit.scatter,
            limit.without_grid,
            limit.n_catalogs,
        )
        # An estimate that sees profiles sees more than the limit knows.
        assert "shapes of gas profiles are not in this limit" in found.text
        assert found.efficiency(0.02) is None
        assert found.efficiency_without_grid(0.02) is None
        assert limit.efficiency(0.02) == (limit.scatter / 0.02) ** 2


def test_an_alias_has_the_limits_of_its_preset():
    assert known_limit("paper-msun", columns=()) == known_limit("paper", columns=())
    assert known_limit("paper-h", columns=()) != known_limit("paper", columns=())


def test_unknown_is_none():
    assert known_limit("overspecialised", columns=()) is None


def test_offered_to_other_packages():
    assert "selfcal" in plugins(LIMITS)
    assert known_to_any("paper", columns=()) == known_limit("paper", columns=())


def test_texts_say_what_is_known():
    for one in measured_limits():
        assert all(name in one.limit.text or name == MEDIAN_Y_X for name in one.columns)
