"""The starlet and the mask: exact sums, published noise, significance under Poisson noise, clumps found, cores kept."""

import numpy as np
import pytest
from earnest_common.errors import InputError
from earnest_mocks.xray.image import centroid, elongation, pixel_radii
from earnest_mocks.xray.substructure import smooth_model, substructure_mask
from earnest_mocks.xray.wavelet import (
    Detection,
    noise_per_scale,
    significance,
    significant_structures,
    smoothed_images,
    starlet,
)

CENTRE = (150.0, 150.0)


def cluster(n=300, *, centre=CENTRE, core=12.0, peak=8.0, stretch=1.0):
    x, y = np.arange(n)[None, :] + 0.5 - centre[0], np.arange(n)[:, None] + 0.5 - centre[1]
    return peak * (1 + ((x / stretch) ** 2 + (y * stretch) ** 2) / core**2) ** -1.4


def clump(at, *, counts, width=2.5, n=300):
    x, y = np.arange(n)[None, :] + 0.5 - at[0], np.arange(n)[:, None] + 0.5 - at[1]
    return counts * np.exp(-(x**2 + y**2) / (2 * width**2)) / (2 * np.pi * width**2)


def poisson(expected, seed=1):
    return np.random.default_rng(seed).poisson(expected).astype(float)


def test_scales_add_up_to_the_image():
    image = np.random.default_rng(0).normal(size=(90, 70))
    assert starlet(image, 5).sum(axis=0) == pytest.approx(image, abs=1e-12)


def test_smoothing_keeps_the_sum_away_from_the_edges_and_constants_everywhere():
    image = np.zeros((129, 129))
    image[64, 64] = 1.0
    assert [c.sum() for c in smoothed_images(image, 4)] == pytest.approx([1.0] * 5)
    assert smoothed_images(np.full((40, 50), 3.0), 3)[-1] == pytest.approx(3.0)


def test_noise_per_scale_as_published():
    # Starck & Murtagh, "Astronomical Image and Data Analysis", two dimensions; printed to three decimals.
    assert noise_per_scale(7) == pytest.approx((0.889, 0.200, 0.086, 0.041, 0.020, 0.010, 0.005), abs=2e-3)


def test_noise_per_scale_as_measured():
    image = np.random.default_rng(3).normal(size=(400, 400))
    measured = starlet(image, 4)[:-1].std(axis=(1, 2))
    assert measured == pytest.approx(noise_per_scale(4), rel=0.06)  # scale 4 averages over some 600 patches


@pytest.mark.parametrize("mean", [0.3, 3.0, 100.0])
def test_significance_of_noise_is_standard_normal(mean):
    model = np.full((300, 300), mean)
    found = significance(poisson(model), model, 4, contrast=0.0)
    independent = slice(0 if mean > 1 else 1, 4)  # a pixel with 0.3 photons is below what one scale can stabilise
    assert found[independent].std(axis=(1, 2)) == pytest.approx(1.0, abs=0.08)


@pytest.mark.parametrize("mean", [0.003, 0.03, 0.3, 3.0])
def test_noise_alone_makes_hardly_any_structure(mean):
    model = np.full((300, 300), mean)
    masked = [significant_structures(poisson(model, seed), model, Detection()).mean() for seed in range(4)]
    assert np.mean(masked) < 2e-3


def test_few_photons_in_an_empty_field_are_no_structure_but_ten_together_are():
    model = np.full((300, 300), 1e-4)
    image = np.zeros((300, 300))
    image[40, 40] = 3
    assert not significant_structures(image, model, Detection()).any()
    image[200, 200] = 12
    assert significant_structures(image, model, Detection())[200, 200]


