"""Resolution of the table: refused when it cannot work."""

import pytest
from earnest_common.errors import InputError
from earnest_selfcal.forward.resolution import Resolution


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"n_nuisance": 1000}, "n_nuisance = 1000 must be a power of two"),
        ({"n_sigma8": 1}, "n_sigma8 = 1 must be at least 2"),
        ({"log10_m_step": 0.0}, "must be positive and at most 0.1 dex"),
        ({"log10_x_step": 0.5}, "must be positive and at most 0.1 dex"),
    ],
)
def test_bad_resolution_is_refused(fields, message):
    with pytest.raises(InputError, match=message):
        Resolution(**fields)
