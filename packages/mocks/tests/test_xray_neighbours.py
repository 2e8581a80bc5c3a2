"""Bright neighbours: their emission is found where the cluster outshines it, and no longer counts as the cluster's."""

import numpy as np
import pytest
from earnest_mocks.base_sample.emulator import emulate
from earnest_mocks.xray.image import pixel_radii
from earnest_mocks.xray.neighbours import neighbour_emission
from earnest_mocks.xray.photons import emulate_photons
from earnest_mocks.xray.reduction import ReductionConfig, reduce_photons
from earnest_mocks.xray.substructure import substructure_mask

CENTRE, RADIUS = (150.0, 150.0), 80.0


def cluster(centre, *, core, peak):
    x, y = np.arange(300)[None, :] + 0.5 - centre[0], np.arange(300)[:, None] + 0.5 - centre[1]
    return peak * (1 + (x**2 + y**2) / core**2) ** -1.5


def found(expected, seed=1):
    image = np.random.default_rng(seed).poisson(expected).astype(float)
    masked = substructure_mask(image, centre=CENTRE, core_radius=8.0, shape_radius=40.0)
    return masked, neighbour_emission(image, masked, centre=CENTRE, core_radius=8.0, radius=RADIUS)


@pytest.mark.parametrize("place", [(262.0, 180.0), (60.0, 90.0)])
@pytest.mark.parametrize("brightness", [0.2, 1.0, 2.0])
def test_the_emission_beyond_the_mask_is_found(place, brightness):
    neighbour = cluster(place, core=10.0, peak=60 * brightness)
    masked, emission = found(cluster(CENTRE, core=12.0, peak=40.0) + neighbour)
    under = (pixel_radii(300, CENTRE) < RADIUS) & ~masked
    # Found in turns from a single image, and round: a third of what the mask would leave may stay.
    assert emission[under].sum() == pytest.approx(neighbour[under].sum(), rel=0.35)
    far = (np.hypot(np.arange(300) + 0.5 - place[0], np.arange(300)[:, None] + 0.5 - place[1]) / 10).astype(int).ravel()
    profile = np.bincount(far, weights=emission.ravel()) / np.bincount(far)
    assert (np.diff(profile) <= 0).all()  # never brighter outwards


def test_two_neighbours_are_told_apart():
    places = ((262.0, 180.0), (60.0, 90.0))
    both = [cluster(place, core=10.0, peak=40.0) for place in places]
    masked, emission = found(cluster(CENTRE, core=12.0, peak=40.0) + sum(both))
    under = (pixel_radii(300, CENTRE) < RADIUS) & ~masked
    assert 0.5 < emission[under].sum() / sum(both)[under].sum() < 1.2  # the cluster keeps some of their light


def test_a_cluster_alone_has_none():
    _, emission = found(cluster(CENTRE, core=12.0, peak=40.0))
    assert not emission.any()


def test_a_bright_neighbour_hardly_changes_the_gas_mass():
    # A group twice as bright as the cluster, 1.1 R_500c away: the mask alone leaves the gas mass 9 % too high.
    photons = emulate_photons(emulate(), 735, seed=5)
    true = 10 ** emulate().observables[735, 2]
    off = [reduce_photons(photons, config=ReductionConfig(neighbours=on)).m_gas / true - 1 for on in (False, True)]
    assert off[0] > 0.05
    assert abs(off[1]) < off[0] / 3