def test_clumps_are_masked_and_the_core_is_not():
    clumps = {(215.0, 150.0): 80, (150.0, 60.0): 60, (90.0, 200.0): 300}
    expected = cluster() + sum(clump(at, counts=n) for at, n in clumps.items())
    masked = substructure_mask(poisson(expected), centre=CENTRE, core_radius=10.0, shape_radius=50.0)
    for x, y in clumps:
        assert masked[int(y), int(x)]
    assert not masked[pixel_radii(300, CENTRE) < 10].any()
    y, x = np.nonzero(masked)
    nearest = np.min([np.hypot(x + 0.5 - at[0], y + 0.5 - at[1]) for at in clumps], axis=0)
    assert nearest.max() < 64  # the reach of the widest scale


@pytest.mark.parametrize("stretch", [1.0, 1.25])
def test_a_smooth_cluster_is_left_alone_round_or_not(stretch):
    image = poisson(cluster(stretch=stretch))
    masked = substructure_mask(image, centre=CENTRE, core_radius=10.0, shape_radius=50.0)
    assert masked.mean() < 2e-3


def test_a_bright_clump_in_the_core_is_kept():
    image = poisson(cluster() + clump((153.0, 150.0), counts=500))
    masked = substructure_mask(image, centre=CENTRE, core_radius=10.0, shape_radius=50.0)
    assert not masked[pixel_radii(300, CENTRE) < 10].any()


def test_contrast_spares_departures_of_the_cluster_itself():
    lopsided = cluster() * (1 + 0.12 * np.sin(np.arange(300) / 12.0))[None, :]
    image = poisson(30 * lopsided)
    model = 30 * cluster()
    assert significant_structures(image, model, Detection(contrast=1.0)).mean() > 0.02
    assert significant_structures(image, model, Detection(contrast=1.2)).mean() < 0.002


def test_smooth_model_ignores_a_neighbour():
    expected = 20 * cluster()
    image = poisson(expected + clump((210.0, 150.0), counts=30_000, width=8.0))
    model = smooth_model(image, centre=CENTRE, rounding=np.eye(2))
    at = pixel_radii(300, CENTRE)
    ring = (at > 50) & (at < 70)
    assert model[ring].mean() == pytest.approx(expected[ring].mean(), rel=0.05)  # the plain mean would double


def test_the_wings_of_a_bright_neighbour_are_masked_as_far_as_they_matter():
    neighbour = cluster(centre=(260.0, 180.0), core=10.0, peak=160.0)
    expected = 4 * cluster() + neighbour
    masked = substructure_mask(poisson(expected), centre=CENTRE, core_radius=10.0, shape_radius=50.0)
    inside = (pixel_radii(300, CENTRE) < 80) & ~masked
    left, unmasked = neighbour[inside].sum(), neighbour[pixel_radii(300, CENTRE) < 80].sum()
    assert left / (4 * cluster())[inside].sum() < 0.12  # below the contrast of 1.2
    assert left < 0.5 * unmasked


def test_elongation_is_recovered_in_spite_of_a_clump():
    image = 30 * cluster(stretch=1.2) + clump((185.0, 170.0), counts=5_000)
    rounding = elongation(image, centre=CENTRE, radius=50.0)
    assert rounding == pytest.approx(np.diag([1 / 1.2, 1.2]), abs=0.02)
    assert np.linalg.det(rounding) == pytest.approx(1.0)


def test_centroid_finds_an_offset_cluster_beside_a_clump():
    image = poisson(30 * cluster(centre=(154.0, 147.0)) + clump((200.0, 190.0), counts=3_000))
    found = centroid(image, start=CENTRE, radii=(50.0, 30.0, 15.0))
    assert found == pytest.approx((154.0, 147.0), abs=0.3)


def test_centroid_of_nothing_is_the_start():
    assert centroid(np.zeros((40, 40)), start=(20.0, 20.0), radii=(10.0,)) == (20.0, 20.0)


def test_images_too_small_for_the_scales_are_refused():
    with pytest.raises(InputError, match=r"5 scales need 33 pixels a side, found \(20, 20\)"):
        starlet(np.zeros((20, 20)), 5)
    with pytest.raises(InputError, match="must hold"):
        Detection(seed=2.0, edge=3.0)
