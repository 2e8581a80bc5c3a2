"""The parameters of catalogs: the paper's grid, the random nuisances, independence of company."""

import numpy as np
import pytest
from earnest_common.errors import InputError
from earnest_common.survey.presets import preset
from earnest_common.survey.priors import Priors, Uniform
from earnest_mocks.catalogs.parameters import design

GRIDDED = ("sigma8", "l_x_normalisation", "t_x_normalisation", "m_gas_normalisation")
RANDOM = {
    "l_x_slope": (0.7, 1.3),
    "l_x_scatter": (0.7, 1.3),
    "t_x_scatter": (0.7, 1.3),
    "m_gas_scatter": (0.7, 1.3),
    "m_wl_scatter": (0.1, 0.3),
}


def points(found):
    return list(zip(*(found.parameters[name].tolist() for name in GRIDDED), strict=True))


def test_each_cycle_visits_every_grid_point_once_in_its_own_order():
    found = design(Priors(), seed=3, catalog_id=np.arange(2 * 4968))
    first, second = points(found)[:4968], points(found)[4968:]
    assert len(set(first)) == 4968
    assert set(first) == set(second)
    assert first != second
    assert sorted(set(found.parameters["sigma8"])) == [round(0.70 + 0.01 * i, 2) for i in range(23)]


def test_random_parameters_fill_their_ranges_evenly():
    found = design(Priors(), seed=3, catalog_id=np.arange(4000))
    for name, (low, high) in RANDOM.items():
        share = (found.parameters[name] - low) / (high - low)
        assert share.min() > 0
        assert share.max() < 1
        # 4 sigma of the mean of 4000 uniform numbers.
        assert share.mean() == pytest.approx(0.5, abs=4 * np.sqrt(1 / 12 / 4000))


def test_the_order_of_the_grid_is_unrelated_to_the_split():
    found = design(Priors(), seed=3, catalog_id=np.arange(4968))
    means = [found.parameters["sigma8"][found.split == i].mean() for i in range(3)]
    assert means == pytest.approx([0.81] * 3, abs=4 * 0.0663 / np.sqrt(490))
    assert np.bincount(found.split).tolist() == [3976, 496, 496]


@pytest.mark.parametrize("name", ["paper", "realistic"])
def test_a_catalog_is_the_same_in_any_company(name):
    priors = preset(name).priors
    ids = np.array([5000, 3, 17, 4967, 10**12])
    together = design(priors, seed=9, catalog_id=ids)
    for place, one in enumerate(ids):
        alone = design(priors, seed=9, catalog_id=np.array([one]))
        for parameter, values in alone.parameters.items():
            assert values[0] == together.parameters[parameter][place]


def test_gridding_one_parameter_leaves_the_others_alone():
    ids = np.arange(50)
    free = design(preset("realistic").priors, seed=4, catalog_id=ids)
    gridded = design(Priors(), seed=4, catalog_id=ids)
    for name in RANDOM:
        np.testing.assert_array_equal(free.parameters[name], gridded.parameters[name])


def test_seeds_give_different_catalogs():
    a, b = (design(Priors(), seed=seed, catalog_id=np.arange(20)) for seed in (1, 2))
    assert points(a) != points(b)


def test_realistic_priors_are_continuous():
    found = design(preset("realistic").priors, seed=1, catalog_id=np.arange(200))
    assert len(set(found.parameters["sigma8"])) == 200


def test_a_fixed_parameter_is_a_prior_without_width():
    found = design(Priors(sigma8=Uniform(low=0.8, high=0.8)), seed=1, catalog_id=np.arange(5))
    assert set(found.parameters["sigma8"]) == {0.8}


def test_negative_ids_are_refused():
    with pytest.raises(InputError, match="must not be negative, found -1"):
        design(Priors(), seed=1, catalog_id=np.array([4, -1]))
