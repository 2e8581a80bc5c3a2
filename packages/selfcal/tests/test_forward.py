"""The semi-analytic table: against direct simulation, and against integrals done by hand."""

from dataclasses import dataclass, fields, replace

import numpy as np
import pytest
from earnest_common.errors import InputError
from earnest_common.survey.presets import Survey, preset
from earnest_common.survey.priors import Priors, Uniform
from earnest_common.survey.scaling import TABLE_2, ResidualCorrelation
from earnest_common.survey.selection import Selection
from earnest_selfcal.forward.median import median_cdf
from earnest_selfcal.forward.observable import OBSERVABLES
from earnest_selfcal.forward.resolution import Resolution
from earnest_selfcal.forward.table import forward_table
from earnest_selfcal.simulation.surveys import simulate

REFERENCE = {f.name: 1.0 for f in fields(Priors)} | {"sigma8": 0.809}
CORNERS = {
    "reference": {},
    "faint, steep": {"sigma8": 0.72, "l_x_normalisation": 0.8, "l_x_slope": 1.3},
    "bright, shallow": {"sigma8": 0.90, "l_x_normalisation": 1.3, "l_x_slope": 0.7, "l_x_scatter": 1.3},
    "wide": {"t_x_normalisation": 1.3, "m_gas_normalisation": 0.8, "t_x_scatter": 0.7, "m_gas_scatter": 1.3},
}
SURVEYS = {
    "paper": preset("paper"),
    "realistic": preset("realistic"),
    "appendix A": replace(preset("paper"), survey=Survey(volume=0.3 * 500.0**3, selection=Selection(smoothing=0.076))),
    "blurred flux": replace(preset("realistic"), survey=Survey(cut="flux", selection=Selection(smoothing=0.05))),
}


def at_one_point(survey, values):
    """Return a preset whose priors are a single point."""
    return replace(survey, priors=Priors(**{name: Uniform(low=v, high=v) for name, v in values.items()}))


@pytest.mark.parametrize("survey", SURVEYS.values(), ids=SURVEYS)
@pytest.mark.parametrize("changes", CORNERS.values(), ids=CORNERS)
def test_agrees_with_direct_simulation(survey, changes):
    values = REFERENCE | changes
    at_point, config = at_one_point(survey, values), Resolution(n_nuisance=1, n_sigma8=2)
    tables = {observable: forward_table(at_point, config, observable=observable) for observable in OBSERVABLES}
    table = tables["y_x"]
    n = 3000
    rng = np.random.default_rng(11)
    surveys = simulate(survey, {name: np.full(n, value) for name, value in values.items()}, rng=rng)
    expected = table.expected_n[0, 0]
    # Four standard errors of the mean of n Poisson numbers.
    assert surveys.n_clusters.mean() == pytest.approx(expected, abs=4 * np.sqrt(expected / n))
    assert tables["l_x"].expected_n[0, 0] == pytest.approx(
        expected, rel=2e-3
    )  # the same clusters, integrated otherwise
    # If F is right, each median sits at a uniformly distributed place of its predicted law; 0.045 is exceeded by the
    # Kolmogorov-Smirnov distance of 3,000 values once in 100,000 times.
    medians = {"y_x": surveys.median_log10_y_x, "l_x": surveys.median_log10_l_x}
    for observable, median in medians.items():
        at = tables[observable].distribution_at
        pairs = zip(surveys.n_clusters.tolist(), median.tolist(), strict=True)
        place = np.sort([median_cdf(count, at(value)[0][0, 0]) for count, value in pairs])
        assert np.abs(place - (np.arange(n) + 0.5) / n).max() < 0.045, observable


@dataclass(frozen=True)
class PowerLawUniverse:
    """dn/dlog10 m = 1e-5 (sigma8 / 0.8)^4 10^(-1.2 (x - 14)): everything can be integrated by hand."""

    def dn_dlog10_m(self, log10_m, sigma8):
        return 1e-5 * (np.asarray(sigma8) / 0.8) ** 4 * 10 ** (-1.2 * (np.asarray(log10_m) - 14))


def by_hand(low, high, exponent, anchor):
    """Return the integral of 10^(exponent (x - anchor)) from low to high."""
    rate = exponent * np.log(10)
    return (np.exp(rate * (high - anchor)) - np.exp(rate * (low - anchor))) / rate


def sharp_survey(scatter):
    """Return the paper's survey with hardly any scatter, and reference relations."""
    relations = replace(
        TABLE_2, t_x=replace(TABLE_2.t_x, scatter=scatter / 2), m_gas=replace(TABLE_2.m_gas, scatter=scatter / 2)
    )
    uncorrelated = ResidualCorrelation(t_x_m_gas=1.0, l_x_m_gas=0.0, l_x_t_x=0.0)
    survey = at_one_point(preset("paper"), REFERENCE | {"sigma8": 0.8})
    sigma8 = Uniform(low=0.6, high=1.0, step=0.05)
    return replace(survey, priors=replace(survey.priors, sigma8=sigma8), relations=relations, correlation=uncorrelated)


def test_power_law_universe_by_hand():
    scatter = 0.006
    config = Resolution(n_nuisance=1, log10_m_step=0.0025, log10_x_step=0.004)
    survey = sharp_survey(scatter)
    table = forward_table(survey, config, mass_function=PowerLawUniverse())
    top = 15.7
    flux_limited = by_hand(13.6, 14.4, 2.4 - 1.2, 14.0) * 10 ** (2.4 * (14.0 - 14.4))
    volume_limited = by_hand(14.4, top, -1.2, 14.0)
    by_sigma8 = 6.25e7 * 1e-5 * (table.sigma8 / 0.8) ** 4
    # 2e-3: the grid may run one cell beyond 10^15.7, and the break is not on a cell edge.
    np.testing.assert_allclose(table.expected_n[0], by_sigma8 * (flux_limited + volume_limited), rtol=2e-3)
    at_the_break = TABLE_2.t_x.log10_mean(14.4) + TABLE_2.m_gas.log10_mean(14.4)
    below = table.distribution_at(float(at_the_break))[0][0, 0]
    assert below == pytest.approx(flux_limited / (flux_limited + volume_limited), abs=2e-3)


def test_the_step_follows_a_small_scatter_down_to_what_fits_into_memory():
    coarse = forward_table(sharp_survey(0.006), Resolution(n_nuisance=1), mass_function=PowerLawUniverse())
    assert np.diff(coarse.log10_x).max() <= 0.006 + 1e-12
    with pytest.raises(InputError, match=r"falls to 0\.002 dex; the forward model resolves 0\.004 dex or more"):
        forward_table(sharp_survey(0.002), Resolution(n_nuisance=1), mass_function=PowerLawUniverse())


def test_distributions_are_distributions(paper_table, realistic_table):
    for table in (paper_table, realistic_table):
        assert (np.diff(table.cdf, axis=1) >= 0).all()
        np.testing.assert_allclose(table.cdf[:, -1], 1, atol=1e-6)
        assert (table.pdf >= 0).all()
        assert (np.diff(table.expected_n, axis=1) > 0).all()  # more clusters for larger sigma8, whatever else


def test_all_numbers_of_clusters_add_up(paper_table):
    share = paper_table.share_up_to_n
    assert (np.diff(share) >= 0).all()
    assert share[-1] == pytest.approx(1, abs=1e-9)
    for tail in (1e-4, 0.3, 1 - 1e-4):
        assert paper_table.number_at(tail) == np.searchsorted(share, tail)
    mean = float((1 - share).sum())  # sum over n of P(N > n)
    assert mean == pytest.approx(paper_table.expected_n.mean(), rel=2e-3)
