"""The seam to COLOSSUS: no global cosmology takes part, in whatever thread, and unknown models are refused."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from colossus.cosmology import cosmology as colossus_cosmology
from colossus.lss import mass_function as colossus_mass_function
from earnest_common.errors import InputError
from earnest_common.survey.cosmology import MAGNETICUM
from earnest_common.survey.halo import MODELS_500C, dn_dlog10_m_500c

MASSES = np.array([13.8, 14.4])


SEVERAL = [replace(MAGNETICUM, Om0=Om0) for Om0 in (0.2, 0.26, 0.33, 0.4)]


@pytest.fixture(params=["planck18", None])
def current(request):
    """Make another cosmology, or none, COLOSSUS's current one for the duration of a test."""
    before = colossus_cosmology.current_cosmo
    if request.param:
        colossus_cosmology.setCosmology(request.param, {"persistence": ""})
    else:
        colossus_cosmology.setCurrent(None)
    yield colossus_cosmology.current_cosmo
    colossus_cosmology.setCurrent(before)


def density(cosmology, *, z=0.0663, model="bocquet16"):
    return dn_dlog10_m_500c(MASSES, cosmology=cosmology, z=z, model=model)


def test_the_users_cosmology_stays(current):
    density(MAGNETICUM)
    assert colossus_cosmology.current_cosmo is current


def test_the_users_cosmology_stays_after_an_error(current):
    with pytest.raises(Exception, match=r"."):  # whatever COLOSSUS raises for a redshift that has no meaning
        density(MAGNETICUM, z=-5.0)
    assert colossus_cosmology.current_cosmo is current


def test_threads_get_what_each_would_get_alone_and_the_users_cosmology_stays(current):
    alone = [density(cosmology, model=model) for cosmology, model in zip(SEVERAL, MODELS_500C, strict=True)]
    with ThreadPoolExecutor(2) as pool:
        together = list(pool.map(lambda c, m: density(c, model=m), SEVERAL * 2, MODELS_500C * 2))
    np.testing.assert_array_equal(together, alone * 2)
    assert colossus_cosmology.current_cosmo is current


def test_a_cosmology_that_the_user_sets_meanwhile_does_not_matter(current):
    alone = [density(cosmology) for cosmology in SEVERAL]
    with ThreadPoolExecutor(1) as pool:
        ours = pool.submit(lambda: [density(cosmology) for cosmology in SEVERAL])
        while not ours.done():
            users = colossus_cosmology.setCosmology("planck15", {"persistence": ""})
            assert colossus_cosmology.getCurrent() is users
    np.testing.assert_array_equal(ours.result(), alone)
    assert colossus_cosmology.current_cosmo is users


@pytest.mark.parametrize("model", MODELS_500C)
def test_numbers_are_those_of_colossus_itself(current, model):
    cosmology = SEVERAL[0]
    parameters = {"flat": True, **{name: getattr(cosmology, name) for name in ("H0", "Om0", "Ob0", "ns", "sigma8")}}
    colossus_cosmology.setCosmology("tested", {**parameters, "persistence": ""})
    per_h = colossus_mass_function.massFunction(
        10**MASSES * cosmology.h, 0.2, q_in="M", q_out="dndlnM", mdef="500c", model=model
    )
    np.testing.assert_allclose(density(cosmology, z=0.2, model=model), per_h * cosmology.h**3 * np.log(10), rtol=1e-13)


@pytest.mark.parametrize("model", MODELS_500C)
def test_every_model_falls_with_mass(model):
    low, high = dn_dlog10_m_500c(MASSES, cosmology=MAGNETICUM, z=0.0663, model=model)
    assert low > high > 0


def test_unknown_model_is_refused_with_the_known_ones():
    with pytest.raises(InputError, match="'press74' is not known for 500c; choose one of bocquet16, despali16"):
        dn_dlog10_m_500c(MASSES, cosmology=MAGNETICUM, z=0.0663, model="press74")


def test_a_spectrum_that_colossus_cannot_integrate_is_refused():
    with pytest.raises(InputError, match=r"ns=1e-20.* at z = 0\.1 cannot be computed"):
        dn_dlog10_m_500c(np.linspace(6, 17, 400), cosmology=replace(MAGNETICUM, ns=1e-20), z=0.1)
