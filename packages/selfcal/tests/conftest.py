"""Forward models that several tests look at, built once."""

import pytest
from earnest_common.survey.presets import preset
from earnest_selfcal.forward.resolution import Resolution
from earnest_selfcal.forward.table import forward_table


@pytest.fixture(scope="session")
def paper_table():
    return forward_table(preset("paper"), Resolution(n_nuisance=512))


@pytest.fixture(scope="session")
def paper_l_x_table():
    return forward_table(preset("paper"), Resolution(n_nuisance=512), observable="l_x")


@pytest.fixture(scope="session")
def realistic_l_x_table():
    return forward_table(preset("realistic"), Resolution(n_nuisance=256, n_sigma8=22), observable="l_x")


@pytest.fixture(scope="session")
def realistic_table():
    return forward_table(preset("realistic"), Resolution(n_nuisance=256, n_sigma8=22))
