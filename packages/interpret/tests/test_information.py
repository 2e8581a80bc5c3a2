"""Laws of the ideal analysis: its formula against a posterior on simulated counts; and of leaving groups out."""

import itertools

import numpy as np
import pytest
from earnest_common.survey.cosmology import MAGNETICUM
from earnest_common.survey.mass_function import default_mass_function
from earnest_common.survey.presets import Survey, preset
from earnest_interpret.analyses.leave_one_out.groups import leave_group_out, leave_groups_out, without
from earnest_interpret.analyses.leave_one_out.information import ideal_leave_one_out, information_by_mass
from earnest_interpret.responses.leave_one_out import leave_one_out_by_prediction
from earnest_interpret.responses.responses import Responses
from earnest_interpret.sample import MassAxis, mass_axis
from earnest_interpret.testing import PlainEstimator, SaturatingEstimator


@pytest.fixture(scope="module")
def ideal():
    return ideal_leave_one_out(Survey(), MAGNETICUM, sigma8=0.81, prior_scatter=0.0663)


def test_the_expected_number_is_the_surveys(ideal):
    """V times the integral of S dn/dlog10M by another rule, on the table itself."""
    survey, log10_m = Survey(), np.linspace(13.6, 15.8, 20_001)
    counts = survey.volume * survey.selection.probability(log10_m) * default_mass_function().dn_dlog10_m(log10_m, 0.81)
    assert ideal.density.sum() * 0.005 == pytest.approx(np.trapezoid(counts, log10_m), rel=1e-3)


def test_the_formula_is_what_a_posterior_does(ideal):
    """Posterior mean of sigma8 on a grid, from the Poisson likelihood of simulated masses, with and without a cluster.

    The formula is first order in 1/N; at N of 133 and over many catalogs it holds within 1 %.
    """
    rng = np.random.default_rng(1)
    grid = np.arange(0.62, 1.02, 0.002)
    survey, table = Survey(), default_mass_function()
    fine = np.arange(13.6, 15.8, 0.005) + 0.0025
    seen = survey.volume * survey.selection.probability(fine)
    expected = (seen * table.dn_dlog10_m(fine, grid[:, None])).sum(axis=1) * 0.005
    base = -expected - (grid - 0.81) ** 2 / (2 * 0.0663**2)
    masses, moves = [], []
    for _ in range(60):
        chosen = np.repeat(fine, rng.poisson(ideal.density * 0.005))
        terms = np.log(table.dn_dlog10_m(chosen, grid[:, None]))
        total = base + terms.sum(axis=1)
        means = [_mean(grid, total - terms[:, k]) for k in range(len(chosen))]
        masses.append(chosen)
        moves.append(np.array(means) - _mean(grid, total))
    log10_m, delta = np.concatenate(masses), np.concatenate(moves)
    for low, high in itertools.pairwise((13.65, 14.15, 14.4, 14.65, 15.65)):
        inside = (log10_m >= low) & (log10_m < high)
        formula = np.interp(log10_m[inside], ideal.log10_m, ideal.delta)
        assert delta[inside].mean() == pytest.approx(formula.mean(), rel=0.03)


def _mean(grid: np.ndarray, ln_posterior: np.ndarray) -> float:
    weight = np.exp(ln_posterior - ln_posterior.max())
    return float(weight @ grid / weight.sum())


def test_shares_add_up_and_follow_the_formula(ideal):
    edges = np.arange(13.0, 16.1, 0.25)
    assert ideal.shares(edges).sum() == pytest.approx(1)
    np.testing.assert_allclose(ideal.shares(np.array([14.0, 14.5])), ideal.shares(np.array([14.0, 14.25, 14.5])).sum())


def test_a_cut_in_flux_blurs_the_break():
    survey = preset("realistic").survey
    ideal = ideal_leave_one_out(survey, MAGNETICUM)
    assert ideal.log10_m.min() < 13.5  # lighter clusters scatter in
    assert np.abs(np.diff(np.log(ideal.density), 2)).max() < 0.05  # no step


def test_an_ideal_model_has_the_fisher_shares(ideal):
    """Clusters drawn from the density whose changes are the formula's: the three shares agree."""
    rng = np.random.default_rng(2)
    log10_m = rng.choice(ideal.log10_m, size=200_000, p=ideal.density / ideal.density.sum())
    axis = MassAxis(column="m_500c", log10_m=log10_m, label="M", is_true=True)
    delta = np.interp(log10_m, ideal.log10_m, ideal.delta)
    found = information_by_mass(delta, axis, ideal, step=0.1)
    np.testing.assert_allclose(found.total, found.fisher, atol=0.01)
    np.testing.assert_allclose(found.systematic, found.fisher, atol=0.01)
    noisy = information_by_mass(delta + rng.normal(0, 0.003, delta.size), axis, ideal, step=0.1)
    assert np.abs(noisy.systematic - found.fisher).max() < 0.02  # scatter between equal masses says nothing
    assert np.abs(noisy.total - found.fisher).max() > 0.05
    unknown = information_by_mass(delta, axis, None)
    assert np.isnan(unknown.fisher).all()
    assert information_by_mass(np.full(delta.size, np.nan), axis, ideal) is None


def test_a_group_of_one_is_leave_one_out(batch, estimator):
    few = batch.select(np.arange(3))
    one_by_one = leave_one_out_by_prediction(estimator, few)
    for row in (0, 5, few.n_clusters - 1):
        removed = np.arange(few.n_clusters) == row
        catalog = few.segment_ids[row]
        if np.diff(few.row_splits)[catalog] == np.diff(few.row_splits).min():
            continue  # would become smaller than any that was read
        found = leave_group_out(Responses(estimator=estimator, batch=few), removed)
        assert found[catalog] == pytest.approx(one_by_one[row])
        assert np.isnan(np.delete(found, catalog)).all()


def test_reduced_catalogs_keep_the_rules(batch):
    removed = np.random.default_rng(3).random(batch.n_clusters) < 0.3
    reduced = without(batch, removed)
    assert reduced.problems() == []
    assert reduced.clusters.drop("rank").equals(batch.clusters.drop("rank").filter(~removed))


def test_a_model_that_counts_loses_the_logarithm_of_the_share(batch):
    """sigma8 = a + c ln N: a share f taken at random moves it by c ln(1 - f), whatever the catalog."""
    found = leave_groups_out(Responses(estimator=PlainEstimator(per_ln_n=0.2), batch=batch), mass_axis(batch))
    for group in (g for g in found if g.kind == "random"):
        assert group.median == pytest.approx(0.2 * np.log(1 - group.low), rel=0.06)
    masses = [g for g in found if g.kind == "mass"]
    assert [g.high for g in masses[:2]] == [14.15, 14.35]
    assert all(g.median < 0 and g.low68 <= g.median <= g.high68 for g in masses)


def test_heavy_clusters_matter_to_a_model_that_reads_mass(batch):
    reads_t = SaturatingEstimator(weights={"log10_t_x": 1.0}, saturation=1e9, per_terse=0.3)
    found = leave_groups_out(Responses(estimator=reads_t, batch=batch), mass_axis(batch), fractions=())
    assert found[0].median > 0  # without its lightest clusters a catalog is hotter
    assert found[-1].median < 0


def test_without_masses_or_with_lone_clusters_what_can_be_done_is_done(observed, lonely, estimator):
    assert {g.kind for g in leave_groups_out(Responses(estimator=estimator, batch=observed), None)} <= {"random"}
    assert leave_groups_out(Responses(estimator=estimator, batch=lonely), mass_axis(lonely)) == ()
