"""The seam to COLOSSUS: its global cosmology is left as found, and unknown models are refused."""

import numpy as np
import pytest
from colossus.cosmology import cosmology as colossus_cosmology
from earnest_common.cosmology import MAGNETICUM
from earnest_common.errors import InputError
from earnest_common.halo import MODELS_500C, dn_dlog10_m_500c

MASSES = np.array([13.8, 14.4])


@pytest.fixture
def planck():
    """Make another cosmology COLOSSUS's current one for the duration of a test."""
    before = colossus_cosmology.current_cosmo
    yield colossus_cosmology.setCosmology("planck18", {"persistence": ""})
    colossus_cosmology.setCurrent(before)


def test_global_cosmology_is_given_back(planck):
    dn_dlog10_m_500c(MASSES, cosmology=MAGNETICUM, z=0.0663)
    assert colossus_cosmology.current_cosmo is planck


def test_global_cosmology_is_given_back_after_an_error(planck):
    with pytest.raises(Exception, match=r"."):  # whatever COLOSSUS raises for a redshift that has no meaning
        dn_dlog10_m_500c(MASSES, cosmology=MAGNETICUM, z=-5.0)
    assert colossus_cosmology.current_cosmo is planck


def test_current_cosmology_of_the_caller_does_not_matter(planck):
    with_planck = dn_dlog10_m_500c(MASSES, cosmology=MAGNETICUM, z=0.0663)
    colossus_cosmology.setCurrent(None)
    np.testing.assert_array_equal(with_planck, dn_dlog10_m_500c(MASSES, cosmology=MAGNETICUM, z=0.0663))


@pytest.mark.parametrize("model", MODELS_500C)
def test_every_model_falls_with_mass(model):
    low, high = dn_dlog10_m_500c(MASSES, cosmology=MAGNETICUM, z=0.0663, model=model)
    assert low > high > 0


def test_unknown_model_is_refused_with_the_known_ones():
    with pytest.raises(InputError, match="'press74' is not known for 500c; choose one of bocquet16, despali16"):
        dn_dlog10_m_500c(MASSES, cosmology=MAGNETICUM, z=0.0663, model="press74")
